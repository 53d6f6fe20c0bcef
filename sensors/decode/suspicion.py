"""What a damaged message still says for life safety.

A fire or a call for help is never simply lost: where its message cannot be decoded, this looks for the few
words that matter. Looks only at what has already failed, so it costs the ordinary way nothing.
"""

import re
from typing import Final

from sensors.decode.envelope import flags_of
from sensors.errors import UndecodableError
from sensors.readings import Button, ButtonAction, Fire, FireSensor, Flag

_TRUE: Final = rb'\s*:\s*(?:true|1\b|"(?:true|on|yes|1)")'
_NATIVE_FIRE: Final = re.compile(rb'"alarm"' + _TRUE, re.IGNORECASE)
_NATIVE_HELP: Final = re.compile(rb'"action"\s*:\s*"help"', re.IGNORECASE)
_NATIVE_SENSOR: Final = re.compile(rb'"sensor"\s*:\s*"(smoke|heat|co|gas|mcp|panel)"')
_NATIVE_FLAGS: Final = re.compile(rb'"flags"\s*:\s*\[([^\]]{0,100})')
_FLAG: Final = re.compile(rb'"(test|drill|history|learn)"')
_ZIGBEE_FIRE: Final = re.compile(rb'"(smoke|gas|carbon_monoxide)"' + _TRUE, re.IGNORECASE)
_ZIGBEE_HELP: Final = re.compile(rb'"action"\s*:\s*"(?:emergency|sos|panic|help)"', re.IGNORECASE)
_ZIGBEE_SENSORS: Final = {b"smoke": FireSensor.SMOKE, b"gas": FireSensor.GAS, b"carbon_monoxide": FireSensor.CO}
HELP: Final = Button(ButtonAction.HELP)


def suspect_native(error: UndecodableError, payload: bytes) -> None:
    """Write into `error` what a damaged native message of a safety topic says."""
    if _NATIVE_FIRE.search(payload):
        sensor = _NATIVE_SENSOR.search(payload)
        error.suspected = Fire(alarm=True, sensor=FireSensor(sensor[1].decode()) if sensor else FireSensor.SMOKE)
    elif _NATIVE_HELP.search(payload):
        error.suspected = HELP
    error.flags = _flags(payload)


def suspect_zigbee(error: UndecodableError, payload: bytes) -> None:
    """Write into `error` what a damaged Zigbee2MQTT message says."""
    if found := _ZIGBEE_FIRE.search(payload):
        error.suspected = Fire(alarm=True, sensor=_ZIGBEE_SENSORS[found[1].lower()])
    elif _ZIGBEE_HELP.search(payload):
        error.suspected = HELP


def _flags(payload: bytes) -> Flag:
    found = _NATIVE_FLAGS.search(payload)
    return flags_of(tuple(name.decode() for name in _FLAG.findall(found[1]))) if found else Flag.NONE
