"""The outbox's pure part: what may go out when, what comes of an attempt, and what a crash leaves."""

from dataclasses import replace

import pytest

from alerts.model import Lane, Message, MessageState
from alerts.outbox import FAILING_AFTER, POLICIES, REFUSALS, wait_ms
from sensors.actions import Acknowledge, AnswerMessage, StandDown, StartPlan
from sensors.facts import FactKind
from sensors.inputs import Reported
from tests.alerts.harness import Scene, site

WINDOW = FactKind.WINDOW_UNSTAFFED


def routine() -> tuple[Scene, Message]:
    scene = Scene(mute=True)
    scene.raised(WINDOW, "w1")
    (message,) = scene.engine.ready(scene.now)
    return scene, message


def urgent() -> tuple[Scene, Message]:
    scene = Scene(mute=True)
    scene.raised(FactKind.HELP, "b1")
    return scene, scene.engine.ready(scene.now)[0]


def test_life_safety_first_and_a_drill_after_what_is_real() -> None:
    scene = Scene(mute=True)
    scene.raised(WINDOW, "w1")
    scene.do(StartPlan("crowd", "crowd", drill=True))
    scene.forward(seconds=1)
    scene.raised(FactKind.HELP, "b1")
    ready = scene.engine.ready(scene.now)
    kinds = [(one.lane, one.drill) for one in ready]
    assert kinds == sorted(kinds, key=lambda one: (one[0] is not Lane.LIFE_SAFETY, one[1]))
    assert (kinds[0], kinds[-1]) == ((Lane.LIFE_SAFETY, False), (Lane.OPERATIONAL, False))
    assert (Lane.LIFE_SAFETY, True) in kinds
    assert scene.engine.ready(scene.now, 2) == ready[:2]


def test_an_attempt_is_written_before_it_is_made() -> None:
    scene, message = routine()
    scene.attempt(message.id)
    assert (scene.rows.messages[message.id].state, scene.rows.messages[message.id].attempts) == (
        MessageState.ATTEMPTING, 1,
    )  # fmt: skip
    assert scene.engine.ready(scene.now) == []
    assert scene.report(message.id, "sent").state is MessageState.SENT
    assert scene.report(message.id, "retry", "late").state is MessageState.SENT, "what is over stays so"


def test_trying_again_waits_longer_each_time_and_the_same_at_each_replay() -> None:
    scene, message = routine()
    waits = []
    again = message
    for attempt in range(1, POLICIES[Lane.OPERATIONAL].attempts):
        scene.attempt(message.id)
        again = scene.report(message.id, "retry", "timeout")
        assert (again.state, again.attempts, again.error) == (MessageState.RETRY, attempt, "timeout")
        assert scene.engine.next_send() == again.not_before
        assert again not in scene.engine.ready(again.not_before - 1)
        assert again in scene.engine.ready(again.not_before)
        waits.append(again.not_before - scene.now)
        scene.now = again.not_before
    assert waits == sorted(waits)
    assert all(5_000 * 2**n * 0.5 <= wait <= 5_000 * 2**n for n, wait in enumerate(waits))
    other = replace(again, id="M999999")
    assert wait_ms(again, 0) == wait_ms(again, 0) != wait_ms(other, 0)


def test_a_service_that_names_its_time_is_obeyed_within_limits() -> None:
    scene, message = routine()
    scene.attempt(message.id)
    assert scene.report(message.id, "retry", "http_429", 40).not_before == scene.now + 40_000
    scene, message = urgent()
    scene.attempt(message.id)
    assert scene.report(message.id, "retry", "http_429", 9999).not_before == scene.now + 60_000


