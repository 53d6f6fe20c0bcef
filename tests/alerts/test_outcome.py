"""Two outcomes compared: each way in which they may differ is found and named, and nothing else."""

from alerts.outcome import Differs, Gatherer, compare
from dashboard.cli.replay_words import WORDS
from sensors.recording import Episode

S = 1000
LONG = Episode("queue_long/records", 100 * S, 900 * S)


def ways(before: list[Episode], after: list[Episode]) -> list[Differs]:
    return [one.how for one in compare(before, after, 2 * S)]


def test_the_same_differs_in_nothing_and_a_little_later_is_the_same() -> None:
    assert ways([LONG], [LONG]) == []
    assert ways([LONG], [Episode(LONG.of, 102 * S, 898 * S)]) == []


def test_each_way_is_named() -> None:
    assert ways([], [LONG]) == [Differs.NEW]
    assert ways([LONG], []) == [Differs.GONE]
    assert ways([LONG], [Episode(LONG.of, 90 * S, 900 * S)]) == [Differs.EARLIER]
    assert ways([LONG], [Episode(LONG.of, 400 * S, 900 * S)]) == [Differs.LATER]
    assert ways([LONG], [Episode(LONG.of, 100 * S, 700 * S)]) == [Differs.ENDS]
    assert ways([LONG], [Episode(LONG.of, 100 * S)]) == [Differs.ENDS]
    assert ways([LONG], [Episode(LONG.of, 100 * S, 900 * S, ((200 * S, "red"),))]) == [Differs.BECOMES]
    assert set(WORDS) == set(Differs)


def test_what_is_hours_away_or_about_another_thing_is_another_alarm() -> None:
    assert ways([LONG], [Episode(LONG.of, 20_000 * S, 20_100 * S)]) == [Differs.GONE, Differs.NEW]
    assert set(ways([LONG], [Episode("queue_long/card", 100 * S, 900 * S)])) == {Differs.GONE, Differs.NEW}


def test_one_that_became_two_is_one_that_ends_earlier_and_a_new_one() -> None:
    two = [Episode(LONG.of, 100 * S, 400 * S), Episode(LONG.of, 500 * S, 900 * S)]
    assert ways([LONG], two) == [Differs.ENDS, Differs.NEW]
    assert ways(two, [LONG]) == [Differs.ENDS, Differs.GONE]


def test_episodes_are_made_of_the_logs_lines() -> None:
    gatherer = Gatherer()
    for at, about, what, detail, plan in (
        (1, "A1", "alarm.raised", "crowd/hall", ""),
        (2, "A1", "alarm.acknowledged", "", ""),
        (3, "A1", "alarm.worsened", "red", ""),
        (3, "R1", "run.started", "", "crowd"),
        (4, "A1", "alarm.cleared", "crowd/hall", ""),
        (5, "A1", "alarm.worsened", "orange", ""),
        (6, "R1", "run.active", "alarm", ""),
        (7, "A9", "alarm.worsened", "of one that began before", ""),
        (8, "R2", "run.ended", "of one that began before", ""),
    ):
        gatherer.hear(at, about, what, detail, plan)
    assert gatherer.outcome() == (
        Episode("crowd/hall", 1, 4, ((3, "red"),)),
        Episode("plan/crowd", 3, None, ((6, "alarm"),)),
        Episode("crowd/hall", 5, None, ((5, "orange"),)),
    )
