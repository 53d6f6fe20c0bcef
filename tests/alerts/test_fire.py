"""The story of a fire: look first, but never longer than the clock; then everybody's part, until it is over."""

import pytest

from alerts.model import Lane, Stage
from sensors.actions import Acknowledge, AnswerMessage, CompleteStep, ConfirmRun, StandDown
from sensors.errors import RefusedError
from sensors.facts import FactKind
from tests.alerts.harness import CROWD_PLAN, HOLDERS, START, Rows, Scene, active, site


def test_the_first_signal_sends_all_holders_by_every_channel() -> None:
    scene = Scene()
    alarm = scene.smoke()
    messages = scene.posted()
    assert {(one.person, one.channel) for one in messages} == {
        ("ann", "mail"), ("ann", "hook"), ("bob", "mail"), ("cat", "mail"), ("dan", "mail"), ("eve", "mail"),
    }  # fmt: skip
    assert {one.note.code for one in messages} == {"run.verify"}
    assert {one.note.text_zh for one in messages} == {"go and look"}
    assert {one.lane for one in messages} == {Lane.LIFE_SAFETY}
    assert not any(one.drill for one in messages)
    run = scene.run()
    assert (run.stage, run.verify_until, run.alarms) == (Stage.VERIFY, START + 180_000, (alarm.id,))
    scene.expect_alarm(FactKind.FIRE, "s1", run=run.id, next_told=None, repeat_at=None)


def test_no_answer_in_three_minutes_starts_the_evacuation() -> None:
    scene = Scene()
    scene.smoke()
    scene.mark()
    scene.forward(seconds=60)
    assert scene.told() == [(who, "run.verify") for who in HOLDERS]
    scene.forward(seconds=119)
    assert not active(scene)
    scene.mark()
    scene.forward(seconds=1)
    assert active(scene)
    assert scene.run().why == "no_answer"
    # The first holder of each role has a part; those sent to look hear that it is real; the board tells the public.
    assert scene.told() == [
        ("ann", "run.active"), ("bob", "run.begun"), ("cat", "run.active"),
        ("dan", "run.begun"), ("eve", "run.begun"), (None, "run.active"),
    ]  # fmt: skip


def test_a_detector_that_falls_silent_again_stops_no_clock() -> None:
    scene = Scene()
    scene.smoke()
    scene.cleared(FactKind.FIRE, "s1")
    scene.forward(minutes=3)
    assert active(scene)


@pytest.mark.parametrize(("detail", "why"), [("mcp", "call_point"), ("heat", "heat")])
def test_a_call_point_and_heat_wait_for_nobody(detail: str, why: str) -> None:
    scene = Scene()
    scene.smoke("c1", detail=detail)
    assert (scene.run().stage, scene.run().why) == (Stage.ACTIVE, why)


def test_a_call_point_ends_the_verifying() -> None:
    scene = Scene()
    scene.smoke("s1")
    scene.forward(seconds=20)
    scene.smoke("c1", detail="mcp")
    assert (scene.run().stage, scene.run().why) == (Stage.ACTIVE, "call_point")
    assert len(scene.rows.runs) == 1


@pytest.mark.parametrize(("detail", "why"), [("mcp", "call_point"), ("heat", "heat")])
def test_one_device_that_first_smells_and_then_is_certain_ends_the_verifying(detail: str, why: str) -> None:
    """A panel that speaks for many detectors, a detector of two senses."""
    scene = Scene()
    scene.smoke("s1")
    scene.forward(seconds=20)
    scene.smoke("s1", detail=detail, again=True)
    assert (scene.run().stage, scene.run().why) == (Stage.ACTIVE, why)
    scene.mark()
    scene.smoke("s1", detail="smoke", again=True)
    scene.smoke("s1", detail=detail, again=True)
    assert (scene.posted(), len(scene.rows.runs)) == ([], 1)


def test_a_stood_down_detector_that_becomes_certain_starts_anew() -> None:
    scene = Scene()
    scene.smoke("s1")
    scene.do(StandDown(scene.run().id, "false_alarm"))
    scene.smoke("s1", again=True)
    assert len(scene.rows.runs) == 1
    scene.smoke("s1", detail="heat", again=True)
    assert (scene.run().stage, len(scene.rows.runs)) == (Stage.ACTIVE, 2)
    scene.expect_alarm(FactKind.FIRE, "s1", acknowledged=None)


def test_an_unverified_heat_makes_nothing_certain() -> None:
    scene = Scene()
    scene.smoke("s1")
    scene.smoke("s1", detail="heat", again=True, verified=False)
    assert not active(scene)


def test_a_second_detector_starts_but_the_same_one_again_does_not() -> None:
    scene = Scene()
    scene.smoke("s1")
    scene.forward(seconds=10)
    scene.smoke("s1", again=True)
    assert not active(scene)
    second = scene.smoke("s2")
    assert (scene.run().stage, scene.run().why) == (Stage.ACTIVE, "second_signal")
    assert scene.run().alarms == (scene.alarm(FactKind.FIRE, "s1").id, second.id)
    scene.mark()
    scene.smoke("s3")
    assert scene.told() == [(who, "run.signal") for who in HOLDERS]


