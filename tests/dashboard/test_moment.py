"""The gateway's clock passes steadily, and says how far the wall's was stepped."""

import asyncio
from dataclasses import dataclass

import pytest

from dashboard import moment
from dashboard.moment import STEP_MS, SteadyClock, following_wall, hear_steps
from gateway.clockwork import Clockwork

START = 1_795_400_000_000


@dataclass
class Machine:
    """A machine of which the wall's clock can be stepped; the other counts what truly passes."""

    wall: int = START
    steady: int = 77_000

    def passes(self, ms: int) -> None:
        self.wall += ms
        self.steady += ms

    def clock(self) -> SteadyClock:
        return SteadyClock(lambda: self.wall, lambda: self.steady)


def test_it_begins_at_the_walls_time_and_counts_what_passes() -> None:
    machine = Machine()
    clock = machine.clock()
    assert clock() == START
    machine.passes(1234)
    assert clock() == START + 1234


@pytest.mark.parametrize("by", [3_600_000, -3_600_000, 86_400_000, -86_400_000, STEP_MS + 1, -STEP_MS - 1])
def test_a_step_is_told_once_with_the_time_before_it_and_then_followed(by: int) -> None:
    machine = Machine()
    clock = machine.clock()
    told: list[tuple[int, int]] = []
    hear_steps(Clockwork(clock), lambda before, step: told.append((before, step)))
    machine.passes(10_000)
    machine.wall += by
    assert clock() == START + 10_000, "until somebody looks time passes as before"
    clock.look()
    clock.look()
    assert told == [(START + 10_000, by)]
    assert clock() == machine.wall


@pytest.mark.parametrize("by", [0, 1, STEP_MS, -STEP_MS])
def test_a_small_correction_is_followed_without_a_word(by: int) -> None:
    machine = Machine()
    clock = machine.clock()
    told: list[int] = []
    clock.told.append(lambda _, step: told.append(step))
    machine.wall += by
    clock.look()
    assert told == []
    assert clock() == machine.wall


def test_a_clock_of_its_own_follows_nothing() -> None:
    clock = Clockwork(lambda: 5)
    hear_steps(clock, lambda _before, _by: pytest.fail("a demo's time is its own"))
    assert clock.now() == 5


async def test_it_is_looked_at_as_long_as_the_block_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moment, "LOOK_S", 0.01)
    machine, seen = Machine(), asyncio.Event()
    clock = machine.clock()
    clock.told.append(lambda _before, _by: seen.set())
    async with asyncio.TaskGroup() as group, following_wall(Clockwork(clock), group):
        machine.wall += 3_600_000
        async with asyncio.timeout(30):
            assert await seen.wait()
