"""What the engine decides comes back from a row as it was written."""

from dataclasses import is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import given
from hypothesis import strategies as st

from alerts.model import Alarm, Message, Run, Ticket
from gateway.store.rows import ALARMS, MESSAGES, RUNS, TICKETS, storable
from sensors.site.model import Message as Telling
from sensors.site.model import Plan, Role, Step, Words


def of(type_: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - a type of any form
    """Any value that a row can hold: 64-bit integers, finite numbers."""
    if type_ in SPECIAL:
        return SPECIAL[type_]
    if isinstance(type_, type) and is_dataclass(type_):
        return st.builds(type_, **{name: of(hint) for name, hint in get_type_hints(type_).items()})
    if get_origin(type_) is tuple:
        first, *rest = get_args(type_)
        return st.lists(of(first), max_size=3).map(tuple) if rest == [...] else st.tuples(of(first), *map(of, rest))
    if get_origin(type_) is UnionType:
        return st.one_of(*map(of, get_args(type_)))
    return st.from_type(type_)


NAMES = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,20}", fullmatch=True)
SAID = st.builds(Words, zh=st.text(min_size=1, max_size=20), en=st.none() | st.text(max_size=20))
ROLES = st.builds(Role, id=NAMES, name=SAID, holders=st.tuples(NAMES), answer_s=st.integers(5, 3600))
STEPS = st.builds(Step, id=NAMES, role=NAMES, text=SAID, due_s=st.integers(1, 86_400))
SPECIAL: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=20),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Plan: st.builds(
        Plan,
        id=NAMES,
        name=SAID,
        hazard=st.sampled_from(("fire", "crowd", "earthquake", "network", "other")),
        version=st.integers(1, 9),
        verify_s=st.integers(10, 3600),
        repeat_s=st.integers(10, 3600),
        roles=st.tuples(ROLES),
        steps=st.tuples(STEPS),
        messages=st.tuples(st.builds(Telling, channels=st.tuples(NAMES), text=SAID)),
    ),
}


@given(of(Alarm))
def test_an_alarm_comes_back(value: Alarm) -> None:
    row = dict(zip(ALARMS.columns, ALARMS.row(value, 7), strict=True))
    assert ALARMS.value(str(row["body"])) == value
    assert (row["open_key"] is None) == (value.closed is not None)


@given(of(Run))
def test_a_run_comes_back_with_its_plan(value: Run) -> None:
    back = RUNS.value(str(RUNS.row(value, 7)[-1]))
    assert back == value
    assert type(back.plan) is type(value.plan)


@given(of(Ticket))
def test_a_ticket_comes_back(value: Ticket) -> None:
    assert TICKETS.value(str(TICKETS.row(value, 7)[-1])) == value


@given(of(Message))
def test_a_message_comes_back(value: Message) -> None:
    assert MESSAGES.value(str(MESSAGES.row(value, 7)[-1])) == value


@given(st.text(alphabet=st.characters()))
def test_any_text_can_be_made_storable(text: str) -> None:
    made = storable(text)
    assert "\0" not in made
    made.encode()
    assert made == text or "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text)
