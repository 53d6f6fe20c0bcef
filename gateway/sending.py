"""Step 7, to people: takes what the outbox holds ready, writes down the attempt, sends, writes down what came of it.

Each lane has its own workers for each channel, so a service that hangs delays nobody else and a flood of routine
messages never stands before life safety. How often to try again is the engine's business, not this loop's.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from alerts.model import Lane, Message, MessageState
from alerts.notify.sender import Answer, Never, Sender, Sent, Text, TryAgain, Unknown
from alerts.queue import WAITING, Room, is_foremost

LOG = logging.getLogger(__name__)

WORKERS: Final = {Lane.LIFE_SAFETY: 10, Lane.OPERATIONAL: 2}
# Workers of life safety that nothing may hold but a plan that runs for real: no drill and no hundred calls for help.
RESERVED: Final = 2
# Above every channel's own limit, which knows more of what has left.
SEND_LIMIT_S: Final = 45.0
# So long a message waits to be written down before it goes out all the same, and says so: life safety, and the rest.
STORE_LIMIT_S: Final = 1.0
ROUTINE_STORE_LIMIT_S: Final = 3.0
LOOK_S: Final = 0.25


class Outbox(Protocol):
    """What the loop asks of the outbox."""

    def next(self, now: int, room: Room) -> Sequence[Message]:
        """Messages that may be sent at `now` (ms since the epoch): as many as there is room for, life safety first."""
        ...

    def message(self, id: str) -> Message | None:
        """A message as it stands now."""
        ...


class Path(Protocol):
    """What the loop asks of a hall's path: the time, news, and to write down an attempt and its outcome."""

    def now(self) -> int:
        """The gateway's time, ms since the epoch."""
        ...

    async def wait_changed(self, version: int) -> int:
        """Wait until something was committed after `version`; returns the new version."""
        ...

    async def attempting(self, messages: tuple[str, ...]) -> None:
        """Write down that these messages are about to be sent; returns when it is committed."""
        ...

    async def report(self, message: str, outcome: str, error: str = "", retry_after_s: float = 0.0) -> None:
        """Write down what became of one attempt; returns when it is committed."""
        ...


# Puts a message into both languages, with its link if its reader may answer.
Words = Callable[[Message], Text]


class SendingLoop:
    """Sends one hall's messages. `run` is its only task; `close` ends it after what is under way."""

    def __init__(self, path: Path, outbox: Outbox, senders: Mapping[str, Sender], words: Words) -> None:
        """`senders` by channel id."""
        self._path = path
        self._outbox = outbox
        self._senders = senders
        self._words = words
        self._in_hand: set[str] = set()
        self._busy: Counter[tuple[Lane, str]] = Counter()
        self._wake = asyncio.Event()
        self._closed = False

    async def run(self) -> None:
        """Send until `close`; what is under way then is still reported."""
        async with asyncio.TaskGroup() as group:
            news = group.create_task(self._listen())
            while not self._closed:
                self._start(group)
                # A retry's time comes without news, so look without news as well.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._wake.wait()
                self._wake.clear()
            news.cancel()

    def close(self) -> None:
        """Start nothing more."""
        self._closed = True
        self._wake.set()

    async def _listen(self) -> None:
        version = -1
        while True:
            version = await self._path.wait_changed(version)
            self._wake.set()

    def _start(self, group: asyncio.TaskGroup) -> None:
        ready = self._outbox.next(self._path.now(), self._room)
        for lane in WORKERS:
            chosen = [one for one in ready if one.lane is lane and self._take(one)]
            if chosen:
                group.create_task(self._attempt(group, chosen))

    def _room(self, lane: Lane, channel: str) -> int:
        """How many to look at: some of those that wait may be in hand already, but no more than there are workers."""
        workers = WORKERS[lane]
        return workers if self._busy[lane, channel] < workers else 0

    def _take(self, message: Message) -> bool:
        place = (message.lane, message.channel)
        reserved = 0 if message.lane is Lane.OPERATIONAL or is_foremost(message) else RESERVED
        if message.id in self._in_hand or self._busy[place] >= WORKERS[message.lane] - reserved:
            return False
        self._in_hand.add(message.id)
        self._busy[place] += 1
        return True

    async def _attempt(self, group: asyncio.TaskGroup, chosen: list[Message]) -> None:
        """Write the attempts down, all of one lane at once, then send each by itself."""
        written = group.create_task(self._path.attempting(tuple(one.id for one in chosen)))
        urgent = chosen[0].lane is Lane.LIFE_SAFETY
        await asyncio.wait({written}, timeout=STORE_LIMIT_S if urgent else ROUTINE_STORE_LIMIT_S)
        if not written.done():
            LOG.error("the store does not answer: %d messages go out unwritten", len(chosen))
        for message in chosen:
            group.create_task(self._send_one(group, message, written))

    async def _send_one(self, group: asyncio.TaskGroup, message: Message, written: asyncio.Task[None]) -> None:
        try:
            current = self._current(message, written=written.done())
            if current is not None:
                answer = await self._try(current)
                reported = group.create_task(self._report(current, answer))
                # While the store does not answer the path decides all the same: a retry need not wait for it.
                while not reported.done() and not self._decided(current):
                    await asyncio.wait({reported}, timeout=LOOK_S if current.unwritten else None)
        finally:
            self._in_hand.discard(message.id)
            self._busy[message.lane, message.channel] -= 1
            self._wake.set()

    def _current(self, message: Message, *, written: bool) -> Message | None:
        """The message with this attempt counted; None when it was answered or called off meanwhile."""
        current = self._outbox.message(message.id)
        if current is not None and current.state is MessageState.ATTEMPTING:
            return current if written else replace(current, unwritten=True)
        if written or current is None or current.state not in WAITING:
            return None
        return replace(message, attempts=message.attempts + 1, unwritten=True)

    def _decided(self, sent: Message) -> bool:
        """Whether the path has taken in what came of an attempt, be it written or not."""
        current = self._outbox.message(sent.id)
        return current is None or (current.state is not MessageState.ATTEMPTING and current.attempts >= sent.attempts)

    async def _try(self, message: Message) -> Answer:
        sender = self._senders.get(message.channel)
        if sender is None:
            return Never("no_channel")
        try:
            async with asyncio.timeout(SEND_LIMIT_S):
                return await sender.send(message, self._words(message))
        except TimeoutError:
            return Unknown("timeout")
        except Exception:
            # A sender raises nothing; if it does, its fault must stop no other message.
            LOG.exception("the sender of channel %s failed", message.channel)
            return Unknown("internal")

    async def _report(self, message: Message, answer: Answer) -> None:
        match answer:
            case Sent():
                await self._path.report(message.id, "sent", "unwritten" if message.unwritten else "")
            case TryAgain(error, retry_after_s):
                await self._path.report(message.id, "retry", error, retry_after_s)
            case Never(error):
                await self._path.report(message.id, "never", error)
            case Unknown(error):
                await self._path.report(message.id, "unknown", error)
