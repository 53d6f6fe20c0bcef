"""Duplicates and gaps: which sequences of a device were heard, kept in its state and so restored with it.

A device counts its messages (`seq`) and its starts (`boot`). The window holds the last 1024 sequences of the
two boots heard last. What lies further back than the window cannot be told from new: it is taken, because
twice is better than never. Without a sequence only a redelivery or an equal claim of time proves a duplicate.

A device that keeps no boot number counts from zero as if nothing had been. By its number such a message was heard
long ago; but it claims to be later than all that was heard, and no copy of an old one can.

For a device that signs twice is worse than never: whoever has a copy of its "all clear" could say it again. So of it
nothing is taken that lies further back, and the boots before those two are remembered by their numbers.
"""

import hashlib
from typing import Final, Protocol

from sensors.decode.family import Decoded
from sensors.hall.state import DeviceState, SequenceWindow
from sensors.inputs import Heard
from sensors.readings import Availability

WINDOW: Final = 1024
BOOTS: Final = 2
PAST_BOOTS: Final = 256
BOOT_BYTES: Final = 8
# A counter that leaps by more has not lost that many messages; the stores could not add such gaps up either.
GAP_AT_MOST: Final = 1_000_000
DIGEST_BYTES: Final = 8
DIGESTS: Final = 16
_MASK: Final = (1 << WINDOW) - 1


class Admitted(Protocol):
    """What is remembered: an `Arrival`."""

    @property
    def decoded(self) -> Decoded:
        """What its message said."""
        ...


def is_duplicate(device: DeviceState, decoded: Decoded, topic: str, payload: bytes, *, dup: bool) -> bool:
    """Whether this message of this device was already stored. `dup` is the packet's redelivery flag."""
    boot, sequence = decoded.boot, decoded.sequence
    if boot is not None and sequence is not None:
        for window in device.boots:
            if window.boot == boot:
                return _holds(window, sequence) and not _anew(window, decoded, sequence)
        return False
    if not dup and decoded.device_time is None:
        return False
    return was_heard(device, topic, payload)


def was_heard(device: DeviceState, topic: str, payload: bytes) -> bool:
    """Whether these very bytes are among the last unnumbered messages of the device."""
    digest, kept = _digest(topic, payload), device.last_unnumbered
    return any(kept[at : at + DIGEST_BYTES] == digest for at in range(0, len(kept), DIGEST_BYTES))


def doubt_of_age(device: DeviceState, decoded: Decoded) -> str:
    """Why a signed message may be an old one that somebody says again; "" if it is not.

    A last will is signed before anybody knows when it will be said; said again it only makes less known.
    """
    if decoded.boot is not None and decoded.sequence is not None:
        return "signature_old" if _is_old(device, decoded) else ""
    last_will = all(isinstance(value, Availability) and not value.online for _, value in decoded.values)
    return "" if last_will else "signature_unnumbered"


def _is_old(device: DeviceState, decoded: Decoded) -> bool:
    """Whether a numbered message lies so far back that nobody can tell whether it was heard."""
    boot, sequence = decoded.boot, decoded.sequence
    if boot is None or sequence is None:
        return False
    for window in device.boots:
        if window.boot == boot:
            return sequence <= window.highest - WINDOW and not _anew(window, decoded, sequence)
    number, past = _number(boot), device.past_boots
    return any(past[at : at + BOOT_BYTES] == number for at in range(0, len(past), BOOT_BYTES))


def is_late(device: DeviceState, decoded: Decoded) -> bool:
    """Whether a later message of the same boot has said something of the same kind already.

    Asked before `record`. Kinds are told apart because they travel by two sessions, which keep no order together.
    What lies further back than the window is taken for new here too: a device may have begun to count again.
    """
    boot, sequence = decoded.boot, decoded.sequence
    if sequence is None:
        return False
    for window in device.boots:
        if window.boot == boot:
            if sequence > window.highest:  # what is ahead of all kinds is ahead of its own
                return False
            newest = max((window.newest.get(kind, -1) for kind, _ in decoded.values), default=-1)
            return newest - WINDOW < sequence < newest and not _anew(window, decoded, sequence)
    return False


def record(device: DeviceState, arrival: Admitted, heard: Heard) -> int:
    """Remember an admitted message, so that it is known when it comes again; called by the fold alone.

    Returns by how much the number of missing messages changed: a leap adds, a late arrival takes one back.
    """
    decoded = arrival.decoded
    boot, sequence = decoded.boot, decoded.sequence
    if boot is None or sequence is None:
        if not heard.retained:
            digest = _digest(heard.topic, heard.payload)
            device.last_unnumbered = (device.last_unnumbered + digest)[-DIGESTS * DIGEST_BYTES :]
        return 0
    for number, window in enumerate(device.boots):
        if window.boot == boot:
            if _anew(window, decoded, sequence):
                device.boots[number] = _begun(boot, decoded, sequence)
                return 0
            _age(window, decoded, sequence)
            return _mark(window, sequence)
    for window in device.boots[: 1 - BOOTS]:
        device.past_boots = (device.past_boots + _number(window.boot))[-PAST_BOOTS * BOOT_BYTES :]
    device.boots = [*device.boots[1 - BOOTS :], _begun(boot, decoded, sequence)]
    return 0


def _number(boot: int) -> bytes:
    return boot.to_bytes(BOOT_BYTES, "big")


def _begun(boot: int, decoded: Decoded, sequence: int) -> SequenceWindow:
    window = SequenceWindow(boot, sequence, first=sequence)
    _age(window, decoded, sequence)
    return window


def _anew(window: SequenceWindow, decoded: Decoded, sequence: int) -> bool:
    """Whether the device has begun to count again: not ahead by its number, and ahead of all by its time."""
    if sequence > window.highest or window.told is None or decoded.device_time is None:
        return False
    return decoded.device_time > window.told


def _age(window: SequenceWindow, decoded: Decoded, sequence: int) -> None:
    for kind, _ in decoded.values:
        newest = window.newest.get(kind, -1)
        if newest < sequence or sequence <= newest - WINDOW:
            window.newest[kind] = sequence
    if decoded.device_time is not None and (window.told is None or window.told < decoded.device_time):
        window.told = decoded.device_time


def _holds(window: SequenceWindow, sequence: int) -> bool:
    behind = window.highest - sequence
    if behind < 0 or behind >= len(window.seen) * 8:
        return False
    return bool(window.seen[behind >> 3] >> (behind & 7) & 1)


def _mark(window: SequenceWindow, sequence: int) -> int:
    ahead = sequence - window.highest
    bits = int.from_bytes(window.seen, "little")
    if ahead > 0:
        bits = (bits << ahead & _MASK | 1) if ahead < WINDOW else 1
        window.highest = sequence
        missing = min(ahead - 1, GAP_AT_MOST)
    elif ahead <= -WINDOW or _holds(window, sequence):
        return 0
    else:
        bits |= 1 << -ahead
        missing = window.first - sequence - 1 if sequence < window.first else -1
        window.first = min(window.first, sequence)
    window.seen = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    return missing


def _digest(topic: str, payload: bytes) -> bytes:
    hashed = hashlib.blake2b(topic.encode(), digest_size=DIGEST_BYTES)
    hashed.update(b"\x00")
    hashed.update(payload)
    return hashed.digest()
