"""The fields of a Zigbee2MQTT state, and what they mean here.

Vendors disagree: numbers come as strings, truths as words, unknown as null. What can be understood is; null is
"not known" and no value. A field that cannot be understood sends the message to quarantine, unless the message
reports a fire or calls for help: then the rest of it counts.
"""

import math
from collections.abc import Callable
from typing import Any, Final

from pydantic import ValidationError

from sensors.decode.explain import undecodable
from sensors.errors import UndecodableError
from sensors.readings import (
    Battery,
    Button,
    ButtonAction,
    Contact,
    Environment,
    Equipment,
    EquipmentState,
    Fire,
    FireSensor,
    Kind,
    PeopleCount,
    Presence,
    Value,
)

Fields = dict[str, Any]
_WORDS: Final = {
    "true": True,
    "on": True,
    "yes": True,
    "1": True,
    "false": False,
    "off": False,
    "no": False,
    "0": False,
}
_FIRE: Final = {"smoke": FireSensor.SMOKE, "carbon_monoxide": FireSensor.CO, "gas": FireSensor.GAS}
_HEALTHY: Final = {"", "normal", "none", "no_fault", "ok", "false", "0"}
# A plain button has no words for help or fault; this is what our documents tell people to stick beside it.
_ACTIONS: Final = {
    "emergency": ButtonAction.HELP,
    "sos": ButtonAction.HELP,
    "panic": ButtonAction.HELP,
    "help": ButtonAction.HELP,
    "hold": ButtonAction.HELP,
    "long": ButtonAction.HELP,
    "double": ButtonAction.FAULT,
    "single": ButtonAction.PRESS,
    "on": ButtonAction.PRESS,
    "press": ButtonAction.PRESS,
    "triple": ButtonAction.PRESS,
    "quadruple": ButtonAction.PRESS,
}
_CLIMATE: Final = {
    "temperature": "temperature_c",
    "humidity": "humidity_pct",
    "co2": "co2_ppm",
    "pm25": "pm25_ugm3",
    "noise": "noise_dba",
}
# A meter of ours: a plug or switch that tells the power of what hangs on it.
_KINDS: Final[dict[str, Kind]] = {
    **dict.fromkeys(_FIRE, Kind.FIRE),
    **dict.fromkeys((*_CLIMATE, "water_leak"), Kind.ENVIRONMENT),
    **dict.fromkeys(("presence", "occupancy"), Kind.PRESENCE),
    **dict.fromkeys(("battery", "battery_low"), Kind.BATTERY),
    "contact": Kind.CONTACT,
    "people": Kind.PEOPLE_COUNT,
    "action": Kind.BUTTON,
    "power": Kind.EQUIPMENT,
}


class _FieldError(ValueError):
    """A field that cannot be understood."""


def kinds_of_exposes(exposes: object) -> tuple[Kind, ...]:
    """What a device of the bridge's list measures, by the names it exposes (two levels deep)."""
    found: dict[Kind, None] = {}
    for feature in _features(exposes):
        kind = _KINDS.get(str(feature.get("property") or feature.get("name")))
        if kind is not None:
            found[kind] = None
    return tuple(found)


def _features(exposes: object) -> list[Fields]:
    top = [entry for entry in exposes if isinstance(entry, dict)] if isinstance(exposes, list) else []
    nested = [entry.get("features") for entry in top]
    below = [entry for group in nested if isinstance(group, list) for entry in group if isinstance(entry, dict)]
    return top + below


def values_of(fields: Fields, device: str) -> tuple[tuple[Kind, Value], ...]:
    """The readings in a state; raises `UndecodableError`. A state without any is known and empty."""
    values: list[tuple[Kind, Value]] = []
    problem: UndecodableError | None = None
    for read in _READERS:
        try:
            values += read(fields)
        except ValidationError as error:
            problem = problem or undecodable(error, address=device)
        except _FieldError as error:
            problem = problem or UndecodableError("invalid_value", str(error), address=device)
    if problem is not None and not any(_urgent(value) for _, value in values):
        raise problem
    return tuple(values)


