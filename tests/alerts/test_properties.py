"""What must hold of any story: more ticks, duplicates and restarts change nothing, and no one is forgotten."""

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.model import Priority, Stage
from sensors.actions import (
    AcceptTicket,
    Acknowledge,
    Action,
    AnswerMessage,
    ConfirmRun,
    FinishTicket,
    StandDown,
    StartPlan,
    TakeRole,
)
from sensors.errors import RefusedError
from sensors.facts import Fact, FactKind, Subject
from sensors.readings import CrowdLevel
from tests.alerts.harness import Rows, Scene

KINDS = (FactKind.FIRE, FactKind.HELP, FactKind.WINDOW_UNSTAFFED, FactKind.EQUIPMENT_FAULT, FactKind.BATTERY_LOW)
PEOPLE = ("ann", "bob", "cat", "the desk")


@dataclass(frozen=True)
class Told:
    """A fact comes in. `pick` chooses the device."""

    kind: FactKind
    pick: int
    holds: bool
    verified: bool
    detail: str
    level: CrowdLevel


@dataclass(frozen=True)
class Passed:
    seconds: int


@dataclass(frozen=True)
class Done:
    """A person does something to the newest thing of its kind."""

    what: str
    who: str


facts = st.builds(
    Told,
    st.sampled_from((*KINDS, FactKind.CROWD)),
    st.integers(1, 2),
    st.booleans(),
    st.sampled_from((True, True, False)),
    st.sampled_from(("smoke", "smoke", "heat", "mcp")),
    st.sampled_from((CrowdLevel.ORANGE, CrowdLevel.RED)),
)
passing = st.builds(Passed, st.sampled_from((1, 29, 30, 60, 179, 180, 301, 4000)))
DEEDS = (
    "ack", "answer", "confirm", "stand down", "start", "drill", "take lead", "take guide", "accept", "finish",
)  # fmt: skip
deeds = st.builds(Done, st.sampled_from(DEEDS), st.sampled_from(PEOPLE))
stories = st.lists(facts | passing | deeds, max_size=25)


def fact_of(scene: Scene, told: Told) -> Fact:
    fact = scene.fact(told.kind, f"d{told.pick}", holds=told.holds, verified=told.verified, detail=told.detail)
    if told.kind is FactKind.CROWD:
        return replace(fact, subject=Subject("zone", "z1"), level=told.level if told.holds else None)
    return fact


def action_of(scene: Scene, what: str) -> Action:
    rows = scene.rows
    newest = {name: list(table)[-1] if table else "" for name, table in vars_of(rows).items()}
    run = rows.runs.get(newest["runs"])
    drill = run is not None and run.drill
    actions: dict[str, Action] = {
        "ack": Acknowledge(newest["alarms"] or "A000001"),
        "answer": AnswerMessage(newest["messages"] or "M000001"),
        "confirm": ConfirmRun(newest["runs"] or "R000001"),
        "stand down": StandDown(newest["runs"] or "R000001", "drill_over" if drill else "all_clear"),
        "start": StartPlan("fire", "fire"),
        "drill": StartPlan("fire", "fire", drill=True),
        "take lead": TakeRole(newest["runs"] or "R000001", "lead"),
        "take guide": TakeRole(newest["runs"] or "R000001", "guide"),
        "accept": AcceptTicket(newest["tickets"] or "T000001"),
        "finish": FinishTicket(newest["tickets"] or "T000001"),
    }
    return actions[what]


def vars_of(rows: Rows) -> dict[str, list[str]]:
    return {
        "alarms": list(rows.alarms),
        "runs": list(rows.runs),
        "tickets": list(rows.tickets),
        "messages": list(rows.messages),
    }


def play(
    story: list[Told | Passed | Done], *, steps: int = 1, twice: bool = False, restart: bool = False, mute: bool = False
) -> Scene:
    scene = Scene(mute=mute)
    for part in story:
        match part:
            case Passed(seconds):
                scene.forward(seconds=seconds, steps=steps)
            case Told():
                fact = fact_of(scene, part)
                scene.tell(*((fact, fact) if twice else (fact,)))
            case Done(what, who):
                act(scene, what, who)
        if restart:
            scene.restart()
        check(scene)
    return scene


def act(scene: Scene, what: str, who: str) -> None:
    action = action_of(scene, what)
    try:
        scene.do(action, by=who)
    except RefusedError:
        # A refusal has changed nothing, not even half of something.
        assert not scene.engine.take()


def check(scene: Scene) -> None:
    """Whoever must be told has a time at which this happens."""
    book = scene.engine.book
    for alarm in book.alarms.values():
        if alarm.acknowledged is None and alarm.run not in book.runs and alarm.priority is Priority.LIFE_SAFETY:
            assert alarm.repeat_at is not None, alarm
    for run in book.runs.values():
        assert (run.verify_until is not None) is (run.stage is Stage.VERIFY)
        open_roles = any(state.answered is None for state in run.roles)
        assert (run.repeat_at is not None) is (run.stage is Stage.VERIFY or open_roles)
    due = scene.engine.next_due()
    assert due is None or due >= scene.now


@given(stories, st.integers(2, 40))
@settings(deadline=None, max_examples=150)
def test_ticking_more_often_changes_nothing(story: list[Told | Passed | Done], steps: int) -> None:
    assert play(story).rows == play(story, steps=steps).rows


@given(stories)
@settings(deadline=None, max_examples=150)
def test_duplicates_change_nothing(story: list[Told | Passed | Done]) -> None:
    assert play(story).rows == play(story, twice=True).rows


@given(story=stories, mute=st.booleans())
@settings(deadline=None, max_examples=150)
def test_a_restart_at_any_point_changes_nothing(story: list[Told | Passed | Done], *, mute: bool) -> None:
    assert play(story, mute=mute).rows == play(story, restart=True, mute=mute).rows


@given(stories)
@settings(deadline=None, max_examples=150)
def test_what_nobody_vouches_for_starts_no_plan(story: list[Told | Passed | Done]) -> None:
    doubtful = [replace(part, verified=False) if isinstance(part, Told) else part for part in story]
    scene = play([part for part in doubtful if not (isinstance(part, Done) and part.what in {"start", "drill"})])
    assert not scene.rows.runs


@given(stories)
@settings(deadline=None, max_examples=150)
def test_no_word_of_a_drill_on_what_is_real_and_none_the_other_way(story: list[Told | Passed | Done]) -> None:
    rows = play(story).rows
    for message in rows.messages.values():
        run = rows.runs.get(message.about)
        assert message.drill is (run is not None and run.drill and message.note.code != "run.drill_ended")


@given(stories)
@settings(deadline=None, max_examples=100)
def test_every_verified_fire_is_in_a_run(story: list[Told | Passed | Done]) -> None:
    rows = play(story).rows
    for alarm in rows.alarms.values():
        if alarm.kind is FactKind.FIRE:
            assert (alarm.run is not None) is alarm.verified
