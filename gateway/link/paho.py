"""A persistent MQTT 3.1.1 session on paho-mqtt, driven by the event loop, acknowledged by hand.

Step 1 of a message's way where the broker does not speak MQTT 5 (`mqtt5.py` costs a tenth). paho would acknowledge on
receipt; with `manual_ack` the PUBACK leaves only when the pipeline has committed. Mosquitto 2.0.11 does not hold its
own in-flight window, so unacknowledged messages are counted here and reading stops at a limit: what we do not read
waits in the broker.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterable

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.link.contract import Broker, Deliver, Delivery, LinkChanged, LinkNews
from gateway.link.daemon import in_daemon
from gateway.link.pace import Pace
from sensors.decode.family import Packet, Subscription
from sensors.inputs import Lane

log = logging.getLogger(__name__)

PACKETS_PER_WAKE = 64
ANNOUNCE_WITHIN_S = 5.0


class PahoLink:
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
        self.received = 0
        self.subscribed = asyncio.Event()
        self._broker = broker
        self._status_topic = status_topic
        self._now = now
        self._deliver = deliver
        self._changed = changed
        self._tell_refused = refused
        self._refusal_stood = "refused" in stood
        self._pace = Pace(unsteady, stood="unsteady" in stood)
        self._alive_at = 0.0
        self._subscriptions: dict[str, int] = {}
        self._asked: dict[int, list[str]] = {}
        self._refused: set[str] = set()
        self._epoch = 0
        self._unacknowledged = 0
        self._bytes = 0
        self._paused = False
        self._socket: socket.socket | None = None
        self._announced: dict[int, asyncio.Future[None]] = {}
        self._gone = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._client = self._make_client(client_id)

    def _make_client(self, client_id: str) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv311,
            clean_session=False,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        if self._broker.username is not None:
            client.username_pw_set(self._broker.username, self._broker.password)
        if self._broker.tls is not None:
            client.tls_set_context(self._broker.tls)
        client.will_set(self._status_topic, b'{"online":false}', qos=1, retain=True)
        client.max_inflight_messages_set(100)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write
        return client

    # -- what the pipeline asks -------------------------------------------------------------------------------

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Send PUBACK for what is committed; those of an older connection are dropped (they come again)."""
        for delivery in deliveries:
            if delivery.epoch != self._epoch:
                continue
            if delivery.packet.qos > 0:
                self._client.ack(delivery.mid, delivery.packet.qos)
            self._unacknowledged -= 1
            self._bytes -= len(delivery.packet.payload)
        if self._paused and not self._full:
            self._resume()

    def subscribe(self, subscriptions: Iterable[Subscription]) -> None:
        """Hold exactly the subscriptions of this lane."""
        wanted = {item.filter: item.qos for item in subscriptions if item.lane == self.lane}
        gone = [name for name in self._subscriptions if name not in wanted]
        new = [(name, qos) for name, qos in wanted.items() if self._subscriptions.get(name) != qos]
        self._subscriptions = wanted
        if self.connected:
            if gone:
                self._client.unsubscribe(gone)
            self._send_subscribe(new)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Hand a message to the session; QoS 1 waits for the link where it is down."""
        self._client.publish(topic, payload, qos=qos, retain=retain)

    async def announce(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1 and wait for the broker's PUBACK. Raises `OSError` when it does not come."""
        if not self.connected:
            raise ConnectionError("the broker is not linked")
        info = self._client.publish(topic, payload, qos=1)
        acknowledged = self._announced[info.mid] = self._loop.create_future()
        try:
            async with asyncio.timeout(ANNOUNCE_WITHIN_S):
                await acknowledged
        finally:
            self._announced.pop(info.mid, None)

    # -- life of the connection -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect, and connect again with back-off and jitter, until cancelled."""
        while True:
            self._gone.clear()
            try:
                await in_daemon(self._connect, "mqtt-connect")
            except (OSError, ValueError) as error:
                log.warning("broker %s:%s: %s", self._broker.host, self._broker.port, error)
            else:
                await self._serve()
            await asyncio.sleep(self._pace.pause_s())

    def _connect(self) -> None:
        # paho asks after one keep-alive of silence and gives up after another: it is given two thirds of ours, so
        # that a broker that vanished is noticed within one and a half.
        keepalive = max(1, self._broker.keepalive_s * 2 // 3)
        self._client.connect(self._broker.host, self._broker.port, keepalive=keepalive)

    async def _serve(self) -> None:
        """Tend the connection until it is gone."""
        while not self._gone.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._gone.wait()
            self._pace.tended()
            if self._gone.is_set():
                break
            if self._paused:
                self._live_on()
            elif self._client.loop_misc() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._lost()

    def _live_on(self) -> None:
        """Reading is paused: PINGRESP is not read, so paho must not judge the keep-alive; the broker still does."""
        now = self._loop.time()
        if self.connected and now - self._alive_at >= self._broker.keepalive_s / 3:
            self._alive_at = now
            self._client.publish(self._status_topic, b'{"online":true}', retain=True)

    def _lost(self) -> None:
        if self._socket is not None:
            self._unwatch(self._socket)
        if self.connected:
            self.connected = False
            self._changed(LinkNews(self.lane, up=False))
        self._epoch += 1
        self._asked.clear()
        self._unacknowledged = 0
        self._bytes = 0
        self._paused = False
        self._gone.set()

    async def aclose(self) -> None:
        """Say goodbye: own status offline, then a clean DISCONNECT. The session itself stays with the broker."""
        if self.connected:
            self._client.publish(self._status_topic, b'{"online":false}', qos=1, retain=True)
            await asyncio.sleep(0.05)
        self._client.disconnect()

    # -- paho's callbacks, all in the event loop but the socket's opening ------------------------------------

    def _on_socket_open(self, _client: Client, _data: object, sock: object) -> None:
        assert isinstance(sock, socket.socket)  # noqa: S101 - no websockets are used here
        if sock.family in {socket.AF_INET, socket.AF_INET6}:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop.call_soon_threadsafe(self._watch, sock)

    def _on_socket_close(self, _client: Client, _data: object, sock: object) -> None:
        assert isinstance(sock, socket.socket)  # noqa: S101
        self._unwatch(sock)

    def _watch(self, sock: socket.socket) -> None:
        self._socket = sock
        if sock.fileno() >= 0:
            self._loop.add_reader(sock, self._read)
            self._loop.add_writer(sock, self._write)

    def _unwatch(self, sock: socket.socket) -> None:
        self._socket = None
        if sock.fileno() >= 0:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)

    def _on_register_write(self, _client: Client, _data: object, sock: object) -> None:
        if isinstance(sock, socket.socket):
            self._loop.call_soon_threadsafe(self._want_write)

    def _want_write(self) -> None:
        if self._socket is not None and self._socket.fileno() >= 0:
            self._loop.add_writer(self._socket, self._write)

    def _on_unregister_write(self, _client: Client, _data: object, sock: object) -> None:
        if isinstance(sock, socket.socket):
            self._loop.call_soon_threadsafe(self._done_writing, sock)

    def _done_writing(self, sock: socket.socket) -> None:
        if sock.fileno() >= 0:
            self._loop.remove_writer(sock)

    def _write(self) -> None:
        if self._client.loop_write() != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lost()
        elif not self._client.want_write() and self._socket is not None and self._socket.fileno() >= 0:
            self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        # paho takes one packet a call; go on while packets come, but leave the loop to others after some.
        for _ in range(PACKETS_PER_WAKE):
            before = self.received
            if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._lost()
                return
            if self.received == before or self._paused:
                break
        self._read_rest()

    def _read_rest(self) -> None:
        """What TLS has decrypted already makes no socket readable: it would wait for the next record."""
        sock = self._socket
        if isinstance(sock, ssl.SSLSocket) and not self._paused and sock.pending():
            self._loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if self._socket is not None and not self._paused:
            self._read()

    @property
    def _full(self) -> bool:
        broker = self._broker
        return self._unacknowledged >= broker.max_unacknowledged or self._bytes >= broker.max_unacknowledged_bytes

    def _pause(self) -> None:
        self._paused = True
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
        log.info("%s session: %d unacknowledged, reading paused", self.lane.name.lower(), self._unacknowledged)

    def _resume(self) -> None:
        self._paused = False
        if self._socket is not None and self._socket.fileno() >= 0:
            self._loop.add_reader(self._socket, self._read)
            self._read_rest()

    def _on_connect(
        self, client: Client, _data: object, flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            log.warning("broker refused the session: %s", reason)
            self._lost()
            return
        self.connected = True
        self._pace.accepted()
        client.publish(self._status_topic, b'{"online":true}', qos=1, retain=True)
        self._send_subscribe(list(self._subscriptions.items()))
        self._changed(LinkNews(self.lane, up=True, missed=not flags.session_present))

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            log.warning("broker lost: %s", reason)
        self._loop.call_soon_threadsafe(self._lost)

    def _send_subscribe(self, wanted: list[tuple[str, int]]) -> None:
        if wanted:
            _, mid = self._client.subscribe(wanted)
            if mid is not None:
                self._asked[mid] = [name for name, _ in wanted]

    def _on_subscribe(
        self, _client: Client, _data: object, mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        before = frozenset(self._refused)
        for name, reason in zip(self._asked.pop(mid, ()), reasons, strict=False):
            if reason.is_failure:
                log.error("broker refused %s to the %s session: %s", name, self.lane.name.lower(), reason)
                self._refused.add(name)
            else:
                self._refused.discard(name)
        self._refused &= self._subscriptions.keys()
        if not self._asked:
            self.subscribed.set()
        if self._refused != before or (self._refusal_stood and not self._asked):
            self._refusal_stood = False
            self._tell_refused(", ".join(sorted(self._refused)))

    def _on_publish(
        self, _client: Client, _data: object, mid: int, _reason: ReasonCode, _properties: Properties | None
    ) -> None:
        # Called by the loop's reader, so never between `publish` and the wait for it.
        waiting = self._announced.get(mid)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.received += 1
        self._unacknowledged += 1
        self._bytes += len(message.payload)
        packet = Packet(
            topic=_topic_of(message),
            payload=bytes(message.payload),
            lane=self.lane,
            at=self._now(),
            qos=message.qos,
            retained=message.retain,
            dup=message.dup,
        )
        self._deliver(Delivery(packet, message.mid, self._epoch))
        if self._full and not self._paused:
            self._pause()


def _topic_of(message: MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:
        # The specification forbids it and Mosquitto refuses it; a broker that does not must not stop us.
        return message._topic.decode("utf-8", "replace")  # noqa: SLF001 - paho offers no other way
