"""Faults between the devices and us: doubled, late, overtaken, from a wrong clock, silent, flapping, counted anew.

Laid over the publications of a scenario without asking the devices, as the world would: what comes out is what arrives
at the broker's far side, in the order in which it arrives. Drawn from a seed, so that a fault can be had again.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from heapq import heappop, heappush
from typing import Any, Final
from zlib import crc32

from sensors.readings import Availability
from simulators.fleet import Fleet
from simulators.publication import Publication

S: Final = 1000
MINUTE: Final = 60 * S
HOUR: Final = 60 * MINUTE


class Fault(StrEnum):
    """What may go wrong on the way, each by itself."""

    DUPLICATE = "duplicate"
    DELAY = "delay"
    REORDER = "reorder"
    SKEW = "skew"
    SILENCE = "silence"
    FLAPPING = "flapping"
    REBOOT = "reboot"
    RECOUNT = "recount"


@dataclass(frozen=True, slots=True)
class Arriving:
    """A publication as it arrives, at `at` (ms); `dup`: the broker says that it may have sent it before."""

    at: int
    said: Publication
    dup: bool = False


# Half of what is sent at QoS 1 comes twice, the second within half a minute.
TWICE_SHARE: Final = 0.5
TWICE_WITHIN: Final = 30 * S
LATE_AT_MOST: Final = 5 * S
OVERTAKEN_AT_MOST: Final = 3 * S
SKEW_AT_MOST: Final = 2 * HOUR
# Shorter than any device's limit of silence: nobody may be told of it.
SILENT_FOR: Final = 45 * S
SILENT_EVERY: Final = 8 * MINUTE
FLAPS: Final = 12
FLAP_EVERY: Final = 10 * S
REBOOT_EVERY: Final = 4 * MINUTE

Lay = Callable[[Iterable[Publication], random.Random, int, Fleet], Iterator[Arriving]]


def held_up(arriving: Iterable[Arriving], outages: Sequence[tuple[int, int]]) -> Iterator[Arriving]:
    """What arrives when the network is down for some spans: QoS 1 waits at the broker and keeps its order."""
    waiting: list[Arriving] = []
    for one in arriving:
        if waiting and waiting[0].at <= one.at:
            yield from waiting
            waiting = []
        until = next((end for start, end in outages if start <= one.at < end), None)
        if until is None:
            yield one
        elif one.said.qos > 0:
            waiting.append(replace(one, at=until))
    yield from waiting


def lay(fault: Fault, said: Iterable[Publication], fleet: Fleet, *, start: int, seed: int = 1) -> Iterator[Arriving]:
    """All that arrives, in order of time, when `fault` is laid over what was `said` from `start` (ms) on."""
    yield from _in_order(LAYERS[fault](said, random.Random(seed), start, fleet), fault)


def _in_order(arriving: Iterator[Arriving], fault: Fault) -> Iterator[Arriving]:
    """Sorted by arrival; what is said later than `slack` from now cannot come before what is held."""
    slack = {Fault.FLAPPING: FLAPS * FLAP_EVERY}.get(fault, 0)
    held: list[tuple[int, int, Arriving]] = []
    for number, one in enumerate(arriving):
        heappush(held, (one.at, number, one))
        while held and held[0][0] <= one.said.at - slack:
            yield heappop(held)[2]
    while held:
        yield heappop(held)[2]


def _doubled(said: Iterable[Publication], dice: random.Random, _start: int, _fleet: Fleet) -> Iterator[Arriving]:
    """Redelivered by the broker, which says so; or said again by the device, where its number tells."""
    for one in said:
        yield Arriving(one.at, one)
        if one.qos > 0 and dice.random() < TWICE_SHARE:
            again = one.at + dice.randrange(TWICE_WITHIN)
            yield Arriving(again, one, dup=_body(one) is None or dice.random() < TWICE_SHARE)


def _late(said: Iterable[Publication], dice: random.Random, _start: int, _fleet: Fleet) -> Iterator[Arriving]:
    """Each device's messages wait for one another, as in a queue of its own."""
    last: dict[str, int] = {}
    for one in said:
        at = last[one.device] = max(last.get(one.device, 0), one.at + dice.randrange(LATE_AT_MOST))
        yield Arriving(at, one)


