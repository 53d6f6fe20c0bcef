"""All devices of a hall, made from its site file: what they measure on a day, and what of it goes over the wire."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from heapq import merge
from typing import Final

from sensors.readings import Flag, Value
from sensors.site.index import SiteIndex
from sensors.site.model import Device, Site
from simulators.day import Day, make_day
from simulators.devices.model import SimulatedDevice
from simulators.devices.native import NativeDevice
from simulators.devices.zigbee2mqtt import BRIDGE, Zigbee2MqttBridge, Zigbee2MqttDevice, bridge_publications
from simulators.publication import Publication, Told
from simulators.voices import LIVE, Pace, Voices

NATIVE: Final = "native"
ZIGBEE: Final = "zigbee2mqtt"
# The stretch that is drawn and put in order at a time.
STRETCH_MS: Final = 600_000


class UnknownFamilyError(ValueError):
    """The site has a device of a family that nobody simulates."""


class Fleet:
    """A hall's devices. The same site, hall, seed and start give the same publications."""

    def __init__(self, site: Site, hall: str | None = None, seed: int = 1, pace: Pace = LIVE) -> None:
        """`hall` defaults to the site's first. Raises `UnknownFamilyError`."""
        found = site.halls[0] if hall is None else next(part for part in site.halls if part.id == hall)
        self.index = SiteIndex(site, found)
        self.hall = found.id
        self._bases = {use.family: use.base for use in site.families if use.hall in {None, found.id}}
        self.devices = {device.id: device for device in found.devices if not device.retired}
        self._models = {device.id: self._model(device) for device in self.devices.values()}
        self._voices = Voices(self.index, seed, pace)
        self._day = lru_cache(maxsize=4)(lambda date: make_day(self.index, date, seed))

    def publications(self, start: int, end: int) -> Iterator[Publication]:
        """All that goes over the wire in [start, end), in order of time; every device connects at `start`."""
        yield from self.connect(start)
        for told in self.told(start, end):
            yield from self.say(told)

    def told(self, start: int, end: int) -> Iterator[Told]:
        """What the devices measure in [start, end), in order of time; first of all what is so at `start`."""
        greetings = sorted(self._greetings(start), key=_order)
        yield from merge(greetings, self._words(start, end), key=_order)

    def connect(self, at: int) -> list[Publication]:
        """Every device starts; the bridge names those behind it, also where it is not in the site itself."""
        behind = self._behind()
        said: list[Publication] = []
        if behind and not any(_is_bridge(device) for device in self.devices.values()):
            said.extend(bridge_publications(behind, at, self._bases.get(ZIGBEE)))
        for model in self._models.values():
            said.extend(model.connect(at))
        return said

    def say(self, told: Told) -> Iterable[Publication]:
        """One measurement on the wire."""
        return self._models[told.device].say(told.value, told.at, told.flags)

    def speak(self, device: str, value: Value, at: int, flags: Flag = Flag.NONE) -> Iterable[Publication]:
        """One measurement of somebody's own choice on the wire."""
        return self._models[device].say(value, at, flags)

    def restart(self, device: str, at: int) -> Iterable[Publication]:
        """A device starts anew."""
        return self._models[device].connect(at)

    def will(self, device: str, at: int) -> Publication:
        """What is published for a device that was lost."""
        return self._models[device].will(at)

    def greet(self, device: str, at: int) -> list[Told]:
        """What a device says when it has come back."""
        return list(self._voices.greet(self.devices[device], self.day_of(at), at))

    def day_of(self, at: int) -> Day:
        """The day that holds an instant."""
        return self._day(self.index.calendar.date_of(at))

    def _greetings(self, start: int) -> Iterator[Told]:
        day = self.day_of(start)
        for device in self.devices.values():
            yield from self._voices.greet(device, day, start)

    def _words(self, start: int, end: int) -> Iterator[Told]:
        at = start
        while at < end:
            day = self.day_of(at)
            until = min(end, day.end, at + STRETCH_MS)
            words = [told for device in self.devices.values() for told in self._voices.hear(device, day, at, until)]
            yield from sorted(words, key=_order)
            at = until

    def _model(self, device: Device) -> SimulatedDevice:
        if device.family == NATIVE:
            return NativeDevice(self.hall, device, base=self._bases.get(NATIVE))
        if _is_bridge(device):
            return Zigbee2MqttBridge(device, self._behind(), base=self._bases.get(ZIGBEE))
        if device.family == ZIGBEE:
            return Zigbee2MqttDevice(device, base=self._bases.get(ZIGBEE))
        raise UnknownFamilyError(f"no simulated device speaks {device.family} ({device.id})")

    def _behind(self) -> list[Device]:
        return [it for it in self.devices.values() if it.family == ZIGBEE and not _is_bridge(it)]


def _is_bridge(device: Device) -> bool:
    return device.family == ZIGBEE and device.address == BRIDGE


def _order(told: Told) -> tuple[int, str]:
    return told.at, told.device
