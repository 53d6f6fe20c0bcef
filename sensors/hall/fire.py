"""Fire: mirrored at once, never held back, and cleared only by the detector itself saying so live.

A retained fire, or one of a device that nobody has approved, is unverified: people are asked to look. A test,
drill, lesson or old reading is an edge of its own and never a fire. Going offline clears nothing.
"""

from dataclasses import replace
from typing import Final

from sensors.facts import FactKind, Subject
from sensors.hall.conditions import Evidence, Rule
from sensors.hall.floor import Floor
from sensors.hall.state import DeviceState
from sensors.readings import Fire, Reading

AGAIN_MS: Final = 10_000


class FireMachine:
    """Tells FIRE and FIRE_TEST; keeps `fire` of each device as last known."""

    __slots__ = ("_floor",)

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def take(self, device: DeviceState, reading: Reading, value: Fire, now: int, *, approved: bool) -> None:
        """Take one fire reading of a device, approved or not."""
        if value.test or reading.flags:
            if (value.alarm or value.test) and not reading.retained:
                self._floor.edge(FactKind.FIRE_TEST, device, now, value.sensor.value)
            return
        key = f"fire/{device.id}"
        if value.alarm:
            seen = Evidence(detail=value.sensor.value, verified=approved and not reading.retained)
            self._raise(device, key, seen, now, live=not reading.retained)
        elif not reading.retained:
            self._clear(key, now, approved=approved)
        if value.alarm or not self._floor.conditions.active(key):
            device.fire, device.fire_at, device.fire_sensor = value.alarm, now, value.sensor.value

    def take_unlisted(self, device: DeviceState, reading: Reading, value: Fire, now: int) -> None:
        """Take a fire of one of the devices that are too many to be listed: an event that ends when somebody looks."""
        if value.alarm and not value.test and not reading.flags:
            self._floor.edge(FactKind.FIRE, device, now, reading.device, verified=False)

    def _raise(self, device: DeviceState, key: str, seen: Evidence, now: int, *, live: bool) -> None:
        """Hold at once. What is verified now or felt by another sense is told at once; repeats every 10 s."""
        known = self._floor.conditions.get(key)
        if known is None:
            rule = Rule(key, FactKind.FIRE, Subject("device", device.id), zone=device.zone, device=device.id)
            self._floor.conditions.observe(rule, truth=True, now=now, seen=seen)
        elif seen.verified and not known.verified:
            self._floor.conditions.again(key, now, seen)
        elif live and (now - (known.told or 0) >= AGAIN_MS or seen.detail != known.detail):
            self._floor.conditions.again(key, now, replace(seen, verified=known.verified))

    def _clear(self, key: str, now: int, *, approved: bool) -> None:
        """The detector says live that it is over. A device that nobody approved cannot end a verified fire."""
        known = self._floor.conditions.get(key)
        if known is not None and (approved or not known.verified):
            self._floor.conditions.end(key, now)
