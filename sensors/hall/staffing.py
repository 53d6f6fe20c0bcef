"""Staffing of windows: two kinds of evidence, a badge and a presence sensor, and what they say together.

Silent sensors make a window unknown and never unstaffed: nobody is accused for minutes that nobody saw. What was
staffed stays so for `staffed_decay_s` after its evidence went: people stand up, reach for the printer, come back.
"""

from enum import Enum
from typing import Final

from sensors.actions import PauseWindow, ResumeWindow
from sensors.errors import RefusedError
from sensors.facts import FactKind, Subject
from sensors.hall.conditions import Rule
from sensors.hall.floor import Floor, Turned
from sensors.hall.state import DeviceState, Pause, Staffing, WindowState
from sensors.readings import Badge, BadgeResult, Direction, Presence, Reading
from sensors.site.model import Person


class Sense(Enum):
    """What one kind of evidence says; `DOWN`: there is a sensor and it is not heard; `NONE`: there is none."""

    YES = "yes"
    NO = "no"
    DOWN = "down"
    NONE = "none"


YES, NO, DOWN, NONE = Sense.YES, Sense.NO, Sense.DOWN, Sense.NONE
STAFFED, UNSTAFFED, UNKNOWN = Staffing.STAFFED, Staffing.UNSTAFFED, Staffing.UNKNOWN

# (badge, presence): the state, and whether both kinds of evidence bear it. Presence without a badge may be a
# visitor who leans in or a cleaner: unknown, until somebody taps.
TABLE: Final[dict[tuple[Sense, Sense], tuple[Staffing, bool]]] = {
    (YES, YES): (STAFFED, True),
    (YES, NO): (UNSTAFFED, True),
    (YES, DOWN): (UNKNOWN, False),
    (YES, NONE): (STAFFED, False),
    (NO, YES): (UNKNOWN, True),
    (NO, NO): (UNSTAFFED, True),
    (NO, DOWN): (UNKNOWN, False),
    (NO, NONE): (UNSTAFFED, False),
    (DOWN, YES): (STAFFED, False),
    (DOWN, NO): (UNKNOWN, False),
    (DOWN, DOWN): (UNKNOWN, False),
    (DOWN, NONE): (UNKNOWN, False),
    (NONE, YES): (STAFFED, False),
    (NONE, NO): (UNSTAFFED, False),
    (NONE, DOWN): (UNKNOWN, False),
    (NONE, NONE): (UNKNOWN, False),
}
TRUTH: Final = {UNSTAFFED: True, UNKNOWN: None}


