"""The two axes of an alarm, and who is told of it until somebody answers."""

import pytest

from alerts.model import Lane, Priority
from sensors.actions import Acknowledge, AnswerMessage, CloseAlarm, NoteAlarm
from sensors.errors import RefusedError
from sensors.facts import FactKind
from sensors.readings import CrowdLevel
from tests.alerts.harness import Scene, site

WINDOW = FactKind.WINDOW_UNSTAFFED


def test_cleared_and_acknowledged_is_closed_in_either_order() -> None:
    scene = Scene()
    first = scene.raised(WINDOW, "w1")
    scene.cleared(WINDOW, "w1")
    scene.expect_alarm(WINDOW, "w1", active=False, closed=None, cleared=scene.now)
    scene.forward(seconds=5)
    scene.do(Acknowledge(first.id), by="bob")
    scene.expect_alarm(WINDOW, "w1", closed=scene.now, acknowledged=scene.now, acknowledged_by="bob")

    second = scene.raised(WINDOW, "w1")
    assert second.id != first.id
    scene.do(Acknowledge(second.id))
    scene.expect_alarm(WINDOW, "w1", active=True, closed=None)
    scene.cleared(WINDOW, "w1")
    scene.expect_alarm(WINDOW, "w1", closed=scene.now)
    assert not scene.engine.book.alarms
    assert scene.logged("alarm.") == [
        "alarm.raised", "alarm.cleared", "alarm.acknowledged", "alarm.closed",
        "alarm.raised", "alarm.acknowledged", "alarm.cleared", "alarm.closed",
    ]  # fmt: skip


def test_a_duplicate_changes_nothing_and_a_repeat_is_counted() -> None:
    scene = Scene()
    scene.raised(WINDOW, "w1")
    fact = scene.fact(WINDOW, "w1")
    scene.engine.decide(scene.now, [fact, fact], scene.state)
    assert not scene.engine.take()
    scene.raised(WINDOW, "w1", again=True)
    scene.expect_alarm(WINDOW, "w1", count=2)
    assert len(scene.rows.alarms) == 1
    assert scene.people() == ["ann"]


def test_what_never_held_cannot_clear() -> None:
    scene = Scene()
    scene.cleared(WINDOW, "w1")
    assert not scene.rows.alarms
    assert not scene.rows.events


def test_one_after_the_other_until_everybody_is_told_and_then_again() -> None:
    scene = Scene()
    scene.raised(WINDOW, "w1")
    assert scene.told() == [("ann", "alarm.raised")]
    scene.forward(minutes=4, seconds=59)
    assert scene.told() == []
    scene.forward(seconds=1)
    assert scene.told() == [("ann", "alarm.repeated"), ("bob", "alarm.raised")]
    scene.forward(minutes=5)
    assert scene.told() == [("ann", "alarm.repeated"), ("bob", "alarm.repeated"), ("cat", "alarm.raised")]
    scene.expect_alarm(WINDOW, "w1", everybody=True, told=3)
    assert "alarm.everybody_told" in scene.logged()
    for _ in range(3):
        scene.forward(minutes=5)
        assert scene.told() == [(who, "alarm.repeated") for who in ("ann", "bob", "cat")]


def test_an_answer_stops_it() -> None:
    scene = Scene()
    alarm = scene.raised(WINDOW, "w1")
    scene.forward(minutes=5)
    scene.mark()
    scene.do(Acknowledge(alarm.id, note="on my way"), by="bob")
    scene.forward(minutes=60)
    assert scene.told() == []
    assert scene.engine.next_due() is None


def test_answering_by_link_acknowledges() -> None:
    scene = Scene()
    alarm = scene.raised(WINDOW, "w1")
    message = scene.message_to("ann")
    outcome = scene.do(AnswerMessage(message.id), by="link")
    assert outcome.refs == (message.id, alarm.id)
    scene.expect_alarm(WINDOW, "w1", acknowledged_by="ann")
    assert scene.rows.messages[message.id].answered == scene.now
    with pytest.raises(RefusedError, match="message_answered"):
        scene.do(AnswerMessage(message.id), by="link")


def test_only_the_channels_of_the_routing() -> None:
    scene = Scene()
    scene.raised(WINDOW, "w1")
    assert {(one.person, one.channel, one.address, one.lane) for one in scene.posted()} == {
        ("ann", "mail", "ann@mail", Lane.OPERATIONAL)
    }


def test_who_cannot_be_reached_keeps_nobody_waiting() -> None:
    scene = Scene(site(routing={"people": ["fay", "bob"], "answer_s": 300}))
    scene.raised(WINDOW, "w1")
    assert scene.people() == ["bob"]


def test_nobody_to_tell_is_written_down() -> None:
    scene = Scene(site(routing={"people": []}))
    scene.raised(WINDOW, "w1")
    assert "alarm.nobody_to_tell" in scene.logged()


def test_a_matter_of_life_goes_to_all_at_once_by_every_channel_until_answered() -> None:
    scene = Scene()
    alarm = scene.raised(FactKind.HELP, "b1")
    assert {(one.person, one.channel) for one in scene.posted()} == {
        ("ann", "mail"), ("ann", "hook"), ("bob", "mail"), ("cat", "mail"),
    }  # fmt: skip
    scene.cleared(FactKind.HELP, "b1")
    scene.forward(minutes=1)
    assert scene.people() == ["ann", "bob", "cat"]
    scene.do(Acknowledge(alarm.id))
    scene.expect_alarm(FactKind.HELP, "b1", closed=scene.now)


