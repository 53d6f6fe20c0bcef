"""An answer races the escalation, the sending and the end of the condition: whoever comes first, one has won.

Ten thousand interleavings by seed: after an answer nobody is paged anew, and the log tells one story.
"""

import random
from collections.abc import Callable

import pytest

from alerts.model import Alarm, Lane, MessageState
from alerts.queue import WAITING
from sensors.actions import Acknowledge, Action, AnswerMessage, StandDown
from sensors.errors import RefusedError
from sensors.facts import FactKind
from tests.alerts.harness import Scene, site

HALL = site()
INTERLEAVINGS = 10_000
PARTS = 10
# About the instants at which the next person is told (300 s) and all are told again.
TIMES = (0, 1, 299_999, 300_000, 300_001, 599_999, 600_000, 900_000)
OUTCOMES = ("sent", "retry", "never", "unknown")


class Race:
    """One alarm, and hands that reach for it in an order by seed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.scene = Scene(HALL, mute=True)
        self.kind = self.dice.choice((FactKind.WINDOW_UNSTAFFED, FactKind.HELP))
        self.alarm = self.scene.raised(self.kind, "d1").id
        self.winners: list[str] = []
        self.known_at_answer: set[str] | None = None

    def run(self) -> None:
        hands: list[Callable[[], None]] = [
            self.pass_time, self.pass_time, self.send, self.send, self.report, self.report,
            self.acknowledge, self.answer, self.clear, self.again, self.restart,
        ]  # fmt: skip
        for _ in range(PARTS):
            self.dice.choice(hands)()
            self.check()

    # -- hands ----------------------------------------------------------------------------------------------

    def pass_time(self) -> None:
        self.scene.forward(seconds=self.dice.choice(TIMES) / 1000)

    def send(self) -> None:
        ready = self.scene.engine.ready(self.scene.now)
        self.scene.attempt(*(one.id for one in ready if self.dice.random() < 0.7))

    def report(self) -> None:
        attempting = [one for one in self.scene.rows.messages.values() if one.state is MessageState.ATTEMPTING]
        for one in attempting:
            if self.dice.random() < 0.7:
                self.scene.report(one.id, self.dice.choice(OUTCOMES), "x")

    def acknowledge(self) -> None:
        self._act(Acknowledge(self.alarm), self.dice.choice(("ann", "the desk")))

    def answer(self) -> None:
        told = [one.id for one in self.scene.rows.messages.values() if one.about == self.alarm]
        self._act(AnswerMessage(self.dice.choice(told)), "link")

    def clear(self) -> None:
        self.scene.cleared(self.kind, "d1")

    def again(self) -> None:
        if self._row().closed is None:
            self.scene.raised(self.kind, "d1")

    def restart(self) -> None:
        self.scene.restart()

    def _act(self, action: Action, who: str) -> None:
        before = self._row().acknowledged
        try:
            self.scene.do(action, by=who)
        except RefusedError:
            assert not self.scene.engine.take()
            return
        if before is None and self._row().acknowledged is not None:
            self.winners.append(self._row().acknowledged_by or "")
            self.known_at_answer = set(self.scene.rows.messages)

    def _row(self) -> Alarm:
        return self.scene.rows.alarms[self.alarm]

    # -- what must hold -------------------------------------------------------------------------------------

    def check(self) -> None:
        alarm = self._row()
        log = [event for event in self.scene.rows.events if event.about == self.alarm]
        acknowledged = [event for event in log if event.what == "alarm.acknowledged"]
        assert len(self.winners) <= 1, "one winner"
        assert [event.actor for event in acknowledged] == self.winners, "the log names the winner, once"
        assert (alarm.acknowledged is not None) is bool(self.winners), "an answer is not undone"
        assert (alarm.closed is not None) is (bool(self.winners) and not alarm.active)
        assert alarm.acknowledged is None or (alarm.next_told, alarm.repeat_at) == (None, None)
        if self.known_at_answer is None:
            return
        mine = [one for one in self.scene.rows.messages.values() if one.about == self.alarm]
        assert {one.id for one in mine} <= self.known_at_answer, "no new page after the answer"
        for one in mine:
            # Of a matter of life everybody hears once; nothing else still goes out.
            assert one.state not in WAITING or (one.lane is Lane.LIFE_SAFETY and one.round <= 1), one


@pytest.mark.parametrize("part", range(4))
def test_an_answer_wins_once_whatever_it_races(part: int) -> None:
    share = INTERLEAVINGS // 4
    answered = 0
    for seed in range(part * share, (part + 1) * share):
        race = Race(seed)
        try:
            race.run()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        answered += bool(race.winners)
    assert answered > share // 2, "most of the races had an answer in them"


def test_a_run_that_was_stood_down_pages_nobody() -> None:
    for seed in range(300):
        known, scene = _stood_down(random.Random(seed))
        scene.forward(minutes=30)
        assert set(scene.rows.messages) == known, f"seed {seed}"
        waiting = scene.engine.ready(scene.now + 3_600_000)
        assert {one.note.code for one in waiting} <= {"run.stood_down"}, f"seed {seed}"


def _stood_down(dice: random.Random) -> tuple[set[str], Scene]:
    """A fire that was answered or not, sent or not, restarted or not, and stood down; and the messages until then."""
    scene = Scene(HALL, mute=True)
    alarm = scene.smoke().id
    hands: list[Callable[[], object]] = [
        lambda: scene.forward(seconds=dice.choice((29, 30, 59, 60, 180))),
        lambda: scene.attempt(*(one.id for one in scene.engine.ready(scene.now) if dice.random() < 0.5)),
        lambda: scene.do(Acknowledge(alarm), by="ann"),
        scene.restart,
    ]
    for _ in range(dice.randrange(6)):
        dice.choice(hands)()
    scene.do(StandDown(scene.run().id, "false_alarm"), by="bob")
    return set(scene.rows.messages), scene