def test_a_person_confirms() -> None:
    scene = Scene()
    scene.smoke()
    scene.forward(seconds=30)
    scene.do(ConfirmRun(scene.run().id), by="bob")
    assert (scene.run().stage, scene.run().why) == (Stage.ACTIVE, "person")
    scene.expect_alarm(FactKind.FIRE, "s1", acknowledged_by="bob")
    with pytest.raises(RefusedError, match="not_verifying"):
        scene.do(ConfirmRun(scene.run().id), by="bob")


@pytest.mark.parametrize("by_link", [True, False])
def test_an_answer_gives_the_clock_once_more_and_no_further(*, by_link: bool) -> None:
    scene = Scene()
    alarm = scene.smoke()
    scene.forward(seconds=100)
    if by_link:
        scene.do(AnswerMessage(scene.message_to("bob").id), by="link")
    else:
        scene.do(Acknowledge(alarm.id), by="bob")
    scene.expect_alarm(FactKind.FIRE, "s1", acknowledged_by="bob")
    assert scene.run().verify_until == scene.now + 180_000
    scene.mark()
    scene.forward(seconds=80)
    assert not active(scene)
    assert scene.told() == [("bob", "run.confirm")]
    scene.do(Acknowledge(alarm.id), by="cat")
    scene.forward(seconds=100)
    assert (scene.run().stage, scene.run().why) == (Stage.ACTIVE, "not_confirmed")


def test_an_answer_of_who_cannot_be_reached_reminds_all() -> None:
    scene = Scene()
    alarm = scene.smoke()
    scene.do(Acknowledge(alarm.id), by="the desk")
    scene.mark()
    scene.forward(seconds=60)
    assert scene.told() == [(who, "run.confirm") for who in HOLDERS]


def test_standing_down_tells_all_who_were_told_and_then_nobody() -> None:
    scene = Scene()
    scene.smoke()
    scene.forward(seconds=45)
    scene.mark()
    scene.do(StandDown(scene.run().id, "false_alarm", "steam"), by="ann")
    assert scene.told() == [(who, "run.stood_down") for who in HOLDERS]
    assert (scene.run().stage, scene.run().end_reason, scene.run().ended_by) == (Stage.ENDED, "false_alarm", "ann")
    scene.smoke("s1", again=True)
    scene.forward(minutes=60)
    assert scene.told() == []
    scene.expect_alarm(FactKind.FIRE, "s1", acknowledged_by="ann", active=True)
    with pytest.raises(RefusedError, match="run_ended"):
        scene.do(StandDown(scene.run().id, "all_clear"))
    # Another detector is another fire.
    scene.smoke("s2")
    assert scene.run().stage is Stage.VERIFY


def test_the_public_hears_that_it_is_over_if_it_was_told() -> None:
    scene = Scene()
    scene.smoke("c1", detail="mcp")
    scene.mark()
    scene.do(StandDown(scene.run().id, "all_clear"))
    assert (None, "run.stood_down") in scene.told()


def test_steps_have_their_time_from_their_stage_and_are_done_once() -> None:
    scene = Scene()
    scene.smoke()
    assert {state.step: state.due for state in scene.run().steps} == {
        "look": START + 60_000, "call": None, "count": None,
    }  # fmt: skip
    scene.forward(seconds=61)
    assert [state.step for state in scene.run().steps if state.overdue] == ["look"]
    assert "run.step_overdue" in scene.logged()
    run = scene.run().id
    scene.do(ConfirmRun(run))
    scene.do(CompleteStep(run, "call", "brigade on its way"), by="bob")
    look, call, count = scene.run().steps
    assert (call.done, call.done_by, call.overdue) == (scene.now, "bob", False)
    assert (look.due, count.due) == (None, scene.now + 300_000)
    for step, code in (("call", "step_done"), ("dance", "no_such_step")):
        with pytest.raises(RefusedError) as refused:
            scene.do(CompleteStep(run, step))
        assert refused.value.code == code


@pytest.mark.parametrize("later", [True, False])
def test_an_unverified_fire_tells_the_staff_and_starts_no_plan(*, later: bool) -> None:
    scene = Scene()
    scene.smoke("s9", verified=False)
    assert not scene.rows.runs
    assert scene.told() == [(who, "alarm.raised") for who in HOLDERS]
    scene.smoke("s8", verified=False)
    assert not scene.rows.runs, "two that nobody vouches for are no second signal"
    scene.mark()
    if later:
        scene.smoke("s9", verified=True, again=True)
        assert scene.run().stage is Stage.VERIFY
        assert scene.told() == [(who, "run.verify") for who in HOLDERS]
        scene.expect_alarm(FactKind.FIRE, "s9", verified=True, run=scene.run().id, repeat_at=None)
    else:
        scene.forward(minutes=10)
        assert not scene.rows.runs
        assert scene.told() == [(who, "alarm.repeated") for who in HOLDERS]


def test_a_test_starts_nothing() -> None:
    scene = Scene()
    scene.tell(scene.fact(FactKind.FIRE_TEST, "s1", edge=True))
    scene.forward(minutes=10)
    assert scene.rows == Rows(events=scene.rows.events)


def test_the_plan_is_frozen() -> None:
    scene = Scene()
    scene.smoke()
    scene.site = site(plans=[CROWD_PLAN])
    scene.restart()
    scene.forward(minutes=3)
    assert active(scene)
    assert scene.run().plan.id == "fire"
