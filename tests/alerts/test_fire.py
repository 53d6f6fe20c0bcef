"""The story of a fire: look first, but never longer than the clock; then everybody's part, until it is over."""

import pytest

from alerts.model import Lane, Stage
from sensors.actions import Acknowledge, AnswerMessage, CompleteStep, ConfirmRun, StandDown, StartPlan, TakeRole
from sensors.errors import RefusedError
from sensors.facts import FactKind
from tests.alerts.harness import CROWD_PLAN, FIRE_PLAN, START, Rows, Scene, plan, role, site

HOLDERS = ["ann", "bob", "cat", "dan", "eve"]


def active(scene: Scene) -> bool:
    return scene.run().stage is Stage.ACTIVE


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


def test_holders_follow_each_other_and_in_the_end_everybody_is_told() -> None:
    scene = Scene(site(plans=[plan(FIRE_PLAN, repeat_s=3600)]))
    scene.smoke("c1", detail="mcp")
    scene.mark()
    scene.forward(seconds=29)
    assert scene.people() == []
    scene.forward(seconds=1)
    assert scene.people() == ["bob", "dan"]
    scene.forward(seconds=30)
    # Nobody of lead's two has answered: everybody who can be reached hears that it is vacant; guide still has eve.
    assert scene.told() == sorted([(who, "run.vacant") for who in (*HOLDERS, "gus")] + [("eve", "run.active")])
    scene.forward(seconds=30)
    assert [state.everybody for state in scene.run().roles] == [True, True]
    vacant = [one for one in scene.rows.messages.values() if one.note.code == "run.vacant" and one.person == "dan"]
    scene.do(AnswerMessage(vacant[0].id), by="link")
    lead, guide = scene.run().roles
    assert (lead.answered_by, guide.answered_by) == ("dan", "dan")


def test_who_acknowledges_on_the_page_takes_what_nobody_has_taken_and_the_repeats_stop() -> None:
    scene = Scene()
    alarm = scene.smoke("c1", detail="mcp")
    scene.do(Acknowledge(alarm.id), by="visitor")
    assert [state.answered_by for state in scene.run().roles] == [None, None]  # holders are still being asked
    scene.forward(minutes=2)
    scene.do(Acknowledge(alarm.id), by="visitor")
    assert [state.answered_by for state in scene.run().roles] == ["visitor", "visitor"]
    scene.mark()
    scene.forward(minutes=30)
    assert scene.posted() == []


def test_an_answer_takes_a_role_and_ends_its_asking() -> None:
    scene = Scene()
    scene.smoke("c1", detail="mcp")
    scene.forward(seconds=10)
    scene.do(AnswerMessage(scene.message_to("ann", scene.run().id).id), by="link")
    lead, guide = scene.run().roles
    assert (lead.answered_by, lead.answered, lead.next_at) == ("ann", scene.now, None)
    assert guide.answered is None
    scene.mark()
    scene.forward(seconds=20)
    assert scene.people() == ["dan"]
    scene.forward(seconds=29)
    scene.do(Acknowledge(scene.run().alarms[0]), by="dan")
    scene.mark()
    scene.forward(minutes=60)
    assert scene.people() == []
    assert scene.run().repeat_at is None


def test_a_run_by_hand_is_answered_role_by_role_on_the_page() -> None:
    scene = Scene()
    run = start(scene)
    assert not scene.run().alarms
    scene.forward(seconds=10)
    scene.do(TakeRole(run, "lead"), by="the desk")
    lead, guide = scene.run().roles
    assert (lead.answered_by, lead.answered, lead.next_at) == ("the desk", scene.now, None)
    assert (guide.answered, guide.next_at is None) == (None, False)
    assert "run.role_taken" in scene.logged()
    scene.mark()
    scene.forward(seconds=50)
    # The other role goes on being asked for, of who has not answered.
    assert scene.people() == ["cat", "dan", "eve"]
    scene.do(TakeRole(run, "guide"), by="gus")
    assert (scene.run().repeat_at, scene.engine.next_due()) == (None, scene.run().steps[2].due)
    scene.mark()
    scene.forward(minutes=60)
    assert scene.posted() == []


def test_a_role_taken_while_somebody_looks_is_an_answer_and_is_kept_when_it_is_real() -> None:
    scene = Scene()
    alarm = scene.smoke()
    scene.forward(seconds=100)
    scene.do(TakeRole(scene.run().id, "lead"), by="bob")
    scene.expect_alarm(FactKind.FIRE, "s1", acknowledged_by="bob")
    assert (scene.run().stage, scene.run().verify_until) == (Stage.VERIFY, scene.now + 180_000)
    scene.mark()
    scene.forward(seconds=60)
    assert scene.told() == [("bob", "run.confirm")]
    scene.do(TakeRole(scene.run().id, "guide"), by="the desk")
    scene.restart()
    scene.do(ConfirmRun(scene.run().id), by="bob")
    assert [state.answered_by for state in scene.run().roles] == ["bob", "the desk"]
    # Who has taken a role before hears its part; the others sent to look have none; the board tells the public.
    idle = [(who, "run.begun") for who in HOLDERS if who != "bob"]
    assert scene.told() == sorted([("bob", "run.active"), *idle, (None, "run.active")], key=str)
    scene.forward(minutes=60)
    assert scene.posted() == []
    assert alarm.run == scene.run().id


