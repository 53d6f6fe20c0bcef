"""What holds for whatever comes: time may be cut anyhow, snapshots change nothing, the dead raise nothing."""

import dataclasses
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.actions import Action, ApproveDevice, PauseWindow, ResumeWindow, RetireDevice
from sensors.decode.reception import Arrival
from sensors.errors import RefusedError
from sensors.facts import Fact, FactKind
from sensors.hall.hall import STATE_VERSION, Hall, decode_state, encode_state
from sensors.hall.snapshot import SnapshotError
from sensors.hall.state import HallState, Liveness, WindowState
from sensors.inputs import AnyInput, Lane, Linked, Raised, Started, Ticked
from sensors.readings import (
    Availability,
    Badge,
    BadgeResult,
    Battery,
    Button,
    ButtonAction,
    Contact,
    Crowd,
    CrowdLevel,
    Direction,
    Equipment,
    EquipmentState,
    Fire,
    FireSensor,
    Flag,
    Kind,
    PeopleCount,
    Presence,
    Queue,
    Scope,
    Value,
)
from tests.sensors.hall.harness import KINDS, Speaking, fold, ms, replay, site

SITE = site()
Take = tuple[AnyInput, Arrival | None]

FIRES = st.builds(
    Fire, alarm=st.booleans(), sensor=st.sampled_from(FireSensor), test=st.booleans(), fault=st.booleans()
)
BY_KIND: dict[Kind, st.SearchStrategy[Value]] = {
    Kind.BADGE: st.builds(
        Badge,
        st.sampled_from(["04A1B2", "04C3D4", "FFFF"]),
        st.sampled_from(BadgeResult),
        st.sampled_from([None, *Direction]),
    ),
    Kind.PRESENCE: st.builds(Presence, st.booleans()),
    Kind.QUEUE: st.builds(Queue, st.integers(0, 40), st.none() | st.floats(0, 3000)),
    Kind.PEOPLE_COUNT: st.builds(PeopleCount, st.integers(0, 500))
    | st.builds(PeopleCount, in_delta=st.integers(0, 99)),
    Kind.EQUIPMENT: st.builds(Equipment, st.sampled_from(EquipmentState), st.sampled_from([None, "e1", "e2"])),
    Kind.FIRE: FIRES,
    Kind.BUTTON: st.builds(Button, st.sampled_from(ButtonAction)),
    Kind.CROWD: st.builds(Crowd, st.sampled_from(CrowdLevel)),
}
ANY: st.SearchStrategy[Value] = (
    st.builds(Availability, st.booleans(), st.sampled_from(Scope))
    | st.builds(Battery, st.floats(0, 100))
    | st.builds(Contact, st.booleans(), st.booleans())
)
DEVICES = ("r1", "s1", "r3", "s3", "q1", "p1", "f1", "f2", "b1", "c1", "c2", "new-1", "f-new")


@st.composite
def messages(draw: st.DrawFn, *, dead: bool = False) -> Callable[[Speaking], object]:
    """One message of any device; `dead`: one that is no event of now."""
    device = draw(st.sampled_from(DEVICES))
    own = BY_KIND.get(KINDS.get(device[0], Kind.BATTERY), ANY)
    value = draw(own | ANY)
    if dead and isinstance(value, Availability):
        value = Battery(5.0)
    way = draw(st.sampled_from(["retained", "flag", "replayed"] if dead else ["live"] * 6 + ["retained", "flag"]))
    lane = Lane.SAFETY if isinstance(value, Fire) else Lane.TELEMETRY
    flags = draw(st.sampled_from([Flag.TEST, Flag.DRILL, Flag.HISTORY, Flag.LEARN])) if way == "flag" else Flag.NONE
    return lambda hall: hall.says(
        device, value, retained=way == "retained", flags=flags, replayed=way == "replayed", lane=lane
    )


def acts(hall: Speaking, action: Action) -> None:
    try:
        hall.act(action)
    except RefusedError:
        return


OTHERS: st.SearchStrategy[Callable[[Speaking], object]] = st.one_of(
    st.builds(lambda lane, up, missed: lambda hall: hall.take(Linked(hall.now, lane, up, missed)),
              st.sampled_from(Lane), st.booleans(), st.booleans()),
    st.builds(lambda digest: lambda hall: hall.take(Started(hall.now, digest)), st.sampled_from(["site-1", "site-2"])),
    st.builds(lambda holds: lambda hall: hall.take(Raised(hall.now, "history", "x", holds)), st.booleans()),
    st.builds(lambda action: lambda hall: acts(hall, action), st.sampled_from([
        PauseWindow("w3"), PauseWindow("w1", covered_by="p-wang"), ResumeWindow("w3"), ResumeWindow("w1"),
        ApproveDevice("new-1", (Kind.PRESENCE,), window="w3"), RetireDevice("new-1"), RetireDevice("f-new"),
        ApproveDevice("f-new", (Kind.FIRE,), zone="a"),
    ])),
    st.just(lambda hall: hall.beat()),
)  # fmt: skip
GAPS = st.sampled_from([0, 1, 900, 5_000, 30_000, 61_000, 200_000, 1_000_000, 7_000_000])


@st.composite
def stories(draw: st.DrawFn) -> list[Take]:
    """What happened in a hall: messages, links, starts, people, with time between."""
    hall = Speaking(site=SITE, now=ms(draw(st.sampled_from(["08:20", "09:00", "11:30", "23:50"]))))
    if draw(st.booleans()):
        hall.start()
    for _ in range(draw(st.integers(1, 25))):
        hall.now += draw(GAPS)
        draw(messages() | OTHERS)(hall)
    hall.take(Ticked(hall.now + draw(GAPS)))
    return hall.inputs