def _urgent(value: Value) -> bool:
    if isinstance(value, Fire):
        return value.alarm
    return isinstance(value, Button) and value.action is ButtonAction.HELP


def _fire_of(name: str) -> Callable[[Fields], list[tuple[Kind, Value]]]:
    """One reader per sensor: one that cannot be understood does not silence the other."""

    def read(fields: Fields) -> list[tuple[Kind, Value]]:
        alarm = _truth(fields, name)
        if alarm is None:
            return []
        marks = {mark: _mark(fields, mark) for mark in ("test", "muted", "tamper")}
        fault = _mark(fields, "fault") or _text(fields, "fault_state").lower() not in _HEALTHY
        return [(Kind.FIRE, Fire(alarm=alarm, sensor=_FIRE[name], fault=fault, **marks))]

    return read


def _presence(fields: Fields) -> list[tuple[Kind, Value]]:
    present = _truth(fields, "presence")
    present = _truth(fields, "occupancy") if present is None else present
    return [] if present is None else [(Kind.PRESENCE, Presence(present))]


def _people(fields: Fields) -> list[tuple[Kind, Value]]:
    people = _number(fields, "people")
    return [] if people is None else [(Kind.PEOPLE_COUNT, PeopleCount(round(people)))]


def _contact(fields: Fields) -> list[tuple[Kind, Value]]:
    closed = _truth(fields, "contact")
    return [] if closed is None else [(Kind.CONTACT, Contact(not closed, _mark(fields, "tamper")))]


def _button(fields: Fields) -> list[tuple[Kind, Value]]:
    action = _ACTIONS.get(_text(fields, "action").lower())
    return [] if action is None else [(Kind.BUTTON, Button(action))]


def _environment(fields: Fields) -> list[tuple[Kind, Value]]:
    numbers = {ours: _number(fields, theirs) for theirs, ours in _CLIMATE.items()}
    value = Environment(**numbers, leak=_truth(fields, "water_leak"))
    return [] if value == Environment() else [(Kind.ENVIRONMENT, value)]


def _equipment(fields: Fields) -> list[tuple[Kind, Value]]:
    power = _number(fields, "power")
    if power is None:
        return []
    state = EquipmentState.OFF if _truth(fields, "state") is False else EquipmentState.OK
    energy = _number(fields, "energy")
    return [(Kind.EQUIPMENT, Equipment(state, power_w=max(power, 0.0), energy_kwh=energy))]


def _battery(fields: Fields) -> list[tuple[Kind, Value]]:
    value = Battery(_number(fields, "battery"), _truth(fields, "battery_low"))
    return [] if value == Battery() else [(Kind.BATTERY, value)]


_READERS: Final[tuple[Callable[[Fields], list[tuple[Kind, Value]]], ...]] = (
    *map(_fire_of, _FIRE),
    _button,
    _presence,
    _people,
    _contact,
    _environment,
    _equipment,
    _battery,
)


def _truth(fields: Fields, name: str) -> bool | None:
    value = fields.get(name)
    if value is None or value is True or value is False:
        return value
    found = _WORDS.get(str(value)[:8].strip().lower())
    if found is None:
        raise _FieldError(f"`{name}` should be true or false")
    return found


def _mark(fields: Fields, name: str) -> bool:
    """A side remark: when it cannot be understood it is not made; the alarm beside it counts all the same."""
    return _WORDS.get(str(fields.get(name))[:8].lower(), False)


def _number(fields: Fields, name: str) -> float | None:
    value = fields.get(name)
    if value is None or value == "":
        return None
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.inf
    except (ValueError, OverflowError):
        number = math.inf
    if math.isinf(number):
        raise _FieldError(f"`{name}` should be a number")
    return None if math.isnan(number) else number  # NaN is how some sensors say "not known"


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return "" if value is None else str(value)[:64]
