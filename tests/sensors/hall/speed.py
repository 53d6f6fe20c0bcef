"""How much of a core the fold costs: `python -m tests.sensors.hall.speed` prints µs per message, by kind."""

import sys
import time

from sensors.decode.family import Decoded
from sensors.decode.reception import Arrival
from sensors.hall.hall import Hall, encode_state
from sensors.inputs import Heard
from sensors.readings import Environment, Kind, PeopleCount, Place, Presence, Queue, Reading, Value
from tests.sensors.hall.harness import Speaking, ms

ROUNDS = 50_000
VALUES: dict[str, tuple[str, Kind, Value]] = {
    "environment": ("p1", Kind.ENVIRONMENT, Environment(temperature_c=21.5)),
    "presence": ("s3", Kind.PRESENCE, Presence(present=True)),
    "queue": ("q1", Kind.QUEUE, Queue(4)),
    "people_count": ("c1", Kind.PEOPLE_COUNT, PeopleCount(40)),
}


def arrivals(device: str, kind: Kind, value: Value, start: int) -> list[tuple[Heard, Arrival]]:
    made = []
    for n in range(ROUNDS):
        at = start + n
        reading = Reading("main", device, Place("a"), kind, value, at, boot=1, sequence=n)
        decoded = Decoded(device, ((kind, value),), boot=1, sequence=n)
        made.append((Heard(at, f"t/{device}", b"{}"), Arrival("native", device, decoded, (reading,), approved=True)))
    return made


def measure(hall: Hall, messages: list[tuple[Heard, Arrival]]) -> float:
    start = time.perf_counter()
    for item, arrival in messages:
        while (due := hall.next_due()) is not None and due <= item.at:
            hall.fire_due(due)
        hall.step(item, arrival)
    return (time.perf_counter() - start) / len(messages) * 1e6


def main() -> None:
    for name, (device, kind, value) in VALUES.items():
        hall = Speaking().open().hall
        cost = measure(hall, arrivals(device, kind, value, ms("09:00")))
        sys.stdout.write(f"{name:<14} {cost:6.2f} µs/step\n")
    state = Speaking().open().hall.state
    start = time.perf_counter()
    size = len(encode_state(state))
    sys.stdout.write(f"snapshot       {size} bytes in {(time.perf_counter() - start) * 1000:.2f} ms\n")


if __name__ == "__main__":
    main()
