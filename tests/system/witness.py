"""Stands on the wire between gateway and broker and writes down what the gateway acknowledged.

What it saw is the promise; the store, read afterwards, must keep it. It shares no code with the link.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.servers.proxy import PUBACK, PUBLISH, Meddle

CONNECT, SUBSCRIBE, DISCONNECT = 1, 8, 14
Sequence = tuple[str, int]


@dataclass(slots=True)
class Witness:
    """Give `down` and `up` to the two ways of a proxy with `mqtt=True`.

    `acknowledged` counts (device, sequence) by PUBACK; `handed` by PUBLISH at QoS 1; `said` the gateway's packets.
    """

    acknowledged: Counter[Sequence] = field(default_factory=Counter)
    handed: Counter[Sequence] = field(default_factory=Counter)
    said: Counter[int] = field(default_factory=Counter)
    clients: dict[int, str] = field(default_factory=dict)
    _five: dict[int, bool] = field(default_factory=dict)
    _open: dict[tuple[int, int], Sequence] = field(default_factory=dict)

    def up(self, connection: int, packet: bytes) -> list[bytes]:
        """A packet of the gateway."""
        kind, body = packet[0] >> 4, body_of(packet)
        self.said[kind] += 1
        if kind == CONNECT:
            self._five[connection] = body[6] == 5
        elif kind == PUBACK:
            known = self._open.get((connection, int.from_bytes(body[:2], "big")))
            if known is not None:
                self.acknowledged[known] += 1
        return [packet]

    def down(self, connection: int, packet: bytes) -> list[bytes]:
        """A packet of the broker."""
        if packet[0] >> 4 == PUBLISH and packet[0] & 0x06:
            body = body_of(packet)
            place = 2 + int.from_bytes(body[:2], "big")
            mid, rest = int.from_bytes(body[place : place + 2], "big"), body[place + 2 :]
            if self._five[connection]:
                length, digits = varint(rest)
                rest = rest[digits + length :]
            said = json.loads(rest)
            if "seq" in said:
                self._open[connection, mid] = (said["device"], said["seq"])
                self.handed[said["device"], said["seq"]] += 1
        return [packet]


def after(first: Meddle, then: Meddle) -> Meddle:
    """First the one, and what it lets through to the other."""

    def both(connection: int, packet: bytes) -> list[bytes]:
        return [last for one in first(connection, packet) for last in then(connection, one)]

    return both


def only(kind: int, meddle: Callable[[], bool]) -> Meddle:
    """Lose the packets of this kind while `meddle` says so."""
    return lambda _, packet: [] if packet[0] >> 4 == kind and meddle() else [packet]


def body_of(packet: bytes) -> bytes:
    """An MQTT packet without its fixed header."""
    return packet[1 + varint(packet[1:])[1] :]


def varint(data: bytes) -> tuple[int, int]:
    """A variable byte integer and how many bytes it has."""
    value = 0
    for place, byte in enumerate(data[:4]):
        value |= (byte & 0x7F) << 7 * place
        if not byte & 0x80:
            return value, place + 1
    raise ValueError("no variable byte integer")
