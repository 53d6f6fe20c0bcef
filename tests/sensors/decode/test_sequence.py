"""Each sequence is stored once, in whatever order and however often it comes, through restarts of both sides."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.decode.family import Decoded
from sensors.decode.reception import Arrival
from sensors.decode.sequence import DIGESTS, GAP_AT_MOST, WINDOW, is_duplicate, record
from sensors.hall.state import DeviceState, Origin
from sensors.inputs import Heard
from sensors.readings import Kind

TOPIC = "hallwatch/v1/h/telemetry/d/presence"


def device() -> DeviceState:
    return DeviceState("d", "native", "d", Origin.SITE, (Kind.PRESENCE,))


class Line:
    """A device's line into the hall: counts what is taken, and the sequences that are missing."""

    def __init__(self) -> None:
        self.device = device()
        self.taken: list[tuple[int | None, int | None, bytes]] = []
        self.missing = 0

    def hear(
        self,
        sequence: int | None = None,
        boot: int | None = None,
        payload: bytes = b"",
        *,
        dup: bool = False,
        time: int | None = None,
        retained: bool = False,
    ) -> bool:
        decoded = Decoded("d", device_time=time, boot=boot, sequence=sequence)
        if is_duplicate(self.device, decoded, TOPIC, payload, dup=dup):
            return False
        heard = Heard(1, TOPIC, payload, retained=retained)
        self.missing += record(self.device, Arrival("native", "d", decoded, (), approved=True), heard)
        self.taken.append((boot, sequence, payload))
        return True

    def restart(self) -> None:
        self.device = msgspec.msgpack.decode(msgspec.msgpack.encode(self.device), type=DeviceState)


@st.composite
def shuffled(draw: st.DrawFn) -> list[int]:
    """A stream in which no message is overtaken by one more than a window younger, with repeats."""
    first = draw(st.integers(0, 2**53 - 3000))
    count = draw(st.integers(1, 200))
    step = draw(st.sampled_from([1, 1, 1, 3, 5]))
    sequences = [first + number * step for number in range(count)]
    order = draw(st.permutations(sequences))
    return order + draw(st.lists(st.sampled_from(sequences), max_size=100))


@given(shuffled(), st.integers(0, 2**53), st.integers(0, 300))
def test_any_order_and_any_repeat_stores_each_once(stream: list[int], boot: int, restart_at: int) -> None:
    line = Line()
    for number, sequence in enumerate(stream):
        if number == restart_at:
            line.restart()
        line.hear(sequence, boot)
    assert sorted(sequence for _, sequence, _ in line.taken if sequence is not None) == sorted(set(stream))
    assert line.missing == max(stream) - min(stream) + 1 - len(set(stream))


@given(st.lists(st.integers(0, WINDOW - 1), unique=True, min_size=1), st.integers(WINDOW, 10_000))
def test_the_window_slides_and_forgets_nothing_within_itself(early: list[int], leap: int) -> None:
    line = Line()
    for sequence in early:
        assert line.hear(sequence, 1)
    assert line.hear(leap, 1)
    for sequence in early:
        assert line.hear(sequence, 1) is (sequence <= leap - WINDOW)
    assert not line.hear(leap, 1)


def test_the_edge_of_the_window() -> None:
    line = Line()
    assert line.hear(0, 1)
    assert line.hear(WINDOW - 1, 1)
    assert not line.hear(0, 1)
    assert line.hear(WINDOW, 1)
    assert not line.hear(1 + WINDOW - 1, 1)
    assert line.hear(1, 1)
    assert not line.hear(1, 1)


def test_a_start_of_the_device_begins_anew_and_two_starts_are_remembered() -> None:
    line = Line()
    assert line.hear(5, 1)
    assert line.hear(5, 2)
    assert not line.hear(5, 1)
    assert not line.hear(5, 2)
    assert line.hear(5, 3)
    assert not line.hear(5, 2)
    assert len(line.device.boots) == 2
    assert line.missing == 0


@pytest.mark.parametrize(("sequences", "missing"), [([1, 2, 3], 0), ([1, 5], 3), ([1, 5, 3], 2), ([5, 3, 4], 0)])
def test_what_is_missing_is_counted_and_taken_back(sequences: list[int], missing: int) -> None:
    line = Line()
    for sequence in sequences:
        line.hear(sequence, 1)
    assert line.missing == missing


def test_a_leaping_counter_does_not_burst_the_account() -> None:
    line = Line()
    line.hear(0, 1)
    line.hear(2**53, 1)
    assert line.missing == GAP_AT_MOST


def test_two_equal_taps_without_a_time_are_two_events() -> None:
    line = Line()
    assert line.hear(payload=b"tap")
    assert line.hear(payload=b"tap")


def test_a_flagged_redelivery_of_stored_bytes_is_one() -> None:
    line = Line()
    assert line.hear(payload=b"tap")
    line.restart()
    assert not line.hear(payload=b"tap", dup=True)
    assert line.hear(payload=b"another", dup=True)


def test_equal_time_and_equal_bytes_are_one() -> None:
    line = Line()
    assert line.hear(payload=b"tap at 5", time=5)
    assert not line.hear(payload=b"tap at 5", time=5)
    assert line.hear(payload=b"tap at 6", time=6)


def test_retained_states_are_never_what_a_redelivery_is_compared_with() -> None:
    line = Line()
    assert line.hear(payload=b"state", retained=True)
    assert line.hear(payload=b"state", dup=True)


def test_what_is_remembered_of_unnumbered_messages_is_bounded() -> None:
    line = Line()
    for number in range(100):
        line.hear(payload=b"%d" % number)
    assert len(line.device.last_unnumbered) == 8 * DIGESTS
    assert not line.hear(payload=b"99", dup=True)
    assert line.hear(payload=b"1", dup=True)


def test_a_device_without_boots_that_counts_from_zero_is_heard_again() -> None:
    """By its number alone a fire after a power cut would be an old one."""
    line = Line()
    for number in range(50):
        assert line.hear(number, boot=0, time=1000 + number)
    assert not line.hear(3, boot=0, time=1003)
    assert line.hear(0, boot=0, time=5000)
    line.restart()
    assert line.hear(1, boot=0, time=5001)
    assert not line.hear(1, boot=0, time=5001)
    assert not line.hear(0, boot=0, time=5000)
    assert line.missing == 0


def test_a_copy_of_an_old_message_is_no_new_beginning() -> None:
    line = Line()
    for number, time in ((1, 10), (3, 30), (2, 20)):
        assert line.hear(number, boot=7, time=time)
    for number, time in ((1, 10), (3, 30), (2, 20)):
        assert not line.hear(number, boot=7, time=time)