def test_a_role_is_taken_once() -> None:
    scene = Scene()
    with pytest.raises(RefusedError, match="no_such_run"):
        scene.do(TakeRole("R000001", "lead"))
    run = start(scene)
    scene.do(TakeRole(run, "lead"), by="ann")
    for role_, refusal in (("lead", "role_taken"), ("cook", "no_such_role")):
        with pytest.raises(RefusedError, match=refusal):
            scene.do(TakeRole(run, role_), by="bob")
    assert scene.run().roles[0].answered_by == "ann"
    scene.do(StandDown(run, "all_clear"))
    with pytest.raises(RefusedError, match="run_ended"):
        scene.do(TakeRole(run, "guide"))


def test_messages_are_repeated_to_who_was_asked_until_each_role_has_an_answer() -> None:
    roles = [role("lead", "ann", "bob", answer_s=600), role("guide", "cat", answer_s=600)]
    scene = Scene(site(plans=[plan(FIRE_PLAN, roles=roles)]))
    scene.smoke("c1", detail="mcp")
    scene.mark()
    scene.do(AnswerMessage(scene.message_to("cat").id), by="link")
    scene.forward(minutes=1)
    assert scene.told() == [("ann", "run.active")]
    scene.forward(minutes=1)
    assert {one.round for one in scene.posted()} == {3}


def test_a_holder_without_a_contact_is_passed_over() -> None:
    scene = Scene(site(plans=[plan(FIRE_PLAN, roles=[role("lead", "fay", "bob"), role("guide", "fay")], steps=[])]))
    scene.smoke("c1", detail="mcp")
    assert ("bob", "run.active") in scene.told()
    assert "run.holder_unreachable" in scene.logged()
    assert scene.run().roles[1].everybody


def test_everyone_means_all_who_can_be_reached() -> None:
    messages = [{"audience": "everyone", "text": {"zh": "out"}}]
    scene = Scene(site(plans=[plan(FIRE_PLAN, messages=messages)]))
    scene.smoke("c1", detail="mcp")
    assert scene.people() == [*HOLDERS, "gus"]


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


# -- by a person, and drills --------------------------------------------------------------------------------


def start(scene: Scene, *, drill: bool = False, confirm: str = "fire") -> str:
    return scene.do(StartPlan("fire", confirm, drill=drill), by="ann").refs[0]


def test_a_person_starts_a_plan_by_typing_its_name() -> None:
    scene = Scene()
    with pytest.raises(RefusedError, match="confirm_mismatch"):
        start(scene, confirm="yes")
    run = start(scene)
    assert (scene.run().id, scene.run().stage, scene.run().why) == (run, Stage.ACTIVE, "person")
    with pytest.raises(RefusedError, match="plan_running"):
        start(scene)
    with pytest.raises(RefusedError, match="no_such_plan"):
        scene.do(StartPlan("flood", "flood"))


def test_a_drill_is_marked_on_every_message() -> None:
    scene = Scene()
    run = start(scene, drill=True)
    scene.forward(minutes=3)
    with pytest.raises(RefusedError, match="wrong_reason"):
        scene.do(StandDown(run, "all_clear"))
    with pytest.raises(RefusedError, match="plan_running"):
        start(scene, drill=True)
    scene.do(StandDown(run, "drill_over"))
    messages = scene.posted()
    assert {"run.active", "run.vacant", "run.stood_down"} <= {one.note.code for one in messages}
    assert all(one.drill for one in messages)


@pytest.mark.parametrize("by_person", [True, False])
def test_the_real_thing_ends_a_drill(*, by_person: bool) -> None:
    scene = Scene()
    drill = start(scene, drill=True)
    scene.forward(seconds=5)
    scene.mark()
    if by_person:
        start(scene)
    else:
        scene.smoke()
    assert scene.rows.runs[drill].end_reason == ("real_start" if by_person else "real_alarm")
    assert (scene.run().drill, scene.run().stage) == (False, Stage.ACTIVE if by_person else Stage.VERIFY)
    messages = scene.posted()
    assert not any(one.drill for one in messages)
    ended = {one.person for one in messages if one.note.code == "run.drill_ended"}
    assert ended == {None, "ann", "cat"}


@pytest.mark.parametrize("by_person", [True, False])
def test_the_real_thing_ends_a_drill_of_another_plan_and_allows_none(*, by_person: bool) -> None:
    scene = Scene()
    drill = scene.do(StartPlan("crowd", "crowd", drill=True)).refs[0]
    scene.mark()
    if by_person:
        start(scene)
    else:
        scene.smoke()
    assert scene.rows.runs[drill].stage is Stage.ENDED
    assert {one.person for one in scene.posted() if one.note.code == "run.drill_ended"} == {"bob"}
    with pytest.raises(RefusedError, match="plan_running"):
        scene.do(StartPlan("crowd", "crowd", drill=True))
    scene.do(StartPlan("crowd", "crowd"))
    assert len(scene.engine.book.runs) == 2


def test_an_unverified_fire_leaves_a_drill_alone() -> None:
    scene = Scene()
    start(scene, drill=True)
    scene.smoke("s9", verified=False)
    assert scene.run().drill
    assert scene.run().stage is Stage.ACTIVE
