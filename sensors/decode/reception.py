"""Step 2 of a message's way: which family, which device, is it new, and what does it say.

Reads the hall's state (devices, sequences heard), changes nothing: the fold records what was admitted.
What `receive` admits is kept as `Heard`; `read` makes the same arrival of it again, at every start and for history.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from sensors.decode.bounds import Bounds, no_room
from sensors.decode.families import families_of
from sensors.decode.family import Decoded, Family, Known, Packet, Subscription
from sensors.decode.identity import Directory, new_id
from sensors.decode.probe import probe_topics, read_probe
from sensors.decode.reasons import REASONS
from sensors.decode.sequence import doubt_of_age, is_duplicate, was_heard
from sensors.decode.signature import doubt
from sensors.decode.suspicion import kept_of
from sensors.errors import UndecodableError
from sensors.hall.state import DeviceState, HallState, Origin
from sensors.inputs import Heard
from sensors.readings import Button, ButtonAction, Fire, Flag, Kind, Place, Reading
from sensors.site.model import Site

# What the quarantine keeps of a message, and of one that speaks of a fire when it has grown enough for now.
KEPT_BYTES: Final = 16_384
KEPT_BYTES_AT_LEAST: Final = 512
_NO_FLAGS: Final = Flag.NONE
_place: Final = lru_cache(maxsize=4096)(Place)


class Verdict(StrEnum):
    """What becomes of a message; the account adds up to what was received."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    REFUSED = "refused"
    AWAITING = "awaiting"
    PROBE = "probe"


class Arrival(msgspec.Struct, frozen=True):
    """A decoded message and the device that sent it. `readings` is empty for availability lists and the like."""

    family: str
    device: str
    decoded: Decoded
    readings: tuple[Reading, ...]
    approved: bool


class Received(msgspec.Struct, frozen=True):
    """The verdict on one packet; `arrival` for what is admitted, `reason` and `detail` for what is not.

    A message that cannot be decoded and yet seems to report a fire or to call for help is quarantined and has
    an arrival all the same: it must be folded like any other. `kept` is the message as the journal keeps it, where
    that is not as it came; `kept_bytes` is how much of the payload the quarantine keeps. `unproven`: nothing shows
    that it comes from the device that it names, so a fire in it asks people to look and proves nothing.
    """

    verdict: Verdict
    device: str
    arrival: Arrival | None = None
    reason: str = ""
    detail: str = ""
    kept: Packet | None = None
    kept_bytes: int = KEPT_BYTES
    unproven: bool = False


