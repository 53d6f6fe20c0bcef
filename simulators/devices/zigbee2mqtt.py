"""A device behind a Zigbee2MQTT bridge: one merged state, no sequence, no clock; and the bridge itself."""

import json
from typing import Any, Final
from zlib import crc32

from sensors.readings import (
    Availability,
    Battery,
    Button,
    ButtonAction,
    Contact,
    Environment,
    Equipment,
    EquipmentState,
    Fire,
    FireSensor,
    Flag,
    Kind,
    PeopleCount,
    Presence,
    Value,
)
from sensors.site.model import Device
from simulators.publication import Publication

BASE: Final = "zigbee2mqtt"
BRIDGE: Final = "bridge"
_SMOKE: Final = {FireSensor.CO: "carbon_monoxide", FireSensor.GAS: "gas"}
_ACTIONS: Final = {ButtonAction.HELP: "hold", ButtonAction.FAULT: "double"}
_EXPOSES: Final = {
    Kind.FIRE: ("smoke",),
    Kind.BATTERY: ("battery", "battery_low"),
    Kind.CONTACT: ("contact",),
    Kind.PRESENCE: ("presence",),
    Kind.PEOPLE_COUNT: ("people",),
    Kind.ENVIRONMENT: ("temperature", "humidity"),
    Kind.BUTTON: ("action",),
    Kind.EQUIPMENT: ("power", "energy"),
}


class Zigbee2MqttDevice:
    """One device of the bridge; every message repeats all that it knows."""

    def __init__(self, device: Device, *, base: str | None = None) -> None:
        self.id = device.id
        self._topic = f"{base or BASE}/{device.address or device.id}"
        self._state: dict[str, Any] = {"linkquality": 60 + crc32(device.id.encode()) % 120}

    def connect(self, at: int) -> tuple[Publication, ...]:
        """The bridge says that the device is there."""
        return self.say(Availability(online=True), at)

    def say(self, value: Value, at: int, flags: Flag = Flag.NONE) -> tuple[Publication, ...]:
        """Merge a value into the state and publish the whole. Its words know no flags."""
        del flags
        if isinstance(value, Availability):
            return (self._availability(value, at),)
        self._state.update(_fields(value))
        said = (self._publication(at),)
        self._state.pop("action", None)
        return said

    def will(self, at: int) -> Publication:
        """What the bridge publishes once it misses the device."""
        return self._availability(Availability(online=False), at)

    def _availability(self, value: Availability, at: int) -> Publication:
        payload = json.dumps({"state": "online" if value.online else "offline"}).encode()
        return Publication(at, f"{self._topic}/availability", payload, 1, True, self.id)  # noqa: FBT003 - retained

    def _publication(self, at: int) -> Publication:
        payload = json.dumps(self._state, ensure_ascii=False).encode()
        return Publication(at, self._topic, payload, 1, False, self.id)  # noqa: FBT003 - not retained


class Zigbee2MqttBridge:
    """The bridge as a device of the site: it speaks when it starts, and its last will speaks for it."""

    def __init__(self, device: Device, behind: list[Device], *, base: str | None = None) -> None:
        self.id = device.id
        self._behind = behind
        self._base = base

    def connect(self, at: int) -> tuple[Publication, ...]:
        """It is online, and names whom it knows."""
        return bridge_publications(self._behind, at, self._base, self.id)

    def say(self, value: Value, at: int, flags: Flag = Flag.NONE) -> tuple[Publication, ...]:
        """Whether it is there; it measures nothing."""
        del flags
        return (_bridge_state(value.online, at, self._base, self.id),) if isinstance(value, Availability) else ()

    def will(self, at: int) -> Publication:
        """What the broker publishes for it when it is lost."""
        return _bridge_state(online=False, at=at, base=self._base, id=self.id)


def bridge_publications(
    devices: list[Device], at: int, base: str | None = None, id: str = BRIDGE
) -> tuple[Publication, ...]:
    """What the bridge says when it starts: that it is online, and whom it knows."""
    listed = [{"type": "Coordinator", "friendly_name": "Coordinator", "supported": False}]
    listed += [_entry(device) for device in devices]
    topic = f"{base or BASE}/{BRIDGE}/devices"
    return (
        _bridge_state(online=True, at=at, base=base, id=id),
        Publication(at, topic, json.dumps(listed).encode(), 1, retain=True, device=id),
    )


def _bridge_state(online: bool, at: int, base: str | None, id: str) -> Publication:
    payload = json.dumps({"state": "online" if online else "offline"}).encode()
    return Publication(at, f"{base or BASE}/{BRIDGE}/state", payload, 1, retain=True, device=id)


def _entry(device: Device) -> dict[str, Any]:
    exposes = [{"name": name, "property": name} for kind in device.kinds for name in _EXPOSES.get(kind, ())]
    return {
        "friendly_name": device.address or device.id,
        "ieee_address": f"0x{crc32(device.id.encode()):016x}",
        "type": "EndDevice" if device.power != "mains" else "Router",
        "supported": True,
        "definition": {"vendor": "Example", "model": "SIM-1", "exposes": exposes},
    }


def _fields(value: Value) -> dict[str, Any]:  # noqa: PLR0911 - one line a kind
    match value:
        case Fire():
            named = _SMOKE.get(value.sensor, "smoke")
            return {named: value.alarm, "test": value.test, "tamper": value.tamper}
        case Battery():
            return {"battery": value.pct, "battery_low": value.low}
        case Contact():
            return {"contact": not value.open, "tamper": value.tamper}
        case Presence():
            return {"presence": value.present}
        case PeopleCount():
            return {"people": min(value.occupancy or 0, 50)}
        case Environment():
            return {"temperature": value.temperature_c, "humidity": value.humidity_pct, "water_leak": value.leak}
        case Button():
            return {"action": _ACTIONS.get(value.action, "single")}
        case Equipment():
            on = value.state is not EquipmentState.OFF
            return {"state": "ON" if on else "OFF", "power": value.power_w, "energy": value.energy_kwh}
        case _:
            return {}
