"""Liveness: is a device heard? Four states, and silence is counted only while we were able to listen.

A live message is the only proof of life: a retained one says what was. While a session to the broker is down,
or after a start, a device is unknown and not stale; then it has what was left of its limit, the grace at least.
"""

from typing import Final

from sensors.facts import FactKind, Subject
from sensors.hall.conditions import Evidence, Rule
from sensors.hall.floor import Floor
from sensors.hall.state import DeviceState, Liveness
from sensors.inputs import STORE, Lane
from sensors.readings import Availability, Clock, Scope

LIVE: Final = "live/"
ALL_LANES: Final = (1 << Lane.SAFETY) | (1 << Lane.TELEMETRY)


def lane_name(lane: Lane) -> str:
    """The name of a session in `HallState.links` and in facts."""
    return lane.name.lower()


class LivenessMachine:
    """Keeps `liveness`, `last_seen`, `skew_ms` of each device, and the facts that rest on them."""

    __slots__ = ("_floor",)

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def heard(self, device: DeviceState, now: int, lane: Lane) -> None:
        """A live message came: the device lives. The path of every message, so it does little."""
        device.last_seen = now
        device.lanes |= 1 << lane
        device.patience = None
        limits = self._floor.wiring.limits.get(device.id)
        if limits is None:
            return
        self._floor.timers.set(LIVE + device.id, now + limits[0])
        if device.liveness is not Liveness.ONLINE:
            device.said_offline = False
            self._turn(device, Liveness.ONLINE, now)
            self._silent(device, now, truth=False)

    def said(self, device: DeviceState, value: Availability, now: int, *, live: bool) -> None:
        """A device, its gateway or its last will says online or offline. `online` is told by `heard`."""
        if value.online:
            device.said_offline = device.said_offline and not live
            return
        if not live and device.liveness is Liveness.ONLINE:
            return
        device.said_offline = True
        self._turn(device, Liveness.OFFLINE, now)
        if live:
            self._floor.timers.drop(LIVE + device.id)
            # A connection that flaps is no silence: it must be gone for a moment before anybody is told.
            hold = self._floor.limits.offline_hold_s * 1000
            self._silent(device, now, truth=True, detail=value.reason or "said_offline", raise_ms=hold)
            if value.scope is Scope.BRIDGE:
                family = [d for d in self._members() if d.family == device.family and d is not device]
                self._unknown(family, now)

    def told_time(self, device: DeviceState, claimed: int, clock: Clock, now: int) -> None:
        """Compare a live message's own time with ours. Only a clock that says it is synced can be wrong."""
        device.skew_ms = now - claimed
        limit = self._floor.limits.clock_skew_s * 1000
        key = f"clock_skew/{device.id}"
        wrong = clock is Clock.SYNCED and abs(device.skew_ms) > limit
        if wrong or self._floor.conditions.get(key) is not None:
            rule = _rule(device, FactKind.CLOCK_SKEW, limit, limit)
            seen = Evidence(value=device.skew_ms / 1000, threshold=limit / 1000)
            self._floor.conditions.observe(rule, wrong, now, seen)

    def expire(self, id: str, now: int) -> None:
        """A device has been silent for its limit."""
        device = self._floor.state.devices.get(id)
        limits = self._floor.wiring.limits.get(id)
        if device is None or limits is None:
            return
        if self._deaf(device):
            device.patience = 0
            self._turn(device, Liveness.UNKNOWN, now)
        elif device.liveness is Liveness.STALE:
            self._turn(device, Liveness.OFFLINE, now)
        else:
            if device.liveness is not Liveness.OFFLINE:
                self._turn(device, Liveness.STALE, now)
                self._floor.timers.set(LIVE + id, now + limits[1] - limits[0])
            self._silent(device, now, truth=True, detail="silent")

    def deafened(self, now: int, lane: Lane | None = None) -> None:
        """We cannot hear any more (on one lane, or at all): the devices that speak there are unknown."""
        bit = ALL_LANES if lane is None else 1 << lane
        self._unknown([d for d in self._members() if lane is None or d.lanes & bit], now)

    def listening(self, now: int) -> None:
        """We can hear (again): each device that is unknown has what was left of its limit, the grace at least."""
        grace = self._floor.limits.start_grace_s * 1000
        for device in self._members():
            key = LIVE + device.id
            waiting = device.liveness is Liveness.ONLINE or self._floor.timers.get(key) is not None
            if waiting or self._deaf(device):
                continue
            if device.liveness is Liveness.UNKNOWN or device.said_offline:
                left = self._floor.wiring.limits[device.id][0] if device.patience is None else device.patience
                self._floor.timers.set(key, now + max(grace, left))

    def measured_anew(self, now: int) -> None:
        """The limits of silence may be others now: they count from each device's last word."""
        for device in self._members():
            if device.liveness is Liveness.ONLINE and device.last_seen is not None:
                due = device.last_seen + self._floor.wiring.limits[device.id][0]
                self._floor.timers.set(LIVE + device.id, max(now, due))

    def forget(self, device: DeviceState, now: int) -> None:
        """A device does not count any more."""
        self._floor.timers.drop(LIVE + device.id)
        device.patience = None
        self._turn(device, Liveness.UNKNOWN, now)

    def _members(self) -> list[DeviceState]:
        return [self._floor.state.devices[name] for name in self._floor.wiring.limits]

    def _deaf(self, device: DeviceState) -> bool:
        links = self._floor.state.links
        lanes = device.lanes or ALL_LANES
        if lanes & (1 << Lane.TELEMETRY) and self._floor.conditions.active(f"gateway/{STORE}/{self._floor.state.hall}"):
            return True  # what it says waits for the store
        return any(lanes & (1 << lane) and links.get(lane_name(lane)) is False for lane in Lane)

    def _unknown(self, devices: list[DeviceState], now: int) -> None:
        for device in devices:
            due = self._floor.timers.get(LIVE + device.id)
            if device.liveness in {Liveness.STALE, Liveness.OFFLINE}:
                device.patience = 0
            elif due is not None:
                device.patience = max(0, due - now)
            self._floor.timers.drop(LIVE + device.id)
            self._turn(device, Liveness.UNKNOWN, now)

    def _turn(self, device: DeviceState, liveness: Liveness, now: int) -> None:
        if device.liveness is not liveness:
            device.liveness = liveness
            device.liveness_since = now
            self._floor.marks.devices.add(device.id)

    def _silent(self, device: DeviceState, now: int, *, truth: bool, detail: str = "", raise_ms: int = 0) -> None:
        rule = _rule(device, FactKind.DEVICE_SILENT, raise_ms)
        # Silence began with the last word; that it is offline, a device says now.
        since = None if raise_ms else device.last_seen
        self._floor.conditions.observe(rule, truth, now, Evidence(detail=detail), since)


def _rule(device: DeviceState, kind: FactKind, raise_ms: int = 0, clear_ms: int = 0) -> Rule:
    subject = Subject("device", device.id)
    return Rule(f"{kind.value}/{device.id}", kind, subject, raise_ms, clear_ms, device.zone, device.id)
