"""One contract: what was written is read back, in the same words, from every history."""

import pytest

from gateway.history.contract import Asked, How, QuestionError, Sample, Spread
from gateway.history.points import Point
from sensors.readings import Kind
from tests.gateway.history.build import HALL, T0, point
from tests.gateway.history.conftest import History

TEMPERATURE = Asked(HALL, Kind.ENVIRONMENT, "temperature_c")
STATE = Asked(HALL, Kind.EQUIPMENT, "state")


def hot(at: int, value: float, **more: str) -> Point:
    return point(at, ("temperature_c", value), ("humidity_pct", 40.0), index=at % 1000, **more)  # type: ignore[arg-type]


async def test_a_range_holds_its_start_and_not_its_end(history: History) -> None:
    await history.sink.write([hot(at, at / 10) for at in (30, 0, 10, 20)])
    found = await history.query.range(TEMPERATURE, T0, T0 + 30)
    assert found == [Sample(T0, 0.0, "d1"), Sample(T0 + 10, 1.0, "d1"), Sample(T0 + 20, 2.0, "d1")]
    assert await history.query.range(TEMPERATURE, T0, T0 + 100, limit=2) == found[:2]
    assert await history.query.range(TEMPERATURE, T0 + 31, T0 + 100) == []


async def test_writing_twice_is_writing_once(history: History) -> None:
    points = [hot(at, 20.5) for at in range(5)]
    await history.sink.write(points)
    await history.sink.write(points)
    assert len(await history.query.range(TEMPERATURE, T0, T0 + 100)) == 5


async def test_two_messages_of_one_millisecond_are_two_points(history: History) -> None:
    await history.sink.write([point(0, ("temperature_c", float(n)), index=n) for n in range(3)])
    assert [one.value for one in await history.query.range(TEMPERATURE, T0, T0 + 1)] == [0.0, 1.0, 2.0]


async def test_device_zone_window_and_hall_narrow_a_question(history: History) -> None:
    await history.sink.write(
        [
            hot(1, 1.0, device="d1", zone="z1", window="w1"),
            hot(2, 2.0, device="d2", zone="z1", window="w2"),
            hot(3, 3.0, device="d2", zone="z2", window=""),
            hot(4, 4.0, device="d3", zone="", window=""),
            hot(5, 5.0, device="d1", zone="z1", window="w1", hall="h2"),
        ]
    )

    async def values(**tags: str) -> list[float | str]:
        asked = Asked(tags.pop("hall", HALL), Kind.ENVIRONMENT, "temperature_c", **tags)  # type: ignore[arg-type]
        return [one.value for one in await history.query.range(asked, T0, T0 + 10)]

    assert await values() == [1.0, 2.0, 3.0, 4.0]
    assert await values(device="d2") == [2.0, 3.0]
    assert await values(zone="z1") == [1.0, 2.0]
    assert await values(zone="") == [4.0]
    assert await values(window="w1") == [1.0]
    assert await values(device="d2", zone="z2") == [3.0]
    assert await values(hall="h2") == [5.0]
    assert await values(device="d' OR '1'='1") == []


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        (How.MEAN, [2.0, 7.0]),
        (How.MAX, [3.0, 9.0]),
        (How.MIN, [1.0, 5.0]),
        (How.SUM, [6.0, 14.0]),
        (How.COUNT, [3.0, 2.0]),
        (How.LAST, [3.0, 5.0]),
    ],
)
async def test_an_aggregate_begins_at_its_start_and_leaves_empty_windows_out(
    history: History, how: How, wanted: list[float]
) -> None:
    # Windows of 100 ms from 37 on: [37, 137) holds three values, [137, 237) none, [237, 337) two.
    values = {36: 100.0, 37: 1.0, 50: 2.0, 136: 3.0, 237: 9.0, 336: 5.0, 337: 100.0}
    await history.sink.write([hot(at, value, device=f"d{at % 2}") for at, value in values.items()])
    found = await history.query.aggregate(TEMPERATURE, T0 + 37, T0 + 337, 100, how)
    assert found == [Sample(T0 + 37, wanted[0]), Sample(T0 + 237, wanted[1])]


async def test_texts_have_a_count_and_a_last(history: History) -> None:
    states = {0: "ok", 10: "fault", 20: "ok"}
    await history.sink.write([point(at, ("state", text), kind=Kind.EQUIPMENT) for at, text in states.items()])
    assert [one.value for one in await history.query.range(STATE, T0, T0 + 50)] == ["ok", "fault", "ok"]
    assert await history.query.aggregate(STATE, T0, T0 + 50, 20, How.LAST) == [
        Sample(T0, "fault"),
        Sample(T0 + 20, "ok"),
    ]
    assert await history.query.aggregate(STATE, T0, T0 + 50, 50, How.COUNT) == [Sample(T0, 3.0)]