@pytest.mark.parametrize("outcome", ["never", "retry"])
def test_a_dead_letter_is_an_alarm_told_by_another_channel_and_breeds_no_other(outcome: str) -> None:
    # Everybody is told by all channels: ann has two, and the second one is dead.
    scene = Scene(site(routing={"people": ["ann"]}), mute=True)
    scene.raised(FactKind.HELP, "b1")
    (message,) = [one for one in scene.engine.ready(scene.now) if one.channel == "hook"]
    for _ in range(REFUSALS if outcome == "never" else POLICIES[Lane.LIFE_SAFETY].attempts):
        scene.attempt(message.id)
        scene.report(message.id, outcome, "http_404")
    assert scene.rows.messages[message.id].state is MessageState.DEAD
    assert "message.dead" in scene.logged()
    (alarm,) = [one for one in scene.rows.alarms.values() if one.key == "dead_letter/hook"]
    assert "http_404" in alarm.detail
    told = [one for one in scene.rows.messages.values() if one.about == alarm.id]
    assert {one.channel for one in told} == {"mail"}
    for one in told:
        scene.attempt(one.id)
        scene.report(one.id, "never", "address_550")
        assert scene.rows.messages[one.id].state is MessageState.DEAD
    assert "dead_letter/mail" not in {one.key for one in scene.rows.alarms.values()}


def test_a_channel_that_works_again_clears_its_alarm() -> None:
    scene, message = routine()
    scene.attempt(message.id)
    scene.report(message.id, "never", "login_535")
    (alarm,) = [one for one in scene.rows.alarms.values() if one.key == "dead_letter/mail"]
    assert alarm.active
    (told,) = [one for one in scene.rows.messages.values() if one.about == alarm.id]
    scene.attempt(told.id)
    scene.report(told.id, "sent")
    after = scene.rows.alarms[alarm.id]
    assert (after.active, after.closed) == (False, None)


@pytest.mark.parametrize("gone", [True, False])
def test_a_channel_that_is_gone_from_the_site_clears_its_alarm(*, gone: bool) -> None:
    scene, message = routine()
    scene.attempt(message.id)
    scene.report(message.id, "never", "login_535")
    (alarm,) = [one for one in scene.rows.alarms.values() if one.key == "dead_letter/mail"]
    if gone:
        channels = tuple(one for one in scene.site.channels if one.id != "mail")
        scene.site = scene.site.model_copy(update={"channels": channels})
    scene.restart()
    assert scene.rows.alarms[alarm.id].active is not gone
    scene.do(Acknowledge(alarm.id))
    assert (scene.rows.alarms[alarm.id].closed is not None) is gone


@pytest.mark.parametrize("before", [True, False])
def test_the_last_letter_to_a_channel_that_is_gone_is_closed_by_who_sees_it(*, before: bool) -> None:
    scene, message = routine()
    if before:
        scene.raised(FactKind.HELP, "b1")
        other = scene.message_to("cat")
        for _ in range(REFUSALS):
            scene.attempt(other.id)
            scene.report(other.id, "never", "login_535")
    channels = tuple(one for one in scene.site.channels if one.id != "mail")
    scene.site = scene.site.model_copy(update={"channels": channels})
    scene.restart()
    scene.attempt(message.id)
    scene.report(message.id, "never", "no_channel")
    (alarm,) = [one for one in scene.rows.alarms.values() if one.key == "dead_letter/mail"]
    assert alarm.active
    scene.do(Acknowledge(alarm.id))
    assert scene.rows.alarms[alarm.id].closed is not None


def test_life_safety_that_does_not_get_out_is_an_alarm_before_it_is_dead() -> None:
    scene, message = urgent()
    for _ in range(FAILING_AFTER):
        scene.attempt(message.id)
        scene.report(message.id, "retry", "network")
    assert scene.rows.messages[message.id].state is MessageState.RETRY
    assert f"channel_failing/{message.channel}" in {one.key for one in scene.rows.alarms.values()}


def test_an_answer_calls_off_what_is_routine() -> None:
    scene, message = routine()
    scene.do(Acknowledge(message.about))
    assert scene.rows.messages[message.id].state is MessageState.SUPERSEDED
    assert scene.engine.next_send() is None


