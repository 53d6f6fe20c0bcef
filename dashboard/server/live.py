"""The live hub of one hall: what changed is found and written once, and handed to every open page.

Two serialisations exist, with the names of people and without. A page that cannot keep up is cut off: what waits for
it is bounded in frames and in bytes, and so is the number of pages. The hub waits for no one, and nobody else for it.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from alerts.model import TicketState
from dashboard.server.accounts import Visitor
from dashboard.server.desk import HallDesk
from dashboard.server.entities import Rows, entities
from dashboard.server.rights import Right, actions_of
from dashboard.server.subjects import Subjects
from dashboard.server.wire import AnyEntity, Delta, Snapshot
from gateway.store.errors import StoreError

LOG = logging.getLogger(__name__)

TICK_S: Final = 0.3
# With a store that does not answer, a second is added: a page is never without news for more than two.
HEARTBEAT_S: Final = 1.0
QUEUE: Final = 32
SEND_LIMIT_S: Final = 10.0
STORE_LIMIT_S: Final = 1.0
EVENTS: Final = 40
# What has ended stays on the page for a day: who mended it, how the plan went. Looked for among the newest so many.
ENDED_MS: Final = 24 * 3600 * 1000
RUNS: Final = 5
TICKETS: Final = 50

_ENCODER: Final = msgspec.json.Encoder()


@dataclass(slots=True, eq=False)
class Client:
    """An open page. What it is sent waits in a queue of so many frames and `most` bytes; None ends it.

    A page that has taken all before is written to at once, by its `transport`: a thousand of them are then a thousand
    calls of the kernel, and no task of ours is woken for any. Who is slower waits in its own queue, and nobody for it.
    """

    names: bool
    most: int
    transport: asyncio.Transport | None = None
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(QUEUE))
    waiting: int = 0
    cut: bool = False

    def put(self, frame: bytes) -> None:
        """Hand over a frame; a page that has not taken so many gets no more, but one frame of any size waits."""
        way = self.transport
        if way is not None and self.idle:
            way.write(text_frame(frame))
            return
        if self.queue.full() or (self.waiting and self.waiting + len(frame) > self.most):
            self.cut = True
            self.end()
            return
        self.waiting += len(frame)
        self.queue.put_nowait(frame)

    @property
    def idle(self) -> bool:
        """True when everything has left for the kernel, and nothing that ends the page waits."""
        way = self.transport
        return (
            way is not None
            and not self.waiting
            and self.queue.empty()
            and not way.is_closing()
            and not way.get_write_buffer_size()
        )

    def taken(self, frame: bytes) -> None:
        """A frame has left."""
        self.waiting -= len(frame)

    def end(self) -> None:
        """Say that nothing more comes; what still waits is dropped."""
        while not self.queue.empty():
            self.queue.get_nowait()
        self.waiting = 0
        self.queue.put_nowait(None)


@lru_cache(maxsize=4)
def text_frame(payload: bytes) -> bytes:
    """A server's whole text message on the wire: RFC 6455 §5.2, unmasked; made once for all pages that are sent it."""
    length = len(payload)
    if length < 126:  # noqa: PLR2004 (lengths of the RFC)
        return b"\x81" + length.to_bytes(1, "big") + payload
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2, "big") + payload
    return b"\x81\x7f" + length.to_bytes(8, "big") + payload


@dataclass(slots=True)
class Face:
    """What the pages of one kind (with names, or without) have been shown last."""

    names: bool
    shown: dict[str, AnyEntity] = field(default_factory=dict)

    def turn(self, now: dict[str, AnyEntity]) -> tuple[dict[str, AnyEntity], tuple[str, ...]]:
        """Take what stands now; returns what is set and what is gone."""
        changed = {key: one for key, one in now.items() if self.shown.get(key) != one}
        gone = tuple(key for key in self.shown if key not in now)
        self.shown = now
        return changed, gone


