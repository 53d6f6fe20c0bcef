"""Scenarios: an ordinary stretch of a day, what goes otherwise in it, what people do, and how it must end.

A scenario is a YAML file in `scenarios/`. Its times are seconds since its start; its devices are ids of the site
file. Everything is drawn from its seed: the same file and site give the same publications, byte by byte.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from importlib.resources import files
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator
from ruamel.yaml import YAML

from sensors.decode.envelope import flags_of
from sensors.readings import VALUES, Button, ButtonAction, Kind
from sensors.site.calendar import HallCalendar
from sensors.site.model import Day, Site, Words
from sensors.site.part import Id, Part
from simulators.expect import Expect, Otherwise
from simulators.faults import Fault
from simulators.fleet import Fleet
from simulators.human import HumanAction
from simulators.overlay import FOREVER, Away, Change, Overlay, Return, Rise, Say, Vanish, place_of
from simulators.publication import Publication

# 1.5 times a keep-alive of 60 s: when a broker misses a device that has lost its power.
WILL_AFTER_S: Final = 90.0
FOLDER: Final = files("simulators").joinpath("scenarios")
WHAT: Final = ("say", "press", "climb", "vanish", "comes_back", "away", "network")
Offset = Annotated[float, Field(ge=0, description="s since the scenario's start")]


class Climb(Part):
    """A number that rises (or falls) in a straight line from what it was to `to`."""

    kind: Literal["queue", "people_count"]
    to: int = Field(ge=0)
    over_s: float = Field(default=60, gt=0)


class Event(Part):
    """Something that goes otherwise with one `device`, one `person`, or the network.

    Exactly one of: `say` (a value by its kind, repeated at the device's own pace for `for_s`, or to the end);
    `press` (a button, once); `climb` (see there, for `for_s`); `vanish` (`hung`: silent with no word; `lost`: its
    power is gone, so its last will comes 90 s later); `comes_back` (it starts anew); `away: true` (the person is not at
    their window for `for_s`, then badges in); `network: down` (for `for_s` nothing gets from the broker to the gateway;
    then what was said at QoS 1 comes in its order, and what was said at QoS 0 is gone).
    """

    at: Offset
    device: Id | None = None
    person: Id | None = None
    say: dict[Kind, dict[str, Any]] | None = None
    press: ButtonAction | None = None
    climb: Climb | None = None
    vanish: Literal["hung", "lost"] | None = None
    comes_back: Literal[True] | None = None
    away: Literal[True] | None = None
    network: Literal["down"] | None = None
    for_s: float | None = Field(default=None, gt=0)
    flags: tuple[Literal["test", "drill", "history", "learn"], ...] = ()

    @model_validator(mode="after")
    def _one_thing(self) -> "Event":
        given = [name for name in WHAT if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"one of {', '.join(WHAT)} is needed, not {given or 'none'}")
        whose = {"away": "person", "network": None}.get(given[0], "device")
        for name in ("device", "person"):
            if (getattr(self, name) is None) is (name == whose):
                raise ValueError(f"{given[0]} {'needs a' if name == whose else 'has no'} {name}")
        if self.network is not None and self.for_s is None:
            raise ValueError("network needs for_s: how long it is down")
        for kind, fields in (self.say or {}).items():
            VALUES[kind](**fields)
        return self

    def changes(self, start: int) -> Iterator[Change]:
        """This event as changes of a day that starts at `start` (ms)."""
        at = start + round(self.at * 1000)
        until = FOREVER if self.for_s is None else at + round(self.for_s * 1000)
        flags = flags_of(self.flags)
        if self.person is not None:
            yield Away(at, self.person, until)
        if self.device is None:
            return
        for kind, fields in (self.say or {}).items():
            yield Say(at, self.device, VALUES[kind](**fields), until, flags)
        if self.press is not None:
            yield Say(at, self.device, Button(self.press), FOREVER, flags)
        if self.climb is not None:
            by = at + round(self.climb.over_s * 1000)
            yield Rise(at, self.device, Kind(self.climb.kind), self.climb.to, by, until)
        if self.vanish is not None:
            yield Vanish(at, self.device, at + round(WILL_AFTER_S * 1000) if self.vanish == "lost" else None)
        if self.comes_back:
            yield Return(at, self.device)


class Start(Part):
    """When it begins: a time of day in the hall's zone, on a day of this week (the hall must not be on holiday)."""

    day: Day = "tue"
    time: Annotated[str, Field(pattern=r"^\d\d:\d\d$")] = "09:30"


class Scenario(Part):
    """A scenario file."""

    id: Id
    title: Words
    watch: Words
    hall: Id | None = None
    start: Start = Start()
    at_its_time: bool = Field(
        default=False, description="rests on shifts, so that the demo first lets the day get there"
    )
    duration_s: int = Field(gt=0, le=86_400)
    seed: int = Field(default=1, ge=0)
    events: tuple[Event, ...] = ()
    actions: tuple[HumanAction, ...] = ()
    expect: Expect = Expect()
    under: dict[Fault, Otherwise] = Field(default_factory=dict)

    def expect_under(self, fault: Fault) -> Expect:
        """How it must end under a fault: as without it, unless the file says why not."""
        other = self.under.get(fault)
        return self.expect if other is None else other.instead_of(self.expect)

    def start_ms(self, site: Site, week_of: date = date(2026, 3, 9)) -> int:
        """The instant at which it begins in the week of a date: the first such weekday that is no holiday."""
        hall = next(part for part in site.halls if self.hall in {None, part.id})
        calendar = HallCalendar(hall)
        hours, minutes = self.start.time.split(":")
        for ahead in range(366):
            day = week_of + timedelta(days=ahead)
            if calendar.weekday(day) == self.start.day:
                return calendar.at(day, int(hours) * 60 + int(minutes))
        raise ValueError(f"no {self.start.day} is worked within a year of {week_of}")

    def outages(self, start: int) -> tuple[tuple[int, int], ...]:
        """When the network is down, as spans [from, to) in ms, for a scenario that starts at `start`."""
        down = [(event.at, event.for_s) for event in self.events if event.network is not None]
        spans = ((start + round(at * 1000), round((length or 0) * 1000)) for at, length in down)
        return tuple(sorted((at, at + length) for at, length in spans))

    def publications(self, site: Site, start: int | None = None, fleet: Fleet | None = None) -> Iterator[Publication]:
        """All that goes over the wire, in order of time, from `start` (ms; default `start_ms`) on.

        Raises `ValueError` for a device that the hall has not.
        """
        begin = self.start_ms(site) if start is None else start
        devices = fleet or Fleet(site, self.hall, self.seed)
        unknown = sorted({event.device for event in self.events if event.device is not None} - set(devices.devices))
        if unknown:
            raise ValueError(f"scenario {self.id}: the hall has no device {', '.join(unknown)}")
        for event in self.events:
            if event.person is not None:
                place_of(devices, event.person)
        changes = [change for event in self.events for change in event.changes(begin)]
        return Overlay(devices, changes).publications(begin, begin + self.duration_s * 1000)


def load_scenario(text: str) -> Scenario:
    """Read a scenario's YAML; raises `pydantic.ValidationError` or `ruamel.yaml.error.YAMLError`."""
    return Scenario.model_validate(YAML(typ="safe", pure=True).load(text))


def scenario_names() -> tuple[str, ...]:
    """The scenarios that come with Hallwatch."""
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in FOLDER.iterdir() if entry.name.endswith(".yaml")))


def shipped_scenario(name: str) -> Scenario:
    """One of them; raises `KeyError`."""
    if name not in scenario_names():
        raise KeyError(name)
    return load_scenario(FOLDER.joinpath(f"{name}.yaml").read_text("utf-8"))