class StaffingMachine:
    """Keeps who is at which window and its state; tells WINDOW_UNSTAFFED."""

    __slots__ = ("_floor",)

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    # -- evidence -----------------------------------------------------------------------------------------------

    def badge(self, device: DeviceState, value: Badge, person: Person, now: int) -> None:
        """A member of staff badged: at a window they are there and nowhere else; out, or at the entrance out, gone."""
        if value.result not in {BadgeResult.GRANTED, BadgeResult.SEEN}:
            return
        out = value.direction is Direction.OUT
        if device.window is None and not out:
            return
        for window in self._floor.state.windows.values():
            if window.id == device.window and not out:
                window.people.setdefault(person.id, now)
                self._floor.marks.windows.add(window.id)
            elif person.id in window.people and (not out or device.window in {None, window.id}):
                del window.people[person.id]
                self._floor.marks.windows.add(window.id)

    def presence(self, device: DeviceState, reading: Reading, value: Presence, now: int) -> None:
        """A presence sensor spoke. A retained word is shown, and judges nothing."""
        window = None if device.window is None else self._floor.state.windows.get(device.window)
        if window is None or reading.flags or (reading.retained and device.id in window.seats):
            return
        if reading.live and window.seats.get(device.id) is not value.present:
            window.seats[device.id] = value.present
            self._floor.marks.windows.add(window.id)
        window.present, window.present_at = value.present or any(window.seats.values()), now

    def doubt(self, device: DeviceState) -> None:
        """What a presence sensor said last is not known to be so any more."""
        window = None if device.window is None else self._floor.state.windows.get(device.window)
        if window is not None and window.seats.pop(device.id, None) is not None:
            self._floor.marks.windows.add(window.id)

    # -- time ---------------------------------------------------------------------------------------------------

    def begin(self, now: int) -> None:
        """Set the hours of every window: after a start, and when the site file changed."""
        for name in sorted(self._floor.state.windows):
            window = self._floor.state.windows[name]
            window.since = window.since or now  # unknown since we began to look, not since 1970
            self.hours(name, now)

    def hours(self, id: str, now: int) -> None:
        """A window opens or closes (or we begin to look)."""
        window, site = self._floor.state.windows.get(id), self._floor.index.window(id)
        if window is None or site is None:
            return
        calendar = self._floor.index.calendar.for_window(site)
        window.open = calendar.is_open(now)
        if not window.open:
            self._end_pause(window)
        change = calendar.next_change(now)
        if change is None:
            self._floor.timers.drop(f"hours/{id}")
        else:
            self._floor.timers.set(f"hours/{id}", change)
        self._floor.marks.windows.add(id)

    def unpause(self, id: str) -> None:
        """A pause has run out."""
        window = self._floor.state.windows.get(id)
        if window is not None:
            self._end_pause(window)

    def leave(self) -> None:
        """The day is over: who did not badge out is not there any more."""
        for window in self._floor.state.windows.values():
            if window.people:
                window.people.clear()
                self._floor.marks.windows.add(window.id)

    # -- people's word ------------------------------------------------------------------------------------------

    def check_pause(self, action: PauseWindow, now: int) -> None:
        """Raises `RefusedError` for a pause that cannot be."""
        window = self._window(action.window)
        if not window.open:
            raise RefusedError("window_closed", window=window.id)
        if action.covered_by is not None and self._floor.index.person(action.covered_by) is None:
            raise RefusedError("no_such_person", person=action.covered_by)
        if action.until is not None and action.until <= now:
            raise RefusedError("pause_in_past", window=window.id)
        limit = self._floor.limits.pause_max_s
        if action.covered_by is None and action.until is not None and action.until > now + limit * 1000:
            raise RefusedError("pause_too_long", window=window.id, limit_s=str(limit))

    def pause(self, action: PauseWindow, by: str, now: int) -> None:
        """Pause a window: until the time said, else for the longest pause; covered, until its hours end."""
        window = self._window(action.window)
        until = action.until
        if until is None and action.covered_by is None:
            until = now + self._floor.limits.pause_max_s * 1000
        window.pause = Pause(by, now, until, action.covered_by, action.reason)
        if until is None:
            self._floor.timers.drop(f"pause/{window.id}")
        else:
            self._floor.timers.set(f"pause/{window.id}", until)
        self._floor.marks.windows.add(window.id)

    def check_resume(self, action: ResumeWindow) -> None:
        """Raises `RefusedError` where there is no pause to end."""
        if self._window(action.window).pause is None:
            raise RefusedError("window_not_paused", window=action.window)

    def resume(self, action: ResumeWindow) -> None:
        """End a pause."""
        self._end_pause(self._window(action.window))

    # -- judgement ----------------------------------------------------------------------------------------------

    def settle(self, id: str, now: int) -> None:
        """Judge a window from all that is known now."""
        window, site = self._floor.state.windows.get(id), self._floor.index.window(id)
        if window is None or site is None:
            return
        badge, seat = self._badge(window), self._seat(window)
        staffing, sure = TABLE[badge, seat]
        since = now
        if not window.open:
            staffing, sure = Staffing.CLOSED, True
        elif window.pause is not None:
            staffing, sure, since = Staffing.PAUSED, True, window.pause.since
        elif self._leaving(window, badge, seat, staffing, now):
            staffing, sure = STAFFED, False
        elif window.leaving is not None and not window.leaving_down:
            since = window.leaving
        if staffing is not STAFFED or (sure or seat in {YES, NONE}):
            self._stay(window)
        self._turn(window, staffing, since, sure=sure)
        self._tell(window, site.zone, now)

    def _leaving(self, window: WindowState, badge: Sense, seat: Sense, staffing: Staffing, now: int) -> bool:
        """Whether what was staffed still counts as staffed though nobody is seen at the desk."""
        if window.staffing is not STAFFED or staffing is STAFFED or badge is NO or seat not in {NO, DOWN}:
            return False
        down = seat is DOWN
        if window.leaving is None or window.leaving_down is not down:
            window.leaving, window.leaving_down = now, down
            self._floor.timers.set(f"decay/{window.id}", now + self._floor.limits.staffed_decay_s * 1000)
        return now < window.leaving + self._floor.limits.staffed_decay_s * 1000

    def _stay(self, window: WindowState) -> None:
        window.leaving = None
        self._floor.timers.drop(f"decay/{window.id}")

    def _turn(self, window: WindowState, staffing: Staffing, since: int, *, sure: bool) -> None:
        window.sure = sure
        if staffing is window.staffing:
            return
        window.staffing, window.since = staffing, since
        self._floor.turns.append(Turned(window.id, staffing, self._floor.state.now))
        site = self._floor.index.window(window.id)
        self._floor.marks.services.update(() if site is None else site.services)

    def _tell(self, window: WindowState, zone: str, now: int) -> None:
        key = f"window_unstaffed/{window.id}"
        truth = TRUTH.get(window.staffing, False)
        if not truth and self._floor.conditions.get(key) is None:
            return
        limits = self._floor.limits
        rule = Rule(
            key,
            FactKind.WINDOW_UNSTAFFED,
            Subject("window", window.id),
            limits.unstaffed_after_s * 1000,
            limits.unstaffed_clear_s * 1000,
            zone,
        )
        self._floor.conditions.observe(rule, truth, now, since=window.since if truth else None)

    def _badge(self, window: WindowState) -> Sense:
        readers = self._floor.wiring.readers.get(window.id, [])
        if not readers:
            return NONE
        if not all(map(self._floor.online, readers)):
            return DOWN
        return YES if window.people else NO

    def _seat(self, window: WindowState) -> Sense:
        """Somebody is seen if one sensor sees them; nobody is, only if all are heard and none does."""
        sensors = self._floor.wiring.seats.get(window.id, [])
        if not sensors:
            return NONE
        said = [window.seats.get(it) if self._floor.online(it) else None for it in sensors]
        if True in said:
            return YES
        return DOWN if None in said else NO

    def _end_pause(self, window: WindowState) -> None:
        window.pause = None
        self._floor.timers.drop(f"pause/{window.id}")
        self._floor.marks.windows.add(window.id)

    def _window(self, id: str) -> WindowState:
        window = self._floor.state.windows.get(id)
        if window is None:
            raise RefusedError("no_such_window", window=id)
        return window
