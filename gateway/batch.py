"""One batch: entries in, decisions made, a transaction and its acknowledgements out. Pure but for its futures.

Reads no clock and does no I/O, so that a test can drive it input by input.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from alerts.core import Core
from alerts.model import Outcome
from gateway.history.recent import Fresh, Said
from gateway.link.contract import Delivery
from gateway.store.contract import Batch, Quarantined, Settled, Snapshot
from gateway.taps import Tapped, Taps
from sensors.decode.family import Packet
from sensors.decode.probe import read_probe
from sensors.decode.reception import Arrival, Received, Reception, Verdict
from sensors.errors import RefusedError
from sensors.hall.hall import Hall
from sensors.inputs import Acted, AnyInput, Heard, Probed, Resited, Started, Tallied, Tally, Ticked, pack
from sensors.site.model import Site

FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Siting:
    """A version of the site file that comes into force, and the secrets of its devices, by id."""

    digest: str
    site: Site
    keys: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An input of our own, who waits for it, the row of the quarantine that it releases, the site it puts in force."""

    item: AnyInput
    future: "asyncio.Future[Outcome] | None"
    releases: Settled | None = None
    siting: Siting | None = None

    def settle(self, outcome: Outcome) -> None:
        """Tell who waits that it is committed."""
        if self.future is not None and not self.future.done():
            self.future.set_result(outcome)

    def fail(self, error: Exception) -> None:
        """Tell who waits that it was refused or failed."""
        if self.future is not None and not self.future.done():
            self.future.set_exception(error)


Entry = Delivery | Waiting


@dataclass(slots=True)
class Prepared:
    """A batch decided: what to commit (None if nothing), what it said, and whom to answer afterwards.

    `snapshot`: the hall as it stood then, where it was time for one; to be kept once the batch is.
    """

    batch: Batch | None = None
    snapshot: Snapshot | None = None
    fresh: Fresh | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    outcomes: list[tuple[Waiting, Outcome | RefusedError]] = field(default_factory=list)
    registry_changed: bool = False
    tapped: list[Tapped] = field(default_factory=list)

    def settle(self) -> None:
        """Answer everyone who waits."""
        for waiting, outcome in self.outcomes:
            if isinstance(outcome, RefusedError):
                waiting.fail(outcome)
            else:
                waiting.settle(outcome)


@dataclass(slots=True)
class _Draft:
    index: int
    inputs: list[AnyInput] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    released: list[Settled] = field(default_factory=list)
    counts: dict[tuple[str, Verdict], int] = field(default_factory=dict)
    reasons: dict[str, dict[str, int]] = field(default_factory=dict)
    tapped: list[Tapped] = field(default_factory=list)

    def count(self, device: str, verdict: Verdict, reason: str = "") -> None:
        key = (device, verdict)
        self.counts[key] = self.counts.get(key, 0) + 1
        if reason:
            reasons = self.reasons.setdefault(device, {})
            reasons[reason] = reasons.get(reason, 0) + 1

    def tallies(self) -> tuple[Tally, ...]:
        """The account of each device, in the order in which they were heard."""
        found: dict[str, dict[str, int]] = {}
        for (device, verdict), count in self.counts.items():
            one = found.get(device)
            if one is None:
                found[device] = {"received": count, verdict: count}
            else:
                one["received"] += count
                one[verdict] = count
        return tuple([Tally(device, **one, reasons=self.reasons.get(device, {})) for device, one in found.items()])

    def keep(self, heard: Heard, arrival: Arrival | None) -> None:
        """Keep a message that was folded: in the journal, and its readings for the history that comes after it."""
        if arrival is not None and not heard.awaiting:
            self.said.append(Said(self.index + len(self.inputs), arrival.readings, heard.replayed))
        self.inputs.append(heard)


@dataclass(slots=True)
class Making:
    """A batch under way, decided a part at a time."""

    draft: _Draft
    now: int
    prepared: Prepared = field(default_factory=Prepared)
    empty: bool = True