class Reception:
    """The door of one hall. Make a new one when the site changes; it follows the state's devices by itself.

    `keys` are the secrets of devices that sign, by id. Only what comes in is held against them: what the journal has
    was believed once, and keys change.
    """

    def __init__(self, site: Site, hall: str, state: HallState, keys: Mapping[str, bytes] | None = None) -> None:
        self._hall = hall
        self._keys = keys or {}
        self._devices = state.devices
        self._directory = Directory(state.devices)
        self._families = families_of(site, hall)
        self._probes = probe_topics(hall)
        self._bounds = Bounds(site.limits)
        self._topic_length = site.limits.topic_length
        self._payload_bytes = site.limits.payload_kib * 1024

    def subscriptions(self) -> tuple[Subscription, ...]:
        """What both sessions must hear for the devices known now; no two filters overlap."""
        found = {topic: Subscription(topic, lane) for topic, lane in self._probes.items()}
        for family in self._families:
            known = tuple(
                Known(device.id, device.address, device.kinds, _approved(device))
                for device in self._devices.values()
                if device.family == family.name
            )
            for subscription in family.subscriptions(known):
                found.setdefault(subscription.filter, subscription)
        return tuple(found.values())

    def receive(self, packet: Packet, *, believed: bool = False) -> Received:
        """Judge one packet; never raises. `believed`: a person vouches for it, so no signature is asked for."""
        if packet.topic in self._probes:
            return _probe(packet)
        if len(packet.topic) > self._topic_length or len(packet.payload) > self._payload_bytes:
            return self._over_long(packet)
        family = self._family(packet.topic)
        if family is None:
            return self._unreadable(packet, "", "topic_unknown", "no device family of this site has this topic")
        try:
            decoded = family.decode(packet)
        except UndecodableError as error:
            return self._undecodable(family, packet, error)
        device = self._directory.find(family.name, decoded.address)
        if device is None:
            return self._unknown(family, packet, decoded)
        key = self._keys.get(device.id) if self._keys and not believed else None
        return self._known(family, device, packet, decoded, key)

    def read(self, heard: Heard) -> Arrival | None:
        """Make the arrival of an admitted message again; None if this version can no longer read it."""
        family = self._family(heard.topic)
        if family is None:
            return None
        packet = Packet(heard.topic, heard.payload, heard.lane, heard.at, retained=heard.retained)
        approved = not heard.awaiting
        try:
            decoded = family.decode(packet)
        except UndecodableError as error:
            if error.suspected is None:
                return None
            return self._suspected(family, packet, error)
        device = self._directory.find(family.name, decoded.address)
        name = device.id if device is not None else new_id(self._devices, family.name, decoded.address)
        if heard.awaiting and device is not None and _approved(device):
            decoded = _unnumbered(decoded)
        flags = Flag.HISTORY if heard.replayed else _NO_FLAGS
        return self._arrival(family, name, device, decoded, packet, approved=approved, flags=flags)

    def _family(self, topic: str) -> Family | None:
        for family in self._families:
            if family.speaks(topic):
                return family
        return None

    def _known(
        self, family: Family, device: DeviceState, packet: Packet, decoded: Decoded, key: bytes | None
    ) -> Received:
        """A device that the site names, or that was listed before; with its key, if it must sign."""
        if key is not None and (reason := doubt(packet.topic, packet.payload, key) or doubt_of_age(device, decoded)):
            if reason == "signature_old" and packet.retained:  # the broker's own copy of what was said long ago
                return Received(Verdict.DUPLICATE, device.id)
            return self._unproven(family, device, packet, decoded, reason)
        if is_duplicate(device, decoded, packet.topic, packet.payload, dup=packet.dup):
            return Received(Verdict.DUPLICATE, device.id)
        reason = self._over(device.id, packet)
        if reason and not _vital(decoded):
            return _refused(reason, device.id)
        approved = _approved(device)
        if device.origin is Origin.RETIRED and not _reports_fire(decoded):
            return _refused("retired", device.id)
        arrival = self._arrival(family, device.id, device, decoded, packet, approved=approved)
        return Received(Verdict.STORED if approved else Verdict.AWAITING, device.id, arrival)

    def _unproven(self, family: Family, device: DeviceState, packet: Packet, decoded: Decoded, reason: str) -> Received:
        """Somebody speaks in a device's name. It costs the device nothing: neither its share nor its numbers."""
        detail = REASONS[reason].en
        if not _vital(decoded):
            if not self._bounds.quarantine_takes(packet, KEPT_BYTES):
                return _refused("quarantine_full", device.id)
            return Received(Verdict.QUARANTINED, device.id, None, reason, detail)
        if packet.dup and was_heard(device, packet.topic, packet.payload):
            return Received(Verdict.DUPLICATE, device.id)
        room = KEPT_BYTES if self._bounds.quarantine_takes(packet, KEPT_BYTES) else KEPT_BYTES_AT_LEAST
        arrival = self._arrival(family, device.id, device, _unnumbered(decoded), packet, approved=False)
        return Received(Verdict.QUARANTINED, device.id, arrival, reason, detail, None, room, unproven=True)

    def _over(self, device: str, packet: Packet) -> str:
        """Which bound this message of a device is over, "" for none."""
        if not self._bounds.in_time(device, packet):
            return "over_rate"
        return "" if self._bounds.known_topic(packet.topic) else "too_many_topics"

    def _unknown(self, family: Family, packet: Packet, decoded: Decoded) -> Received:
        """A device that nobody has named: it is listed and waits; its fire is heard, its call for help is kept."""
        name = new_id(self._devices, family.name, decoded.address)
        reason = no_room(self._bounds.limits, len(self._devices), self._directory.discovered)
        reason = reason or self._over(name, packet)
        if reason and not _vital(decoded):
            return _refused(reason, "")
        arrival = self._arrival(family, name, None, decoded, packet, approved=False)
        return Received(Verdict.AWAITING, name, arrival)

    def _over_long(self, packet: Packet) -> Received:
        """Longer than anything that is read: only a fire or a call for help in it counts, however damaged."""
        long_topic = len(packet.topic) > self._topic_length
        cut = packet
        reason, detail = "too_large", f"{len(packet.payload)} bytes, at most {self._payload_bytes} are read"
        if long_topic:
            reason, detail = "topic_too_long", f"{len(packet.topic)} characters, at most {self._topic_length} are read"
            cut = msgspec.structs.replace(packet, topic=_ends_of(packet.topic, self._topic_length))
        family = self._family(cut.topic)
        if family is None:
            return self._unreadable(packet, "", reason, detail)
        try:
            decoded = family.decode(cut)
        except UndecodableError as error:
            error.reason, error.detail = reason, detail
            return self._undecodable(family, cut, error)
        if _vital(decoded) and len(cut.payload) <= self._payload_bytes:
            return msgspec.structs.replace(self.receive(cut), kept=cut)
        return self._unreadable(packet, "", reason, detail)

    def _undecodable(self, family: Family, packet: Packet, error: UndecodableError) -> Received:
        device = self._directory.find(family.name, error.address)
        name = device.id if device is not None else ""
        if REASONS[error.reason].refused:
            return Received(Verdict.REFUSED, name, None, error.reason, error.detail)
        if error.suspected is None:
            return self._unreadable(packet, name, error.reason, error.detail)
        kept = msgspec.structs.replace(packet, payload=kept_of(error, packet.payload))
        if device is not None and packet.dup and was_heard(device, kept.topic, kept.payload):
            return Received(Verdict.DUPLICATE, name)
        arrival = self._suspected(family, kept, error)
        room = KEPT_BYTES if self._bounds.quarantine_takes(packet, KEPT_BYTES) else KEPT_BYTES_AT_LEAST
        return Received(Verdict.QUARANTINED, arrival.device, arrival, error.reason, error.detail, kept, room)

    def _unreadable(self, packet: Packet, device: str, reason: str, detail: str) -> Received:
        """To quarantine, unless its device is over its rate, or the quarantine has grown enough."""
        if device and not self._bounds.in_time(device, packet):
            return _refused("over_rate", device)
        if not self._bounds.quarantine_takes(packet, KEPT_BYTES):
            return _refused("quarantine_full", device)
        return Received(Verdict.QUARANTINED, device, None, reason, detail)

    def _suspected(self, family: Family, packet: Packet, error: UndecodableError) -> Arrival:
        """What a damaged message seems to say: a fire asks people to look, whoever it comes from."""
        assert error.suspected is not None  # noqa: S101 - both callers have looked
        device = self._directory.find(family.name, error.address)
        name = device.id if device is not None else new_id(self._devices, family.name, error.address)
        approved = device is not None and _approved(device) and not error.suspected_fire
        kind = Kind.FIRE if error.suspected_fire else Kind.BUTTON
        decoded = Decoded(error.address, ((kind, error.suspected),), flags=error.flags)
        return self._arrival(family, name, device, decoded, packet, approved=approved)

    def _arrival(
        self,
        family: Family,
        name: str,
        device: DeviceState | None,
        decoded: Decoded,
        packet: Packet,
        *,
        approved: bool,
        flags: Flag = _NO_FLAGS,
    ) -> Arrival:
        place = _place(device.zone, device.window) if device is not None else _place()
        flags = decoded.flags if flags is _NO_FLAGS else decoded.flags | flags
        # Positional and in one loop: this runs for every message there is.
        readings = tuple(
            [
                Reading(
                    self._hall,
                    name,
                    place,
                    kind,
                    value,
                    packet.at,
                    decoded.device_time,
                    decoded.clock,
                    decoded.boot,
                    decoded.sequence,
                    packet.retained,
                    flags,
                    approved,
                )
                for kind, value in decoded.values
            ]
        )
        return Arrival(family.name, name, decoded, readings, approved)


