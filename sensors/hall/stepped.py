"""This machine's clock was stepped: what is measured from an instant moves with it, what the calendar says does not.

A step is no passing of time: nobody was silent, late or unheard for it. So every hold, limit and age is moved by the
step and has after it what it had left before; opening hours, shifts and the end of the day are read anew from the
calendar at the new time (docs/adr/0010-when-the-clock-is-stepped.md).
"""

from typing import Final

from sensors.hall.attendance import DAY, SHIFT
from sensors.hall.state import HallState
from sensors.hall.timers import Timers

CALENDAR: Final = (SHIFT, "hours/")


def shift(state: HallState, timers: Timers, by: int) -> None:
    """Move every instant from which something is measured by `by` ms."""
    for key, due in sorted(state.timers.items()):
        if key != DAY and not key.startswith(CALENDAR):
            timers.set(key, due + by)
    for condition in state.conditions.values():
        for name in ("pending", "active", "clearing", "due", "told"):
            _move(condition, name, by)
    for device in state.devices.values():
        for name in ("last_seen", "liveness_since", "equipment_at", "fire_at"):
            _move(device, name, by)
    for window in state.windows.values():
        for name in ("since", "leaving", "present_at"):
            _move(window, name, by)
        window.people = {person: since + by for person, since in window.people.items()}
        if window.pause is not None:
            _move(window.pause, "since", by)
            _move(window.pause, "until", by)
    for zone in state.zones.values():
        _move(zone, "level_since", by)
        _move(zone, "at", by)
    for service in state.services.values():
        _move(service, "at", by)
    state.link_since = {name: since + by for name, since in state.link_since.items()}


def _move(thing: object, name: str, by: int) -> None:
    # 0 and None are no instants: it was never so.
    instant = getattr(thing, name)
    if instant:
        setattr(thing, name, instant + by)
