"""Deadlines: moved to and fro, they fire at their last word, in order."""

from hypothesis import example, given
from hypothesis import strategies as st

from sensors.hall.timers import Timers

SET = st.tuples(st.just("set"), st.sampled_from("abcd"), st.integers(0, 50))
DROP = st.tuples(st.just("drop"), st.sampled_from("abcd"), st.just(0))
TAKE = st.tuples(st.just("take"), st.just(""), st.integers(0, 50))


@example([("set", "a", 50), ("set", "b", 20), ("set", "a", 10)])  # moved to before another
@given(st.lists(SET | DROP | TAKE, max_size=300))
def test_they_are_what_a_plain_dict_would_say(steps: list[tuple[str, str, int]]) -> None:
    plain: dict[str, int] = {}
    dues: dict[str, int] = {}
    timers = Timers(dues)
    for what, key, at in steps:
        if what == "set":
            timers.set(key, at)
            plain[key] = at
        elif what == "drop":
            timers.drop(key)
            plain.pop(key, None)
        else:
            due = [name for _, name in sorted((due, name) for name, due in plain.items() if due <= at)]
            assert timers.take(at) == due
            plain = {name: due for name, due in plain.items() if due > at}
        assert dues == plain
        assert timers.next_due() == min(plain.values(), default=None)
        assert Timers(dict(dues)).next_due() == timers.next_due()


def test_a_deadline_that_moves_with_every_message_costs_no_room() -> None:
    timers = Timers({})
    for at in range(10_000):
        timers.set("live/d", at)
        timers.set(f"hold/{at % 7}", at)
        timers.drop(f"hold/{at % 7}")
    assert len(timers._heap) < 200
