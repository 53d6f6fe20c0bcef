"""Fast answers about one hall of the site: which device, whose badge, which windows serve a queue.

Built once for each site version from what `load.py` has checked; asked by the hall's machines for every reading.
"""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from sensors.site.calendar import HallCalendar
from sensors.site.model import Device, DeviceClass, Hall, Person, Plan, Service, Shift, Site, Window, Zone


class _Named(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Named)


def normal_token(token: str) -> str:
    """A badge token as it is compared: letters and digits only, upper case ("04:a1:b2" is "04A1B2")."""
    return "".join(filter(str.isalnum, token)).upper()


def _by_id(parts: Iterable[T]) -> dict[str, T]:
    return {part.id: part for part in parts}


class SiteIndex:
    """Lookups for one hall; every one answers None or () for what the site does not name."""

    def __init__(self, site: Site, hall: Hall) -> None:
        self.site = site
        self.hall = hall
        self.calendar = HallCalendar(hall)
        self._devices = _by_id(hall.devices)
        self._windows = _by_id(hall.windows)
        self._zones = _by_id(hall.zones)
        self._services = _by_id(hall.services)
        self._plans = _by_id(hall.plans)
        self._people = _by_id(site.people)
        self._badges = {normal_token(badge): person for person in site.people for badge in person.badges}
        self._serving = {
            service.id: tuple(window for window in hall.windows if service.id in window.services)
            for service in hall.services
        }

    def device(self, id: str) -> Device | None:
        """A device of the site file by its id (an approved one stands in the hall's state)."""
        return self._devices.get(id)

    def window(self, id: str) -> Window | None:
        """A window by its id."""
        return self._windows.get(id)

    def zone(self, id: str) -> Zone | None:
        """A zone by its id."""
        return self._zones.get(id)

    def service(self, id: str) -> Service | None:
        """A service by its id."""
        return self._services.get(id)

    def plan(self, id: str) -> Plan | None:
        """A plan by its id."""
        return self._plans.get(id)

    def person(self, id: str) -> Person | None:
        """A person of the site by their id."""
        return self._people.get(id)

    def person_by_badge(self, token: str) -> Person | None:
        """Whose badge this is; case and separators do not matter."""
        return self._badges.get(normal_token(token))

    def windows_of_service(self, id: str) -> tuple[Window, ...]:
        """The windows that offer a service, in the site file's order."""
        return self._serving.get(id, ())

    def devices_of_window(self, id: str) -> tuple[Device, ...]:
        """The devices that stand at a window."""
        return tuple(device for device in self.hall.devices if device.window == id)

    def devices_of_zone(self, id: str) -> tuple[Device, ...]:
        """The devices of a zone, those at its windows included."""
        return tuple(device for device in self.hall.devices if self.zone_of(device) == id)

    def zone_of(self, device: Device) -> str | None:
        """The zone a device stands in: its own, else its window's."""
        if device.zone is not None or device.window is None:
            return device.zone
        window = self._windows.get(device.window)
        return None if window is None else window.zone

    def shifts_of_window(self, id: str) -> tuple[Shift, ...]:
        """The shifts of a window."""
        return tuple(shift for shift in self.hall.shifts if shift.window == id)

    def silence(self, power: str, device: str = "") -> DeviceClass:
        """How long a device may be silent: its own limits, else those of its power class (else mains)."""
        known = self._devices.get(device)
        if known is not None and known.silent is not None:
            return known.silent
        limits = self.hall.thresholds
        return {"battery": limits.battery, "sleeping": limits.sleeping}.get(power, limits.mains)
