"""One MQTT 5 connection: bytes in and packets out of them, read in slices and no further than a limit.

Step 1 of a message's way, beneath `mqtt5.py`. The codec is the package `mqtt5`; what is ours is when to read: a slice a
turn of the loop, so that an alarm on the other session waits for one slice only; nothing while too much is
unacknowledged, so that it waits in the broker (Mosquitto 2.0.11 does not hold its own in-flight window); and nothing
while the broker does not take what we write.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import mqtt5

from gateway.link.contract import Broker, Deliver, Delivery
from gateway.link.malformed import MalformedError, frame_length, mend
from sensors.decode.family import Packet
from sensors.inputs import Lane

PACKETS_A_SLICE: Final = 256

Published = mqtt5.PublishPacket
Answer = (
    mqtt5.ConnAckPacket
    | mqtt5.PubAckPacket
    | mqtt5.SubAckPacket
    | mqtt5.UnsubAckPacket
    | mqtt5.PingRespPacket
    | mqtt5.DisconnectPacket
)
Sent = mqtt5.ConnectPacket | Published | mqtt5.SubscribePacket | mqtt5.UnsubscribePacket | mqtt5.PingReqPacket


class Listener(Protocol):
    """Who keeps the session that this connection belongs to."""

    def answered(self, packet: Answer) -> None:
        """Take what is no PUBLISH."""
        ...

    def ended(self, number: int, why: Exception | None) -> None:
        """The connection is gone; `why` is None where it was closed in order."""
        ...


class Wire(asyncio.Protocol):
    """One connection, the `number`th of its session. asyncio sets TCP_NODELAY itself."""

    def __init__(
        self, broker: Broker, lane: Lane, number: int, *, now: Callable[[], int], deliver: Deliver, listener: Listener
    ) -> None:
        """Prepare a connection; the transport comes with `connection_made`."""
        self.number = number
        self.received = 0
        self.heard = 0.0
        self.closed = asyncio.Event()
        self._broker = broker
        self._lane = lane
        self._now = now
        self._deliver = deliver
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._why: Exception | None = None
        self._chunks: list[bytes] = []
        self._held = 0
        self._need = 1
        self._unacknowledged = 0
        self._bytes = 0
        self._choked = False
        self._turn: asyncio.Handle | None = None
        self._reading = True

    # -- out ------------------------------------------------------------------------------------------------

    def send(self, packet: Sent) -> None:
        """Write a packet."""
        if self._transport is not None:
            self._transport.write(packet.write())

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Write the PUBACKs of these deliveries of this connection, in one piece."""
        if self._transport is None or not deliveries:
            return
        acks = [mqtt5.PubAckPacket(item.mid).write() for item in deliveries if item.packet.qos]
        self._transport.write(b"".join(acks))
        was_full = self.full
        self._unacknowledged -= len(deliveries)
        self._bytes -= sum([len(item.packet.payload) for item in deliveries])
        if was_full and not self.full:
            self.heard = self._loop.time()
            self._go_on()

    def close(self, farewell: mqtt5.DisconnectReasonCode | None) -> None:
        """Close, once what was written has left; with a DISCONNECT where the broker had accepted us."""
        if self._transport is not None:
            if farewell is not None:
                self._transport.write(mqtt5.DisconnectPacket(reason_code=farewell).write())
            self._transport.close()

    def abort(self, why: Exception | None = None) -> None:
        """Drop the connection without a word: the broker sends the last will."""
        self._why = self._why or why
        if self._transport is not None:
            self._transport.abort()

    # -- in -------------------------------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether as much is unacknowledged as may be; what is behind it is not read, PINGRESP neither."""
        return (
            self._unacknowledged >= self._broker.max_unacknowledged
            or self._bytes >= self._broker.max_unacknowledged_bytes
        )

    @property
    def held_up(self) -> bool:
        """Whether we do not read, so that silence says nothing of the broker."""
        return self.full or self._choked

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_connection makes
        self._transport = transport
        self.heard = self._loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """End: what was not read yet comes again by the next connection."""
        self._transport = None
        self._chunks.clear()
        self._held = 0
        if self._turn is not None:
            self._turn.cancel()
        self.closed.set()
        self._listener.ended(self.number, self._why or exc)

    def pause_writing(self) -> None:
        """The broker does not take what we write: read nothing that we could not acknowledge."""
        self._choked = True
        self._steer()

    def resume_writing(self) -> None:
        """It takes it again."""
        self._choked = False
        self._go_on()

    def data_received(self, data: bytes) -> None:
        """Take bytes, and read them unless a slice is under way."""
        if self._why is not None:
            return
        self.heard = self._loop.time()
        self._chunks.append(data)
        self._held += len(data)
        if self._turn is None and self._held >= self._need and not self.held_up:
            self._read_slice()

    def _go_on(self) -> None:
        if self._turn is None and self._held >= self._need and not self.held_up:
            self._turn = self._loop.call_soon(self._read_slice)
        self._steer()

    def _steer(self) -> None:
        wanted = not (self._choked or self.full or self._turn is not None)
        if self._transport is not None and wanted is not self._reading:
            self._reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def _read_slice(self) -> None:
        self._turn = None
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._need = 1
        try:
            read = self._read(data)
        except MalformedError as error:
            self._chunks.clear()
            self._held = 0
            self._why = error
            self.close(mqtt5.DisconnectReasonCode.MALFORMED_PACKET)
            return
        self._held = len(data) - read
        self._chunks = [data[read:]] if self._held else []
        self._go_on()

    def _read(self, data: bytes) -> int:
        """Read a slice of packets; returns how many bytes they were. What is incomplete sets `_need`."""
        view, position, end, now = memoryview(data), 0, len(data), self._now()
        for _ in range(PACKETS_A_SLICE):
            if position == end or self._choked or self.full or self.closed.is_set():
                break
            try:
                packet, size = mqtt5.read(view[position:])
            except BaseException as error:
                # The codec panics, which is no Exception, at a string that is not UTF-8.
                if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                    raise
                length = frame_length(view[position:], self._broker.max_packet_bytes)
                if length is None or position + length > end:
                    self._need = end - position + 1 if length is None else length
                    break
                packet, size = mend(view[position : position + length], error), length
            position += size
            if type(packet) is Published:
                self._take(packet, now)
            else:
                self._answered(packet)
        return position

    def _take(self, packet: Published, now: int) -> None:
        mid = packet.packet_id
        if packet.qos == mqtt5.QoS.EXACTLY_ONCE or mid == 0:
            raise MalformedError(f"a PUBLISH that nobody may send us: QoS {int(packet.qos)}, packet id {mid}")
        payload = packet.payload
        self.received += 1
        self._unacknowledged += 1
        self._bytes += len(payload)
        heard = Packet(packet.topic, payload, self._lane, now, 0 if mid is None else 1, packet.retain, packet.duplicate)
        self._deliver(Delivery(heard, mid or 0, self.number))

    def _answered(self, packet: mqtt5.Packet) -> None:
        if not isinstance(packet, Answer):
            raise MalformedError(f"a {type(packet).__name__}, which no broker sends")
        self._listener.answered(packet)
