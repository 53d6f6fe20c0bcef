"""The judgement at the end of a soak: each promise is held against what the devices know and what the store kept."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from alerts.model import Alarm
from benchmarks.soak.devices import Ledger, Numbered
from benchmarks.soak.watch import Sample
from dashboard.cli.client import Json
from gateway.fold import fold
from gateway.store.sql import Store, open_store, sqlite_url
from sensors.facts import FactKind
from sensors.hall.snapshot import encode_state
from sensors.inputs import Heard, unpack
from sensors.site.load import read_site

# A broker that is killed may lose what it had acknowledged since its last save, a second ago at most.
UNSAVED_S = 2.5
# What a young process still takes for itself, and what it may take after that.
YOUNG_S = 60.0
GROWTH, GROWTH_MB, GROWTH_HANDLES = 1.3, 40.0, 20
WAL_MB = 128.0
BYTES_A_MESSAGE = 1500


@dataclass(frozen=True, slots=True)
class Verdict:
    """One promise: whether it held, and what was seen."""

    promise: str
    held: bool
    seen: str


@dataclass(slots=True)
class Kept:
    """What the store holds: each numbered message with how often it stands there, and the alarms."""

    numbered: Counter[Numbered] = field(default_factory=Counter)
    heard: int = 0
    counts_of_people: int = 0
    alarms: list[Alarm] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)


async def read(path: Path, hall: str) -> Kept:
    """Read a store whose gateway has ended."""
    async with open_store(sqlite_url(path)) as store:
        kept = Kept()
        await _journal(store, hall, kept)
        kept.alarms = list(await store.records.alarms(hall, open_only=False, limit=100_000))
        loaded = [read_site(text, "kept") for text in await store.sites.texts()]
        sites = {item.digest: item.site for item in loaded if item.site is not None}
        digest = next(iter(sites))
        resumed = await fold(store.journal, hall, digest, sites)
        empty = await fold(store.journal, hall, digest, sites, from_empty=True)
        if encode_state(resumed.hall.state) != encode_state(empty.hall.state):
            pair = (msgspec.to_builtins(resumed.hall.state), msgspec.to_builtins(empty.hall.state))
            kept.differing = list(_differences(*pair, "")) or ["the order of something"]
        return kept


def _differences(one: object, other: object, where: str) -> Iterator[str]:
    """Where two states differ, as paths with both values."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted({*one, *other}, key=str):
            yield from _differences(one.get(name), other.get(name), f"{where}.{name}")
    elif one != other:
        yield f"{where}: {str(one)[:80]} | {str(other)[:80]}"


async def _journal(store: Store, hall: str, kept: Kept) -> None:
    index = 0
    while rows := await store.journal.read(hall, index, 500):
        for row in rows:
            for item in unpack(row.blob):
                if isinstance(item, Heard):
                    kept.heard += 1
                    kept.counts_of_people += item.topic.endswith("/people_count") and b'"occupancy"' in item.payload
                    _count(item, kept)
            index = row.index + row.count


