"""Each fault does what it is named for, and nothing else; the same seed does it again."""

import json
from collections import Counter, defaultdict

import pytest

from simulators.faults import SILENT_EVERY, Arriving, Fault, lay
from simulators.fleet import Fleet
from simulators.publication import Publication
from tests.system.stage import HALL, example_site

START = 1_773_194_400_000
MINUTES = 20


def world(fault: Fault | None, seed: int = 1) -> tuple[list[Publication], list[Arriving]]:
    site, _ = example_site()
    fleet = Fleet(site, HALL, 3)
    said = list(fleet.publications(START, START + MINUTES * 60_000))
    arriving = [] if fault is None else list(lay(fault, iter(said), fleet, start=START, seed=seed))
    return said, arriving


def numbers(one: Publication) -> tuple[str, int, int] | None:
    body = json.loads(one.payload)
    return (one.device, body["boot"], body["seq"]) if isinstance(body, dict) and "seq" in body else None


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_arrives_in_order_of_time_and_so_twice(fault: Fault) -> None:
    said, arriving = world(fault)
    assert [one.at for one in arriving] == sorted(one.at for one in arriving)
    assert world(fault)[1] == arriving
    assert [one.said for one in arriving] != said or [one.at for one in arriving] != [one.at for one in said]


def test_duplicates_are_whole_messages_and_all_come() -> None:
    said, arriving = world(Fault.DUPLICATE)
    times = Counter((one.said.topic, one.said.payload, one.said.at) for one in arriving)
    usual = Counter((one.topic, one.payload, one.at) for one in said)
    assert set(times) == set(usual)
    assert times.total() > 1.3 * usual.total()
    assert all(numbers(one.said) or one.dup or times[one.said.topic, one.said.payload, one.said.at] for one in arriving)


@pytest.mark.parametrize("fault", [Fault.DELAY, Fault.REORDER])
def test_what_is_late_is_not_lost(fault: Fault) -> None:
    said, arriving = world(fault)
    assert Counter(map(repr, said)) == Counter(repr(one.said) for one in arriving)
    assert all(0 <= one.at - one.said.at <= 10_000 for one in arriving)
    by_device: dict[str, list[int]] = defaultdict(list)
    for one in arriving:
        by_device[one.said.device].append(one.said.at)
    in_order = all(times == sorted(times) for times in by_device.values())
    assert in_order is (fault is Fault.DELAY)


def test_a_wrong_clock_changes_the_time_alone() -> None:
    said, arriving = world(Fault.SKEW)
    wrong = 0
    for before, after in zip(said, arriving, strict=True):
        one, other = json.loads(before.payload), json.loads(after.said.payload)
        if isinstance(one, dict) and "time" in one:
            wrong += one.pop("time") != other.pop("time")
        assert one == other
    assert wrong > 100


def test_every_device_is_silent_for_a_while_in_each_stretch() -> None:
    said, arriving = world(Fault.SILENCE)
    heard = {id(one.said) for one in arriving}
    missed = {one.device for one in said if id(one) not in heard and one.at < START + SILENT_EVERY}
    frequent = {name for name, count in Counter(one.device for one in said).items() if count > MINUTES}
    assert len(missed & frequent) > len(frequent) / 2


@pytest.mark.parametrize(("fault", "more_boots"), [(Fault.REBOOT, True), (Fault.RECOUNT, False)])
def test_a_device_counts_from_zero_again(fault: Fault, more_boots: bool) -> None:
    said, arriving = world(fault)
    boots: dict[str, set[int]] = defaultdict(set)
    counts: Counter[str] = Counter()
    for one in arriving:
        if found := numbers(one.said):
            boots[found[0]].add(found[1])
            counts[found[0]] += found[2] == 0
    assert max(counts.values()) > 3
    usual = {found[:2] for one in said if (found := numbers(one))}
    assert (sum(map(len, boots.values())) > len(usual)) is more_boots
