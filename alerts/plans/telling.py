"""What a run tells to whom: the plan's sentences to its audiences, and the sentences that every run needs.

Every method returns the run with those told added, since all who were told of it must hear of its end.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from alerts.letter import Letter
from alerts.model import Alarm, Lane, RoleState, Run, Stage
from alerts.notes import Code, Param, named, run_note
from alerts.outbox import Outbox
from alerts.routing import Routing, holders
from sensors.site.model import Message, Words

# To whom a plan's sentence goes as such; the sentences to roles go out role by role.
AT_ONCE: Final = ("holders", "everyone")


class Telling:
    """Posts the messages of runs."""

    def __init__(self, outbox: Outbox, routing: Routing) -> None:
        self._outbox = outbox
        self._routing = routing

    def reachable(self, person: str) -> bool:
        """Whether a person can be told at all."""
        return self._routing.reachable(person)

    def verify(self, at: int, run: Run) -> Run:
        """Ask all holders at once, by every channel, to look; others and the public only if the plan says so."""
        sentences = _of_stage(run, Stage.VERIFY)
        asked = [one for one in sentences if one.audience in {"roles", "holders"}]
        waiting = [person for person in holders(run.plan) if person not in run.answered]
        texts: list[Words | None] = [one.text for one in asked]
        for text in texts or [None]:
            run = self._tell(at, run, Code.RUN_VERIFY, waiting, text=text)
        for one in sentences:
            if one.audience == "everyone":
                others = [person for person in self._routing.everyone() if person not in waiting]
                run = self._tell(at, run, Code.RUN_ACTIVE, others, channels=one.channels, text=one.text)
        return self._notice(at, run, Stage.VERIFY) if run.round <= 1 else run

    def confirm(self, at: int, run: Run) -> Run:
        """Remind who has answered that the clock runs on: confirm or stand down. All, if none can be reached."""
        people = [person for person in run.answered if self._routing.reachable(person)]
        return self._tell(at, run, Code.RUN_CONFIRM, people or holders(run.plan))

    def begin(self, at: int, run: Run) -> Run:
        """The plan is active: tell the audiences that are told at once, and whoever was sent to look."""
        sent_to_look = run.told
        run = self._sentences(at, run, frozenset())
        run = self._notice(at, run, Stage.ACTIVE)
        busy = {person for state in run.roles for person in self._told_of(run, state)}
        idle = [person for person in sent_to_look if person not in busy]
        if any(one.audience in AT_ONCE for one in _of_stage(run, Stage.ACTIVE)):
            idle = [person for person in idle if person not in self._audience(run)]
        return self._tell(at, run, Code.RUN_BEGUN, idle)

    def repeat(self, at: int, run: Run) -> Run:
        """Tell again: for each role without an answer those asked so far, and of the audiences who has not answered."""
        busy: set[str] = set(run.answered)
        for state in run.roles:
            if state.answered is not None:
                continue
            if state.everybody:
                run = self.vacant(at, run, state)
            else:
                people = self._told_of(run, state)
                busy.update(people)
                run = self.role(at, run, state, people)
        return self._sentences(at, run, frozenset(busy))

    def role(self, at: int, run: Run, state: RoleState, people: Iterable[str]) -> Run:
        """Ask holders of one role to take it."""
        people = tuple(people)
        sentences = [one for one in _of_stage(run, Stage.ACTIVE) if one.audience == "roles"]
        if not sentences:
            return self._tell(at, run, Code.RUN_ACTIVE, people, extra=_role_params(run, state))
        for one in sentences:
            run = self._tell(
                at, run, Code.RUN_ACTIVE, people, channels=one.channels, text=one.text, extra=_role_params(run, state)
            )
        return run

    def taken(self, at: int, run: Run, state: RoleState) -> Run:
        """Who has taken a role before it was real has its part now."""
        person = state.answered_by
        return run if person is None or not self.reachable(person) else self.role(at, run, state, (person,))

    def vacant(self, at: int, run: Run, state: RoleState) -> Run:
        """Nobody has answered for a role: tell everybody, the plan's holders first; who answers takes it."""
        everybody = dict.fromkeys((*holders(run.plan), *self._routing.everyone()))
        return self._tell(at, run, Code.RUN_VACANT, everybody, extra=_role_params(run, state))

    def signal(self, at: int, run: Run, alarm: Alarm) -> Run:
        """One more alarm has come into an active run: all holders hear of it."""
        signal = alarm.device or alarm.subject.id
        extra: list[Param] = [
            ("alarm", alarm.id),
            ("signal", signal),
            *named("signal", self._routing.hall, (signal,)),
            ("at_zone", alarm.zone),
        ]
        return self._tell(at, run, Code.RUN_SIGNAL, holders(run.plan), extra=extra, answerable=False)

    def end(self, at: int, run: Run, reached: Stage, code: Code) -> None:
        """Tell all who were told that it is over, the public too if it was told. `reached` is the stage before."""
        lasting = replace(run, round=1, drill=run.drill and code is Code.RUN_STOOD_DOWN)
        extra: list[Param] = [("reason", run.end_reason)]
        self._tell(at, lasting, code, run.told, extra=extra, answerable=False)
        stages = (Stage.VERIFY,) if reached is Stage.VERIFY else (Stage.VERIFY, Stage.ACTIVE)
        for stage in stages:
            for one in _of_stage(run, stage):
                if one.audience == "public":
                    self._post(at, lasting, code, None, one.channels, None, extra, answerable=False)

    def _sentences(self, at: int, run: Run, but: frozenset[str]) -> Run:
        for one in _of_stage(run, Stage.ACTIVE):
            if one.audience not in AT_ONCE:
                continue
            people = holders(run.plan) if one.audience == "holders" else self._routing.everyone()
            told = [person for person in people if person not in but]
            run = self._tell(at, run, Code.RUN_ACTIVE, told, channels=one.channels, text=one.text)
        return run

    def _notice(self, at: int, run: Run, stage: Stage) -> Run:
        for one in _of_stage(run, stage):
            if one.audience == "public":
                self._post(at, run, Code.RUN_ACTIVE, None, one.channels, one.text, (("audience", "public"),))
        return run

    def _audience(self, run: Run) -> frozenset[str]:
        """Who is told at once when the plan becomes active."""
        people: set[str] = set()
        for one in _of_stage(run, Stage.ACTIVE):
            if one.audience in AT_ONCE:
                people.update(holders(run.plan) if one.audience == "holders" else self._routing.everyone())
        return frozenset(people)

    def _told_of(self, run: Run, state: RoleState) -> tuple[str, ...]:
        if state.answered_by is not None:
            return (state.answered_by,)
        role = next(one for one in run.plan.roles if one.id == state.role)
        return role.holders[: state.told]

    def _tell(
        self,
        at: int,
        run: Run,
        code: Code,
        people: Iterable[str],
        *,
        channels: tuple[str, ...] = (),
        text: Words | None = None,
        extra: Iterable[Param] = (),
        answerable: bool = True,
    ) -> Run:
        people, extra = tuple(people), tuple(extra)
        for person in people:
            self._post(at, run, code, person, channels, text, extra, answerable=answerable)
        return replace(run, told=tuple(dict.fromkeys((*run.told, *people))))

    def _post(
        self,
        at: int,
        run: Run,
        code: Code,
        person: str | None,
        channels: tuple[str, ...],
        text: Words | None,
        extra: Iterable[Param],
        *,
        answerable: bool = True,
    ) -> None:
        note = run_note(code, run, self._routing.hall, text, extra)
        letter = Letter(run.id, note, Lane.LIFE_SAFETY, max(run.round, 1), run.drill, answerable)
        if person is None:
            contacts = self._routing.public(channels)
        else:
            # A person without an address on the channels that the plan names is told by what there is.
            contacts = self._routing.contacts(person, channels) or self._routing.contacts(person)
        for contact in contacts:
            self._outbox.post(at, letter, contact)


def _of_stage(run: Run, stage: Stage) -> list[Message]:
    return [one for one in run.plan.messages if one.stage == stage.value]


def _role_params(run: Run, state: RoleState) -> list[Param]:
    name = next(one.name for one in run.plan.roles if one.id == state.role)
    return [("role", state.role), ("role_zh", name.zh), ("role_en", name.en or name.zh)]
