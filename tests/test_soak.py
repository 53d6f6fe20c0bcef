"""The soak's judgement has teeth, and stands on its own feet when something was lost."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from alerts.model import Alarm, Priority
from benchmarks.soak.devices import Ledger, Numbered
from benchmarks.soak.judge import Evidence, Kept, judge
from benchmarks.soak.watch import Sample, drawn
from sensors.facts import FactKind, Subject

ONE, OTHER, LATER = Numbered("queue-1", 7, 1), Numbered("queue-1", 7, 2), Numbered("queue-1", 7, 4)
LOOSE = Numbered("queue-1", 7, 3)
ACCOUNT = {"received": 2, "stored": 2, "duplicate": 0, "quarantined": 0, "refused": 0, "awaiting": 0, "probe": 0}


def evidence(kept: Kept, deaths: list[float], gaps: int = 0, **account: int) -> Evidence:
    ledger = Ledger(taken={ONE: 100.0, OTHER: 101.0}, loose={LOOSE})
    samples = [Sample(at, 1, at, 100.0, 20, 1.0, 1.0, 2, 0, 10.0) for at in (60.0, 120.0)]
    status = {"account": ACCOUNT | account, "balance": {"unexplained": 0}, "history_behind": 0}
    devices = [ACCOUNT | {"id": "queue-1", "gaps": gaps}]
    return Evidence(ledger, kept, samples, deaths, status, devices, 0, "")


def broken(seen: Evidence) -> set[str]:
    return {verdict.promise for verdict in judge(seen) if not verdict.held}


def test_all_is_well() -> None:
    assert broken(evidence(Kept(Counter([ONE, OTHER]), heard=2000), [])) == set()


def test_what_is_lost_is_excused_by_the_brokers_death_alone() -> None:
    kept = Kept(Counter([ONE, LATER]), heard=2000)
    assert broken(evidence(kept, [], gaps=2)) == {"nothing that the broker kept is lost"}
    assert broken(evidence(kept, [102.0], gaps=2)) == set()
    assert broken(evidence(kept, [110.0], gaps=2)) == {"nothing that the broker kept is lost"}


@pytest.mark.parametrize(
    ("kept", "account", "promise"),
    [
        (Kept(Counter([ONE, ONE, OTHER]), heard=2000), {}, "nothing is stored twice"),
        (Kept(Counter([ONE, OTHER]), heard=2000), {"stored": 1}, "the account balances"),
        (Kept(Counter([ONE, OTHER]), heard=2000, counts_of_people=1), {}, "InfluxDB has what the journal has"),
        (Kept(Counter([ONE, OTHER]), 2000, differing=["x"]), {}, "a restart knows what the journal knows"),
    ],
)
def test_each_promise_can_be_broken(kept: Kept, account: dict[str, int], promise: str) -> None:
    assert broken(evidence(kept, [], **account)) == {promise}


def test_the_account_of_each_device_is_looked_at_and_what_the_sessions_counted() -> None:
    seen = evidence(Kept(Counter([ONE, OTHER]), heard=2000), [])
    seen.devices[0]["stored"] = 1
    assert broken(seen) == {"the account balances"}
    seen.devices[0]["duplicate"] = 1
    assert broken(seen) == set()
    seen.status["balance"]["unexplained"] = 1
    assert broken(seen) == {"the account balances"}


def alarm(number: int) -> Alarm:
    subject = Subject("device", "smoke-1")
    return Alarm(f"a{number}", "h", "fire:smoke-1", FactKind.FIRE, subject, Priority.LIFE_SAFETY, 1, 1, 1)


def test_an_alarm_that_is_open_twice_is_told() -> None:
    kept = Kept(Counter([ONE, OTHER]), heard=2000, alarms=[alarm(1), alarm(2)])
    assert broken(evidence(kept, [])) == {"an alarm is open once"}


def test_what_was_lost_and_no_number_shows_is_told() -> None:
    seen = evidence(Kept(Counter([ONE]), heard=2000), [102.0])
    assert broken(seen) == {"what the broker lost shows as gaps"}
    # A device that began anew meanwhile: what it said last nothing can follow.
    seen.ledger.taken[Numbered("queue-1", 8, 1)] = 103.0
    seen.kept.numbered[Numbered("queue-1", 8, 1)] = 1
    assert broken(seen) == set()


def test_a_gap_is_traced_to_what_was_lost_or_never_promised() -> None:
    traced = evidence(Kept(Counter([ONE, OTHER, LATER]), heard=2000), [], gaps=1)
    assert broken(traced) == set()
    traced.ledger.loose.clear()
    assert broken(traced) == {"every gap is traced"}
    for gaps in (0, 2):
        counted = evidence(Kept(Counter([ONE, OTHER, LATER]), heard=2000), [], gaps=gaps)
        assert broken(counted) == {"every gap is traced"}


@pytest.mark.parametrize(
    ("change", "promises"),
    [
        ({"memory_mb": 500.0}, {"memory is bounded"}),
        ({"handles": 60}, {"handles are bounded"}),
        ({"wal_mb": 500.0}, {"files are bounded"}),
        ({"store_mb": 500.0}, {"files are bounded"}),
        # A life that ended within its first minute shows neither.
        ({"age_s": 50.0}, {"memory is bounded", "handles are bounded"}),
    ],
)
def test_what_grows_is_told(change: dict[str, Any], promises: set[str]) -> None:
    seen = evidence(Kept(Counter([ONE, OTHER]), heard=2000), [])
    seen.samples[-1] = replace(seen.samples[-1], **change)
    assert broken(seen) == promises


def test_a_traceback_is_told() -> None:
    seen = replace(evidence(Kept(Counter([ONE, OTHER]), heard=2000), []), log="Traceback (most recent call last)\n")
    assert broken(seen) == {"no error that nobody expected"}


def test_a_detector_that_nobody_heard_is_told() -> None:
    seen = evidence(Kept(Counter([ONE, OTHER]), heard=2000), [])
    seen.ledger.fires.append(("smoke-1", 100.0))
    assert broken(seen) == {"every detector that cried is heard"}


def test_a_course_is_drawn_from_its_least_to_its_most() -> None:
    assert drawn([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert drawn([5, 5]) == "▁▁"
    assert drawn([]) == ""
