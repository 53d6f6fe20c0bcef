"""The table of device families: adding one is a file beside this one and a line here."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from sensors.decode.family import Family
from sensors.decode.native import NativeFamily
from sensors.decode.zigbee2mqtt import Zigbee2MqttFamily
from sensors.errors import HallwatchError
from sensors.site.model import Site

Factory = Callable[[str, str | None], Family]  # hall id, base topic (None: the family's usual one)

FAMILIES: Final[Mapping[str, Factory]] = MappingProxyType(
    {
        "native": NativeFamily,
        "zigbee2mqtt": Zigbee2MqttFamily,
    }
)


class UnknownFamilyError(HallwatchError):
    """The site names a device family that does not exist."""

    code = "unknown_family"


def families_of(site: Site, hall: str) -> tuple[Family, ...]:
    """The families that a hall speaks, each root topic once; raises `UnknownFamilyError`."""
    found: dict[tuple[str, str | None], Family] = {}
    for use in site.families:
        if use.hall not in {None, hall}:
            continue
        if use.family not in FAMILIES:
            raise UnknownFamilyError(f"no device family '{use.family}'; there are {', '.join(FAMILIES)}")
        found.setdefault((use.family, use.base), FAMILIES[use.family](hall, use.base))
    return tuple(found.values())