def run(story: list[Take], between: Callable[[Hall, int, int], list[Fact]] | None = None) -> tuple[bytes, list[Fact]]:
    hall, facts, before = Hall(SITE, "main"), list[Fact](), story[0][0].at
    for item, arrival in story:
        if between is not None and not isinstance(item, Started):
            facts += between(hall, before, item.at)
        facts += fold(hall, item, arrival)
        before = item.at
    return encode_state(hall.state), facts


@settings(deadline=None, max_examples=120)
@given(stories(), st.sampled_from([1_000, 7_777, 60_000]))
def test_ticking_more_often_changes_nothing(story: list[Take], period: int) -> None:
    def ticks(hall: Hall, start: int, end: int) -> list[Fact]:
        stop = min(end, start + 40 * period)
        return [fact for at in range(start, stop, period) for fact in fold(hall, Ticked(at), None)]

    assert run(story, ticks) == run(story)


@settings(deadline=None, max_examples=120)
@given(stories(), st.data())
def test_a_snapshot_anywhere_changes_nothing(story: list[Take], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(story)))
    whole, facts = run(story)
    first = replay(SITE, story[:cut])
    blob = encode_state(first.state)
    assert encode_state(decode_state(blob)) == blob
    assert decode_state(blob) == first.state
    second = Hall(SITE, "main", decode_state(blob))
    told = [fact for item, arrival in story[cut:] for fact in fold(second, item, arrival)]
    assert encode_state(second.state) == whole
    assert told == facts[len(facts) - len(told) :]


@settings(deadline=None, max_examples=120)
@given(stories())
def test_the_same_inputs_are_the_same_facts(story: list[Take]) -> None:
    assert run(story) == run(story)


@settings(deadline=None, max_examples=120)
@given(st.lists(st.tuples(GAPS, messages(dead=True)), max_size=25))
def test_what_is_not_live_raises_nothing_but_an_unverified_fire(
    said: list[tuple[int, Callable[[Speaking], object]]],
) -> None:
    hall = Speaking(site=SITE).open()
    for gap, message in said:
        hall.forward(seconds=min(gap, 300_000) / 1000)
        message(hall)
    hall.forward(minutes=20)
    held = [fact for fact in hall.facts if fact.holds and fact.kind not in {FactKind.PUNCH, FactKind.FIRE_TEST}]
    assert [fact for fact in held if fact.kind is not FactKind.FIRE or fact.verified] == []
    assert all(fact.detail in {"late", "absent", "unknown"} for fact in hall.told(FactKind.PUNCH))
    assert all(window.people == {} for window in hall.hall.state.windows.values())


@settings(deadline=None, max_examples=150)
@given(stories())
def test_facts_come_in_pairs_and_in_order(story: list[Take]) -> None:
    _, facts = run(story)
    open_: set[str] = set()
    for before, fact in zip([None, *facts], facts, strict=False):
        assert before is None or fact.at >= before.at
        assert fact.since <= fact.at
        if fact.edge:
            assert fact.holds
        elif fact.again:
            assert fact.holds
            assert fact.key in open_
        elif fact.holds:
            assert fact.key not in open_
            open_.add(fact.key)
        else:
            open_.remove(fact.key)


@settings(deadline=None, max_examples=150)
@given(stories())
def test_no_window_is_unstaffed_for_minutes_in_which_its_sensors_were_down(story: list[Take]) -> None:
    hall, down = Hall(SITE, "main"), dict[str, int]()

    def look(facts: list[Fact]) -> None:
        for fact in facts:
            if fact.kind is FactKind.WINDOW_UNSTAFFED and fact.holds:
                assert fact.since >= max(down.get(f"{kind}{fact.subject.id[1:]}", 0) for kind in "rs")
        for device in hall.state.devices.values():
            if device.liveness is not Liveness.ONLINE:
                down[device.id] = hall.state.now

    for item, arrival in story:
        hall.lapse(item)
        while (due := hall.next_due()) is not None and due <= item.at:
            look(hall.fire_due(due))
        look(hall.step(item, arrival))


def morning() -> str:
    """Three windows nobody sits at, all closed at the same instant: the order of their facts must be told by us."""
    hall = Speaking(site=site(thresholds={"unstaffed_clear_s": 0})).open()
    for window in ("w2", "w3", "w1"):
        hall.sits(window, present=False)
    hall.until("12:01")
    return repr((hall.facts, hashlib.sha256(encode_state(hall.hall.state)).hexdigest()))


def test_another_process_tells_the_same() -> None:
    ask = "from tests.sensors.hall.test_properties import morning; print(morning(), end='')"
    # All started at once, and none compared with this process: they load the same code, whoever edits it meanwhile.
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ask],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2", "3")
    ]
    said = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    told = {out for out, _ in said}
    assert len(told) == 1
    assert told.pop().count("holds=False") == 3


def test_a_damaged_snapshot_is_refused() -> None:
    blob = encode_state(Speaking().open().hall.state)
    for damaged in (b"", blob[:-1], b"\x93\x01\x02\x03", blob.replace(b"online", b"onlyne", 1)):
        with pytest.raises(SnapshotError):
            decode_state(damaged)


def test_a_snapshot_of_an_older_shape_gets_the_defaults() -> None:
    state = HallState("main", windows={"w1": WindowState("w1")})
    blob = encode_state(state).replace(b"\xa7leaving\xc0", b"\xa7departs\xc0")
    assert blob != encode_state(state)
    assert decode_state(blob) == state


def test_the_version_follows_the_shape() -> None:
    assert len(STATE_VERSION) == 16
    names = {field.name for field in dataclasses.fields(HallState)}
    assert {"devices", "timers", "conditions"} <= names
