"""Points and journal rows for the tests of the histories."""

import struct

from gateway.history.points import Field, Point
from gateway.store.contract import JournalRow
from sensors.decode.family import Decoded
from sensors.decode.reception import Arrival
from sensors.inputs import Heard, pack
from sensors.readings import Clock, Flag, Kind, PeopleCount, Place, Reading, Value

HALL = "h1"
T0 = 1_700_000_000_000


def point(
    at: int,
    *fields: Field,
    kind: Kind = Kind.ENVIRONMENT,
    device: str = "d1",
    zone: str = "z1",
    window: str = "",
    index: int = 0,
    hall: str = HALL,
) -> Point:
    """A point at `at` ms after T0."""
    return Point(hall, kind, device, zone, window, fields, (T0 + at) * 1_000_000 + index, index)


def reading(
    value: Value,
    kind: Kind,
    *,
    device: str = "d1",
    received: int = T0,
    device_time: int | None = None,
    clock: Clock = Clock.NONE,
    retained: bool = False,
    flags: Flag = Flag.NONE,
) -> Reading:
    """A reading of a device in zone z1 at window w1."""
    return Reading(
        HALL, device, Place("z1", "w1"), kind, value, received, device_time, clock, retained=retained, flags=flags
    )


def arrival(*readings: Reading) -> Arrival:
    """A message that says this."""
    return Arrival("test", "d1", Decoded("d1"), readings, approved=True)


def counted(index: int, count: int) -> JournalRow:
    """A row of messages that `read_count` understands: each says how many people there are, its own number."""
    inputs = [Heard(T0 + n, "count", struct.pack(">q", n)) for n in range(index, index + count)]
    return JournalRow(index, count, T0 + index, pack(list(inputs)))


def read_count(heard: Heard) -> Arrival | None:
    """Decode what `counted` has written."""
    (number,) = struct.unpack(">q", heard.payload)
    device = f"d{number % 3}"
    return arrival(reading(PeopleCount(occupancy=number), Kind.PEOPLE_COUNT, device=device, received=heard.at))
