"""What the codec refuses of the bytes that a broker sends, and what of it still can be read.

A broker that does not look at the strings in a packet passes on what a device made up. If such a message ended the
connection it would come again after each reconnect, and nothing behind it ever would: so a PUBLISH whose frame can
be found is handed on with what is wrong in its topic replaced, and goes to quarantine like other rubbish. Anything
else that is malformed ends the connection (MQTT 5.0, 4.13).
"""

from typing import Final

import mqtt5

from sensors.errors import HallwatchError

LENGTH_BYTES: Final = 4
PUBLISH: Final = 3


class MalformedError(HallwatchError):
    """The broker sent what no broker may send: the connection cannot go on."""

    code = "broker_malformed"


def frame_length(data: memoryview, limit: int) -> int | None:
    """The bytes of the packet that begins here, its fixed header included; None while that cannot be told yet.

    Raises `MalformedError` for a length that none can have, and for one over `limit`.
    """
    found = _number(data, 1)
    if found is None:
        return None
    value, begin = found
    if begin + value > limit:
        raise MalformedError(f"a packet of {begin + value} bytes, {limit} at most were asked for")
    return begin + value


def mend(frame: memoryview, error: BaseException) -> mqtt5.PublishPacket:
    """Read a whole packet that the codec refused with `error`, if it is a PUBLISH. Raises `MalformedError`."""
    try:
        packet = _publish(frame)
    except (IndexError, ValueError):
        packet = None
    if packet is None:
        raise MalformedError(f"a packet of type {frame[0] >> 4} that cannot be read: {error}") from None
    return packet


def _publish(frame: memoryview) -> mqtt5.PublishPacket | None:
    first, found = frame[0], _number(frame, 1)
    qos = first >> 1 & 3
    if first >> 4 != PUBLISH or found is None or qos > 1:
        return None
    topic, place = _sized(frame, found[1])
    packet_id = None
    if qos:
        packet_id, place = int.from_bytes(frame[place : place + 2], "big"), place + 2
    properties = _number(frame, place)
    if properties is None or sum(properties) > len(frame):
        return None
    return mqtt5.PublishPacket(
        topic=bytes(topic).decode("utf-8", "replace"),
        payload=bytes(frame[sum(properties) :]),
        qos=mqtt5.QoS(qos),
        retain=bool(first & 1),
        packet_id=packet_id,
        duplicate=bool(first & 8),
    )


def _sized(frame: memoryview, place: int) -> tuple[memoryview, int]:
    begin = place + 2
    end = begin + int.from_bytes(frame[place:begin], "big")
    if end > len(frame):
        raise IndexError("a topic that is longer than its packet")
    return frame[begin:end], end


def _number(data: memoryview, place: int) -> tuple[int, int] | None:
    """A variable byte integer (MQTT 5.0, 1.5.5) and where it ends; None if the data end before it."""
    value = 0
    for step in range(LENGTH_BYTES):
        if place + step >= len(data):
            return None
        byte = data[place + step]
        value |= (byte & 0x7F) << 7 * step
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says that another byte follows
            return value, place + step + 1
    raise MalformedError("a length of more than four bytes")