async def test_a_spread_tells_each_device_apart_with_its_lowest_and_highest(history: History) -> None:
    # Stretches of 100 ms from 37 on; what lies before and after is not asked for, and texts are no numbers.
    said = {
        "d1": {36: 99.0, 37: 1.0, 50: 4.0, 136: 1.0, 337: 99.0},
        "d2": {60: 7.0, 237: 9.0, 336: 5.0},
        "d3": {40: 3.0},
    }
    points = [hot(at, value, device=device) for device, values in said.items() for at, value in values.items()]
    await history.sink.write([*points, point(45, ("state", "ok"), kind=Kind.EQUIPMENT)])
    found = await history.query.spread(TEMPERATURE, T0 + 37, T0 + 337, 100)
    assert found == [
        Spread(T0 + 37, "d1", 2.0, 1.0, 4.0, 3),
        Spread(T0 + 37, "d2", 7.0, 7.0, 7.0, 1),
        Spread(T0 + 37, "d3", 3.0, 3.0, 3.0, 1),
        Spread(T0 + 237, "d2", 7.0, 5.0, 9.0, 2),
    ]
    two = Asked(HALL, Kind.ENVIRONMENT, "temperature_c", devices=("d2", "d3", "d' OR '1'='1"))
    assert [one.device for one in await history.query.spread(two, T0 + 37, T0 + 337, 100)] == ["d2", "d3", "d2"]
    with pytest.raises(QuestionError, match="history_no_number"):
        await history.query.spread(STATE, T0, T0 + 100, 100)


async def test_a_device_that_was_put_elsewhere_is_one_device_however_fine_it_is_asked_for(history: History) -> None:
    await history.sink.write([hot(at, float(at), zone=f"z{at % 2}") for at in range(0, 9, 2)])
    await history.sink.write([hot(at, float(at), zone=f"z{at % 2}") for at in range(1, 10, 2)])
    whole = await history.query.spread(TEMPERATURE, T0, T0 + 10, 10)
    assert whole == [Spread(T0, "d1", 4.5, 0.0, 9.0, 10)]
    # So many windows are asked for in another way, and the last of them is cut short by the end.
    fine = await history.query.spread(TEMPERATURE, T0 - 9_000, T0 + 9, 2)
    assert fine == [
        *(Spread(T0 + at, "d1", at + 0.5, at, at + 1.0, 2) for at in range(0, 8, 2)),
        Spread(T0 + 8, "d1", 8.0, 8.0, 8.0, 1),
    ]


async def test_a_device_is_found_and_named_as_it_calls_itself(history: History) -> None:
    names = ["a\\", "50%25", "门 1,x=y", "d\n2"]
    await history.sink.write([hot(at, float(at), device=name) for at, name in enumerate(names)])
    assert [one.device for one in await history.query.range(TEMPERATURE, T0, T0 + 10)] == names
    asked = Asked(HALL, Kind.ENVIRONMENT, "temperature_c", devices=tuple(names))
    assert {one.device for one in await history.query.spread(asked, T0, T0 + 10, 10)} == set(names)


async def test_the_latest_is_the_newest_of_all_devices(history: History) -> None:
    assert await history.query.latest(TEMPERATURE, T0) is None
    await history.sink.write([hot(1, 1.0), hot(7, 7.0, device="d2"), hot(5, 5.0)])
    assert await history.query.latest(TEMPERATURE, T0 + 100) == Sample(T0 + 7, 7.0, "d2")
    assert await history.query.latest(TEMPERATURE, T0 + 7) == Sample(T0 + 5, 5.0, "d1")
    assert await history.query.latest(TEMPERATURE, T0 + 1) is None


async def test_a_history_without_a_kind_answers_with_nothing(history: History) -> None:
    asked = Asked(HALL, Kind.SEISMIC, "magnitude")
    assert await history.query.range(asked, T0, T0 + 1) == []
    assert await history.query.aggregate(asked, T0, T0 + 100, 10, How.MEAN) == []


async def test_senseless_questions_are_refused(history: History) -> None:
    with pytest.raises(QuestionError, match="history_unknown_field"):
        Asked(HALL, Kind.BADGE, "token")
    with pytest.raises(QuestionError, match="history_too_wide"):
        await history.query.aggregate(TEMPERATURE, 0, T0, 1000, How.MEAN)
    with pytest.raises(QuestionError, match="history_bad_window"):
        await history.query.aggregate(TEMPERATURE, 0, T0, 0, How.MEAN)
    with pytest.raises(QuestionError, match="history_too_wide"):
        await history.query.spread(TEMPERATURE, 0, T0, 1000)
