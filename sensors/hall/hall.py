"""Step 3 of a message's way: a reading, the passing of time or a person's action becomes facts.

The one class that everything above speaks to. Its state is the fold of the inputs: no clock, no chance, no I/O.
"""

from collections.abc import Callable
from typing import Final

from sensors.actions import Action, ApproveDevice, PauseWindow, ReportFault, ResumeWindow, RetireDevice, read_action
from sensors.decode.reception import Arrival
from sensors.errors import RefusedError
from sensors.facts import Fact, FactKind
from sensors.hall import account
from sensors.hall.attendance import DAY, SHIFT, AttendanceMachine
from sensors.hall.conditions import HOLD
from sensors.hall.crowd import STEP, CrowdMachine
from sensors.hall.floor import Floor, Turned
from sensors.hall.links import LinksMachine
from sensors.hall.liveness import LIVE, LivenessMachine, lane_name
from sensors.hall.messages import MessageMachine
from sensors.hall.queues import QueueMachine
from sensors.hall.registry import Registry
from sensors.hall.snapshot import STATE_VERSION, decode_state, encode_state
from sensors.hall.staffing import StaffingMachine
from sensors.hall.state import DeviceState, HallState, Liveness, ProbeState
from sensors.hall.stepped import shift
from sensors.inputs import (
    STORE,
    Acted,
    AnyInput,
    Heard,
    Lane,
    Linked,
    Probed,
    Raised,
    Resited,
    Started,
    Stepped,
    Tallied,
)
from sensors.readings import Kind
from sensors.site.index import SiteIndex
from sensors.site.model import Site

__all__ = ["STATE_VERSION", "Hall", "decode_state", "encode_state"]

DEAF: Final = (Liveness.STALE, Liveness.OFFLINE)


