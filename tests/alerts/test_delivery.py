"""What a channel that fails leads to: the next person at once, and an alarm that nobody outside was told."""

import pytest

from alerts.model import Message, MessageState, Stage
from alerts.outbox import FAILING_AFTER, REFUSALS
from sensors.actions import ConfirmRun
from sensors.facts import FactKind
from tests.alerts.harness import FIRE_PLAN, Scene, plan, role, site

WINDOW = FactKind.WINDOW_UNSTAFFED
NOBODY = "nobody_told/h"


def fail(scene: Scene, message: Message, outcome: str, times: int = 1) -> Message:
    for _ in range(times):
        scene.attempt(message.id)
        message = scene.report(message.id, outcome, "http_500")
    return message


def open_keys(scene: Scene) -> set[str]:
    return {one.key for one in scene.rows.alarms.values() if one.active and one.closed is None}


def test_a_matter_of_life_that_is_refused_is_tried_again_before_it_is_dead() -> None:
    scene = Scene(mute=True)
    scene.raised(FactKind.HELP, "b1")
    message = scene.engine.ready(scene.now)[0]
    waits: list[int] = []
    for attempt in range(1, REFUSALS):
        after = fail(scene, message, "never")
        assert (after.state, after.refused) == (MessageState.RETRY, attempt)
        waits.append(after.not_before - scene.now)
        scene.now = after.not_before
    assert max(waits) <= 4000, "some seconds, not minutes"
    assert fail(scene, message, "never").state is MessageState.DEAD
    assert f"dead_letter/{message.channel}" in open_keys(scene)


def test_who_is_reached_by_no_channel_is_not_waited_for() -> None:
    """A routine alarm: the next of the hall's order hears of it at once, not after five minutes."""
    scene = Scene(mute=True)
    scene.raised(WINDOW, "w1")
    (message,) = scene.engine.ready(scene.now)
    assert message.person == "ann"
    scene.mark()
    fail(scene, message, "never")
    scene.forward(seconds=0)
    about = [one for one in scene.posted() if one.about == message.about]
    assert [one.person for one in about] == ["bob"]


@pytest.mark.parametrize(("outcome", "times"), [("never", 1), ("retry", FAILING_AFTER)])
def test_a_role_goes_to_the_next_holder_as_soon_as_the_first_cannot_be_reached(outcome: str, times: int) -> None:
    slow = plan(FIRE_PLAN, roles=[role("lead", "ann", "bob", answer_s=3600)])
    scene = Scene(site(plans=[slow]), mute=True)
    scene.smoke()
    scene.do(ConfirmRun(scene.run().id), by="the desk")
    asked = [one for one in scene.engine.ready(scene.now) if one.note.code == "run.active" and one.person == "ann"]
    assert {one.channel for one in asked} == {"mail", "hook"}
    scene.mark()
    fail(scene, asked[0], outcome, times)
    scene.forward(seconds=0)
    assert "bob" not in scene.people(), "ann has another channel, on which it is still on its way"
    fail(scene, asked[1], outcome, times)
    scene.forward(seconds=0)
    assert "bob" in scene.people()
    assert scene.run().stage is Stage.ACTIVE
    assert scene.run().roles[0].told == 2


def test_when_every_way_out_fails_it_is_said_that_nobody_outside_was_told() -> None:
    scene = Scene(site(routing={"people": ["ann"]}), mute=True)
    scene.raised(FactKind.HELP, "b1")
    mail, hook = sorted((one for one in scene.engine.ready(scene.now) if one.person == "ann"), key=lambda o: o.id)
    fail(scene, mail, "retry", 4)
    assert NOBODY not in open_keys(scene), "the other channel has not failed yet"
    fail(scene, hook, "retry", 2)
    assert NOBODY not in open_keys(scene), "some seconds are no outage"
    for one in [one for one in scene.engine.ready(scene.now) if one.about == mail.about]:
        fail(scene, one, "retry", 4)
    fail(scene, hook, "retry", 1)
    assert NOBODY in open_keys(scene)
    (alarm,) = [one for one in scene.rows.alarms.values() if one.key == NOBODY]
    assert alarm.detail == "nobody_told"
    assert alarm.priority == "high"
    fail(scene, mail, "sent")
    assert NOBODY not in open_keys(scene), "somebody was told"


def test_one_who_was_told_outside_is_enough() -> None:
    scene = Scene(site(routing={"people": ["ann"]}), mute=True)
    scene.raised(FactKind.HELP, "b1")
    first, *others = scene.engine.ready(scene.now)
    fail(scene, first, "sent")
    for one in others:
        fail(scene, one, "retry", FAILING_AFTER + 1)
    assert NOBODY not in open_keys(scene)
