"""What each device says of a day, and when: its measurements at their period, its events when they happen.

The instants of periodic words are fixed by the device, not by when somebody began to look: any stretch of
simulated time is the same wherever it is cut.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from sensors.readings import (
    Availability,
    Badge,
    BadgeResult,
    Battery,
    Contact,
    Crowd,
    CrowdLevel,
    Direction,
    Environment,
    Equipment,
    EquipmentState,
    Fire,
    FireSensor,
    Kind,
    PeopleCount,
    Presence,
    Queue,
    Value,
)
from sensors.site.index import SiteIndex
from sensors.site.model import Device
from simulators.day import Day, chance
from simulators.publication import Told

SECOND: Final = 1000
MINUTE: Final = 60 * SECOND
# How often a device on mains power repeats each kind; one that repeats none of them sends a heartbeat instead.
PERIODS: Final = {
    Kind.QUEUE: 10 * SECOND,
    Kind.PEOPLE_COUNT: 10 * SECOND,
    Kind.PRESENCE: 30 * SECOND,
    Kind.FIRE: MINUTE,
    Kind.EQUIPMENT: MINUTE,
    Kind.ENVIRONMENT: MINUTE,
    Kind.CROWD: MINUTE,
    Kind.CONTACT: MINUTE,
    Kind.BATTERY: 60 * MINUTE,
}
HEARTBEAT: Final = MINUTE
# Devices on batteries speak rarely, and then say everything.
RARELY: Final = {"battery": 30 * MINUTE, "sleeping": 50 * MINUTE}
POWER_W: Final = {"printer": 14.0, "kiosk": 95.0, "pc": 60.0, "display": 140.0, "ups": 420.0, "network": 38.0}


@dataclass(frozen=True, slots=True)
class Pace:
    """No kind is repeated more often than this (ms): while the hall is open, and outside, where nothing changes."""

    by_day: int = SECOND
    by_night: int = MINUTE


LIVE: Final = Pace()
# A day that has passed, where nothing is lost on the way: as rarely as the limits of silence (180 s) allow.
PAST: Final = Pace(MINUTE, 2 * MINUTE)


class Voices:
    """The devices of one hall; pure."""

    def __init__(self, index: SiteIndex, seed: int, pace: Pace = LIVE) -> None:
        self._index = index
        self._seed = seed
        self._pace = pace

    def hear(self, device: Device, day: Day, start: int, end: int) -> Iterator[Told]:
        """All that a device says in [start, end) of a day, not in order."""
        spoken = [kind for kind in device.kinds if self.state(device, kind, day, start) is not None]
        periodic = (self._repeats(device, kind, day, start, end) for kind in spoken)
        beats = () if self._has_pulse(device, spoken) else self._heartbeats(device, day, start, end)
        return chain(*periodic, beats, self._events(device, day, start, end))

    def greet(self, device: Device, day: Day, at: int) -> Iterator[Told]:
        """What a device says of the present when it has just connected: its states, and the badges it sees."""
        at += int(chance(self._seed, device.id) * 2000)
        for kind in device.kinds:
            value = self.state(device, kind, day, at)
            if value is not None:
                yield Told(at, device.id, value)
        if Kind.BADGE in device.kinds and device.window is not None:
            here = [it for it in day.stays if it.window == device.window and it.come < at < it.leave]
            for stay in here:
                if stay.token is not None:
                    yield Told(at, device.id, Badge(stay.token))

    def state(self, device: Device, kind: Kind, day: Day, at: int) -> Value | None:
        """What a device measures at an instant; None for kinds that are events only."""
        match kind:
            case Kind.QUEUE if device.service in day.queues:
                return self._queue(device.service, day, at)
            case Kind.PEOPLE_COUNT if device.id in day.counters:
                counted = day.counters[device.id]
                return PeopleCount(counted.inside.at(at), in_total=counted.came.at(at), out_total=counted.left.at(at))
            case Kind.PRESENCE:
                seats = day.seats.get(device.window or "")
                return Presence(seats is not None and seats.at(at) > 0)
            case Kind.CROWD:
                return Crowd(self._level(device, day, at))
            case _:
                return self._thing(device, kind, day, at)

    def _thing(self, device: Device, kind: Kind, day: Day, at: int) -> Value | None:
        match kind:
            case Kind.FIRE:
                return Fire(alarm=False, sensor=_sensor(device))
            case Kind.BATTERY:
                return Battery(round(70 + 30 * chance(self._seed, device.id, "battery"), 1), low=False)
            case Kind.CONTACT:
                return Contact(device.power == "mains" and any(start <= at < end for start, end in day.open))
            case Kind.EQUIPMENT:
                return self._equipment(device, day, at)
            case Kind.ENVIRONMENT:
                return self._environment(device, day, at)
            case _:
                return None

    def _repeats(self, device: Device, kind: Kind, day: Day, start: int, end: int) -> Iterator[Told]:
        period = RARELY.get(device.power, PERIODS[kind])
        name = device.id if device.power != "mains" else f"{device.id}/{kind}"
        for at in self._beats(name, period, day, start, end):
            value = self.state(device, kind, day, at)
            if value is not None:
                yield Told(at, device.id, value)

    def _has_pulse(self, device: Device, spoken: list[Kind]) -> bool:
        limit = RARELY.get(device.power, HEARTBEAT)
        return any(RARELY.get(device.power, PERIODS[kind]) <= limit for kind in spoken)

    def _heartbeats(self, device: Device, day: Day, start: int, end: int) -> Iterator[Told]:
        for at in self._beats(device.id, RARELY.get(device.power, HEARTBEAT), day, start, end):
            yield Told(at, device.id, Availability(online=True))

    def _beats(self, name: str, period: int, day: Day, start: int, end: int) -> Iterator[int]:
        """The instants in [start, end) of a day at which a device repeats itself."""
        busy, calm = max(period, self._pace.by_day), max(period, self._pace.by_night)
        if busy == calm:
            yield from _beats(name, busy, start, end)
            return
        at = start
        for opens, closes in (*day.open, (end, end)):
            yield from _beats(name, calm, at, min(opens, end))
            yield from _beats(name, busy, max(opens, at), min(closes, end))
            at = max(at, min(closes, end))

    def _events(self, device: Device, day: Day, start: int, end: int) -> Iterator[Told]:
        if Kind.PRESENCE in device.kinds and device.window in day.seats:
            for at, seated in day.seats[device.window].changes(start, end):
                yield Told(at, device.id, Presence(seated > 0))
        if Kind.BADGE in device.kinds:
            for stay in day.stays:
                if stay.window != device.window or stay.token is None:
                    continue
                if start <= stay.come < end:
                    yield Told(stay.come, device.id, Badge(stay.token, BadgeResult.GRANTED, Direction.IN))
                if start <= stay.leave < end:
                    yield Told(stay.leave, device.id, Badge(stay.token, BadgeResult.GRANTED, Direction.OUT))

    def _queue(self, service: str, day: Day, at: int) -> Queue:
        length = day.queues[service].at(at)
        first = next((come for come, begin in day.heads[service] if come <= at < begin), at)
        return Queue(length, head_wait_s=round((at - first) / 1000, 1))

    def _level(self, device: Device, day: Day, at: int) -> CrowdLevel:
        zone = self._index.zone(self._index.zone_of(device) or "")
        counted = day.counters.get(device.id)
        if zone is None or counted is None:
            return CrowdLevel.NORMAL
        density, limits = counted.inside.at(at) / zone.area_m2, self._index.hall.thresholds.crowd
        steps = (
            (limits.red, CrowdLevel.RED),
            (limits.orange, CrowdLevel.ORANGE),
            (limits.yellow, CrowdLevel.YELLOW),
            (limits.blue, CrowdLevel.BLUE),
        )
        return next((level for limit, level in steps if density >= limit), CrowdLevel.NORMAL)

    def _equipment(self, device: Device, day: Day, at: int) -> Equipment:
        working = any(start <= at < end for start, end in day.open) or device.asset in {"ups", "network"}
        usual = POWER_W.get(device.asset or "", 30.0)
        power = usual * (0.85 + 0.3 * chance(self._seed, device.id, at)) if working else usual * 0.1
        elapsed = (at - day.start) / 1000
        paper = round(95 - 45 * elapsed / 86_400 - 10 * chance(device.id), 1) if device.asset == "printer" else None
        return Equipment(EquipmentState.OK, power_w=round(power, 1), consumable_pct=paper, runtime_s=round(elapsed, 1))

    def _environment(self, device: Device, day: Day, at: int) -> Environment:
        near = [
            day.counters[it.id] for it in self._index.hall.devices if it.zone == device.zone and it.id in day.counters
        ]
        people = sum(counted.inside.at(at) for counted in near)
        noise = chance(self._seed, device.id, at)
        return Environment(
            temperature_c=round(22 + 0.03 * people + 0.4 * noise, 1),
            humidity_pct=round(45 + 0.05 * people + noise, 1),
            co2_ppm=round(430 + 7 * people + 20 * noise),
            pm25_ugm3=round(12 + 6 * noise, 1),
        )


def _beats(name: str, period: int, start: int, end: int) -> Iterator[int]:
    """The instants in [start, end) that a device counts off by this period."""
    phase = int(chance(name, period) * period)
    first = start + (phase - start) % period
    return iter(range(first, end, period))


def _sensor(device: Device) -> FireSensor:
    """What a detector feels; the site file's ids say it, since its kinds cannot."""
    for word, sensor in (("mcp", FireSensor.MCP), ("heat", FireSensor.HEAT), ("panel", FireSensor.PANEL)):
        if word in device.id:
            return sensor
    return FireSensor.SMOKE
