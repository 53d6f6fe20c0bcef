"""Where a device that waits for approval seems to belong: by its name, what it measures, and who stands beside it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sensors.hall.state import DeviceState, Origin
from sensors.readings import Kind
from sensors.site.index import SiteIndex
from sensors.site.model import Words
from sensors.site.naming import area_of, power_of, tells_of, window_number

PLACED = (Origin.SITE, Origin.APPROVED)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A place and kinds for a person to look at. `why` names what each rests on: window, zone, service, neighbour."""

    kinds: tuple[Kind, ...]
    power: str
    zone: str | None = None
    window: str | None = None
    service: str | None = None
    why: tuple[str, ...] = ()


def suggest(device: DeviceState, index: SiteIndex, others: Iterable[DeviceState]) -> Suggestion:
    """What a person would most likely say of a discovered device; what cannot be told is None."""
    name = f"{device.id} {device.address}"
    why: list[str] = []
    number = window_number(name)
    window = next((one for one in index.hall.windows if number is not None and one.number == number), None)
    service = _service(name, device.kinds, index)
    zone = None if window is None else window.zone
    if window is not None:
        why.append("window")
    if service is not None:
        why.append("service")
    if zone is None:
        zone = _zone(name, index)
        why += ["zone"] if zone is not None else []
    if zone is None:
        zone = _beside(device, service, others)
        why += ["neighbour"] if zone is not None else []
    power = device.power if device.power != "mains" else power_of(device.family, device.kinds)
    return Suggestion(device.kinds, power, zone, None if window is None else window.id, service, tuple(why))


def _service(name: str, kinds: tuple[Kind, ...], index: SiteIndex) -> str | None:
    if Kind.QUEUE not in kinds:
        return None
    return next((one.id for one in index.hall.services if _names(name, one.id, one.name)), None)


def _zone(name: str, index: SiteIndex) -> str | None:
    zones = sorted(index.hall.zones, key=lambda one: -len(one.id))
    named = next((one.id for one in zones if _names(name, one.id, one.name)), None)
    area = area_of(name)
    if named is not None or area is None:
        return named
    return next((one.id for one in zones if any(_names(word, one.id, one.name) for word in area.words)), None)


def _names(name: str, id: str, words: Words) -> bool:
    return tells_of(name, id) or words.zh in name or (words.en is not None and tells_of(name, words.en))


def _beside(device: DeviceState, service: str | None, others: Iterable[DeviceState]) -> str | None:
    """The zone of those that share its service or the path before its own name (`lobby/…`), if they agree."""
    path, slash, _ = device.address.rpartition("/")
    zones = Counter(
        other.zone
        for other in others
        if other.origin in PLACED
        and other.zone is not None
        and ((service is not None and other.service == service) or (slash and other.address.startswith(f"{path}/")))
    )
    ranked = zones.most_common(2)
    agreed = ranked and (len(ranked) == 1 or ranked[0][1] > ranked[1][1])
    return ranked[0][0] if agreed else None
