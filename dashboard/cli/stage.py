"""What the demo's panel plays: scenarios laid over the day that is going on, and what their people do."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from dashboard.cli.client import AnswerError, NotRunningError
from dashboard.cli.staff import Staff, act_out
from dashboard.server.stage import Piece, Playing, Trouble
from dashboard.server.wire import Name
from sensors.site.model import Words
from simulators.clock import SimClock
from simulators.human import HumanAction
from simulators.overlay import Overlay
from simulators.scenario import Scenario, scenario_names, shipped_scenario
from simulators.weather import TROUBLES, Weather

# So that a press is not followed by minutes in which nothing happens.
LEAD_MS: Final = 5_000
# Beyond it the embedded broker does not keep up, and devices would seem silent.
FASTEST: Final = 100


@dataclass
class DemoStage:
    """Plays onto one day. What its people do comes out of `actions`, to be done by whoever has a task for it."""

    day: Overlay
    clock: SimClock
    weather: Weather
    played: list[Playing] = field(default_factory=list)
    actions: "asyncio.Queue[tuple[int, HumanAction]]" = field(default_factory=asyncio.Queue)

    @property
    def rate(self) -> float:
        """How fast the hall's clock goes."""
        return self.clock.rate

    def go(self, rate: float) -> None:
        """From now on so fast. Raises `ValueError`."""
        if not 0 < rate <= FASTEST:
            raise ValueError(rate)
        self.clock.go(rate)

    def troubles(self) -> Sequence[Trouble]:
        """The faults of the simulator that may come and go."""
        return [Trouble(one.id, _name(one.title), _name(one.watch)) for one in TROUBLES]

    @property
    def trouble(self) -> str | None:
        """What lies over the hall now."""
        return self.weather.trouble

    def lay(self, trouble: str | None) -> None:
        """Lay a fault over what the devices say from now on, or take it away. Raises `KeyError`."""
        if trouble is not None and trouble not in {one.id for one in TROUBLES}:
            raise KeyError(trouble)
        self.weather.trouble = trouble

    def pieces(self) -> Sequence[Piece]:
        """All scenarios that do not hang on a time of day or on a cable, which the demo has not."""
        return [
            Piece(one.id, _name(one.title), _name(one.watch), round(_lasts(one)))
            for one in map(shipped_scenario, scenario_names())
            if _playable(one)
        ]

    def playing(self) -> Sequence[Playing]:
        """Newest first."""
        return self.played[::-1]

    def play(self, piece: str) -> Playing:
        """From now on. Raises `KeyError`."""
        scenario = shipped_scenario(piece)
        if not _playable(scenario):
            raise KeyError(piece)
        now = self.clock.now()
        start = now + LEAD_MS - round(_first(scenario) * 1000)
        self.day.lay(change for event in scenario.events for change in event.changes(start))
        for action in scenario.actions:
            self.actions.put_nowait((start, action))
        self.played.append(Playing(piece, now))
        return self.played[-1]

    async def people(self, staff: Staff) -> None:
        """Do what the people of the scenarios do, each in time; never returns."""
        async with asyncio.TaskGroup() as group:
            while True:
                start, action = await self.actions.get()
                group.create_task(self._act(start, action, staff))

    async def _act(self, start: int, action: HumanAction, staff: Staff) -> None:
        # What the visitor has done meanwhile is not there any more, or is refused.
        with contextlib.suppress(LookupError, AnswerError, NotRunningError):
            await act_out([action], staff, start, self.clock)


def _playable(scenario: Scenario) -> bool:
    happens = scenario.events or scenario.actions
    return bool(happens) and not scenario.at_its_time and not scenario.outages(0)


def _first(scenario: Scenario) -> float:
    return min([event.at for event in scenario.events] + [action.at for action in scenario.actions])


def _lasts(scenario: Scenario) -> float:
    return scenario.duration_s - _first(scenario)


def _name(words: Words) -> Name:
    return Name(words.zh, words.en or words.zh)
