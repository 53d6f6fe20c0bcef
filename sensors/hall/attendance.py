"""Attendance: a person's badge against the sessions of their shifts. Evidence for people, never a verdict.

Where a reader of the window was not heard during the clock-in, nobody is late or absent: it is unknown. A badge
that comes later is taken into account, and a late message counts for the time that its synced clock claims.
"""

from typing import Final

from sensors.facts import Fact, FactKind, Subject
from sensors.hall.floor import Floor
from sensors.hall.state import DeviceState, Punch, SessionState
from sensors.readings import Badge, BadgeResult, Clock, Direction, Reading
from sensors.site.model import Person

EARLY_MS: Final = 3_600_000
LATE_DELIVERY_MS: Final = 12 * 3_600_000
KEEP_MS: Final = 36 * 3_600_000
MINUTE_MS: Final = 60_000
SHIFT: Final = "shift/"
DAY: Final = "day"


class AttendanceMachine:
    """Keeps the sessions of today (and of yesterday, to be read); tells PUNCH."""

    __slots__ = ("_floor",)

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def roll(self, now: int) -> None:
        """A day begins, or we begin within one: list its sessions and set the time of the next."""
        calendar, state = self._floor.index.calendar, self._floor.state
        for key in [key for key, session in state.sessions.items() if session.end + KEEP_MS < now]:
            self._drop(key)
        day = calendar.date_of(now)
        self._floor.timers.set(DAY, calendar.at(day, 24 * 60))
        for shift in self._floor.index.hall.shifts:
            for start, end in calendar.sessions(shift, day):
                key = f"{shift.person}/{shift.window}/{start}"
                if key not in state.sessions:
                    state.sessions[key] = SessionState(key, shift.person, shift.window, start, end)
                    self._begin(state.sessions[key], now)

    def derive(self, now: int) -> None:
        """The site file changed: forget what of today and later it does not plan any more, list what it does."""
        calendar, state = self._floor.index.calendar, self._floor.state
        day = calendar.date_of(now)
        planned = {
            f"{shift.person}/{shift.window}/{start}"
            for shift in self._floor.index.hall.shifts
            for start, _ in calendar.sessions(shift, day)
        }
        for key in [key for key, session in state.sessions.items() if session.end > now and key not in planned]:
            self._drop(key)
        self.roll(now)

    def due(self, key: str, now: int) -> None:
        """One of a session's instants has come: the clock-in opens, the session begins, a grace has passed."""
        session = self._floor.state.sessions.get(key)
        if session is None:
            return
        self._schedule(session, now)
        session.reader_down |= session.first_in is None and self._down(session.window)
        if session.first_in is not None:
            return
        if now == session.start and self._sits(session):
            self._punch(session, now, now, device=None)
        elif now >= self._absent_at(session):
            self._turn(session, Punch.UNKNOWN if session.reader_down else Punch.ABSENT, now)
        elif now >= session.start + self._floor.limits.late_grace_s * 1000:
            self._turn(session, Punch.UNKNOWN if session.reader_down else Punch.LATE, now)

    def badge(self, device: DeviceState, reading: Reading, value: Badge, person: Person, now: int) -> None:
        """A member of staff badged in: at their window, or at an entrance."""
        if value.result not in {BadgeResult.GRANTED, BadgeResult.SEEN} or value.direction is Direction.OUT:
            return
        claimed = reading.device_time
        trusted = claimed is not None and reading.clock is Clock.SYNCED and 0 <= now - claimed <= LATE_DELIVERY_MS
        at = claimed if trusted and claimed is not None else now
        for key in sorted(self._floor.state.sessions):
            session = self._floor.state.sessions[key]
            here = device.window is None or device.window == session.window
            if session.person == person.id and here and session.start - EARLY_MS <= at <= session.end:
                self._punch(session, at, now, device=device.id)

    def stepped(self, before: int, now: int) -> None:
        """The clock was stepped: a clock-in of which a part was stepped over cannot be judged by its absence."""
        first, last = min(before, now), max(before, now)
        for session in self._floor.state.sessions.values():
            if session.first_in is None and session.start - EARLY_MS <= last and first < self._absent_at(session):
                session.reader_down = True
                if now >= self._absent_at(session):
                    self._turn(session, Punch.UNKNOWN, now)
            self._schedule(session, now)
        self.roll(now)

    def reader_down(self, device: DeviceState, now: int) -> None:
        """A badge reader is not heard: the clock-ins that are running may have lost a badge."""
        for session in self._floor.state.sessions.values():
            concerned = device.window is None or device.window == session.window
            running = session.start - EARLY_MS <= now < self._absent_at(session)
            if concerned and running and session.first_in is None:
                session.reader_down |= self._down(session.window)

    def _begin(self, session: SessionState, now: int) -> None:
        """Set the first instant. What passed before we began to look is unknown, and no fact."""
        if now > session.start - EARLY_MS:
            session.reader_down = True
        if now >= session.start + self._floor.limits.late_grace_s * 1000:
            session.punch = Punch.UNKNOWN
        self._schedule(session, now)

    def _schedule(self, session: SessionState, now: int) -> None:
        grace = session.start + self._floor.limits.late_grace_s * 1000
        instants = (session.start - EARLY_MS, session.start, grace, self._absent_at(session))
        later = [at for at in instants if at > now]
        if later:
            self._floor.timers.set(SHIFT + session.key, min(later))
        else:
            self._floor.timers.drop(SHIFT + session.key)

    def _absent_at(self, session: SessionState) -> int:
        limits = self._floor.limits
        return min(session.end, session.start + max(limits.absent_after_s, limits.late_grace_s) * 1000)

    def _punch(self, session: SessionState, at: int, now: int, *, device: str | None) -> None:
        if session.first_in is not None and session.first_in <= at:
            return
        session.first_in = at
        late = at > session.start + self._floor.limits.late_grace_s * 1000
        session.minutes_late = (at - session.start) // MINUTE_MS if late else 0
        punch = Punch.ON_TIME
        if late:
            punch = Punch.UNKNOWN if session.reader_down else Punch.LATE
        self._turn(session, punch, now, device=device, again=True)

    def _turn(
        self, session: SessionState, punch: Punch, now: int, *, device: str | None = None, again: bool = False
    ) -> None:
        if session.punch is punch and not again:
            return
        session.punch = punch
        window = self._floor.index.window(session.window)
        self._floor.facts.append(
            Fact(
                key=f"punch/{session.key}",
                kind=FactKind.PUNCH,
                subject=Subject("person", session.person),
                holds=True,
                at=now,
                since=now if session.first_in is None else session.first_in,
                zone=None if window is None else window.zone,
                device=device,
                edge=True,
                detail=punch.value,
                value=session.minutes_late,
            )
        )

    def _sits(self, session: SessionState) -> bool:
        """Whether the person is known to be at the window already: nobody badges again after a lunch at the desk."""
        window = self._floor.state.windows.get(session.window)
        return window is not None and session.person in window.people

    def _down(self, window: str) -> bool:
        """Whether a badge could have been missed: a reader of the window (else of an entrance) is not heard."""
        wiring = self._floor.wiring
        readers = wiring.readers.get(window) or wiring.entrances
        return not readers or not all(map(self._floor.online, readers))

    def _drop(self, key: str) -> None:
        del self._floor.state.sessions[key]
        self._floor.timers.drop(SHIFT + key)