def _overtaken(said: Iterable[Publication], dice: random.Random, _start: int, _fleet: Fleet) -> Iterator[Arriving]:
    """Only what has a number: without one nobody can know which came first."""
    for one in said:
        yield Arriving(one.at + (dice.randrange(OVERTAKEN_AT_MOST) if _body(one) else 0), one)


def _skewed(said: Iterable[Publication], dice: random.Random, _start: int, _fleet: Fleet) -> Iterator[Arriving]:
    """Every device's clock is wrong by something of its own, and it is sure of it."""
    seed = dice.randrange(2**31)
    for one in said:
        body = _body(one)
        if body is not None and "time" in body:
            wrong = random.Random(seed ^ crc32(one.device.encode())).randrange(-SKEW_AT_MOST, SKEW_AT_MOST)
            one = _with(one, body | {"time": max(0, body["time"] + wrong)})  # noqa: PLW2901
        yield Arriving(one.at, one)


def _silent(said: Iterable[Publication], dice: random.Random, start: int, _fleet: Fleet) -> Iterator[Arriving]:
    """Now and then a device is not heard for a while; what it says in that time is lost, and its numbers show it."""
    seed = dice.randrange(2**31)
    for one in said:
        turn, within = divmod(one.at - start, SILENT_EVERY)
        begins = random.Random(seed ^ crc32(f"{one.device}/{turn}".encode())).randrange(SILENT_EVERY - SILENT_FOR)
        if not begins <= within < begins + SILENT_FOR:
            yield Arriving(one.at, one)


def _flapping(said: Iterable[Publication], dice: random.Random, start: int, fleet: Fleet) -> Iterator[Arriving]:
    """One device of each kind loses its connection again and again: its last will, then itself, each some seconds."""
    natives = sorted((it.kinds[0], it.id) for it in fleet.devices.values() if it.family == "native")
    unsteady = dict(dice.sample(natives, len(natives)))
    begins = {device: start + dice.randrange(MINUTE, 4 * MINUTE) for device in unsteady.values()}
    for one in said:
        for device in [name for name, at in begins.items() if at <= one.at]:
            for turn in range(FLAPS):
                at = begins[device] + turn * FLAP_EVERY
                yield Arriving(at, fleet.will(device, at))
                for back in fleet.speak(device, Availability(online=True), at + FLAP_EVERY // 2):
                    yield Arriving(back.at, back)
            del begins[device]
        yield Arriving(one.at, one)


def _rebooted(said: Iterable[Publication], dice: random.Random, start: int, _fleet: Fleet) -> Iterator[Arriving]:
    """Devices start anew at odd times: another boot, and the sequence from zero."""
    return _counted_anew(said, dice, start, boots=1)


def _recounted(said: Iterable[Publication], dice: random.Random, start: int, _fleet: Fleet) -> Iterator[Arriving]:
    """The worse kind: a device that keeps no boot number counts from zero as if it were the same life."""
    return _counted_anew(said, dice, start, boots=0)


def _counted_anew(said: Iterable[Publication], dice: random.Random, start: int, *, boots: int) -> Iterator[Arriving]:
    seed = dice.randrange(2**31)
    begun: dict[str, tuple[int, int, int]] = {}
    for one in said:
        body = _body(one)
        if body is not None:
            shift = random.Random(seed ^ crc32(one.device.encode())).randrange(REBOOT_EVERY)
            life = (one.at - start + shift) // REBOOT_EVERY
            known = begun.get(one.device)
            if known is None or known[:2] != (life, body["boot"]):
                known = begun[one.device] = (life, body["boot"], body["seq"])
            one = _with(one, body | {"boot": body["boot"] + life * boots, "seq": body["seq"] - known[2]})  # noqa: PLW2901
        yield Arriving(one.at, one)


LAYERS: Final[dict[Fault, Lay]] = {
    Fault.DUPLICATE: _doubled,
    Fault.DELAY: _late,
    Fault.REORDER: _overtaken,
    Fault.SKEW: _skewed,
    Fault.SILENCE: _silent,
    Fault.FLAPPING: _flapping,
    Fault.REBOOT: _rebooted,
    Fault.RECOUNT: _recounted,
}


def _body(one: Publication) -> dict[str, Any] | None:
    """The JSON of a message that its device has numbered; None for all others."""
    if b'"seq"' not in one.payload:
        return None
    body: dict[str, Any] = json.loads(one.payload)
    return body


def _with(one: Publication, body: dict[str, Any]) -> Publication:
    return replace(one, payload=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
