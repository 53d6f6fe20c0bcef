"""Crowding of a zone: people per m² of usable area, each level with its own holds, and the fire plan's cap.

What the live sensors count is a lower bound: it may raise a level though another sensor is silent, but only a
zone that is counted whole can say that it is empty enough. Levels and holds: HCM and Fruin, see `docs/site.md`.
"""

from dataclasses import dataclass
from typing import Final

from sensors.facts import FactKind, Subject
from sensors.hall.conditions import Evidence, Rule
from sensors.hall.floor import Floor
from sensors.hall.state import DeviceState, ZoneState
from sensors.readings import Crowd, CrowdLevel, PeopleCount, Reading
from sensors.site.model import Zone

RANK: Final = {level: rank for rank, level in enumerate(CrowdLevel)}
STEP: Final = "crowd_level/"


@dataclass(frozen=True, slots=True)
class _Counted:
    """People that are counted live (a lower bound unless `whole`), and the highest level that a device gives."""

    people: int
    rank: int
    whole: bool

    def reaches(self, step: "_Step") -> bool:
        return self.people >= step.limit or self.rank >= RANK[step.level]


@dataclass(frozen=True, slots=True)
class _Step:
    """One level of a zone: how many people make it, and the rule by which it is held."""

    level: CrowdLevel
    limit: float
    rule: Rule


