"""Zigbee2MQTT: one JSON state per device that mixes whatever it measures; no sequence, retained by choice.

The bridge repeats a device's last state when it reconnects, so a `smoke: true` may be old; its retained flag,
where the bridge is so configured, says it. The bridge's own device list is our discovery.
Source: the MQTT topics and device pages of the Zigbee2MQTT documentation.
"""

import re
from typing import Any, Final

from pydantic_core import from_json

from sensors.decode.family import Decoded, Known, Packet, Seen, Subscription
from sensors.decode.suspicion import suspect_zigbee
from sensors.decode.zigbee_fields import kinds_of_exposes, values_of
from sensors.errors import UndecodableError
from sensors.inputs import Lane
from sensors.readings import Availability, Kind, Scope
from sensors.topics import NAME_AT_MOST, SAFETY_KINDS

BASE: Final = "zigbee2mqtt"
BRIDGE: Final = "bridge"
STATE_AT_MOST: Final = 16_384
LIST_AT_MOST: Final = 4_194_304
DEVICES_AT_MOST: Final = 1000
_ONLINE: Final = {"online": True, "true": True, "offline": False, "false": False}
# Of a key that is written twice JSON readers take the last: an alarm must not be unsaid in its own message.
_VITAL: Final = {name: re.compile(rf'"{name}"\s*:'.encode()) for name in ("smoke", "gas", "carbon_monoxide", "action")}
_NO_READING: Final = re.compile(r"/(?:set|get)(?:/[^/]+)?\Z")


class Zigbee2MqttFamily:
    """Zigbee2MQTT on one hall; `base` is its `base_topic`."""

    name = "zigbee2mqtt"

    def __init__(self, hall: str, base: str | None = None) -> None:
        del hall  # one bridge may serve several halls: the devices' names tell which
        self._base = base or BASE
        self._prefix = f"{self._base}/"

    def subscriptions(self, devices: tuple[Known, ...]) -> tuple[Subscription, ...]:
        """Each known device by its own topic, so that a smoke detector is heard by the life-safety session."""
        filters = {f"{self._prefix}{BRIDGE}/{topic}": Lane.TELEMETRY for topic in ("state", "devices")}
        for device in sorted(devices, key=lambda known: known.address):
            if device.address == BRIDGE or not _usable(device.address):
                continue
            lane = Lane.SAFETY if SAFETY_KINDS.intersection(device.kinds) else Lane.TELEMETRY
            filters.setdefault(f"{self._prefix}{device.address}", lane)
            filters.setdefault(f"{self._prefix}{device.address}/availability", Lane.TELEMETRY)
        return tuple(Subscription(heard, lane) for heard, lane in filters.items())

    def speaks(self, topic: str) -> bool:
        """Whether the topic is below the bridge's base topic."""
        return topic.startswith(self._prefix)

    def decode(self, packet: Packet) -> Decoded:
        """Read one message; raises `UndecodableError`."""
        name = packet.topic[len(self._prefix) :]
        if name.startswith(f"{BRIDGE}/"):
            return _bridge(name, packet.payload)
        device = name.removesuffix("/availability")
        if not _usable(device):
            raise UndecodableError("topic_malformed", f"a friendly name has 1 to {NAME_AT_MOST} printable characters")
        if _NO_READING.search(name):
            raise UndecodableError("ignored", "a command, no reading", address=device)
        if not packet.payload:
            raise UndecodableError("ignored", "an empty message clears a retained one", address=device)
        if device != name:
            return Decoded(device, ((Kind.AVAILABILITY, Availability(_online(packet.payload, device))),))
        try:
            return _state(device, packet.payload)
        except UndecodableError as error:
            suspect_zigbee(error, packet.payload)
            raise


def _usable(name: str) -> bool:
    return 0 < len(name) <= NAME_AT_MOST and name.isprintable() and not set("+#").intersection(name)


def _state(device: str, payload: bytes) -> Decoded:
    if len(payload) > STATE_AT_MOST:
        detail = f"{len(payload)} bytes, at most {STATE_AT_MOST} are read"
        raise UndecodableError("too_large", detail, address=device)
    fields = _json(payload, device)
    if not isinstance(fields, dict):
        raise UndecodableError("invalid_value", "a device's state is a JSON object", address=device)
    for name in sorted(_VITAL.keys() & fields.keys()):
        if len(_VITAL[name].findall(payload)) > 1:
            raise UndecodableError("invalid_value", f"`{name}` is said twice", address=device)
    return Decoded(device, values_of(fields, device))


def _bridge(name: str, payload: bytes) -> Decoded:
    if name == f"{BRIDGE}/state":
        return Decoded(BRIDGE, ((Kind.AVAILABILITY, Availability(_online(payload, BRIDGE), Scope.BRIDGE)),))
    if name != f"{BRIDGE}/devices":
        raise UndecodableError("ignored", "the bridge's own talk, no reading", address=BRIDGE)
    if len(payload) > LIST_AT_MOST:
        detail = f"{len(payload)} bytes, at most {LIST_AT_MOST} are read"
        raise UndecodableError("too_large", detail, address=BRIDGE)
    entries = _json(payload, BRIDGE)
    if not isinstance(entries, list):
        raise UndecodableError("invalid_value", "the bridge's device list is a JSON array", address=BRIDGE)
    seen = (_seen(entry) for entry in entries[:DEVICES_AT_MOST] if isinstance(entry, dict))
    return Decoded(BRIDGE, seen=tuple(device for device in seen if device is not None))


def _seen(entry: dict[str, Any]) -> Seen | None:
    name = entry.get("friendly_name")
    if entry.get("type") == "Coordinator" or not isinstance(name, str) or not _usable(name):
        return None
    definition = entry.get("definition")
    definition = definition if isinstance(definition, dict) else {}
    words = (definition.get("vendor"), definition.get("model"))
    model = " ".join(word for word in words if isinstance(word, str)).replace("\x00", "")
    return Seen(name, kinds_of_exposes(definition.get("exposes")), model[:64])


def _online(payload: bytes, device: str) -> bool:
    """`online`, `Offline`, `true`, or the same in `{"state": …}`: every form the bridge has used."""
    text = payload[:64].strip()
    if text.startswith((b"{", b'"')):
        told = _json(payload[:STATE_AT_MOST], device)
        told = told.get("state") if isinstance(told, dict) else told
        word = str(told)[:16].lower()
    else:
        word = text.decode("utf-8", "replace").lower()
    if word not in _ONLINE:
        raise UndecodableError("invalid_value", "availability is `online` or `offline`", address=device)
    return _ONLINE[word]


def _json(payload: bytes, device: str) -> Any:  # noqa: ANN401 - JSON may be anything; the callers look
    try:
        return from_json(payload)
    except ValueError as error:
        raise UndecodableError("invalid_json", str(error)[:200], address=device) from None
