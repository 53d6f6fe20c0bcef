"""A storm of routine alarms: summaries instead of thousands of mails; fire and help never in one."""

from dataclasses import replace

from alerts.model import Lane, Message, MessageState
from alerts.notes import Code
from alerts.summary import BURST, GATHER_MS, WITHIN_MS
from sensors.facts import FactKind
from tests.alerts.harness import Scene, site

FAULT = FactKind.EQUIPMENT_FAULT


def storm(scene: Scene, count: int, *, first: int = 0, every_ms: int = 5) -> None:
    for number in range(first, first + count):
        scene.now += every_ms
        scene.raised(FAULT, f"p{number}")


def summaries(scene: Scene) -> list[Message]:
    return [one for one in scene.rows.messages.values() if one.note.code == Code.SUMMARY]


def gathered(scene: Scene) -> dict[str, str]:
    """Alarms by the summary in which they were told."""
    return {one.about: one.detail for one in scene.rows.events if one.what == "message.gathered"}


def test_after_some_single_messages_the_rest_is_gathered_and_every_alarm_is_in_one_or_the_other() -> None:
    scene = Scene(mute=True)
    storm(scene, 500)
    single = {one.about for one in scene.rows.messages.values() if one.note.code == Code.ALARM_RAISED}
    assert len(single) == BURST
    (summary,) = summaries(scene)
    assert {**dict.fromkeys(single, ""), **gathered(scene)}.keys() == set(scene.rows.alarms)
    assert set(gathered(scene).values()) == {summary.id}
    params = dict(summary.note.params)
    assert params["count"] == params["kind.equipment_fault"] == str(500 - BURST)
    assert params["sample_en"] == "p20, p21, p22, p23, p24", "some by name, the rest by number"
    assert len(str(summary.note)) < 400
    assert not summary.answerable


def test_a_summary_leaves_a_second_after_its_first_alarm_and_the_next_begins() -> None:
    scene = Scene(mute=True)
    storm(scene, BURST + 1)
    (summary,) = summaries(scene)
    assert summary.not_before == scene.now + GATHER_MS
    scene.now = summary.not_before
    assert summary.id in {one.id for one in scene.engine.ready(scene.now)}
    scene.attempt(summary.id)
    storm(scene, 1, first=100)
    assert len(summaries(scene)) == 2, "what has left changes no more"
    scene.report(summary.id, "sent")
    assert scene.rows.messages[summary.id].state is MessageState.SENT
    assert summary.id not in scene.engine.book.messages


def test_a_channel_that_takes_nothing_makes_the_summary_longer_not_the_queue() -> None:
    scene = Scene(mute=True)
    storm(scene, BURST + 1)
    for round_ in range(6):
        for one in scene.engine.ready(scene.now + 3_600_000):
            scene.attempt(one.id)
            scene.report(one.id, "retry", "http_429", 60)
        storm(scene, 100, first=1000 * (round_ + 1))
    mine = [one for one in scene.engine.ready(scene.now + 3_600_000) if one.person == "ann"]
    assert len(mine) <= BURST + 2
    assert sum(int(dict(one.note.params)["count"]) for one in summaries(scene)) >= 600


def test_what_may_have_been_read_is_not_changed() -> None:
    scene = Scene(mute=True)
    storm(scene, BURST + 1)
    (summary,) = summaries(scene)
    scene.engine.book.messages[summary.id] = replace(summary, duplicate=True)
    storm(scene, 1, first=100)
    assert len(summaries(scene)) == 2


def test_a_matter_of_life_is_never_gathered() -> None:
    scene = Scene(mute=True)
    storm(scene, 200)
    for number in range(100):
        scene.raised(FactKind.HELP, f"b{number}")
    urgent = [one for one in scene.rows.messages.values() if one.lane is Lane.LIFE_SAFETY]
    assert len({one.about for one in urgent}) == 100
    assert not any(one.note.code == Code.SUMMARY for one in urgent)
    assert all(one.lane is Lane.LIFE_SAFETY for one in scene.engine.ready(scene.now)[: len(urgent)])


def test_what_comes_slowly_comes_one_by_one() -> None:
    scene = Scene()
    storm(scene, 100, every_ms=WITHIN_MS // BURST + 1)
    assert not summaries(scene)


def test_the_site_bounds_what_waits_one_by_one() -> None:
    limited = site().model_copy(update={"limits": site().limits.model_copy(update={"outbox": 10})})
    scene = Scene(limited, mute=True)
    storm(scene, 30)
    assert len([one for one in scene.rows.messages.values() if one.note.code == Code.ALARM_RAISED]) == 10


def test_a_restart_goes_on_with_the_summary_that_waits() -> None:
    scene = Scene(mute=True)
    storm(scene, BURST + 5)
    scene.restart()
    storm(scene, 30, first=100)
    assert len(summaries(scene)) == 1, "as many wait already as may wait one by one"