class CrowdMachine:
    """Keeps each zone's counts and level; tells CROWD from the site's `alarm_from` level up."""

    __slots__ = ("_floor", "_known")

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._known: dict[str, dict[CrowdLevel, _Step]] = {}  # of the site alone, worked out once

    def take_count(self, device: DeviceState, reading: Reading, value: PeopleCount, now: int) -> None:
        """Take an occupancy or crossings. A retained occupancy is shown until the sensor speaks, and raises nothing."""
        zone = self._zone(device)
        if zone is None or reading.flags:
            return
        before = zone.counts.get(device.id)
        count = _count(value, before or 0, live=not reading.retained)
        if count is None or (reading.retained and before is not None and device.id not in zone.unsure):
            return
        zone.counts[device.id] = count
        zone.at = now
        unsure = device.id in zone.unsure
        if reading.retained and not unsure:
            zone.unsure = sorted([*zone.unsure, device.id])
        elif not reading.retained and unsure:
            zone.unsure.remove(device.id)
        if count != before or unsure is not reading.retained:
            self._floor.marks.zones.add(zone.id)

    def take_level(self, device: DeviceState, reading: Reading, value: Crowd, now: int) -> None:
        """Take the level that a device itself gives, or its count against its own threshold (orange)."""
        zone = self._zone(device)
        if zone is None or not reading.live:
            return
        level = value.level
        if level is None and value.count is not None and value.threshold is not None:
            level = CrowdLevel.ORANGE if value.count >= value.threshold else CrowdLevel.NORMAL
        if level is not None:
            zone.device_levels[device.id] = level
            zone.at = now
            self._floor.marks.zones.add(zone.id)

    def doubt(self, device: DeviceState) -> None:
        """What a counter said last is not known to be so any more; it is shown until it speaks again."""
        zone = self._zone(device)
        if zone is None:
            return
        zone.device_levels.pop(device.id, None)
        if device.id in zone.counts and device.id not in zone.unsure:
            zone.unsure = sorted([*zone.unsure, device.id])
        self._floor.marks.zones.add(zone.id)

    def settle(self, id: str, now: int) -> None:
        """Judge a zone: give each level its truth."""
        zone, site = self._floor.state.zones.get(id), self._floor.index.zone(id)
        if zone is None or site is None:
            return
        sensors = self._floor.wiring.counters.get(id, [])
        for gone in [known for known in zone.counts if known not in sensors]:
            del zone.counts[gone]
        zone.device_levels = {known: level for known, level in zone.device_levels.items() if known in sensors}
        zone.unsure = [known for known in zone.unsure if known in sensors]
        zone.occupancy = sum(zone.counts.values()) if zone.counts else None
        counted = self._count(zone, sensors)
        steps = self._steps(site)
        for step in steps.values():
            self._judge(step, counted, now)
        held = self._held(steps)
        known = counted.whole or (held is not CrowdLevel.NORMAL and counted.reaches(steps[held]))
        shown = held if known else None
        if shown is not zone.level:
            zone.level, zone.level_since = shown, now
        self._alarm(zone, site, held, now)

    def _alarm(self, zone: ZoneState, site: Zone, held: CrowdLevel, now: int) -> None:
        key = f"crowd/{zone.id}"
        if RANK[held] < max(1, RANK[self._floor.limits.crowd.alarm_from]):
            self._floor.conditions.end(key, now)
            return
        known = self._floor.conditions.get(key)
        density = None if zone.occupancy is None else round(zone.occupancy / site.area_m2, 2)
        limit = round(self._steps(site)[held].limit / site.area_m2, 2)
        seen = Evidence(held.value, density, limit, held)
        if known is None:
            step = self._floor.conditions.get(f"{STEP}{zone.id}/{held.value}")
            rule = Rule(key, FactKind.CROWD, Subject("zone", zone.id), zone=zone.id)
            since = now if step is None else step.pending
            self._floor.conditions.observe(rule, truth=True, now=now, seen=seen, since=since)
        elif known.level is not held:
            self._floor.conditions.again(key, now, seen)

    def _judge(self, step: _Step, counted: _Counted, now: int) -> None:
        """Give one level its truth. Between 85 % and 100 % of it, what is held goes on and nothing begins."""
        known = self._floor.conditions.get(step.rule.key)
        reached = counted.reaches(step)
        if known is None and not reached:
            return
        truth: bool | None = reached
        if not reached:
            near = counted.people >= step.limit * self._floor.limits.crowd.clear_below
            truth = (near and known is not None and known.active is not None) if counted.whole else None
        self._floor.conditions.observe(step.rule, truth, now)

    def _count(self, zone: ZoneState, sensors: list[str]) -> _Counted:
        """What the sensors that are heard say live, and whether those are all."""
        people, rank, whole = 0, 0, bool(sensors)
        for sensor in sensors:
            online = self._floor.online(sensor)
            count = None if sensor in zone.unsure else zone.counts.get(sensor)
            said = zone.device_levels.get(sensor)
            whole = whole and online and not (count is None and said is None)
            if online:
                people += count or 0
                rank = max(rank, 0 if said is None else RANK[said])
        return _Counted(people, rank, whole)

    def _steps(self, site: Zone) -> dict[CrowdLevel, _Step]:
        """The levels of a zone, rising; at its capacity a zone is at least orange."""
        known = self._known.get(site.id)
        if known is None:
            crowd, cap = self._floor.limits.crowd, float(site.capacity)
            people = {
                CrowdLevel.BLUE: min(crowd.blue * site.area_m2, cap),
                CrowdLevel.YELLOW: min(crowd.yellow * site.area_m2, cap),
                CrowdLevel.ORANGE: min(crowd.orange * site.area_m2, cap),
                CrowdLevel.RED: crowd.red * site.area_m2,
            }
            known = {level: _Step(level, limit, self._rule(site.id, level)) for level, limit in people.items()}
            self._known[site.id] = known
        return known

    def _rule(self, id: str, level: CrowdLevel) -> Rule:
        crowd = self._floor.limits.crowd
        key = f"{STEP}{id}/{level.value}"
        return Rule(key, None, Subject("zone", id), crowd.raise_s * 1000, crowd.clear_s * 1000)

    def _held(self, steps: dict[CrowdLevel, _Step]) -> CrowdLevel:
        held = [step.level for step in steps.values() if self._floor.conditions.active(step.rule.key)]
        return held[-1] if held else CrowdLevel.NORMAL

    def _zone(self, device: DeviceState) -> ZoneState | None:
        return None if device.zone is None else self._floor.state.zones.get(device.zone)


def _count(value: PeopleCount, before: int, *, live: bool) -> int | None:
    """People in the sensor's part of the zone; None where the message says nothing of that."""
    if value.occupancy is not None:
        return value.occupancy
    if value.in_total is not None and value.out_total is not None:
        return max(0, value.in_total - value.out_total)
    if live and (value.in_delta is not None or value.out_delta is not None):
        return max(0, before + (value.in_delta or 0) - (value.out_delta or 0))
    return None