def test_a_matter_of_life_with_no_routing_goes_to_everybody() -> None:
    scene = Scene(site(routing={"people": []}, plans=[]))
    scene.smoke()
    assert scene.people() == ["ann", "bob", "cat", "dan", "eve", "gus"]
    assert not scene.rows.runs


def test_a_low_alarm_is_told_once() -> None:
    scene = Scene()
    scene.raised(FactKind.BATTERY_LOW, "s1")
    scene.forward(minutes=600)
    assert len(scene.posted()) == 1


def test_a_cleared_alarm_stays_open_and_nags_nobody_and_goes_on_when_it_returns() -> None:
    scene = Scene()
    scene.raised(WINDOW, "w1")
    scene.mark()
    scene.cleared(WINDOW, "w1")
    scene.forward(minutes=7)
    assert scene.told() == []
    scene.raised(WINDOW, "w1")
    scene.forward(seconds=1)
    scene.expect_alarm(WINDOW, "w1", count=2, active=True, cleared=None, acknowledged=None)
    assert scene.told() == [("ann", "alarm.repeated"), ("bob", "alarm.raised")]


def test_flapping_tells_no_more_often_than_lasting() -> None:
    flapping, lasting = Scene(), Scene()
    lasting.raised(WINDOW, "w1")
    for _ in range(600):
        flapping.raised(WINDOW, "w1")
        flapping.forward(seconds=0.5)
        flapping.cleared(WINDOW, "w1")
        flapping.forward(seconds=0.5)
    lasting.forward(minutes=10)
    assert len(flapping.rows.alarms) == 1
    assert len(flapping.posted()) <= len(lasting.posted())


def test_a_worse_level_is_told_anew_and_must_be_answered_anew() -> None:
    scene = Scene(site(plans=[]))
    alarm = scene.crowd(CrowdLevel.YELLOW)
    scene.do(Acknowledge(alarm.id))
    scene.mark()
    scene.crowd(CrowdLevel.BLUE, again=True)
    assert scene.told() == []
    assert scene.alarm(FactKind.CROWD, "z1").acknowledged is not None
    scene.crowd(CrowdLevel.ORANGE, again=True)
    assert scene.told() == [("ann", "alarm.worsened")]
    scene.expect_alarm(FactKind.CROWD, "z1", acknowledged=None, level=CrowdLevel.ORANGE, count=3)
    scene.crowd(CrowdLevel.RED, again=True)
    assert scene.told() == [(who, "alarm.worsened") for who in ("ann", "bob", "cat")]
    scene.expect_alarm(FactKind.CROWD, "z1", priority=Priority.LIFE_SAFETY)


@pytest.mark.parametrize(("id", "code"), [("A000009", "no_such_alarm"), ("nonsense", "no_such_alarm")])
def test_no_such_alarm(id: str, code: str) -> None:
    scene = Scene()
    with pytest.raises(RefusedError) as refused:
        scene.do(Acknowledge(id))
    assert refused.value.code == code


def test_an_alarm_that_is_over() -> None:
    scene = Scene()
    alarm = scene.raised(WINDOW, "w1")
    scene.cleared(WINDOW, "w1")
    scene.do(Acknowledge(alarm.id))
    with pytest.raises(RefusedError) as refused:
        scene.do(Acknowledge(alarm.id))
    assert refused.value.code == "alarm_closed"


def test_what_an_alarm_was_is_said_and_closes_what_has_cleared() -> None:
    scene = Scene()
    alarm = scene.raised(WINDOW, "w1")
    with pytest.raises(RefusedError, match="alarm_active"):
        scene.do(CloseAlarm(alarm.id, "false"))
    scene.do(NoteAlarm(alarm.id, "she is at the printer"), by="bob")
    scene.cleared(WINDOW, "w1")
    scene.do(CloseAlarm(alarm.id, "real", "talked to her"), by="ann")
    scene.expect_alarm(WINDOW, "w1", closed=scene.now, acknowledged=scene.now, acknowledged_by="ann")
    lines = [(one.what, one.actor, one.detail) for one in scene.rows.events if one.about == alarm.id]
    assert ("alarm.noted", "bob", "she is at the printer") in lines
    assert ("alarm.was.real", "ann", "talked to her") in lines
    # Of what is over, a person may still say so, and change their mind; nobody is told again.
    told = len(scene.rows.messages)
    scene.do(CloseAlarm(alarm.id, "maintenance"))
    scene.do(NoteAlarm(alarm.id, "the sensor was being moved"))
    assert scene.logged("alarm.was") == ["alarm.was.real", "alarm.was.maintenance"]
    assert len(scene.rows.messages) == told
    assert not scene.engine.book.alarms


def test_what_nobody_verified_is_closed_by_a_person_though_it_never_clears() -> None:
    scene = Scene()
    alarm = scene.raised(FactKind.FIRE, "d1", verified=False)
    scene.do(CloseAlarm(alarm.id, "test"))
    scene.expect_alarm(FactKind.FIRE, "d1", active=False, closed=scene.now, cleared=scene.now)
    again = scene.raised(FactKind.FIRE, "d1", verified=False)
    assert again.id != alarm.id, "what speaks again is heard again"


@pytest.mark.parametrize("action", [NoteAlarm("A000009", "?"), CloseAlarm("A000009", "false")])
def test_of_what_never_was_nothing_is_said(action: NoteAlarm | CloseAlarm) -> None:
    scene = Scene()
    scene.raised(WINDOW, "w1")
    with pytest.raises(RefusedError, match="no_such_alarm"):
        scene.do(action)
