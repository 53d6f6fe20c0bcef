"""A device of the native scheme: boot and sequence numbers, a synced clock, retained availability with a last will."""

from sensors.decode.encode import KIND_OF, Stamp, encode_native
from sensors.readings import Availability, Clock, Flag, Kind, Value
from sensors.site.model import Device
from sensors.topics import BASE, device_topic, qos_of
from simulators.publication import Publication


class NativeDevice:
    """One native device. Its boot number is the second at which it started, so that no two starts share one."""

    def __init__(self, hall: str, device: Device, *, base: str | None = None) -> None:
        self.id = device.id
        self._hall = hall
        self._base = base or BASE
        self._address = device.address or device.id
        self._boot = 0
        self._sequence = 0

    def connect(self, at: int) -> tuple[Publication, ...]:
        """Begin a new boot and say so; the sequence starts at 1."""
        self._boot = max(self._boot + 1, at // 1000)
        self._sequence = 0
        return self.say(Availability(online=True), at)

    def say(self, value: Value, at: int, flags: Flag = Flag.NONE) -> tuple[Publication, ...]:
        """Publish a value with the next sequence; availability has none, since the last will can have none."""
        if isinstance(value, Availability):
            return (self._publication(Kind.AVAILABILITY, value, at, Stamp(time=at, clock=Clock.SYNCED)),)
        self._sequence += 1
        stamp = Stamp(self._boot, self._sequence, at, Clock.SYNCED, flags)
        return (self._publication(KIND_OF[type(value)], value, at, stamp),)

    def will(self, at: int) -> Publication:
        """The last will, registered when the device connected: so it knows no time."""
        return self._publication(Kind.AVAILABILITY, Availability(online=False, reason="last_will"), at, Stamp())

    def _publication(self, kind: Kind, value: Value, at: int, stamp: Stamp) -> Publication:
        topic = device_topic(self._hall, self._address, kind, self._base)
        payload = encode_native(self._address, value, stamp)
        return Publication(at, topic, payload, qos_of(kind), kind is Kind.AVAILABILITY, self.id)
