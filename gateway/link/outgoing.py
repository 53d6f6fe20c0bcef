"""What a session has to publish: in order, no more in flight than the broker asked for, and again after a reconnect.

A publication at QoS 1 that was not acknowledged is sent again with DUP to a broker that still has the session, and as
a new one to a broker that has lost it. Nobody waits in vain: who waits for a PUBACK is told at once when the
connection goes, and what he asked for is then dropped, since he asks again.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import mqtt5

log = logging.getLogger(__name__)

LAST_ID: Final = 0xFFFF
# More than this waits for a broker that is away only if something is wrong; the oldest goes first.
QUEUE_LIMIT: Final = 1000
# From here on a reason code is a refusal. The codec's codes are told to be `IntEnum` and are none: compare values.
REFUSAL: Final = 128


@dataclass(frozen=True, slots=True)
class Publication:
    """One message at QoS 1, and who waits for its PUBACK."""

    topic: str
    payload: bytes
    retain: bool = False
    waiting: "asyncio.Future[None] | None" = None

    @property
    def wanted(self) -> bool:
        """Whether it is still to be sent: who waited for it and went away asks again."""
        return self.waiting is None or not self.waiting.done()


class Outgoing:
    """The queue of one session. Packet ids are drawn here for SUBSCRIBE as well: they share one space."""

    def __init__(self) -> None:
        """Begin empty, with no broker there."""
        self._queue: deque[Publication] = deque()
        self._flying: dict[int, Publication] = {}
        self._asked: set[int] = set()
        self._window = 0
        self._last = 0

    def put(self, publication: Publication) -> None:
        """Take one more; the oldest that waits is dropped for it where too many do."""
        if len(self._queue) >= QUEUE_LIMIT:
            dropped = self._queue.popleft()
            log.error("%d publications wait for the broker: the oldest, on %s, is dropped", QUEUE_LIMIT, dropped.topic)
            _tell(dropped, OSError("too many publications wait for the broker"))
        self._queue.append(publication)

    def ask(self) -> int:
        """A packet id for a SUBSCRIBE or UNSUBSCRIBE."""
        number = self._draw()
        self._asked.add(number)
        return number

    def answered(self, number: int) -> None:
        """A SUBSCRIBE or UNSUBSCRIBE was answered."""
        self._asked.discard(number)

    def linked(self, window: int, *, present: bool) -> list[mqtt5.PublishPacket]:
        """A broker is there that takes `window` unacknowledged messages; returns what it must be sent once more."""
        self._window = window
        self._asked.clear()
        flying = {number: item for number, item in self._flying.items() if item.wanted}
        if present:
            self._flying = flying
            return [_packet(item, number, again=True) for number, item in flying.items()]
        self._flying = {}
        self._queue.extendleft(reversed(flying.values()))
        return []

    def lost(self) -> None:
        """The connection is gone: who waits is told."""
        self._window = 0
        for item in (*self._flying.values(), *self._queue):
            _tell(item, ConnectionError("the broker was lost before it acknowledged"))

    def due(self) -> Iterator[mqtt5.PublishPacket]:
        """What can leave now."""
        while self._queue and len(self._flying) < self._window:
            item = self._queue.popleft()
            if item.wanted:
                number = self._draw()
                self._flying[number] = item
                yield _packet(item, number, again=False)

    def acknowledged(self, packet: mqtt5.PubAckPacket) -> None:
        """Take a PUBACK. One that nobody waits for is an answer to an older connection's."""
        item = self._flying.pop(packet.packet_id, None)
        if item is None:
            return
        if packet.reason_code.value >= REFUSAL:
            log.error("broker refused our message on %s: %s", item.topic, packet.reason_code.name)
            _tell(item, OSError(f"the broker refused it: {packet.reason_code.name}"))
        elif item.waiting is not None and not item.waiting.done():
            item.waiting.set_result(None)

    def _draw(self) -> int:
        for _ in range(LAST_ID):
            self._last = self._last % LAST_ID + 1
            if self._last not in self._flying and self._last not in self._asked:
                break
        return self._last


def _packet(item: Publication, number: int, *, again: bool) -> mqtt5.PublishPacket:
    return mqtt5.PublishPacket(
        item.topic,
        item.payload,
        qos=mqtt5.QoS.AT_LEAST_ONCE,
        retain=item.retain,
        packet_id=number,
        duplicate=again,
    )


def _tell(item: Publication, error: Exception) -> None:
    if item.waiting is not None and not item.waiting.done():
        item.waiting.set_exception(error)
