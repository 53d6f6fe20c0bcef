"""Plays a stretch of time through the path without a broker: the demo's yesterday, a scenario, a recording.

The same deciding, the same journal and the same transactions as live; only the clock is that of the packets, and
what the outbox would send counts as sent at once.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from paho.mqtt.client import topic_matches_sub

from alerts.core import Core
from gateway.batch import BatchMaker, Entry, Waiting
from gateway.link.contract import Delivery
from gateway.store.contract import Batch
from sensors.decode.family import Packet, Subscription
from sensors.inputs import AnyInput, Attempting, Lane, Reported


@dataclass(frozen=True, slots=True)
class Later:
    """An input that is made when its time has come, because it speaks of what will have happened by then."""

    at: int
    make: Callable[[Core], AnyInput]


Played = Packet | AnyInput | Later
SLICE_MS = 1000
SLICE_LIMIT = 500
MESSAGES_A_SLICE = 1000


@dataclass(frozen=True, slots=True)
class Slicing:
    """How much is committed together: `ms` of the played time, `limit` inputs at most.

    Messages of the outbox count as sent at a slice's end: where alarms matter a slice is short, and where nobody
    will answer any (an ordinary day that has passed) a long one costs less.
    """

    ms: int = SLICE_MS
    limit: int = SLICE_LIMIT


FINE = Slicing()


class Keeper(Protocol):
    """Where batches go: the journal of a store, or who only looks them through."""

    async def commit(self, batch: Batch) -> None:
        """Take one batch."""
        ...


class Router:
    """Which session hears a topic: the one whose filter matches, as the broker would find it."""

    def __init__(self, subscriptions: Iterable[Subscription]) -> None:
        self._subscriptions = tuple(subscriptions)
        self._known: dict[str, Lane] = {}

    def lane(self, topic: str) -> Lane:
        """The lane; raises `LookupError` for a topic that nobody has subscribed, or both sessions."""
        known = self._known.get(topic)
        if known is None:
            lanes = {one.lane for one in self._subscriptions if topic_matches_sub(one.filter, topic)}
            if len(lanes) != 1:
                raise LookupError(f"{topic} is heard by {sorted(lanes) or 'nobody'}")
            known = self._known[topic] = lanes.pop()
        return known


@dataclass(frozen=True, slots=True)
class Slice:
    """Entries that are committed together, the instant at which they end, and what is made only then."""

    entries: list[Entry]
    end: int
    later: Later | None = None


async def play(
    maker: BatchMaker,
    journal: Keeper,
    items: Iterable[Played],
    *,
    until: int,
    slicing: Slicing = FINE,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Play `items` (in order of `at`) and let time pass to `until`, ms since the epoch."""
    for part in _slices(items, until, slicing):
        await _commit(maker, journal, part.entries, part.end)
        await _let_pass(maker, journal, part.end)
        await _send_all(maker, journal, part.end)
        if part.later is not None:
            await _commit(maker, journal, [Waiting(part.later.make(maker.core), None)], part.end)
        if progress is not None:
            progress(part.end)


async def _let_pass(maker: BatchMaker, journal: Keeper, now: int) -> None:
    due = maker.core.next_due()
    while due is not None and due <= now:
        await _commit(maker, journal, [], due)
        await _send_all(maker, journal, due)
        due = maker.core.next_due()


async def _send_all(maker: BatchMaker, journal: Keeper, now: int) -> None:
    ready = tuple(message.id for message in maker.core.engine.ready(now, MESSAGES_A_SLICE))
    if ready:
        sent: list[AnyInput] = [Attempting(now, ready), *(Reported(now, message, "sent") for message in ready)]
        await _commit(maker, journal, [Waiting(item, None) for item in sent], now)


async def _commit(maker: BatchMaker, journal: Keeper, entries: list[Entry], now: int) -> None:
    prepared = maker.prepare(entries, now)
    if prepared.batch is not None:
        await journal.commit(prepared.batch)
    prepared.settle()


def _slices(items: Iterable[Played], until: int, slicing: Slicing) -> Iterator[Slice]:
    entries: list[Entry] = []
    end: int | None = None
    for item in items:
        if item.at > until:
            break
        if end is not None and (item.at > end or len(entries) >= slicing.limit):
            yield Slice(entries, min(end, item.at))
            entries, end = [], None
        if isinstance(item, Later):
            yield Slice(entries, item.at, item)
            entries, end = [], None
            continue
        end = end if end is not None else item.at + slicing.ms
        entries.append(Delivery(item, 0, 0) if isinstance(item, Packet) else Waiting(item, None))
    yield Slice(entries, until)
