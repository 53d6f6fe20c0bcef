"""Buttons: a press is an event. Help holds at once and clears by itself, since no button says that help came."""

from sensors.facts import FactKind, Subject
from sensors.hall.conditions import NOTHING, Rule
from sensors.hall.floor import Floor
from sensors.hall.state import DeviceState
from sensors.readings import Button, ButtonAction, Reading


class ButtonMachine:
    """Tells HELP and FAULT_BUTTON."""

    __slots__ = ("_floor",)

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def take(self, device: DeviceState, reading: Reading, value: Button, now: int) -> None:
        """Take one press; a retained or flagged one is none."""
        if not reading.live:
            return
        if value.action is ButtonAction.FAULT:
            self._floor.edge(FactKind.FAULT_BUTTON, device, now)
        elif value.action is ButtonAction.HELP:
            self._help(device, now)

    def _help(self, device: DeviceState, now: int) -> None:
        """Hold; the clear hold begins at the press, so the condition ends and the alarm waits for its answer."""
        key = f"help/{device.id}"
        clear = self._floor.limits.help_clear_s * 1000
        rule = Rule(key, FactKind.HELP, Subject("device", device.id), 0, clear, device.zone, device.id)
        again = self._floor.conditions.active(key)
        self._floor.conditions.observe(rule, truth=True, now=now)
        if again:
            self._floor.conditions.again(key, now, NOTHING)
        self._floor.conditions.observe(rule, truth=False, now=now)
