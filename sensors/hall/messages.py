"""A message that was heard: who sent it, does it prove life, and which machine takes which reading.

The common path (an approved device, a live reading) is kept short: it is walked for every message.
"""

from collections.abc import Callable
from typing import Any, Final

from sensors.decode.reception import Arrival
from sensors.decode.sequence import is_late, record
from sensors.facts import FactKind
from sensors.hall.attendance import AttendanceMachine
from sensors.hall.buttons import ButtonMachine
from sensors.hall.crowd import CrowdMachine
from sensors.hall.equipment import EquipmentMachine
from sensors.hall.fire import FireMachine
from sensors.hall.floor import COUNTING, Floor
from sensors.hall.liveness import LivenessMachine
from sensors.hall.queues import QueueMachine
from sensors.hall.registry import SAMPLE_BYTES, Registry
from sensors.hall.staffing import StaffingMachine
from sensors.hall.state import DeviceState, Origin
from sensors.inputs import Heard
from sensors.readings import (
    Availability,
    Badge,
    Battery,
    Button,
    Clock,
    Contact,
    Crowd,
    Equipment,
    Fire,
    Flag,
    PeopleCount,
    Presence,
    Queue,
    Reading,
    Value,
)

# No device can have this id.
UNLISTED: Final = "~unlisted"

Taker = Callable[[DeviceState, Reading, Any, int], None]


