"""Crowding of a zone: people per m² of usable area, each level with its own holds, and the fire plan's cap.

What the live sensors count is a lower bound: it may raise a level though another sensor is silent, but only a
zone that is counted whole can say that it is empty enough. Levels and holds: HCM and Fruin, see `docs/site.md`.
"""

from typing import Final

from sensors.facts import FactKind, Subject
from sensors.hall.conditions import NOTHING, Evidence, Rule
from sensors.hall.floor import Floor
from sensors.hall.state import DeviceState, ZoneState
from sensors.readings import Crowd, CrowdLevel, PeopleCount, Reading
from sensors.site.model import Zone

LEVELS: Final = tuple(CrowdLevel)
RISING: Final = LEVELS[1:]
STEP: Final = "crowd_level/"


class CrowdMachine:
    """Keeps each zone's counts and level; tells CROWD from the site's `alarm_from` level up."""

    __slots__ = ("_floor",)

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

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
        if reading.retained and device.id not in zone.unsure:
            zone.unsure = sorted([*zone.unsure, device.id])
        elif not reading.retained and device.id in zone.unsure:
            zone.unsure.remove(device.id)
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
        for level in RISING:
            self._judge(zone, site, level, now)
        self.tell(id, now)

    def tell(self, id: str, now: int) -> None:
        """The level that its holds have settled on, and the fact of it."""
        zone, site = self._floor.state.zones.get(id), self._floor.index.zone(id)
        if zone is None or site is None:
            return
        held = self._held(id)
        known = self._whole(zone) or (held is not CrowdLevel.NORMAL and self._truth(zone, site, held) is True)
        level = held if known else None
        if level is not zone.level:
            zone.level, zone.level_since = level, now
        self._alarm(zone, site, held, now)

    def _alarm(self, zone: ZoneState, site: Zone, held: CrowdLevel, now: int) -> None:
        key = f"crowd/{zone.id}"
        alarmed = LEVELS.index(held) >= max(1, LEVELS.index(self._floor.limits.crowd.alarm_from))
        known = self._floor.conditions.get(key)
        if not alarmed:
            self._floor.conditions.end(key, now)
            return
        density = None if zone.occupancy is None else round(zone.occupancy / site.area_m2, 2)
        limit = round(self._people(site, held) / site.area_m2, 2)
        seen = Evidence(held.value, density, limit, held)
        if known is None:
            step = self._floor.conditions.get(f"{STEP}{zone.id}/{held.value}")
            rule = Rule(key, FactKind.CROWD, Subject("zone", zone.id), zone=zone.id)
            self._floor.conditions.observe(rule, truth=True, now=now, seen=seen, since=step.pending if step else now)
        elif known.level is not held:
            self._floor.conditions.again(key, now, seen)

    def _judge(self, zone: ZoneState, site: Zone, level: CrowdLevel, now: int) -> None:
        limits = self._floor.limits.crowd
        key = f"{STEP}{zone.id}/{level.value}"
        truth = self._truth(zone, site, level)
        known = self._floor.conditions.get(key)
        if truth or known is not None:
            rule = Rule(key, None, Subject("zone", zone.id), limits.raise_s * 1000, limits.clear_s * 1000)
            self._floor.conditions.observe(rule, truth, now, NOTHING)

    def _truth(self, zone: ZoneState, site: Zone, level: CrowdLevel) -> bool | None:
        """Whether a level is reached. Between 85 % and 100 % of it, what is held goes on and nothing begins."""
        people = sum(n for it, n in zone.counts.items() if it not in zone.unsure and self._floor.online(it))
        said = (at for it, at in zone.device_levels.items() if self._floor.online(it))
        limit = self._people(site, level)
        if people >= limit or any(LEVELS.index(at) >= LEVELS.index(level) for at in said):
            return True
        if not self._whole(zone):
            return None
        active = self._floor.conditions.active(f"{STEP}{zone.id}/{level.value}")
        return active and people >= limit * self._floor.limits.crowd.clear_below

    def _people(self, site: Zone, level: CrowdLevel) -> float:
        """How many people make a level; at its capacity a zone is at least orange."""
        crowd = self._floor.limits.crowd
        density = {
            CrowdLevel.NORMAL: 0.0,
            CrowdLevel.BLUE: crowd.blue,
            CrowdLevel.YELLOW: crowd.yellow,
            CrowdLevel.ORANGE: crowd.orange,
            CrowdLevel.RED: crowd.red,
        }
        people = density[level] * site.area_m2
        return people if level is CrowdLevel.RED else min(people, site.capacity)

    def _whole(self, zone: ZoneState) -> bool:
        """Whether every sensor of the zone is heard and has spoken live."""
        sensors = self._floor.wiring.counters.get(zone.id, [])
        heard = (it in zone.device_levels or (it in zone.counts and it not in zone.unsure) for it in sensors)
        return bool(sensors) and all(heard) and all(map(self._floor.online, sensors))

    def _held(self, id: str) -> CrowdLevel:
        held = [level for level in RISING if self._floor.conditions.active(f"{STEP}{id}/{level.value}")]
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
