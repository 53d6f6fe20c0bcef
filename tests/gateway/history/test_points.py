"""Points from the journal: the right time, the same each time, and nobody's name."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.history.points import FIELDS, Point, Read, points, pseudonym, read_row
from gateway.store.contract import JournalRow
from sensors.decode.reception import Arrival
from sensors.inputs import Heard, Started, pack
from sensors.readings import (
    Badge,
    BadgeResult,
    Clock,
    Crowd,
    CrowdLevel,
    Direction,
    Environment,
    Fire,
    Flag,
    Kind,
    Reading,
)
from tests.gateway.history.build import HALL, T0, arrival, reading

SALT = b"salt"
DAY = 86_400_000


def made(*readings: Reading, index: int = 7, heard: Heard | None = None) -> list[Point]:
    """The points of one message, second in its row."""
    message = heard or Heard(T0, "t", b"")
    row = JournalRow(index, 2, T0, pack([Started(T0, "x"), message]))
    return of_row(row, lambda _: arrival(*readings))


def of_row(row: JournalRow, read: Read) -> list[Point]:
    return [point for said in read_row(row, read) for point in points(said, SALT)]


def warm(**more: object) -> Reading:
    return reading(Environment(temperature_c=20.5, leak=True), Kind.ENVIRONMENT, **more)  # type: ignore[arg-type]


def test_a_point_tells_what_the_reading_told() -> None:
    (point,) = made(warm())
    assert point == Point(
        HALL,
        Kind.ENVIRONMENT,
        "d1",
        "z1",
        "w1",
        (("temperature_c", 20.5), ("leak", 1.0)),
        T0 * 1_000_000 + 8 * 16,
        8,
    )
    assert point.at == T0
    (crowd,) = made(reading(Crowd(level=CrowdLevel.RED), Kind.CROWD, flags=Flag.TEST | Flag.DRILL))
    assert crowd.fields == (("level", "red"), ("flags", "test|drill"))


def test_the_devices_time_counts_only_where_it_can_be_believed() -> None:
    def at(claim: int | None, clock: Clock = Clock.SYNCED) -> int:
        return made(warm(device_time=claim, clock=clock))[0].at - T0

    assert at(T0 - 5000) == -5000
    assert at(T0 - DAY) == -DAY
    assert at(T0 + 60_000) == 60_000
    assert at(T0 - 5000, Clock.FREE) == 0
    assert at(T0 + 600_000) == 0
    assert at(T0 - 400 * DAY) == 0
    assert at(None) == 0


def test_last_known_state_is_no_value_of_now() -> None:
    assert made(warm(retained=True)) == []
    assert [one.at for one in made(warm(retained=True, device_time=T0 - 5, clock=Clock.SYNCED))] == [T0 - 5]
    replay = Heard(T0, "t", b"", replayed=True)
    assert made(warm(), heard=replay) == []
    assert [one.at for one in made(warm(device_time=T0 - DAY, clock=Clock.SYNCED), heard=replay)] == [T0 - DAY]


def test_what_awaits_approval_or_cannot_be_decoded_is_no_history() -> None:
    assert made(warm(), heard=Heard(T0, "t", b"", awaiting=True)) == []
    row = JournalRow(0, 1, T0, pack([Heard(T0, "t", b"")]))
    assert of_row(row, lambda _: None) == []


def test_no_token_of_a_person_leaves_the_journal() -> None:
    token = "04A1B2C3"
    (point,) = made(reading(Badge(token, BadgeResult.GRANTED, Direction.IN, 1, -40.0), Kind.BADGE))
    assert token.lower() not in repr(point).lower()
    assert dict(point.fields) == {
        "result": "granted",
        "direction": "in",
        "antenna": 1.0,
        "rssi": -40.0,
        "badge": pseudonym(token, SALT),
    }
    assert pseudonym(token, SALT) != pseudonym(token, b"other")
    assert "token" not in FIELDS[Kind.BADGE]


def test_two_readings_of_one_kind_in_a_message_are_two_points() -> None:
    found = made(reading(Fire(alarm=False), Kind.FIRE), reading(Fire(alarm=True), Kind.FIRE))
    assert len({point.ns for point in found}) == 2
    assert {point.at for point in found} == {T0}


@given(st.integers(0, 2**40), st.integers(1, 400))
def test_inputs_of_one_millisecond_have_times_of_their_own(index: int, count: int) -> None:
    row = JournalRow(index, count, T0, pack([Heard(T0, "t", b"")] * count))

    def read(_: Heard) -> Arrival:
        return arrival(warm())

    once = of_row(row, read)
    assert len({point.ns for point in once}) == count
    assert {point.at for point in once} == {T0}
    assert once == of_row(row, read)
