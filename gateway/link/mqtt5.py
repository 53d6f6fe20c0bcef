"""A persistent MQTT 5 session in the event loop, acknowledged by hand.

Step 1 of a message's way: the quick one of the two links (`paho.py` speaks 3.1.1). Here lives what outlasts a
connection: who we are, what we subscribe, what is still to be published, and when to connect again.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

import mqtt5

from gateway.link.contract import Broker, Deliver, Delivery, LinkChanged, LinkNews
from gateway.link.daemon import in_daemon
from gateway.link.malformed import MalformedError
from gateway.link.outgoing import REFUSAL, Outgoing, Publication
from gateway.link.pace import Pace
from gateway.link.wire import Answer, Wire
from sensors.decode.family import Subscription
from sensors.inputs import Lane

log = logging.getLogger(__name__)

CONNECT_WITHIN_S: Final = 10.0
ANNOUNCE_WITHIN_S: Final = 5.0
GOODBYE_WITHIN_S: Final = 0.5
FOREVER: Final = 0xFFFFFFFF
MOST_RECEIVED: Final = 0xFFFF
FILTERS_A_PACKET: Final = 100
LONGEST_TOPIC: Final = 0xFFFF
ONLINE, OFFLINE = b'{"online":true}', b'{"online":false}'


class Mqtt5Link:
    """One session of one lane. Use `async with opened(...)`: its task reconnects until the block ends.

    `refused` is told when the broker refuses subscriptions (their filters), and when it refuses none any more ("").
    `stood` names what was told before this process began, `refused` or `unsteady`: that it is over is told as well.
    """

    def __init__(  # noqa: PLR0913 - what a session has to tell goes to several places
        self,
        broker: Broker,
        *,
        client_id: str,
        lane: Lane,
        status_topic: str,
        now: Callable[[], int],
        deliver: Deliver,
        changed: LinkChanged,
        refused: Callable[[str], None] = lambda _: None,
        unsteady: Callable[[str], None] = lambda _: None,
        stood: frozenset[str] = frozenset(),
    ) -> None:
        """Prepare a session; nothing is connected yet."""
        self.lane = lane
        self.connected = False
        self.subscribed = asyncio.Event()
        self._broker = broker
        self._client_id = client_id
        self._status_topic = status_topic
        self._now = now
        self._deliver = deliver
        self._changed = changed
        self._tell_refused = refused
        self._refusal_stood = "refused" in stood
        self._pace = Pace(unsteady, stood="unsteady" in stood)
        self._subscriptions: dict[str, int] = {}
        self._asked: dict[int, tuple[str, ...]] = {}
        self._refused: set[str] = set()
        self._outgoing = Outgoing()
        self._epoch = 0
        self._wire: Wire | None = None
        self._received_before = 0
        self._keepalive_s = broker.keepalive_s
        self._answer = asyncio.Event()
        self._gone = asyncio.Event()
        self._leaving = False

    @property
    def received(self) -> int:
        """PUBLISHes parsed so far, over all connections."""
        return self._received_before + (0 if self._wire is None else self._wire.received)

    # -- what the pipeline asks -------------------------------------------------------------------------------

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Send PUBACK for what is committed; those of an older connection are dropped (they come again)."""
        wire = self._wire
        if wire is not None:
            wire.acknowledge([delivery for delivery in deliveries if delivery.epoch == wire.number])

    def subscribe(self, subscriptions: Iterable[Subscription]) -> None:
        """Hold exactly the subscriptions of this lane."""
        wanted = {item.filter: item.qos for item in subscriptions if item.lane == self.lane}
        gone = [name for name in self._subscriptions if name not in wanted]
        new = [(name, qos) for name, qos in wanted.items() if self._subscriptions.get(name) != qos]
        self._subscriptions = wanted
        if self.connected and self._wire is not None:
            for some in _portions(gone):
                self._wire.send(mqtt5.UnsubscribePacket(self._outgoing.ask(), list(some)))
            self._send_subscribe(new)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Hand a message to the session; QoS 1 waits for the link where it is down, QoS 0 is then dropped."""
        _check(topic)
        if qos:
            self._outgoing.put(Publication(topic, payload, retain))
            self._flush()
        elif self.connected and self._wire is not None:
            self._wire.send(mqtt5.PublishPacket(topic, payload, retain=retain))

    async def announce(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1 and wait for the broker's PUBACK. Raises `OSError` when it does not come."""
        if not self.connected:
            raise ConnectionError("the broker is not linked")
        _check(topic)
        await self._put_and_wait(topic, payload, retain=False, within_s=ANNOUNCE_WITHIN_S)

    async def _put_and_wait(self, topic: str, payload: bytes, *, retain: bool, within_s: float) -> None:
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._outgoing.put(Publication(topic, payload, retain, acknowledged))
        self._flush()
        async with asyncio.timeout(within_s):
            await acknowledged

    def _flush(self) -> None:
        if self.connected and self._wire is not None:
            for packet in self._outgoing.due():
                self._wire.send(packet)

    # -- life of the connection -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect, and connect again with back-off and jitter, until cancelled."""
        while True:
            try:
                await self._connect()
                await self._tend()
            except (OSError, ValueError) as error:
                log.warning(
                    "broker %s:%s: %s", self._broker.host, self._broker.port, str(error) or type(error).__name__
                )
            await asyncio.sleep(self._pace.pause_s())

    async def _connect(self) -> None:
        """Open a connection and hear what the broker says to our CONNECT. Raises `OSError`."""
        self._answer.clear()
        self._gone.clear()
        async with asyncio.timeout(CONNECT_WITHIN_S):
            wire = await self._open()
            try:
                wire.send(self._hello())
                await self._answer.wait()
            finally:
                if not self.connected:
                    wire.abort()

    async def _open(self) -> Wire:
        host, tls = self._broker.host, self._broker.tls
        failed: OSError = ConnectionError("the name has no address")
        self._epoch += 1
        for address in await self._addresses():
            wire = Wire(self._broker, self.lane, self._epoch, now=self._now, deliver=self._deliver, listener=self)
            try:
                await asyncio.get_running_loop().create_connection(
                    lambda wire=wire: wire,
                    address,
                    self._broker.port,
                    ssl=tls,
                    server_hostname=None if tls is None else host,
                )
            except OSError as error:
                failed = error
            else:
                self._wire = wire
                return wire
        raise failed

    async def _addresses(self) -> list[str]:
        """A name server may hang for as long as it likes, and nothing ends its call: see `daemon.py`."""
        found: list[str] = []

        def ask() -> None:
            answers = socket.getaddrinfo(self._broker.host, self._broker.port, type=socket.SOCK_STREAM)
            found.extend(str(address[0]) for *_, address in answers)

        await in_daemon(ask, "mqtt-resolve")
        return found

    def _hello(self) -> mqtt5.ConnectPacket:
        password = self._broker.password
        return mqtt5.ConnectPacket(
            self._client_id,
            username=self._broker.username,
            password=None if password is None else password.encode(),
            clean_start=False,
            will=mqtt5.Will(self._status_topic, payload=OFFLINE, qos=mqtt5.QoS.AT_LEAST_ONCE, retain=True),
            keep_alive=self._broker.keepalive_s,
            session_expiry_interval=FOREVER,
            receive_max=min(self._broker.max_unacknowledged, MOST_RECEIVED),
            max_packet_size=self._broker.max_packet_bytes,
        )

    async def _tend(self) -> None:
        """Ask for a sign of life twice in a keep-alive, and drop a connection that gives none for a whole one."""
        loop = asyncio.get_running_loop()
        while not self._gone.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._keepalive_s / 2):
                    await self._gone.wait()
            wire = self._wire
            if wire is None or self._gone.is_set():
                return
            self._pace.tended()
            # What we do not read may hold the answer, so silence proves nothing meanwhile.
            if not wire.held_up and loop.time() - wire.heard >= self._keepalive_s:
                wire.abort(TimeoutError(f"nothing was heard for {self._keepalive_s} s"))
            else:
                wire.send(mqtt5.PingReqPacket())

    async def aclose(self) -> None:
        """Say goodbye: own status offline, then a clean DISCONNECT. The session itself stays with the broker."""
        wire, self._leaving = self._wire, True
        if wire is None:
            return
        if self.connected:
            with contextlib.suppress(OSError):
                await self._put_and_wait(self._status_topic, OFFLINE, retain=True, within_s=GOODBYE_WITHIN_S)
            wire.close(mqtt5.DisconnectReasonCode.NORMAL_DISCONNECTION)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_WITHIN_S):
                await wire.closed.wait()
        if not wire.closed.is_set():
            wire.abort()
            await wire.closed.wait()

    # -- what the connection says (`wire.Listener`) ------------------------------------------------------------

    def ended(self, number: int, why: Exception | None) -> None:
        """The connection is gone."""
        wire = self._wire
        if wire is None or wire.number != number:
            return
        if why is not None:
            log.warning("broker lost: %s", why)
        self._received_before += wire.received
        self._wire = None
        self._asked.clear()
        self._outgoing.lost()
        was, self.connected = self.connected, False
        if was and not self._leaving:
            self._changed(LinkNews(self.lane, up=False))
        self._gone.set()
        self._answer.set()

    def answered(self, packet: Answer) -> None:
        """Take what is no PUBLISH."""
        match packet:
            case mqtt5.PubAckPacket():
                self._outgoing.acknowledged(packet)
                self._flush()
            case mqtt5.SubAckPacket():
                self._take_suback(packet)
            case mqtt5.UnsubAckPacket():
                self._outgoing.answered(packet.packet_id)
            case mqtt5.ConnAckPacket():
                self._take_connack(packet)
            case mqtt5.DisconnectPacket():
                if packet.reason_code is mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER:
                    self._pace.taken()
                log.warning("broker ends the connection: %s %s", packet.reason_code.name, packet.reason_str or "")
            case mqtt5.PingRespPacket():
                pass

    def _take_connack(self, packet: mqtt5.ConnAckPacket) -> None:
        wire = self._wire
        if wire is None or self.connected:
            raise MalformedError("a second CONNACK")
        if packet.reason_code.value >= REFUSAL:
            log.warning("broker refused the session: %s %s", packet.reason_code.name, packet.reason_str or "")
            wire.abort()
            return
        if packet.session_expiry_interval not in {None, FOREVER}:
            log.warning("broker keeps our session for %s s only", packet.session_expiry_interval)
        self._keepalive_s = packet.server_keep_alive or self._broker.keepalive_s
        self.connected = True
        self._send_subscribe(list(self._subscriptions.items()))
        for again in self._outgoing.linked(packet.receive_max, present=packet.session_present):
            wire.send(again)
        self.publish(self._status_topic, ONLINE, retain=True)
        self._pace.accepted()
        self._answer.set()
        self._changed(LinkNews(self.lane, up=True, missed=not packet.session_present))

    def _send_subscribe(self, wanted: list[tuple[str, int]]) -> None:
        assert self._wire is not None  # noqa: S101 - asked for only while connected
        for some in _portions(wanted):
            number = self._outgoing.ask()
            self._asked[number] = tuple(name for name, _ in some)
            # `retained` must mean last-known state, so it is not passed on with what is published now.
            filters = [mqtt5.TopicFilter(name, max_qos=mqtt5.QoS(qos), retain_as_published=False) for name, qos in some]
            self._wire.send(mqtt5.SubscribePacket(number, filters))

    def _take_suback(self, packet: mqtt5.SubAckPacket) -> None:
        self._outgoing.answered(packet.packet_id)
        before = frozenset(self._refused)
        for name, reason in zip(self._asked.pop(packet.packet_id, ()), packet.reason_codes, strict=False):
            if reason.value >= REFUSAL:
                log.error("broker refused %s to the %s session: %s", name, self.lane.name.lower(), reason.name)
                self._refused.add(name)
            else:
                self._refused.discard(name)
        self._refused &= self._subscriptions.keys()
        if not self._asked:
            self.subscribed.set()
        if self._refused != before or (self._refusal_stood and not self._asked):
            self._refusal_stood = False
            self._tell_refused(", ".join(sorted(self._refused)))


T = TypeVar("T")


def _portions(items: list[T]) -> Iterator[list[T]]:
    """A SUBSCRIBE may name many filters, but brokers bound a packet."""
    for begin in range(0, len(items), FILTERS_A_PACKET):
        yield items[begin : begin + FILTERS_A_PACKET]


def _check(topic: str) -> None:
    """A broker ends the connection for such a topic, and would do so again after each reconnect."""
    if not topic or len(topic.encode()) > LONGEST_TOPIC or any(sign in topic for sign in "+#\0"):
        raise ValueError(f"no topic to publish on: {topic!r}")
