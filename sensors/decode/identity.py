"""Which id a device has here: the site's or an approval's, else one made from its name on the wire."""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from sensors.hall.state import DeviceState, Origin

_ID: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}\Z")
_OTHER: Final = re.compile(r"[^a-z0-9_.-]+")
_RANK: Final = (Origin.SITE, Origin.APPROVED, Origin.RETIRED, Origin.DISCOVERED)
SLUG_AT_MOST: Final = 48


def new_id(devices: Mapping[str, DeviceState], family: str, address: str) -> str:
    """The id of a device met for the first time; its own name if that can be an id and is free.

    Names that are no id (capitals, `/`, Chinese) get a readable form and a digest, so that no two become one.
    """
    if _ID.match(address) and address not in devices:
        return address
    digest = hashlib.sha256(f"{family}\n{address}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
    slug = _OTHER.sub("-", address.lower()).strip("-._")[:SLUG_AT_MOST]
    return f"{slug}-{digest}" if slug else f"{family}-{digest}"


class Directory:
    """Finds a hall's devices by family and name on the wire; follows the state as devices are added."""

    def __init__(self, devices: Mapping[str, DeviceState]) -> None:
        self._devices = devices
        self._ids: dict[tuple[str, str], str] = {}
        self._size = -1
        self.discovered = 0

    def find(self, family: str, address: str) -> DeviceState | None:
        """The device, or None if nobody has met it. The site file wins over an approval of the same device."""
        if len(self._devices) != self._size:
            self._index()
        known = self._ids.get((family, address))
        return None if known is None else self._devices.get(known)

    def _index(self) -> None:
        ranked = sorted(self._devices.values(), key=lambda device: _RANK.index(device.origin), reverse=True)
        self._ids = {(device.family, device.address): device.id for device in ranked}
        self.discovered = sum(device.origin is Origin.DISCOVERED for device in ranked)
        self._size = len(self._devices)
