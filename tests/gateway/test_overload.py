"""What bounds drop is told once for each subject, a crowd of devices once together, and ends when it has ended."""

from gateway.overload import ALONE_AT_MOST, OTHERS, QUIET_MS, Change, Overload
from sensors.hall.state import Condition, DeviceState, HallState, Origin
from sensors.readings import Kind

NOW = 1_000_000


def hall(devices: int = 3) -> HallState:
    state = HallState("main")
    for number in range(devices):
        name = f"d{number:02d}"
        state.devices[name] = DeviceState(name, "native", name, Origin.SITE, (Kind.PRESENCE,))
    return state


def drop(state: HallState, device: str, reason: str = "over_rate", count: int = 1) -> None:
    reasons = state.devices[device].account.reasons if device else state.stray.reasons
    reasons[reason] = reasons.get(reason, 0) + count


def test_a_device_over_its_rate_is_told_once_and_ends_when_it_is_quiet() -> None:
    state = hall()
    overload = Overload(state)
    assert overload.look(state, NOW) == []
    drop(state, "d01", count=100)
    assert overload.look(state, NOW) == [Change("over_rate", "d01", holds=True)]
    drop(state, "d01")
    assert overload.look(state, NOW + 50_000) == []
    assert overload.look(state, NOW + 50_000 + QUIET_MS - 1) == []
    assert overload.look(state, NOW + 50_000 + QUIET_MS) == [Change("over_rate", "d01", holds=False)]


def test_what_was_dropped_before_a_start_is_no_news_and_its_alarm_ends() -> None:
    state = hall()
    drop(state, "d01", count=100)
    state.conditions["gateway/over_rate/d01"] = Condition("gateway/over_rate/d01", active=NOW - 1000)
    overload = Overload(state)
    assert overload.look(state, NOW) == []
    assert overload.look(state, NOW + QUIET_MS) == [Change("over_rate", "d01", holds=False)]


def test_a_crowd_over_its_rate_is_a_few_alarms_and_one() -> None:
    state = hall(40)
    overload = Overload(state)
    for number in range(40):
        drop(state, f"d{number:02d}")
    told = overload.look(state, NOW)
    assert len(told) == ALONE_AT_MOST + 1
    assert told[-1] == Change("over_rate", OTHERS, holds=True)
    ended = overload.look(state, NOW + QUIET_MS)
    assert sorted(one.subject for one in ended) == sorted(one.subject for one in told)
    assert not any(one.holds for one in ended)


def test_bounds_of_the_hall_are_told_of_the_hall_whoever_met_them() -> None:
    state = hall()
    overload = Overload(state)
    drop(state, "d00", "quarantine_full")
    drop(state, "", "quarantine_full")
    drop(state, "", "too_many_unknown")
    drop(state, "", "ignored")
    assert overload.look(state, NOW) == [
        Change("quarantine_full", "main", holds=True),
        Change("too_many_unknown", "main", holds=True),
    ]


def test_a_clock_set_back_ends_no_more_than_what_stood() -> None:
    state = hall()
    overload = Overload(state)
    drop(state, "d01")
    assert len(overload.look(state, NOW)) == 1
    assert overload.look(state, NOW - 3_600_000) == [Change("over_rate", "d01", holds=False)]
    drop(state, "d01")
    assert overload.look(state, NOW - 3_590_000) == [Change("over_rate", "d01", holds=True)]
