"""The devices of a hall: those of the site file, those that a person approved, those that only spoke.

The file wins over an approval of the same device, and says so (`shadowed`). Retiring leaves a tombstone, so that
a device that goes on speaking is known for what it is.
"""

from typing import Final

from sensors.actions import ApproveDevice, RetireDevice
from sensors.decode.bounds import no_room
from sensors.decode.family import Decoded
from sensors.decode.identity import new_id
from sensors.errors import RefusedError
from sensors.hall.account import merge
from sensors.hall.floor import Floor
from sensors.hall.state import DeviceState, Origin, ServiceState, WindowState, ZoneState
from sensors.site.model import Device

SAMPLE_BYTES: Final = 512
HEARD_ONLY: Final = (Origin.DISCOVERED, Origin.APPROVED, Origin.RETIRED)


class Registry:
    """Keeps `devices`, and one entry for each window, service and zone of the site."""

    __slots__ = ("_floor",)

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def moving(self) -> list[DeviceState]:
        """The devices that the site file puts elsewhere, or lets measure other things, than the entries still say."""
        index, found = self._floor.index, []
        for wanted in sorted(index.hall.devices, key=lambda device: device.id):
            device = self._floor.state.devices.get(wanted.id)
            place = (index.zone_of(wanted), wanted.window, wanted.service, wanted.kinds)
            if device is not None and place != (device.zone, device.window, device.service, device.kinds):
                found.append(device)
        return found

    def derive(self, now: int) -> list[DeviceState]:
        """Make the entries say what the site file says; returns the devices that do not count any more."""
        state, hall = self._floor.state, self._floor.index.hall
        named = {device.id for device in hall.devices}
        devices = [state.devices[name] for name in sorted(state.devices)]
        gone = [device for device in devices if device.origin is Origin.SITE and device.id not in named]
        for device in gone:
            device.origin, device.shadowed = Origin.DISCOVERED, False
        heard = {(device.family, device.address): device.id for device in devices if device.origin in HEARD_ONLY}
        for wanted in hall.devices:
            other = heard.get((wanted.family, wanted.address or wanted.id), wanted.id)
            if other != wanted.id:
                gone.append(state.devices.pop(other))
                self._inherit(wanted, gone[-1])
            self._place(wanted)
        gone.extend(state.devices[wanted.id] for wanted in hall.devices if wanted.retired)
        for window in hall.windows:
            state.windows.setdefault(window.id, WindowState(window.id, since=now))
        for service in hall.services:
            state.services.setdefault(service.id, ServiceState(service.id))
        for zone in hall.zones:
            state.zones.setdefault(zone.id, ZoneState(zone.id, level_since=now))
        self._drop_unnamed(now)
        self._floor.rewire()
        return gone

    def discover(self, id: str, family: str, decoded: Decoded, now: int) -> DeviceState | None:
        """List a device that nobody knew as discovered; None if the list is full."""
        kinds = tuple(sorted({kind for kind, _ in decoded.values}))
        return self._list(DeviceState(id, family, decoded.address, Origin.DISCOVERED, kinds, first_seen=now))

    def seen(self, family: str, decoded: Decoded, now: int) -> None:
        """Take the list of a bridge: what it names and we do not know is discovered."""
        known = {(d.family, d.address): d for d in self._floor.state.devices.values()}
        for seen in decoded.seen:
            device = known.get((family, seen.address))
            if device is None:
                name = new_id(self._floor.state.devices, family, seen.address)
                entry = DeviceState(name, family, seen.address, Origin.DISCOVERED, seen.kinds)
                entry.model, entry.first_seen = seen.model, now
                self._list(entry)
            else:
                device.model = seen.model or device.model
                if device.origin is Origin.DISCOVERED:
                    device.kinds = seen.kinds or device.kinds

    def check_approval(self, action: ApproveDevice) -> None:
        """Raises `RefusedError` for an approval that cannot be."""
        index = self._floor.index
        device = self._floor.state.devices.get(action.device)
        if device is None:
            raise RefusedError("no_such_device", device=action.device)
        if index.device(action.device) is not None:
            raise RefusedError("site_wins", device=action.device)
        if device.origin is Origin.APPROVED:
            raise RefusedError("already_approved", device=action.device)
        if action.zone is not None and index.zone(action.zone) is None:
            raise RefusedError("bad_place", zone=action.zone)
        window = None if action.window is None else index.window(action.window)
        if action.window is not None and window is None:
            raise RefusedError("bad_place", window=action.window)
        if window is not None and action.zone not in {None, window.zone}:
            raise RefusedError("bad_place", window=window.id, zone=action.zone or "")
        if action.service is not None and index.service(action.service) is None:
            raise RefusedError("bad_place", service=action.service)

    def approve(self, action: ApproveDevice) -> DeviceState:
        """Let a device count from now on; returns it."""
        device = self._floor.state.devices[action.device]
        window = None if action.window is None else self._floor.index.window(action.window)
        device.origin = Origin.APPROVED
        device.kinds = action.kinds
        device.zone = action.zone if window is None else window.zone
        device.window, device.service, device.power = action.window, action.service, action.power
        self._floor.rewire()
        return device

    def check_retirement(self, action: RetireDevice) -> None:
        """Raises `RefusedError` for a retirement that cannot be."""
        device = self._floor.state.devices.get(action.device)
        if device is None:
            raise RefusedError("no_such_device", device=action.device)
        if self._floor.index.device(action.device) is not None:
            raise RefusedError("site_wins", device=action.device)
        if device.origin is Origin.RETIRED:
            raise RefusedError("already_retired", device=action.device)
        if self._floor.conditions.active(f"fire/{action.device}"):
            raise RefusedError("fire_active", device=action.device)

    def retire(self, action: RetireDevice) -> DeviceState:
        """Leave a tombstone; returns the device."""
        device = self._floor.state.devices[action.device]
        device.origin = Origin.RETIRED
        self._floor.rewire()
        return device

    def _list(self, device: DeviceState) -> DeviceState | None:
        if no_room(self._floor.index.site.limits, len(self._floor.state.devices), self._floor.wiring.discovered):
            return None
        self._floor.wiring.discovered += 1
        self._floor.state.devices[device.id] = device
        return device

    def _inherit(self, wanted: Device, other: DeviceState) -> None:
        """The file names a device that was heard under an id of our making: what was counted stays counted."""
        device = DeviceState(wanted.id, wanted.family, other.address, Origin.SITE, wanted.kinds)
        device.boots, device.past_boots, device.last_unnumbered = other.boots, other.past_boots, other.last_unnumbered
        device.account, device.lanes, device.first_seen = other.account, other.lanes, other.first_seen
        device.last_seen, device.model = other.last_seen, other.model
        known = self._floor.state.devices.setdefault(wanted.id, device)
        if known is not device:
            merge(known.account, other.account)
        known.shadowed |= other.origin is Origin.APPROVED

    def _place(self, wanted: Device) -> None:
        """Write one device of the file into the state."""
        devices = self._floor.state.devices
        address = wanted.address or wanted.id
        device = devices.get(wanted.id)
        if device is None:
            device = DeviceState(wanted.id, wanted.family, address, Origin.SITE, wanted.kinds)
            devices[wanted.id] = device
        device.shadowed |= device.origin is Origin.APPROVED
        device.origin = Origin.RETIRED if wanted.retired else Origin.SITE
        device.family, device.address, device.kinds = wanted.family, address, wanted.kinds
        device.zone, device.window, device.service = self._floor.index.zone_of(wanted), wanted.window, wanted.service
        device.power = wanted.power

    def _drop_unnamed(self, now: int) -> None:
        """Forget windows, services and zones that the file does not name any more, and what held about them."""
        state, index = self._floor.state, self._floor.index
        windows = sorted(name for name in state.windows if index.window(name) is None)
        services = sorted(name for name in state.services if index.service(name) is None)
        zones = sorted(name for name in state.zones if index.zone(name) is None)
        for name in windows:
            del state.windows[name]
            for timer in ("hours", "pause", "decay"):
                self._floor.timers.drop(f"{timer}/{name}")
        for name in services:
            del state.services[name]
        for name in zones:
            del state.zones[name]
        gone = {("window", name) for name in windows} | {("service", name) for name in services}
        gone |= {("zone", name) for name in zones}
        for known in self._floor.conditions.all():
            if known.subject is not None and (known.subject.type, known.subject.id) in gone:
                self._floor.conditions.end(known.key, now)