class Hall:
    """One hall: its state and the machines that fold it."""

    def __init__(self, site: Site, hall: str, state: HallState | None = None) -> None:
        """Go on with a state, or begin with none. Raises `KeyError` if the site has no such hall."""
        found = {part.id: part for part in site.halls}[hall]
        floor = Floor(SiteIndex(site, found), HallState(hall) if state is None else state)
        self._floor = floor
        self._registry = Registry(floor)
        self._liveness = LivenessMachine(floor)
        self._links = LinksMachine(floor, self._liveness)
        self._staffing = StaffingMachine(floor)
        self._attendance = AttendanceMachine(floor)
        self._queues = QueueMachine(floor)
        self._crowd = CrowdMachine(floor)
        self._messages = MessageMachine(
            floor, self._registry, self._liveness, self._staffing, self._attendance, self._queues, self._crowd
        )
        self._timers: dict[str, Callable[[str, int], None]] = {
            LIVE: self._liveness.expire,
            HOLD: self._held,
            SHIFT: self._attendance.due,
            "hours/": self._staffing.hours,
            "pause/": lambda window, _: self._staffing.unpause(window),
            "decay/": lambda window, _: self._floor.marks.windows.add(window),
        }
        if state is None:
            self._registry.derive(0)

    @property
    def state(self) -> HallState:
        """The hall's state, to read."""
        return self._floor.state

    @property
    def index(self) -> SiteIndex:
        """The site as this hall has it now."""
        return self._floor.index

    # -- time -----------------------------------------------------------------------------------------------

    def next_due(self) -> int | None:
        """The earliest deadline of the hall, ms since the epoch, or None."""
        return self._floor.timers.next_due()

    def fire_due(self, now: int) -> list[Fact]:
        """Fire the deadlines that are due at this instant; what they set in turn may be due at it again."""
        keys = self._floor.timers.take(now)
        if not keys:
            return []
        self.state.now = max(self.state.now, now)
        for key in keys:
            if key == DAY:
                self._staffing.leave()
                self._attendance.roll(now)
            else:
                kind, _, about = key.partition("/")
                self._timers[f"{kind}/"](about, now)
        self._settle(now)
        return self._floor.take_facts()

    def lapse(self, item: AnyInput) -> None:
        """What must be known before the time up to `item` passes: until a start, nobody listened.

        Without this the silence of a gateway that was not running would be held against every device, and so would
        that of telemetry which waits for a store that does not answer.
        """
        if isinstance(item, Started):
            self._links.lapse(self.state.now)
            self._settle(self.state.now)
        elif isinstance(item, Raised) and item.condition == STORE and item.holds:
            self._liveness.deafened(self.state.now, Lane.TELEMETRY)
            self._settle(self.state.now)

    def take_turns(self) -> list[Turned]:
        """What has become of windows since the last call."""
        turns = self._floor.turns
        if turns:
            self._floor.turns = []
        return turns

    # -- people ---------------------------------------------------------------------------------------------

    def check(self, action: Action, at: int | None = None) -> None:
        """Raise `RefusedError` for an action on the hall that cannot be done; other actions are not ours."""
        now = self.state.now if at is None else max(at, self.state.now)
        match action:
            case PauseWindow():
                self._staffing.check_pause(action, now)
            case ResumeWindow():
                self._staffing.check_resume(action)
            case ApproveDevice():
                self._registry.check_approval(action)
            case RetireDevice():
                self._registry.check_retirement(action)
            case ReportFault():
                self._check_report(action)
            case _:
                pass

    def _check_report(self, action: ReportFault) -> None:
        state = self.state
        if action.device is not None and action.device not in state.devices:
            raise RefusedError("no_such_device", device=action.device)
        if action.window is not None and action.window not in state.windows:
            raise RefusedError("no_such_window", window=action.window)
        if action.zone is not None and action.zone not in state.zones:
            raise RefusedError("bad_place", zone=action.zone)

    # -- inputs ---------------------------------------------------------------------------------------------

    def step(self, item: AnyInput, arrival: Arrival | None = None) -> list[Fact]:
        """Take one input; every earlier deadline has been fired."""
        state = self._floor.state
        now = state.now = max(state.now, item.at)
        match item:
            case Heard():
                if arrival is not None:
                    self._messages.take(item, arrival, now)
            case Started() | Resited():
                self._go_by(item, now)
            case Stepped():
                now = self._step_clock(now, item.by)
            case Linked():
                self._link(item, now)
            case Acted():
                self._act(read_action(item.action), item.actor, now)
            case Raised():
                self._links.raised(item, now)
            case Tallied():
                account.add(state, item)
            case Probed():
                state.probes[lane_name(item.lane)] = ProbeState(item.id, item.sent, now)
            case _:
                pass
        if self._floor.timers.get(DAY) is None:
            self._begin(now)
        if self._floor.marks:
            self._settle(now)
        return self._floor.take_facts()

    def _go_by(self, item: Started | Resited, now: int) -> None:
        if isinstance(item, Started):
            self._start(item, now)
        else:
            self._resite(item, now)

    def _start(self, item: Started, now: int) -> None:
        if item.site != self.state.site:
            self._follow(item.site, now)
        self._begin(now)
        self._liveness.deafened(now)
        self._links.started(now)

    def _resite(self, item: Resited, now: int) -> None:
        """A new site file, while we listen: nothing is unknown for it but what stands elsewhere now."""
        for device in self._registry.moving():
            self._doubt(device)
            self._mark_places(device)
        self._follow(item.site, now)
        self._begin(now)
        self._liveness.measured_anew(now)
        self._liveness.listening(now)
        self._floor.marks.zones.update(self.state.zones)
        self._floor.marks.services.update(self.state.services)

    def _follow(self, site: str, now: int) -> None:
        self.state.site = site
        for device in self._registry.derive(now):
            self._forget(device, now)
        self._attendance.derive(now)

    def _step_clock(self, before: int, by: int) -> int:
        now = self.state.now = max(0, before + by)
        shift(self.state, self._floor.timers, now - before)
        self._attendance.stepped(before, now)
        self._staffing.begin(now)
        self._links.stepped(by, now)
        return now

    def _begin(self, now: int) -> None:
        self._attendance.roll(now)
        self._staffing.begin(now)

    def _link(self, item: Linked, now: int) -> None:
        if item.up and item.missed:
            for name in sorted(self._floor.wiring.limits):
                device = self.state.devices[name]
                if device.lanes & (1 << item.lane):
                    self._doubt(device)
        self._links.linked(item, now)

    def _act(self, action: Action, actor: str, now: int) -> None:
        match action:
            case PauseWindow():
                self._staffing.pause(action, actor, now)
            case ResumeWindow():
                self._staffing.resume(action)
            case ApproveDevice():
                self._mark_places(self._registry.approve(action))
                self._liveness.listening(now)
            case RetireDevice():
                self._forget(self._registry.retire(action), now)
            case _:
                pass

    # -- consequences ---------------------------------------------------------------------------------------

    def _held(self, key: str, now: int) -> None:
        self._floor.conditions.fire(key, now)
        if key.startswith(STEP):
            self._floor.marks.zones.add(key.split("/")[1])

    def _doubt(self, device: DeviceState) -> None:
        self._staffing.doubt(device)
        self._queues.doubt(device)
        self._crowd.doubt(device)

    def _forget(self, device: DeviceState, now: int) -> None:
        """A device does not count any more: what held about it has ended, a fire excepted."""
        self._liveness.forget(device, now)
        self._doubt(device)
        self._mark_places(device)
        for known in self._floor.conditions.all():
            if known.device == device.id and known.kind is not FactKind.FIRE:
                self._floor.conditions.end(known.key, now)

    def _settle(self, now: int) -> None:
        """Judge anew what was marked, each once, in an order that does not depend on any dict's."""
        marks = self._floor.marks
        # Most messages mark one thing or none: the sets that are empty are passed over.
        if marks.devices:
            for name in sorted(marks.devices):
                self._device_changed(self.state.devices.get(name), now)
            marks.devices.clear()
        if marks.windows:
            for name in sorted(marks.windows):
                self._staffing.settle(name, now)
            marks.windows.clear()
        if marks.services:
            for name in sorted(marks.services):
                self._queues.settle(name, now)
            marks.services.clear()
        if marks.zones:
            for name in sorted(marks.zones):
                self._crowd.settle(name, now)
            marks.zones.clear()

    def _mark_places(self, device: DeviceState) -> None:
        """What rests on this device is judged anew."""
        marks = self._floor.marks
        if device.window is not None:
            marks.windows.add(device.window)
        if device.service is not None:
            marks.services.add(device.service)
        if device.zone is not None and (Kind.PEOPLE_COUNT in device.kinds or Kind.CROWD in device.kinds):
            marks.zones.add(device.zone)

    def _device_changed(self, device: DeviceState | None, now: int) -> None:
        if device is None:
            return
        self._mark_places(device)
        if device.liveness is Liveness.ONLINE:
            return
        self._messages.doubt(device, now)
        if device.liveness in DEAF:
            self._doubt(device)
        if Kind.BADGE in device.kinds:
            self._attendance.reader_down(device, now)
