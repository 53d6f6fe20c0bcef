"""Roles of a run: asked in their order, answered by link or on the page, repeated until each has an answer."""

import pytest

from alerts.model import Stage
from sensors.actions import Acknowledge, AnswerMessage, ConfirmRun, StandDown, TakeRole
from sensors.errors import RefusedError
from sensors.facts import FactKind
from tests.alerts.harness import FIRE_PLAN, HOLDERS, Scene, plan, role, site, start


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
