"""Plans that a person starts, and drills: marked everywhere, and ended by the real thing."""

import pytest

from alerts.model import Stage
from sensors.actions import StandDown, StartPlan
from sensors.errors import RefusedError
from tests.alerts.harness import Scene, start

# -- by a person, and drills --------------------------------------------------------------------------------


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
