"""The secrets of devices that sign, read once at the start."""

from typing import Final

from alerts.notify.secret import read_secret
from sensors.errors import HallwatchError
from sensors.site.model import Hall

# What RFC 2104 calls strongly advised is the length of the hash's output; half of it is the least we take.
KEY_AT_LEAST: Final = 16


class KeyTooShortError(HallwatchError):
    """A device's key could be guessed. The sentence names the device and never the key."""

    code = "key_too_short"


def device_keys(hall: Hall) -> dict[str, bytes]:
    """The keys of a hall's devices, by id. Raises `SecretMissingError`, `KeyTooShortError`."""
    keys = {device.id: read_secret(device.key) for device in hall.devices if device.key is not None}
    for device, key in keys.items():
        if len(key.get_secret_value()) < KEY_AT_LEAST:
            raise KeyTooShortError(f"the key of {device} has fewer than {KEY_AT_LEAST} characters")
    return {device: key.get_secret_value().encode() for device, key in keys.items()}
