"""Crowding: orange tells people in turn, red starts the plan."""

from alerts.model import Stage
from sensors.actions import StandDown
from sensors.facts import FactKind
from sensors.readings import CrowdLevel
from tests.alerts.harness import Scene


def test_orange_is_an_alarm_and_red_is_a_run() -> None:
    scene = Scene()
    scene.crowd(CrowdLevel.ORANGE)
    assert scene.told() == [("ann", "alarm.raised")]
    assert not scene.rows.runs
    scene.forward(seconds=90)
    scene.crowd(CrowdLevel.RED, again=True)
    assert (scene.run().plan.id, scene.run().stage, scene.run().why) == ("crowd", Stage.ACTIVE, "alarm")
    assert scene.told() == [("bob", "run.active")]
    scene.forward(seconds=30)
    assert scene.told() == [("cat", "run.active")]


def test_an_unverified_red_starts_nothing() -> None:
    scene = Scene()
    scene.crowd(CrowdLevel.RED, verified=False)
    assert not scene.rows.runs
    assert scene.people()


def test_stood_down_it_stays_down_until_red_comes_anew() -> None:
    scene = Scene()
    scene.crowd(CrowdLevel.RED)
    scene.do(StandDown(scene.run().id, "all_clear"))
    scene.crowd(CrowdLevel.RED, again=True)
    assert len(scene.rows.runs) == 1
    scene.crowd(CrowdLevel.ORANGE, again=True)
    scene.crowd(CrowdLevel.RED, again=True)
    assert len(scene.rows.runs) == 2
    scene.expect_alarm(FactKind.CROWD, "z1", run=scene.run().id, acknowledged=None)
