"""The clock is stepped in the midst: every deadline has left what it had left, records stay what they were."""

import pytest

from alerts.model import MessageState
from sensors.facts import FactKind
from sensors.inputs import Stepped
from tests.alerts.harness import START, Scene, active

HOUR, DAY = 3_600_000, 86_400_000
STEPS = [HOUR, -HOUR, DAY, -DAY]


def step(scene: Scene, by: int) -> None:
    """The clock says something else from now on."""
    scene.step(Stepped(scene.now, by))
    scene.now += by


@pytest.mark.parametrize("by", STEPS)
def test_the_verify_clock_has_left_what_it_had_left(by: int) -> None:
    scene = Scene()
    scene.smoke()
    scene.forward(seconds=100)
    step(scene, by)
    scene.forward(seconds=79)
    assert not active(scene)
    scene.forward(seconds=1)
    assert active(scene)
    assert scene.run().why == "no_answer"


@pytest.mark.parametrize("by", STEPS)
def test_a_repeat_of_a_plan_comes_when_it_would_have_come_and_once(by: int) -> None:
    scene = Scene()
    scene.smoke()
    scene.forward(seconds=50)
    scene.mark()
    step(scene, by)
    scene.forward(seconds=9)
    assert scene.posted() == []
    scene.forward(seconds=1)
    assert {one.round for one in scene.posted()} == {2}


@pytest.mark.parametrize("by", STEPS)
def test_an_escalation_and_the_repeat_of_an_alarm_wait_no_longer_and_no_shorter(by: int) -> None:
    scene, plain = Scene(), Scene()
    told = []
    for one, stepped in ((plain, 0), (scene, by)):
        one.raised(FactKind.EQUIPMENT_FAULT)
        one.forward(seconds=200)
        if stepped:
            step(one, stepped)
        one.mark()
        begin, times = one.now, []
        for _ in range(900):
            one.forward(seconds=1)
            times += [(one.now - begin, post.person, post.note.code) for post in one.posted()]
        told.append(times)
    assert told[0] == told[1]
    assert told[0]


@pytest.mark.parametrize("by", STEPS)
def test_a_message_is_tried_again_after_the_same_while(by: int) -> None:
    scene = Scene(mute=True)
    scene.smoke()
    first = scene.engine.ready(scene.now)[0]
    scene.attempt(first.id)
    scene.report(first.id, "retry", "timeout", retry_after_s=30)
    waits = scene.rows.messages[first.id].not_before - scene.now
    assert waits > 0
    step(scene, by)
    assert first.id not in {one.id for one in scene.engine.ready(scene.now + waits - 1)}
    assert first.id in {one.id for one in scene.engine.ready(scene.now + waits)}


@pytest.mark.parametrize("by", STEPS)
def test_what_was_is_not_rewritten(by: int) -> None:
    scene = Scene()
    alarm = scene.smoke()
    run, messages = scene.run(), dict(scene.rows.messages)
    assert all(one.state is MessageState.SENT for one in messages.values())
    step(scene, by)
    assert scene.alarm(FactKind.FIRE, "s1").raised == alarm.raised == START
    assert (scene.run().id, scene.run().started) == (run.id, run.started)
    assert scene.rows.messages == messages


@pytest.mark.parametrize("by", STEPS)
def test_a_start_from_rows_goes_on_as_if_there_had_been_none(by: int) -> None:
    scene = Scene()
    scene.smoke()
    scene.forward(seconds=100)
    step(scene, by)
    scene.restart()
    scene.forward(seconds=79)
    assert not active(scene)
    scene.forward(seconds=1)
    assert active(scene)