class MessageMachine:
    """Takes what was heard to the machines of the hall."""

    __slots__ = (
        "_attendance",
        "_buttons",
        "_crowd",
        "_equipment",
        "_fire",
        "_floor",
        "_liveness",
        "_registry",
        "_staffing",
        "_takers",
    )

    def __init__(
        self,
        floor: Floor,
        registry: Registry,
        liveness: LivenessMachine,
        staffing: StaffingMachine,
        attendance: AttendanceMachine,
        queues: QueueMachine,
        crowd: CrowdMachine,
    ) -> None:
        self._floor = floor
        self._registry = registry
        self._liveness = liveness
        self._staffing = staffing
        self._attendance = attendance
        self._crowd = crowd
        self._fire = FireMachine(floor)
        self._equipment = EquipmentMachine(floor)
        self._buttons = ButtonMachine(floor)
        # Who takes which value; of what is not named here nothing follows (a room's climate is history alone).
        self._takers: dict[type[Value], Taker] = {
            Availability: self._said,
            Badge: self._badge,
            Battery: self._equipment.take_battery,
            Button: self._buttons.take,
            Contact: self._equipment.take_contact,
            Crowd: crowd.take_level,
            Equipment: self._equipment.take,
            Fire: self._detector,
            PeopleCount: crowd.take_count,
            Presence: staffing.presence,
            Queue: queues.take,
        }

    def take(self, item: Heard, arrival: Arrival, now: int) -> None:
        """Take one message. One that was mended and replayed is history: it is stored, and is no event here."""
        device = self._floor.state.devices.get(arrival.device)
        if device is None:
            device = self._registry.discover(arrival.device, arrival.family, arrival.decoded, now)
        late = device is not None and is_late(device, arrival.decoded)
        if device is not None:
            self._count(device, item, arrival, now)
        if item.replayed:
            return
        if arrival.decoded.seen:  # a bridge's list only lists: whoever tells it, its devices wait for approval
            self._registry.seen(arrival.family, arrival.decoded, now)
        if device is None or device.origin not in COUNTING or item.awaiting:
            self._stranger(device, item, arrival, now, late=late)
            return
        self._lives(device, item, arrival, now)
        for reading in arrival.readings:
            if late:
                self._late(device, reading, now)
            else:
                self._reading(device, reading, now)

    def doubt(self, device: DeviceState, now: int) -> None:
        """A device is not heard any more."""
        self._equipment.doubt(device, now)

    def _lives(self, device: DeviceState, item: Heard, arrival: Arrival, now: int) -> None:
        """A live message proves life, unless it is the last will; a retained one proves nothing."""
        decoded = arrival.decoded
        if device.first_seen is None:
            device.first_seen = now
        device.clock = decoded.clock
        if item.retained:
            return
        for reading in arrival.readings:
            if isinstance(reading.value, Availability) and not reading.value.online:
                return
        self._liveness.heard(device, now, item.lane)
        if decoded.device_time is None or decoded.clock is Clock.NONE:
            return
        if not decoded.flags or Flag.HISTORY not in decoded.flags:
            self._liveness.told_time(device, decoded.device_time, decoded.clock, now)

    def _count(self, device: DeviceState, item: Heard, arrival: Arrival, now: int) -> None:
        """Remember the sequence. A retained message may come before those that were queued: it makes no gap.

        A retained fire is remembered all the same, so that it does not rise anew at each reconnection.
        """
        if item.retained and not any(isinstance(reading.value, Fire) for reading in arrival.readings):
            return
        missing = record(device, arrival, item)
        if missing and not item.retained:
            device.account.gaps = max(0, device.account.gaps + missing)
            if missing > 0:
                self._floor.edge(FactKind.SEQUENCE_GAP, device, now, value=missing)

    def _stranger(
        self, device: DeviceState | None, item: Heard, arrival: Arrival, now: int, *, late: bool = False
    ) -> None:
        """A device that does not count: nothing that it says does, a fire excepted. Without a place in the list too."""
        if device is None:
            self._unlisted(arrival, now)
            return
        device.last_seen = now
        device.sample = item.payload[:SAMPLE_BYTES]
        if device.origin is Origin.DISCOVERED:
            kinds = {kind for kind, _ in arrival.decoded.values}
            if not kinds.issubset(device.kinds):
                device.kinds = tuple(sorted(kinds.union(device.kinds)))
        for reading in arrival.readings:
            if isinstance(reading.value, Fire) and (reading.value.alarm or not late):
                self._fire.take(device, reading, reading.value, now, approved=False)

    def _unlisted(self, arrival: Arrival, now: int) -> None:
        """There is no room to list it: whatever such devices are called, their fires are one alarm for people."""
        device = DeviceState(UNLISTED, arrival.family, arrival.decoded.address, Origin.DISCOVERED, ())
        for reading in arrival.readings:
            if isinstance(reading.value, Fire):
                self._fire.take_unlisted(device, reading, reading.value, now)

    def _reading(self, device: DeviceState, reading: Reading, now: int) -> None:
        value = reading.value
        taker = self._takers.get(type(value))
        if taker is not None:
            taker(device, reading, value, now)

    def _said(self, device: DeviceState, reading: Reading, value: Availability, now: int) -> None:
        self._liveness.said(device, value, now, live=reading.live)

    def _late(self, device: DeviceState, reading: Reading, now: int) -> None:
        """What was overtaken by a later word of the device: what happened still counts, a state does not.

        So an old `all clear` ends no fire, and an old fire is heard all the same.
        """
        match reading.value:
            case Fire(alarm=True) as value:
                self._fire.take(device, reading, value, now, approved=reading.approved)
            case Button() as value:
                self._buttons.take(device, reading, value, now)
            case Badge() as value:
                self._clocked(device, reading, value, now)
            case PeopleCount(occupancy=None, in_total=None, out_total=None) as value:
                self._crowd.take_count(device, reading, value, now)
            case _:
                pass

    def _clocked(self, device: DeviceState, reading: Reading, value: Badge, now: int) -> None:
        """A late badge counts for the shift; where its holder is now a later one has said."""
        person = self._floor.index.person_by_badge(value.token)
        if person is not None and reading.live:
            self._attendance.badge(device, reading, value, person, now)

    def _detector(self, device: DeviceState, reading: Reading, value: Fire, now: int) -> None:
        """A fire read out of a damaged message is not approved, though its device is: it says nothing of the rest."""
        self._fire.take(device, reading, value, now, approved=reading.approved)
        if reading.approved:
            self._equipment.take_detector(device, reading, value, now)

    def _badge(self, device: DeviceState, reading: Reading, value: Badge, now: int) -> None:
        person = self._floor.index.person_by_badge(value.token)
        if person is not None and reading.live:
            self._staffing.badge(device, value, person, now)
            self._attendance.badge(device, reading, value, person, now)