def _approved(device: DeviceState) -> bool:
    return device.origin is Origin.SITE or device.origin is Origin.APPROVED


def _probe(packet: Packet) -> Received:
    """A synthetic message of ours; what else is on its topic is not wanted."""
    try:
        read_probe(packet.payload)
    except UndecodableError as error:
        return Received(Verdict.REFUSED, "", None, error.reason, error.detail)
    if packet.retained:
        return Received(Verdict.REFUSED, "", None, "ignored", "a retained probe proves nothing of now")
    return Received(Verdict.PROBE, "")


def _reports_fire(decoded: Decoded) -> bool:
    return any(isinstance(value, Fire) and value.alarm for _, value in decoded.values)


def _vital(decoded: Decoded) -> bool:
    """A fire or a call for help: no bound ever discards it."""
    helps = (isinstance(value, Button) and value.action is ButtonAction.HELP for _, value in decoded.values)
    return _reports_fire(decoded) or any(helps)


def _ends_of(topic: str, length: int) -> str:
    """An over-long topic as it is kept: by its beginning and its end a family knows it again."""
    half = length // 2
    return f"{topic[:half]}…{topic[-half + 1 :]}"


def _unnumbered(decoded: Decoded) -> Decoded:
    """Without the numbers that it claims: they would make a true message with the same an old one."""
    return msgspec.structs.replace(decoded, boot=None, sequence=None)


def _refused(reason: str, device: str) -> Received:
    return Received(Verdict.REFUSED, device, None, reason, REASONS[reason].en)