def test_of_a_matter_of_life_all_hear_once_whoever_answers_first() -> None:
    scene, message = urgent()
    first = scene.engine.ready(scene.now)
    scene.attempt(message.id)
    scene.do(Acknowledge(message.about))
    assert [one.id for one in scene.engine.ready(scene.now)] == [one.id for one in first if one.id != message.id]
    assert scene.report(message.id, "retry", "network").state is MessageState.RETRY


def test_after_the_end_of_a_run_only_its_end_is_told() -> None:
    scene = Scene(mute=True)
    scene.smoke()
    in_flight = scene.engine.ready(scene.now)[0]
    scene.attempt(in_flight.id)
    scene.do(StandDown(scene.run().id, "false_alarm"))
    assert {one.note.code for one in scene.engine.ready(scene.now)} == {"run.stood_down"}
    assert scene.report(in_flight.id, "retry", "network").state is MessageState.SUPERSEDED


def test_who_still_waits_for_the_news_gets_no_second_copy() -> None:
    scene, message = routine()
    scene.forward(minutes=30)
    assert [one.person for one in scene.engine.ready(scene.now)] == ["ann", "bob", "cat"]
    assert len([one for one in scene.rows.messages.values() if one.person == "ann"]) == 1
    assert scene.engine.message(message.id) is not None


def test_a_long_night_does_not_fill_the_book() -> None:
    scene = Scene()
    scene.raised(FactKind.HELP, "b1")
    scene.forward(minutes=600)
    assert len(scene.rows.messages) > 1000
    assert len(scene.engine.book.messages) <= 5 * 4
    newest = scene.message_to("bob")
    scene.do(AnswerMessage(newest.id), by="link")
    scene.expect_alarm(FactKind.HELP, "b1", acknowledged_by="bob")


@pytest.mark.parametrize(
    ("life", "state", "duplicate"), [(True, MessageState.QUEUED, True), (False, MessageState.UNKNOWN, False)]
)
def test_a_crash_in_mid_send(*, life: bool, state: MessageState, duplicate: bool) -> None:
    scene, message = urgent() if life else routine()
    scene.attempt(message.id)
    scene.restart()
    after = scene.rows.messages[message.id]
    assert (after.state, after.duplicate) == (state, duplicate)
    assert (after in scene.engine.ready(scene.now)) is life


def test_an_outcome_that_nobody_knows() -> None:
    scene, message = urgent()
    scene.attempt(message.id)
    after = scene.report(message.id, "unknown", "closed")
    assert (after.state, after.duplicate) == (MessageState.RETRY, True)
    scene, message = routine()
    scene.attempt(message.id)
    assert scene.report(message.id, "unknown", "closed").state is MessageState.UNKNOWN


def test_a_report_of_nothing_is_nothing() -> None:
    scene = Scene()
    scene.step(Reported(scene.now, "M000404", "sent"))
    assert not scene.rows.messages


def test_a_fire_goes_before_calls_for_help_and_the_first_word_before_repeats() -> None:
    scene = Scene(mute=True)
    for number in range(5):
        scene.raised(FactKind.HELP, f"b{number}")
    for one in scene.engine.ready(scene.now):
        scene.attempt(one.id)
        scene.report(one.id, "sent")
    scene.forward(minutes=1)
    scene.raised(FactKind.HELP, "b9")
    scene.forward(seconds=1)
    scene.smoke()
    order = [(one.about[0], one.round) for one in scene.engine.next(scene.now, lambda _lane, _channel: 1000)]
    by_channel = [(one.about[0], one.round) for one in scene.engine.ready(scene.now)]
    assert by_channel == sorted(by_channel, key=[("R", 1), ("A", 1), ("A", 2)].index)
    assert sorted(order) == sorted(by_channel)
    assert set(order) == {("R", 1), ("A", 1), ("A", 2)}
    (first,) = scene.engine.next(scene.now, lambda lane, channel: int(channel == "mail" and lane is Lane.LIFE_SAFETY))
    assert first.about.startswith("R")
