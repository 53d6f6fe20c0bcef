r"""Who is speaking: an optional signature on a native message, made with a key that the device shares with the site.

A subscriber never learns who published. Without signatures only the broker's ACL keeps one device from speaking in
another's name; with one, whoever holds a login and not the key cannot. A signed message is its JSON and one more line:

    {"device":"smoke-1",...}\n#<64 hexadecimal digits>

The digits are HMAC-SHA256 (RFC 2104, FIPS 198-1) over the topic, a newline and the JSON, so a message does not fit
another topic. That an old one is not said again its numbers show (`sensors.decode.sequence`).
"""

import hmac
from typing import Final

HEX: Final = 64
_MARK: Final = b"\n#"
_TRAILER: Final = HEX + len(_MARK)


def signature_of(topic: str, body: bytes, key: bytes) -> str:
    """The signature of a message: 64 hexadecimal digits."""
    return hmac.digest(key, topic.encode() + b"\n" + body, "sha256").hex()


def sign(topic: str, body: bytes, key: bytes) -> bytes:
    """A message with its signature, as it goes over the wire."""
    return body + _MARK + signature_of(topic, body, key).encode()


def body_of(payload: bytes) -> bytes:
    """A message without its signature, if it has one."""
    return payload[:-_TRAILER] if _is_signed(payload) else payload


def doubt(topic: str, payload: bytes, key: bytes) -> str:
    """Why a message of a device with a key is not believed: a code of `reasons`, "" if it is."""
    if not _is_signed(payload):
        return "signature_missing"
    said = payload[-HEX:]
    expected = signature_of(topic, payload[:-_TRAILER], key).encode()
    return "" if hmac.compare_digest(said.lower(), expected) else "signature_wrong"


def _is_signed(payload: bytes) -> bool:
    return payload[-_TRAILER:-HEX] == _MARK