def _count(item: Heard, kept: Kept) -> None:
    if b'"seq"' in item.payload:
        body = json.loads(item.payload)
        kept.numbered[Numbered(body["device"], body["boot"], body["seq"])] += 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that is judged."""

    ledger: Ledger
    kept: Kept
    samples: list[Sample]
    broker_deaths: list[float]
    status: Json
    devices: list[Json]
    in_influx: int
    log: str


def judge(seen: Evidence) -> list[Verdict]:
    """All promises."""
    return [*_nothing_lost(seen), *_alarms(seen), *_history(seen), *_bounded(seen), _quiet(seen)]


def _nothing_lost(seen: Evidence) -> Iterator[Verdict]:
    taken, numbered = seen.ledger.taken, seen.kept.numbered
    lost = [numbers for numbers in taken if numbers not in numbered]
    excused = [one for one in lost if any(0 <= death - taken[one] <= UNSAVED_S for death in seen.broker_deaths)]
    text = f"{len(taken)} numbered messages acknowledged by the broker, {len(lost)} not in the journal"
    if lost:
        text += f", {len(excused)} of them taken within {UNSAVED_S} s before the broker was killed"
    yield Verdict("nothing that the broker kept is lost", len(lost) == len(excused), text)
    yield from _gaps(seen, set(lost))
    twice = sum(1 for count in numbered.values() if count > 1)
    yield Verdict("nothing is stored twice", twice == 0, f"{twice} of {len(numbered)}; {seen.ledger.repeated} repeated")
    yield _account(seen)
    yield Verdict("a restart knows what the journal knows", not seen.kept.differing, _told(seen.kept.differing))


def _account(seen: Evidence) -> Verdict:
    """In total and of each device; and what the sessions counted themselves is explained."""
    account = seen.status["account"]
    parts = {name: count for name, count in account.items() if name not in {"received", "gaps", "reasons"}}
    text = f"{account['received']} = " + ", ".join(f"{count} {name}" for name, count in parts.items())
    outcomes = [name for name in parts if name != "probe"]
    # A device's line leaves out what is 0.
    sums = {one["id"]: sum(one.get(name, 0) for name in outcomes) for one in seen.devices}
    uneven = [one["id"] for one in seen.devices if one.get("received", 0) != sums[one["id"]]]
    unexplained = seen.status["balance"]["unexplained"]
    text += f"; uneven: {uneven}" if uneven else f"; each of {len(seen.devices)} devices too"
    text += f"; {unexplained} unexplained" if unexplained else ""
    even = account["received"] == sum(parts.values()) and not uneven and not unexplained
    return Verdict("the account balances", even, text)


def _gaps(seen: Evidence, lost: set[Numbered]) -> Iterator[Verdict]:
    """Every number that is missing between two that came is traced, and every one that was lost is missing."""
    starts: dict[tuple[str, int], list[int]] = {}
    for one in seen.kept.numbered:
        starts.setdefault((one.device, one.boot), []).append(one.sequence)
    missing = {
        Numbered(device, boot, sequence)
        for (device, boot), heard in starts.items()
        for sequence in {*range(min(heard), max(heard))}.difference(heard)
    }
    loose = missing & seen.ledger.loose
    # What a device said last before it began anew nothing follows, so no number shows that it is missing.
    newest = Counter[str]()
    for numbers in (*seen.ledger.taken, *seen.kept.numbered):
        newest[numbers.device] = max(newest[numbers.device], numbers.boot)
    last_words = {one for one in lost - missing if one.boot < newest[one.device]}
    text = f"{len(lost)} lost, {len(lost & missing)} of them in gaps"
    text += f", {len(last_words)} the last of a device's start" if last_words else ""
    yield Verdict("what the broker lost shows as gaps", lost <= missing | last_words, text)
    counted = Counter({one["id"]: one.get("gaps", 0) for one in seen.devices})
    differing = {device for device in counted if counted[device] != sum(one.device == device for one in missing)}
    unexplained = missing - lost - loose
    text = f"{counted.total()} in gaps: {len(missing & lost)} lost, {len(loose)} said at QoS 0"
    text += f", {len(unexplained)} unexplained" if unexplained else ""
    text += f"; counted otherwise: {sorted(differing)}" if differing else ""
    yield Verdict("every gap is traced", not unexplained and not differing, text)


def _told(differing: list[str]) -> str:
    return "fold from the snapshot = fold from empty" if not differing else f"{len(differing)}: {differing[:4]}"


def _alarms(seen: Evidence) -> Iterator[Verdict]:
    fires = Counter(device for device, _ in seen.ledger.fires)
    alarmed = {alarm.device for alarm in seen.kept.alarms if alarm.kind is FactKind.FIRE}
    silent = sorted(device for device in fires if device not in alarmed)
    text = f"{sum(fires.values())} fire messages of {len(fires)} detectors; without an alarm: {silent or 'none'}"
    yield Verdict("every detector that cried is heard", not silent, text)
    keys = Counter(alarm.key for alarm in seen.kept.alarms if alarm.closed is None)
    twice = sorted(key for key, count in keys.items() if count > 1)
    yield Verdict("an alarm is open once", not twice, f"{len(seen.kept.alarms)} alarms, {len(keys)} open")


def _history(seen: Evidence) -> Iterator[Verdict]:
    behind = seen.status["history_behind"]
    stored = seen.kept.counts_of_people
    text = f"{stored} counts of people in the journal, {seen.in_influx} points in InfluxDB, {behind} inputs behind"
    yield Verdict("InfluxDB has what the journal has", behind == 0 and seen.in_influx == stored, text)


def _bounded(seen: Evidence) -> Iterator[Verdict]:
    lives: dict[int, list[Sample]] = {}
    for sample in seen.samples:
        lives.setdefault(sample.life, []).append(sample)
    grown, handles, oldest = 0.0, 0, 0.0
    held = True
    for life in lives.values():
        grown_up = [sample for sample in life if sample.age_s >= YOUNG_S]
        if len(grown_up) < 2:
            continue
        first, last = grown_up[0], grown_up[-1]
        oldest = max(oldest, last.age_s)
        grown = max(grown, last.memory_mb - first.memory_mb)
        handles = max(handles, last.handles - first.handles)
        held = held and last.memory_mb <= first.memory_mb * GROWTH + GROWTH_MB
    most = max((sample.memory_mb for sample in seen.samples), default=0.0)
    # Where nothing has lived for longer than its first minute, nothing was seen, and nothing is promised.
    looked = oldest > YOUNG_S
    text = f"{most:.0f} MiB at most; {grown:+.1f} MiB in a life after its first minute (the longest: {oldest:.0f} s)"
    yield Verdict("memory is bounded", held and looked, text)
    handled = f"{handles:+d} in a life after its first minute"
    yield Verdict("handles are bounded", handles <= GROWTH_HANDLES and looked, handled)
    wal = max((sample.wal_mb for sample in seen.samples), default=0.0)
    size = (seen.samples[-1].store_mb if seen.samples else 0.0) * 2**20 / max(seen.kept.heard, 1)
    files = f"{size:.0f} bytes of the store a message, write-ahead log {wal:.0f} MiB at most"
    fit = bool(seen.samples) and wal <= WAL_MB and size <= BYTES_A_MESSAGE
    yield Verdict("files are bounded", fit, files)


def _quiet(seen: Evidence) -> Verdict:
    traces = seen.log.count("Traceback (most recent call last)")
    lines = seen.log.count("\n")
    return Verdict("no error that nobody expected", traces == 0, f"{traces} tracebacks in {lines} lines of log")
