"""What a damaged message still says for life safety.

A fire or a call for help is never simply lost: where its message cannot be decoded, this looks for the few
words that matter. Looks only at what has already failed, so it costs the ordinary way nothing; of what is longer
than any message of ours only at both ends. An over-long one is kept as its evidence alone.
"""

import hashlib
import re
from typing import Final

from sensors.decode.envelope import flags_of
from sensors.errors import UndecodableError
from sensors.readings import Button, ButtonAction, Fire, FireSensor

_TRUE: Final = rb'\s{0,64}:\s{0,64}(?:true|1\b|"(?:true|on|yes|1)")'
_NATIVE_FIRE: Final = re.compile(rb'"alarm"' + _TRUE, re.IGNORECASE)
_NATIVE_HELP: Final = re.compile(rb'"action"\s{0,64}:\s{0,64}"help"', re.IGNORECASE)
_NATIVE_SENSOR: Final = re.compile(rb'"sensor"\s{0,64}:\s{0,64}"(smoke|heat|co|gas|mcp|panel)"')
_NATIVE_FLAGS: Final = re.compile(rb'"flags"\s{0,64}:\s{0,64}\[([^\]]{0,100})')
_FLAG: Final = re.compile(rb'"(test|drill|history|learn)"')
_ZIGBEE_FIRE: Final = re.compile(rb'"(smoke|gas|carbon_monoxide)"' + _TRUE, re.IGNORECASE)
_ZIGBEE_HELP: Final = re.compile(rb'"action"\s{0,64}:\s{0,64}"(?:emergency|sos|panic|help)"', re.IGNORECASE)
_ZIGBEE_SENSORS: Final = {b"smoke": FireSensor.SMOKE, b"gas": FireSensor.GAS, b"carbon_monoxide": FireSensor.CO}
HELP: Final = Button(ButtonAction.HELP)
# Of a longer message so much of each end is looked at: it takes well below a millisecond.
ENDS: Final = 65_536
# What the journal keeps of a damaged message whole; a longer one is kept as its evidence.
WHOLE: Final = 16_384
# Makes what is kept impossible to read as JSON, and keeps two pieces of evidence from making a third.
_SEAM: Final = b"\x00"


def suspect_native(error: UndecodableError, payload: bytes) -> None:
    """Write into `error` what a damaged native message of a safety topic says."""
    text = _ends(payload)
    sensor = flags = None
    if fire := _NATIVE_FIRE.search(text):
        sensor = _NATIVE_SENSOR.search(text)
        error.suspected = Fire(alarm=True, sensor=FireSensor(sensor[1].decode()) if sensor else FireSensor.SMOKE)
    elif fire := _NATIVE_HELP.search(text):
        error.suspected = HELP
    if flags := _NATIVE_FLAGS.search(text):
        error.flags = flags_of(tuple(name.decode() for name in _FLAG.findall(flags[1])))
    error.evidence = _SEAM.join(found[0] for found in (fire, sensor, flags) if found is not None)


def suspect_zigbee(error: UndecodableError, payload: bytes) -> None:
    """Write into `error` what a damaged Zigbee2MQTT message says."""
    text = _ends(payload)
    if found := _ZIGBEE_FIRE.search(text):
        error.suspected = Fire(alarm=True, sensor=_ZIGBEE_SENSORS[found[1].lower()])
    elif found := _ZIGBEE_HELP.search(text):
        error.suspected = HELP
    error.evidence = b"" if found is None else found[0]


def kept_of(error: UndecodableError, payload: bytes) -> bytes:
    """A damaged message as the journal keeps it: whole, or its evidence with the length and digest of the whole."""
    if len(payload) <= WHOLE:
        return payload
    digest = hashlib.sha256(payload).hexdigest()
    return error.evidence + _SEAM + f"cut: {len(payload)} bytes, sha256 {digest}".encode()


def _ends(payload: bytes) -> bytes:
    return payload if len(payload) <= 2 * ENDS else payload[:ENDS] + _SEAM + payload[-ENDS:]