class Hub:
    """The open pages of one hall. `run` is its only task."""

    def __init__(
        self, desk: HallDesk, *, build: str, demo: bool = False, rate: Callable[[], float] = lambda: 1.0
    ) -> None:
        """`build` names the page's build: a page of another one loads itself anew."""
        self._desk = desk
        self._build = build
        self._demo = demo
        self._rate = rate
        self._limits = desk.site.site.limits
        self._seq = 0
        self._faces = {True: Face(names=True), False: Face(names=False)}
        self._clients: set[Client] = set()
        self._rows = Rows()
        self._subjects = Subjects(desk)
        self._closed = False

    @property
    def clients(self) -> int:
        """How many pages are open."""
        return len(self._clients)

    async def run(self) -> None:
        """Show what changed, at most every 0.3 s and at least every 2 s, also when nothing did."""
        version = -1
        while True:
            if version != self._desk.path.version:
                version = self._desk.path.version
                await self._look()
            self.show()
            began = time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_S):
                    await self._desk.path.wait_changed(version)
            await asyncio.sleep(max(0.0, TICK_S - (time.monotonic() - began)))

    async def _look(self) -> None:
        """Read the rows that are not in memory; a store that does not answer leaves those shown before."""
        try:
            async with asyncio.timeout(STORE_LIMIT_S):
                self._rows = await self._read()
        except (TimeoutError, StoreError) as error:
            LOG.warning("the page shows older rows: %s", type(error).__name__)

    async def _read(self) -> Rows:
        records, hall, since = self._desk.records, self._desk.id, self._desk.path.now() - ENDED_MS
        tickets = await records.tickets(hall, limit=TICKETS)
        runs = [run for run in await records.runs(hall, limit=RUNS) if run.ended is not None and run.ended >= since]
        shown = [*self._desk.view.book.runs.values(), *runs]
        about = [place for run in shown for place in (run.id, *run.alarms)]
        kept = [await records.messages(hall, about=place, limit=200) for place in about]
        events = tuple(await records.events(hall, limit=EVENTS))
        return Rows(
            tuple(message for messages in kept for message in messages),
            events,
            tuple(runs),
            tuple(
                one for one in tickets if one.state is TicketState.DONE and one.done is not None and one.done >= since
            ),
            await self._subjects.of(row.event for row in events),
        )

    def show(self) -> None:
        """Send what changed to every page."""
        self._seq += 1
        now = self._desk.path.now()
        for face in self._faces.values():
            clients = [client for client in self._clients if client.names is face.names]
            # Without a page of this kind there is nothing to compare: the next one begins with a snapshot.
            if not clients:
                face.shown = {}
                continue
            changed, gone = face.turn(self._entities(names=face.names))
            frame = _ENCODER.encode(Delta(self._seq, now, changed, gone))
            for client in clients:
                client.put(frame)
        self._drop(client for client in self._clients if client.cut)

    def join(self, visitor: Visitor, rights: frozenset[Right]) -> Client:
        """Take in a page; its first frame is a snapshot that the next delta follows."""
        names = Right.NAMES in rights
        face = self._faces[names]
        if not face.shown:
            face.shown = self._entities(names=names)
        client = Client(names, self._limits.page_queue_kib * 1024)
        snapshot = Snapshot(
            self._seq,
            self._desk.path.now(),
            self._build,
            visitor.user,
            visitor.csrf,
            visitor.role,
            tuple(sorted(rights)),
            actions_of(rights),
            dict(face.shown),
        )
        client.put(_ENCODER.encode(snapshot))
        self._clients.add(client)
        return client

    def leave(self, client: Client) -> None:
        """A page is gone."""
        self._clients.discard(client)

    def full(self) -> bool:
        """True when no more pages are taken."""
        return self._closed or len(self._clients) >= self._limits.pages

    def close(self) -> None:
        """End every page: the server stops."""
        self._closed = True
        for client in self._clients:
            client.end()

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._closed

    def _drop(self, clients: Iterable[Client]) -> None:
        for client in tuple(clients):
            LOG.info("a page that did not keep up was cut off")
            self._clients.discard(client)

    def _entities(self, *, names: bool) -> dict[str, AnyEntity]:
        return entities(self._desk, self._rows, names=names, rate=self._rate(), demo=self._demo)


async def feed(client: Client, socket: web.WebSocketResponse) -> None:
    """Send a client's frames until it ends, or its connection does."""
    with contextlib.suppress(ConnectionError):
        while (frame := await client.queue.get()) is not None:
            try:
                async with asyncio.timeout(SEND_LIMIT_S):
                    await socket.send_frame(frame, WSMsgType.TEXT)
            except TimeoutError:
                client.cut = True
                return
            client.taken(frame)


def close_code(hub: Hub, client: Client) -> int:
    """Why the server ends a page: it stops, or the page was too slow, or its login has ended."""
    if hub.closed:
        return WSCloseCode.GOING_AWAY
    return WSCloseCode.TRY_AGAIN_LATER if client.cut else WSCloseCode.POLICY_VIOLATION
