"""Equipment: faults, tampering, low batteries. Last-known state is shown; only a live message raises or clears.

`off` says nothing of the health: it neither raises nor clears. Going offline drops a fault that was not yet
held long enough, and clears none.
"""

from typing import Final

from sensors.facts import FactKind, Subject
from sensors.hall.conditions import Evidence, Rule
from sensors.hall.floor import Floor
from sensors.hall.state import DeviceState
from sensors.readings import Battery, Contact, Equipment, EquipmentState, Fire, Reading

LOW_PCT: Final = 10.0
WELL_PCT: Final = 20.0
TRUTH: Final = {
    EquipmentState.OK: False,
    EquipmentState.DEGRADED: False,
    EquipmentState.FAULT: True,
    EquipmentState.OFF: None,
}


class EquipmentMachine:
    """Tells EQUIPMENT_FAULT, TAMPER and BATTERY_LOW."""

    __slots__ = ("_floor",)

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def take(self, device: DeviceState, reading: Reading, value: Equipment, now: int) -> None:
        """Take an asset's health."""
        if reading.flags:
            return
        device.equipment, device.equipment_code, device.equipment_at = value.state, value.code, now
        if reading.live:
            self._fault(device, TRUTH[value.state], now, value.code or "")

    def take_detector(self, device: DeviceState, reading: Reading, value: Fire, now: int) -> None:
        """Take what a fire detector says of itself: fault and tampering."""
        if reading.live and not value.test:
            self._fault(device, value.fault, now, "fire_detector" if value.fault else "")
            self._tamper(device, now, truth=value.tamper)

    def take_contact(self, device: DeviceState, reading: Reading, value: Contact, now: int) -> None:
        """Take what a contact says of itself: tampering."""
        if reading.live:
            self._tamper(device, now, truth=value.tamper)

    def take_battery(self, device: DeviceState, reading: Reading, value: Battery, now: int) -> None:
        """Take a battery's charge; between 10 % and 20 % what held goes on holding."""
        if reading.flags:
            return
        device.battery_pct = device.battery_pct if value.pct is None else value.pct
        device.battery_low = device.battery_low if value.low is None else value.low
        if not reading.live:
            return
        key = f"battery_low/{device.id}"
        low = value.low is True or (value.pct is not None and value.pct <= LOW_PCT)
        well = value.low is False if value.pct is None else value.pct >= WELL_PCT and value.low is not True
        if low or (well and self._floor.conditions.get(key) is not None):
            rule = self._rule(device, FactKind.BATTERY_LOW)
            self._floor.conditions.observe(rule, low, now, Evidence(value=value.pct, threshold=LOW_PCT))

    def doubt(self, device: DeviceState, now: int) -> None:
        """A device is not heard: what it said and what has not yet held long enough is not known to be so."""
        self._floor.conditions.observe(self._rule(device, FactKind.EQUIPMENT_FAULT), None, now)

    def _fault(self, device: DeviceState, truth: bool | None, now: int, code: str) -> None:
        key = f"equipment_fault/{device.id}"
        if truth is None or (not truth and self._floor.conditions.get(key) is None):
            return
        limits = self._floor.limits
        rule = self._rule(
            device, FactKind.EQUIPMENT_FAULT, limits.equipment_raise_s * 1000, limits.equipment_clear_s * 1000
        )
        known = self._floor.conditions.get(key)
        changed = truth and known is not None and known.active is not None and known.detail != code
        self._floor.conditions.observe(rule, truth, now, Evidence(detail=code))
        if changed:
            self._floor.conditions.again(key, now, Evidence(detail=code))

    def _tamper(self, device: DeviceState, now: int, *, truth: bool) -> None:
        rule = self._rule(device, FactKind.TAMPER)
        if truth or self._floor.conditions.get(rule.key) is not None:
            self._floor.conditions.observe(rule, truth, now)

    def _rule(self, device: DeviceState, kind: FactKind, raise_ms: int = 0, clear_ms: int = 0) -> Rule:
        subject = Subject("device", device.id)
        return Rule(f"{kind.value}/{device.id}", kind, subject, raise_ms, clear_ms, device.zone, device.id)
