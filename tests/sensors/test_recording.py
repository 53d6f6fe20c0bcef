"""A recording's lines: what is written is read again, byte by byte, and what is wrong is named by its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.recording import (
    Episode,
    RecordingError,
    Sent,
    messages,
    read_message,
    read_time,
    survey,
    write_end,
    write_head,
    write_message,
    write_outcome,
)

GOOD = "1773107200.250 1 0 7b7d hallwatch/v1/main/telemetry/w3-badge/badge"
TOPICS = st.text(min_size=1).filter(lambda text: len(text.splitlines()) == 1 and not set(text) & {"\x00", "#", "+"})
SENT = st.builds(
    Sent, st.integers(0, 10**14 - 1), TOPICS.filter(lambda text: text == text.rstrip("\r\n")), st.binary(),
    st.integers(0, 2), st.booleans(),
)  # fmt: skip


@given(st.lists(SENT))
def test_what_is_written_is_read_again(sent: list[Sent]) -> None:
    ordered = sorted(sent, key=lambda one: one.at)
    lines = [*write_head(published=True), *map(write_message, ordered)]
    assert list(messages(lines)) == ordered


def test_what_mosquitto_sub_writes_is_read() -> None:
    line = "1470818943.786368637 0 1  zigbee2mqtt/Desk lamp/availability"
    assert read_message(line) == Sent(1470818943786, "zigbee2mqtt/Desk lamp/availability", b"", 0, retain=True)
    assert read_time("12") == 12_000


def test_an_outcome_is_kept_and_so_is_that_there_was_none() -> None:
    outcome = (Episode("crowd/hall", 1500, 2750, ((2000, "red"),)), Episode("fire/smoke-1", 1773107200123))
    found = survey([GOOD, *write_outcome(outcome), write_end(1773107300000), "# said by hand", ""], "f")
    assert found.outcome == outcome
    assert (found.count, found.begin, found.end, found.published) == (1, 1773107200250, 1773107300000, False)
    assert survey([GOOD, *write_outcome(())], "f").outcome == ()
    assert survey([GOOD], "f").outcome is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1773107201.0 1 0 7b7d", "TIME QOS RETAIN PAYLOAD TOPIC are needed"),
        ("yesterday 1 0 7b7d a/b", "the time is seconds since 1970, not 'yesterday'"),
        ("1773107201 3 0 7b7d a/b", "the QoS is 0, 1 or 2, not '3'"),
        ("1773107201 1 yes 7b7d a/b", "retain is 0 or 1, not 'yes'"),
        ("1773107201 1 0 7b7 a/b", "the payload is no hexadecimal: '7b7'"),
        ('1773107201 1 0 {"a":1} a/b', "the payload is no hexadecimal"),
        ("1773107201 1 0 7b7d a/#", "no topic that one can publish on: 'a/#'"),
        ("1773107199 1 0 7b7d a/b", "earlier than the message before it, 1773107200.250: sort it by time"),
        ("#hallwatch-recording 2", "this release reads version 1"),
        ("#nothing", "a comment begins with # and a space"),
        ("#end soon", "the time is seconds since 1970"),
        ('#outcome {"of": "x"}', "missing required field `since`"),
        ('#outcome {"of": "x", "since": 1e300}', "an outcome whose time is none"),
        ("#outcome no", "an outcome that cannot be read"),
    ],
)
def test_a_line_that_is_wrong_is_named_with_its_number_and_the_reason(line: str, reason: str) -> None:
    with pytest.raises(RecordingError) as refused:
        survey([GOOD, line, GOOD], "hall.rec")
    assert str(refused.value).startswith("hall.rec:2: ")
    assert reason in str(refused.value)


def test_many_wrong_lines_are_told_up_to_a_bound() -> None:
    with pytest.raises(RecordingError) as refused:
        survey(["rubbish"] * 100, "f")
    assert len(str(refused.value).splitlines()) == 21
    with pytest.raises(RecordingError, match="there is no message in it"):
        survey(["# nothing"], "f")


@given(st.lists(st.text()))
def test_whatever_stands_in_a_file_is_read_or_refused(lines: list[str]) -> None:
    try:
        found = survey(lines, "f")
    except RecordingError:
        return
    assert len(list(messages(lines))) == found.count


def test_a_topic_that_would_break_the_line_is_not_written() -> None:
    with pytest.raises(ValueError, match="end of line"):
        write_message(Sent(0, "a\nb", b"", 0, retain=False))
