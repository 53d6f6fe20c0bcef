"""Faults that come and go while a day is played, and a clock whose pace is changed: nothing is lost or goes back."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from simulators.clock import SimClock
from simulators.faults import Fault
from simulators.fleet import Fleet
from simulators.publication import Publication
from simulators.weather import OUTAGE, TROUBLES, Weather
from tests.simulators.halls import university

MINUTE = 60_000
TEN = 1_773_194_400_000  # 2026-03-11 10:00 in Shanghai
SITE = university()


def day(fleet: Fleet, minutes: int) -> Iterator[Publication]:
    return fleet.publications(TEN, TEN + minutes * MINUTE)


def test_what_is_said_while_nothing_lies_over_it_arrives_as_it_is() -> None:
    said = list(day(Fleet(SITE), 5))
    arrived = list(Weather(Fleet(SITE)).over(day(Fleet(SITE), 5)))
    assert [one.said for one in arrived] == said
    assert [one.at for one in arrived] == [one.at for one in said]


@pytest.mark.parametrize("fault", [one.id for one in TROUBLES if one.id != OUTAGE])
def test_a_fault_that_comes_and_goes_leaves_what_is_said_after_it_alone(fault: str) -> None:
    said = list(day(Fleet(SITE), 30))
    weather, arrived = Weather(Fleet(SITE)), []
    for one in weather.over(iter(said)):
        arrived.append(one)
        weather.trouble = fault if TEN + 10 * MINUTE <= one.at < TEN + 20 * MINUTE else None
    # In order, up to a fault's end, at which what it held back comes at once.
    assert all(a.at <= b.at for a, b in pairwise(arrived))
    quiet = [one for one in said if one.at > TEN + 21 * MINUTE]
    assert len(quiet) > 20
    assert [one.said for one in arrived][-len(quiet) :] == quiet
    if fault in {Fault.DUPLICATE, Fault.DELAY, Fault.REORDER}:
        assert {id(one) for one in said} <= {id(one.said) for one in arrived}


@dataclass
class Heard:
    """A wire that keeps what is published on it."""

    said: list[Publication] = field(default_factory=list)

    async def publish(self, one: Publication) -> None:
        self.said.append(one)


async def test_devices_that_are_cut_off_say_later_what_must_not_be_lost() -> None:
    said = [one for one in day(Fleet(SITE), 10) if one.at > TEN + MINUTE]
    clock, wire, weather = SimClock.start(TEN, 100_000), Heard(), Weather(Fleet(SITE), trouble=OUTAGE)
    half = len(said) // 2

    def until_half() -> Iterator[Publication]:
        for number, one in enumerate(said):
            if number == half:
                assert wire.said == []
                weather.trouble = None
            yield one

    await weather.blow(until_half(), wire, clock)  # type: ignore[arg-type]  # only `publish` is asked of it
    kept = [one for number, one in enumerate(said) if number >= half or one.qos > 0]
    assert len(kept) < len(said) or all(one.qos > 0 for one in said)
    assert [json.dumps([one.topic, one.payload.decode()]) for one in wire.said] == [
        json.dumps([one.topic, one.payload.decode()]) for one in kept
    ]


async def test_a_clock_whose_pace_changes_never_goes_back_and_wakes_who_sleeps() -> None:
    clock = SimClock.start(TEN, 1)
    shown = [clock.now()]
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        sleeper = group.create_task(clock.sleep_until(TEN + 3_600_000))
        for rate in (30, 1, 60, 0.5, 5):
            clock.go(rate)
            shown.append(clock.now())
            await asyncio.sleep(0)
        assert shown == sorted(shown)
        assert not sleeper.done()
        clock.go(10_000_000)
    assert clock.now() >= TEN + 3_600_000
    with pytest.raises(ValueError, match="greater than 0"):
        clock.go(0)
