"""Runs of emergency plans: verify, active, ended. A run works on a frozen copy of its plan, and every deadline of it
is in its row, so that a restart goes on where it was and an edited site file changes nothing under way.

The verify clock and why it starts the plan by itself: docs/adr/0005-fire-verify-clock.md.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from alerts.alarms import Alarms
from alerts.escalation import Escalation
from alerts.ledger import Ledger
from alerts.model import Alarm, EndReason, RoleState, Run, Stage, StepState, Why
from alerts.notes import Code
from alerts.outbox import Outbox
from alerts.plans.telling import Telling
from alerts.repeats import Repeats
from alerts.rules import CERTAIN
from sensors.facts import FactKind
from sensors.site.model import Plan, Role

VERIFY_CODES = frozenset({Code.RUN_VERIFY.value, Code.RUN_CONFIRM.value})


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a plan starts: `by` a person or an alarm's id."""

    by: str
    why: Why
    drill: bool = False
    alarm: Alarm | None = None
    note: str = ""


class Runs:
    """The runs of one hall."""

    def __init__(
        self,
        ledger: Ledger,
        outbox: Outbox,
        alarms: Alarms,
        escalation: Escalation,
        telling: Telling,
        repeats: Repeats,
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._alarms = alarms
        self._escalation = escalation
        self._telling = telling
        self._repeats = repeats

    # -- beginning ------------------------------------------------------------------------------------------

    def respond(self, at: int, alarm: Alarm, plan: Plan) -> None:
        """An alarm of a plan's hazard: end every drill, then start the plan or go into its run."""
        self._end_drills(at, alarm.id, EndReason.REAL_ALARM)
        live = self._ledger.run_of(plan.id)
        if live is None:
            self.start(at, plan, Cause(alarm.id, _why(alarm), alarm=alarm))
        elif alarm.id not in live.alarms:
            self._join(at, live, alarm)

    def start(self, at: int, plan: Plan, cause: Cause) -> Run:
        """Start a plan. Only a single fire signal waits for somebody who looks; anything else is active at once."""
        if not cause.drill:
            self._end_drills(at, cause.by, EndReason.REAL_START)
        run = Run(
            id=self._ledger.new_id("R"),
            hall=self._ledger.hall,
            plan=plan,
            stage=Stage.VERIFY,
            drill=cause.drill,
            started=at,
            started_by=cause.by,
            why=cause.why,
            stage_since=at,
            round=1,
            roles=tuple(RoleState(role.id) for role in plan.roles),
            steps=tuple(StepState(step.id) for step in plan.steps),
        )
        self._ledger.event(at, run.id, "run.drill_started" if cause.drill else "run.started", cause.by, cause.note)
        if cause.alarm is not None:
            run = self._add(at, run, cause.alarm)
        if cause.alarm is None or cause.alarm.kind is not FactKind.FIRE or cause.alarm.detail in CERTAIN:
            return self._activate(at, run, cause.why, cause.by)
        again = self._repeats.after(at, plan.repeat_s)
        run = replace(run, verify_until=at + plan.verify_s * 1000, repeat_at=again)
        run = self._telling.verify(at, self._set_clocks(at, run))
        self._ledger.put_run(run)
        return run

    def sharpen(self, at: int, run: Run, alarm: Alarm) -> None:
        """An alarm of this run has become certain: whoever still looks need not."""
        if run.stage is Stage.VERIFY and alarm.kind is FactKind.FIRE and alarm.detail in CERTAIN:
            self._activate(at, run, _why(alarm), alarm.id)

    def _end_drills(self, at: int, by: str, reason: EndReason) -> None:
        # Of whatever plan: who practises a crowd must not miss a fire.
        for run in list(self._ledger.book.runs.values()):
            if run.drill:
                self.end(at, run, by, reason, Code.RUN_DRILL_ENDED)

    def _join(self, at: int, run: Run, alarm: Alarm) -> None:
        news = (alarm.device or alarm.subject.id) not in run.signals
        run = self._add(at, run, alarm)
        self._ledger.event(at, run.id, "run.signal", "", alarm.id)
        if run.stage is Stage.ACTIVE:
            self._ledger.put_run(self._telling.signal(at, run, alarm))
        elif news or alarm.detail in CERTAIN:
            self._activate(at, run, _why(alarm) if alarm.detail in CERTAIN else Why.SECOND_SIGNAL, alarm.id)
        else:
            self._ledger.put_run(run)

    def _add(self, at: int, run: Run, alarm: Alarm) -> Run:
        self._escalation.hush(at, replace(alarm, run=run.id))
        signal = alarm.device or alarm.subject.id
        return replace(
            run,
            alarms=(*run.alarms, alarm.id),
            signals=tuple(dict.fromkeys((*run.signals, signal))),
            zone=run.zone or alarm.zone,
        )

    # -- going on -------------------------------------------------------------------------------------------

    def confirm(self, at: int, run: Run, actor: str, note: str) -> None:
        """A person has verified that it is real."""
        self._acknowledge(at, run, actor)
        self._ledger.event(at, run.id, "run.confirmed", actor, note)
        self._activate(at, run, Why.PERSON, actor)

    def answer(self, at: int, run: Run, person: str, role: str | None = None) -> None:
        """A person answers: the roles that this person was asked to take are taken; `role` is one that was vacant."""

        def meant(state: RoleState) -> bool:
            # Who answers on the page names no role: all that nobody has taken are meant.
            return person in _role(run, state).holders[: state.told] or (state.everybody and role in {None, state.role})

        looking = run.stage is Stage.VERIFY
        self._answered(at, run if looking else self._take_roles(at, run, person, meant), person)

    def take_role(self, at: int, run: Run, person: str, role: str) -> None:
        """A person takes one role, asked or not. Who takes it while somebody still looks, keeps it when it is real."""
        self._answered(at, self._take_roles(at, run, person, lambda state: state.role == role), person)

    def _answered(self, at: int, run: Run, person: str) -> None:
        self._acknowledge(at, run, person)
        if run.stage is Stage.VERIFY:
            run = self._answer_verify(at, run, person)
        self._ledger.put_run(replace(run, answered=tuple(dict.fromkeys((*run.answered, person)))))

    def fire(self, at: int, run: Run) -> None:
        """Do what is due of a run at `at`."""
        if run.verify_until is not None and run.verify_until <= at:
            self._activate(at, run, Why.NOT_CONFIRMED if run.extended else Why.NO_ANSWER, "")
            return
        if run.repeat_at is not None and run.repeat_at <= at:
            run = self._repeat(at, run)
        run = self._each_role(run, _is_due(at), lambda now, state: self._offer(at, now, state))
        self._ledger.put_run(self._mark_overdue(at, run))

    def unreached(self, at: int, run: Run, person: str) -> None:
        """Nothing gets through to this person: where the person was asked last for a role, the next is asked now."""

        def asked(state: RoleState) -> bool:
            last = _role(run, state).holders[state.told - 1 : state.told]
            return state.answered is None and state.next_at is not None and last == (person,)

        if any(map(asked, run.roles)):
            roles = tuple(replace(state, next_at=at) if asked(state) else state for state in run.roles)
            self._ledger.put_run(replace(run, roles=roles))

    def complete(self, at: int, run: Run, step: str, actor: str, note: str) -> None:
        """A person has done a step."""
        steps = tuple(replace(state, done=at, done_by=actor) if state.step == step else state for state in run.steps)
        self._ledger.put_run(replace(run, steps=steps))
        self._ledger.event(at, run.id, "run.step_done", actor, f"{step} {note}".strip())

    def end(
        self, at: int, run: Run, actor: str, reason: EndReason, code: Code = Code.RUN_STOOD_DOWN, note: str = ""
    ) -> None:
        """End a run: nothing more goes out but that it is over, to all who were told."""
        for alarm in run.alarms:
            if alarm in self._ledger.book.alarms:
                self._alarms.acknowledge(at, self._ledger.book.alarms[alarm], actor, note)
        self._outbox.call_off(at, run.id)
        ended = replace(
            run,
            stage=Stage.ENDED,
            stage_since=at,
            ended=at,
            ended_by=actor,
            end_reason=reason,
            verify_until=None,
            repeat_at=None,
            roles=tuple(replace(state, next_at=None) for state in run.roles),
            steps=tuple(replace(state, due=None) if state.done is None else state for state in run.steps),
        )
        self._ledger.put_run(ended)
        self._ledger.event(at, run.id, "run.ended", actor, f"{reason} {note}".strip())
        self._telling.end(at, ended, run.stage, code)

    # -- inside ---------------------------------------------------------------------------------------------

    def _activate(self, at: int, run: Run, why: Why, actor: str) -> Run:
        self._outbox.call_off(at, run.id, codes=VERIFY_CODES)
        self._ledger.event(at, run.id, "run.active", actor, why)
        run = replace(
            run,
            stage=Stage.ACTIVE,
            why=why,
            stage_since=at,
            verify_until=None,
            repeat_at=None if all(map(_somebody, run.roles)) else self._repeats.after(at, run.plan.repeat_s),
            answered=(),
            round=1,
        )
        run = self._set_clocks(at, run)
        asked = self._each_role(run, _anybody, lambda now, state: self._offer(at, now, state))
        asked = self._each_role(asked, _somebody, lambda now, state: (self._telling.taken(at, now, state), state))
        run = self._telling.begin(at, replace(asked, told=run.told))
        run = replace(run, told=tuple(dict.fromkeys((*asked.told, *run.told))))
        self._ledger.put_run(run)
        return run

    def _set_clocks(self, at: int, run: Run) -> Run:
        """Give the steps of the stage that begins their time; what a past stage has left undone loses its own."""
        stages = {step.id: step for step in run.plan.steps}
        steps = tuple(
            state
            if state.done is not None
            else replace(state, due=at + plan.due_s * 1000 if plan.stage == run.stage.value else None)
            for state in run.steps
            for plan in (stages[state.step],)
        )
        return replace(run, steps=steps)

    def _repeat(self, at: int, run: Run) -> Run:
        again = replace(run, round=run.round + 1, repeat_at=self._repeats.after(at, run.plan.repeat_s))
        if run.stage is Stage.VERIFY:
            return self._telling.confirm(at, again) if run.answered else self._telling.verify(at, again)
        if all(map(_somebody, run.roles)):
            return replace(run, repeat_at=None)
        return self._telling.repeat(at, again)

    def _offer(self, at: int, run: Run, state: RoleState) -> tuple[Run, RoleState]:
        """Ask the next holder of a role; who cannot be reached is passed over; after the last all are told."""
        role = _role(run, state)
        told = state.told
        while told < len(role.holders):
            person = role.holders[told]
            told += 1
            if self._telling.reachable(person):
                state = replace(state, told=told, next_at=at + role.answer_s * 1000)
                return self._telling.role(at, run, state, (person,)), state
            self._ledger.event(at, run.id, "run.holder_unreachable", person, role.id)
        state = replace(state, told=told, next_at=None, everybody=True)
        self._ledger.event(at, run.id, "run.role_vacant", "", role.id)
        return self._telling.vacant(at, run, state), state

    def _answer_verify(self, at: int, run: Run, person: str) -> Run:
        """Somebody looks: the clock is set anew, once. A second person's answer gives no more time."""
        self._ledger.event(at, run.id, "run.answered", person, "verify")
        if run.extended:
            return run
        self._outbox.call_off(at, run.id, codes=VERIFY_CODES, all_rounds=False)
        return replace(run, extended=True, verify_until=at + run.plan.verify_s * 1000)

    def _take_roles(self, at: int, run: Run, person: str, meant: Callable[[RoleState], bool]) -> Run:
        roles: list[RoleState] = []
        for state in run.roles:
            if state.answered is None and meant(state):
                self._ledger.event(at, run.id, "run.role_taken", person, state.role)
                roles.append(replace(state, answered_by=person, answered=at, next_at=None))
            else:
                roles.append(state)
        done = run.stage is Stage.ACTIVE and all(map(_somebody, roles))
        return replace(run, roles=tuple(roles), repeat_at=None if done else run.repeat_at)

    def _mark_overdue(self, at: int, run: Run) -> Run:
        steps: list[StepState] = []
        for state in run.steps:
            late = state.due is not None and state.due <= at and state.done is None and not state.overdue
            if late:
                self._ledger.event(at, run.id, "run.step_overdue", "", state.step)
            steps.append(replace(state, overdue=True) if late else state)
        return replace(run, steps=tuple(steps))

    def _acknowledge(self, at: int, run: Run, actor: str) -> None:
        for alarm in run.alarms:
            if alarm in self._ledger.book.alarms:
                self._alarms.acknowledge(at, self._ledger.book.alarms[alarm], actor)

    def _each_role(
        self,
        run: Run,
        wanted: Callable[[RoleState], bool],
        do: Callable[[Run, RoleState], tuple[Run, RoleState]],
    ) -> Run:
        roles: list[RoleState] = []
        for state in run.roles:
            changed = state
            if wanted(state):
                run, changed = do(run, state)
            roles.append(changed)
        return replace(run, roles=tuple(roles))


def due(run: Run) -> int | None:
    """The earliest deadline of a run, None if it has none."""
    dues = [run.verify_until, run.repeat_at, *(state.next_at for state in run.roles)]
    dues += [state.due for state in run.steps if state.done is None and not state.overdue]
    return min((at for at in dues if at is not None), default=None)


def _anybody(state: RoleState) -> bool:
    return state.answered is None


def _somebody(state: RoleState) -> bool:
    return state.answered is not None


def _is_due(at: int) -> Callable[[RoleState], bool]:
    return lambda state: state.next_at is not None and state.next_at <= at


def _role(run: Run, state: RoleState) -> Role:
    return next(role for role in run.plan.roles if role.id == state.role)


def _why(alarm: Alarm) -> Why:
    certain = CERTAIN.get(alarm.detail) if alarm.kind is FactKind.FIRE else None
    return certain or Why.ALARM