class BatchMaker:
    """Turns entries into a batch: decode, decide, and write down what must be committed."""

    def __init__(self, core: Core, reception: Reception, *, hall: str, index: int, taps: Taps | None = None) -> None:
        """Go on at `index` of a hall's journal. `taps` are those who listen in."""
        self.taps = Taps() if taps is None else taps
        self.core = core
        self.reception = reception
        self.hall = hall
        self.index = index
        self._now = 0

    def prepare(self, entries: list[Entry], now: int) -> Prepared:
        """Decide a batch. An empty one lets time pass: what is due by `now` fires, and is written if it did."""
        making = self.begin(now)
        self.take(making, entries)
        return self.end(making)

    def begin(self, now: int) -> Making:
        """Begin a batch that is decided a part at a time; nothing else may be decided before its `end`."""
        self._now = now
        return Making(_Draft(self.index), now)

    def take(self, making: Making, entries: Iterable[Entry]) -> None:
        """Decide some more of a batch."""
        draft, prepared = making.draft, making.prepared
        for entry in entries:
            making.empty = False
            if isinstance(entry, Delivery):
                prepared.deliveries.append(entry)
                prepared.registry_changed |= self._take_message(entry.packet, draft)
            else:
                prepared.registry_changed |= self._take_own(entry, draft, prepared)
        self.index = draft.index + len(draft.inputs)

    def end(self, making: Making) -> Prepared:
        """Close a batch: what to commit, and whom to answer."""
        draft, prepared = making.draft, making.prepared
        if making.empty:
            self._let_pass(making.now, draft)
        self._close_account(draft)
        prepared.batch = self._batch(draft)
        prepared.tapped = draft.tapped
        if draft.inputs:
            prepared.fresh = Fresh(draft.index, len(draft.inputs), draft.said)
        return prepared

    def set_aside(self, delivery: Delivery, error: Exception) -> Prepared:
        """Put a message that nothing can take into quarantine, alone."""
        draft = _Draft(self.index)
        packet = delivery.packet
        received = Received(Verdict.QUARANTINED, "", None, FAILED, repr(error))
        draft.quarantined.append(self._quarantined(packet, received))
        draft.count("", Verdict.QUARANTINED, FAILED)
        self._close_account(draft)
        tapped = [Tapped(packet, received)] if self.taps else []
        return Prepared(batch=self._batch(draft), deliveries=[delivery], tapped=tapped)

    def _at(self, at: int) -> int:
        # Time never runs backwards in a journal; what came in earlier than the last input counts as its equal.
        # Nor is anything from the future: what came in before the clock was set back did not come in after it.
        return max(min(at, self._now or at), self.core.hall.state.now)

    def _take_message(self, packet: Packet, draft: _Draft) -> bool:
        received = self.reception.receive(packet)
        draft.count(received.device, received.verdict, received.reason)
        if self.taps:
            draft.tapped.append(Tapped(packet, received))
        if received.verdict is Verdict.QUARANTINED:
            draft.quarantined.append(self._quarantined(packet, received))
        if received.verdict is Verdict.PROBE:
            self._take_probe(packet, draft)
        if received.arrival is None or received.verdict is Verdict.DUPLICATE or received.verdict is Verdict.REFUSED:
            return False
        kept = received.kept or packet
        state = self.core.hall.state
        heard = Heard(
            max(packet.at, state.now),
            kept.topic,
            kept.payload,
            packet.lane,
            packet.retained,
            awaiting=received.verdict is Verdict.AWAITING or received.unproven,
        )
        arrival = received.arrival
        if heard.at != packet.at:  # what is folded now must be equal to what is read from the journal later
            arrival = self.reception.read(heard) or arrival
        before = len(state.devices)
        self.core.step(heard, arrival)
        draft.keep(heard, arrival)
        return bool(arrival.decoded.seen) or len(state.devices) != before

    def _take_probe(self, packet: Packet, draft: _Draft) -> None:
        probe = read_probe(packet.payload)
        item = Probed(self._at(packet.at), packet.lane, probe.id, probe.sent)
        self.core.step(item)
        draft.inputs.append(item)

    def _take_own(self, waiting: Waiting, draft: _Draft, prepared: Prepared) -> bool:
        item = _moved(waiting.item, self._at(waiting.item.at))
        if waiting.siting is not None:
            self._follow(waiting.siting, item)
        arrival = self.reception.read(item) if isinstance(item, Heard) else None
        try:
            outcome = self.core.step(item, arrival)
        except RefusedError as refused:
            prepared.outcomes.append((waiting, refused))
            draft.inputs.append(Ticked(item.at))
            return False
        if isinstance(item, Heard):
            draft.keep(item, arrival)
        else:
            draft.inputs.append(item)
        if waiting.releases is not None:
            draft.released.append(waiting.releases)
        prepared.outcomes.append((waiting, outcome))
        return isinstance(item, Acted | Started | Resited)

    def _follow(self, siting: Siting, item: AnyInput) -> None:
        """Put a site in force, just where `gateway.fold` does: at a start at once, else after what is due before it."""
        if isinstance(item, Resited):
            self.core.advance(item.at)
        state = self.core.hall.state
        self.core.hall = Hall(siting.site, self.hall, state)
        self.core.engine.follow(siting.site)
        self.reception = Reception(siting.site, self.hall, state, siting.keys)

    def _let_pass(self, now: int, draft: _Draft) -> None:
        due = self.core.next_due()
        if due is not None and due <= now:
            tick = Ticked(self._at(now))
            self.core.step(tick)
            draft.inputs.append(tick)

    def _close_account(self, draft: _Draft) -> None:
        if draft.counts:
            item = Tallied(self.core.hall.state.now, draft.tallies())
            self.core.step(item)
            draft.inputs.append(item)

    def _batch(self, draft: _Draft) -> Batch | None:
        if not draft.inputs and not draft.quarantined:
            return None
        batch = Batch(
            hall=self.hall,
            index=draft.index,
            count=len(draft.inputs),
            at=draft.inputs[-1].at,
            blob=pack(draft.inputs),
            changes=self.core.take(),
            quarantined=tuple(draft.quarantined),
            released=tuple(draft.released),
        )
        self.index = draft.index + len(draft.inputs)
        return batch

    def _quarantined(self, packet: Packet, received: Received) -> Quarantined:
        return Quarantined(
            hall=self.hall,
            at=packet.at,
            device=received.device,
            topic=packet.topic.replace("\x00", "�")[:1024],
            payload=packet.payload[: received.kept_bytes],
            length=len(packet.payload),
            digest=hashlib.sha256(packet.payload).hexdigest(),
            reason=received.reason,
            detail=received.detail.replace("\x00", "�")[:500],
            retained=packet.retained,
            lane=int(packet.lane),
        )


def _moved(item: AnyInput, at: int) -> AnyInput:
    return item if item.at == at else msgspec.structs.replace(item, at=at)
