"""The alert engine, step 4 of a message's way: facts and actions become alarms, runs, tickets and messages.

Deterministic: no I/O, no clock, no task. What it decides goes into rows (`take`); a start loads them as a `Book`
and decides nothing again. A message's own time to be sent is no deadline of the engine: see `next_send`.
"""

from collections.abc import Sequence
from typing import Final

from alerts import escalation
from alerts.alarms import Alarms, Turn
from alerts.chronicle import Chronicle
from alerts.deadlines import Deadlines
from alerts.delivery import Delivery
from alerts.escalation import Escalation
from alerts.ledger import Ledger, by_number
from alerts.model import (
    Alarm,
    Book,
    Changes,
    EndReason,
    Message,
    Outcome,
    Run,
    Stage,
    TicketState,
    Why,
)
from alerts.outbox import Outbox
from alerts.plans import runs
from alerts.plans.runs import Cause, Runs
from alerts.plans.telling import Telling
from alerts.queue import Room
from alerts.repeats import Repeats
from alerts.routing import Routing
from alerts.rules import RULES, priority_of, starts_plan
from alerts.stepped import shift
from alerts.tickets import Tickets
from sensors.actions import (
    AcceptTicket,
    Acknowledge,
    Action,
    AnswerMessage,
    CloseAlarm,
    CompleteStep,
    ConfirmRun,
    FinishTicket,
    NoteAlarm,
    ReportFault,
    StandDown,
    StartPlan,
    TakeRole,
    read_action,
)
from sensors.errors import RefusedError
from sensors.facts import Fact
from sensors.hall.state import HallState
from sensors.inputs import Acted, AnyInput, Attempting, Heard, Reported, Resited, Started, Stepped
from sensors.site.model import Site

NO_LIMIT: Final = 1_000_000
NOTHING: Final = Outcome()


class Engine:
    """One hall's alert engine over its book."""

    def __init__(self, site: Site, hall: str, book: Book) -> None:
        """Go on from `book`, which is changed in place. Raises `KeyError` if the site has no such hall."""
        self._ledger = Ledger(hall, book)
        self._routing = Routing(site, {part.id: part for part in site.halls}[hall])
        self._outbox = Outbox(self._ledger, site.limits.outbox)
        self._alarms = Alarms(self._ledger)
        self.repeats = Repeats()
        self._escalation = Escalation(self._ledger, self._outbox, self._routing, self.repeats)
        telling = Telling(self._outbox, self._routing)
        self._runs = Runs(self._ledger, self._outbox, self._alarms, self._escalation, telling, self.repeats)
        self._delivery = Delivery(self._ledger, self._outbox, self._routing, self._escalation, self._runs)
        self._tickets = Tickets(self._ledger)
        self._deadlines = Deadlines()
        self.chronicle = Chronicle(self._ledger)

    @property
    def book(self) -> Book:
        """What is open; to read only."""
        return self._ledger.book

    def follow(self, site: Site) -> None:
        """Go by a new version of the site file: its people, plans and order of telling."""
        hall = self._ledger.hall
        self._routing.follow(site, {part.id: part for part in site.halls}[hall])

    def take(self) -> Changes:
        """The rows changed since the last call."""
        return self._ledger.take()

    # -- time -----------------------------------------------------------------------------------------------

    def next_due(self) -> int | None:
        """The earliest deadline (ms since the epoch), None if there is none. Asked for every input, so it is kept."""
        moved = self._ledger.moved
        while moved:
            row = moved.pop()
            self._deadlines.put(row, self._due_of(row))
        return self._deadlines.first()

    def fire_due(self, at: int, state: HallState) -> None:  # noqa: ARG002 (the hall's machines get it as well)
        """Do all that is due by `at`, in order, each at its own time."""
        while (now := self.next_due()) is not None and now <= at:
            due = self._deadlines.until(now)
            for run in sorted((row for row in due if row in self.book.runs), key=by_number):
                self._runs.fire(now, self.book.runs[run])
            for alarm in sorted((row for row in due if row in self.book.alarms), key=by_number):
                # A run that fired before may have answered for it.
                if _is_due(escalation.due(self.book.alarms[alarm]), now):
                    self._escalation.fire(now, self.book.alarms[alarm])

    def _due_of(self, id: str) -> int | None:
        if id in self.book.runs:
            return runs.due(self.book.runs[id])
        return escalation.due(self.book.alarms[id]) if id in self.book.alarms else None

    # -- what the sending loop asks -------------------------------------------------------------------------

    def ready(self, now: int, limit: int = NO_LIMIT) -> list[Message]:
        """Up to `limit` messages that may be sent at `now`, life safety first."""
        return self._outbox.ready(now, limit)

    def next(self, now: int, room: Room) -> list[Message]:
        """As many messages that may be sent as there is room for on each lane and channel, life safety first."""
        return self._outbox.next(now, room)

    def next_send(self) -> int | None:
        """When the next message may be sent (ms since the epoch), None if none waits."""
        return self._outbox.next_send()

    def message(self, id: str) -> Message | None:
        """A message as it stands now, None when it is over."""
        return self.book.messages.get(id)

    # -- inputs ---------------------------------------------------------------------------------------------

    def decide(self, at: int, facts: Sequence[Fact], state: HallState) -> None:
        """Let facts have their consequences, in order."""
        for fact in facts:
            self._decide_one(at, fact, state)

    def step(self, item: AnyInput, facts: Sequence[Fact], state: HallState) -> Outcome:
        """Take one input and the facts that the hall made of it. An action has been checked before."""
        if facts:
            self.decide(item.at, facts, state)
        match item:
            case Heard():  # nearly all there is
                return NOTHING
            case Acted():
                return self._act(item.at, item.actor, read_action(item.action), state)
            case Attempting():
                self._outbox.attempt(item.at, item.messages)
            case Reported():
                self.decide(item.at, self._delivery.report(item), state)
            case Stepped():
                shift(self._ledger, item.by)
            case Resited():
                self._ledger.event(item.at, "site", "site.changed", item.by, item.detail)
            case Started():
                self._outbox.recover(item.at)
                self.decide(item.at, self._delivery.begin(item.at), state)
            case _:
                pass
        return NOTHING

    def check(self, action: Action, state: HallState) -> None:  # noqa: ARG002 (the hall checks its own actions)
        """Raise `RefusedError` for an action that cannot be done; actions on the hall itself are not ours."""
        match action:
            case Acknowledge() | NoteAlarm() | CloseAlarm():
                self._check_alarm(action)
            case AnswerMessage():
                self._check_message(action.message)
            case StartPlan():
                self._check_start(action)
            case ConfirmRun():
                if self._run(action.run).stage is not Stage.VERIFY:
                    raise RefusedError("not_verifying", run=action.run)
            case StandDown():
                if (action.reason == "drill_over") is not self._run(action.run).drill:
                    raise RefusedError("wrong_reason", run=action.run, reason=action.reason)
            case CompleteStep():
                self._check_step(action)
            case TakeRole():
                self._check_role(action)
            case AcceptTicket():
                self._tickets.check(action.ticket, TicketState.OPEN)
            case FinishTicket():
                self._tickets.check(action.ticket, TicketState.ACCEPTED)
            case _:
                pass

    # -- facts ----------------------------------------------------------------------------------------------

    def _decide_one(self, at: int, fact: Fact, state: HallState) -> None:
        rule = RULES[fact.kind]
        device = None if fact.device is None else state.devices.get(fact.device)
        window = None if device is None else device.window
        priority = priority_of(fact, () if device is None else device.kinds)
        if priority is None:
            if rule.logged:
                what = f"{fact.kind.value}.began" if fact.holds else f"{fact.kind.value}.ended"
                self._ledger.event(at, fact.subject.id, fact.kind.value if fact.edge else what, "", fact.detail)
            if rule.ticket is not None and fact.holds:
                self._tickets.open(at, fact, rule.ticket, None, window)
            return
        alarm, turn = self._alarms.take(at, fact, priority, window)
        if alarm is None or turn is Turn.SAME:
            return
        if rule.ticket is not None:
            alarm = self._mend(at, fact, rule.ticket, alarm, turn, window)
        if turn in {Turn.NEW, Turn.WORSE, Turn.RETURNED} and not self._respond(at, alarm, fact):
            self._tell(at, alarm, turn)

    def _mend(self, at: int, fact: Fact, prefix: str, alarm: Alarm, turn: Turn, window: str | None) -> Alarm:
        if turn is Turn.CLEARED:
            self._tickets.clear(at, fact, prefix)
        elif turn is Turn.AGAIN:
            self._tickets.repeat(at, fact, prefix)
        else:
            ticket = self._tickets.open(at, fact, prefix, alarm, window)
            return self._alarms.link_ticket(alarm, ticket.id)
        return alarm

    def _respond(self, at: int, alarm: Alarm, fact: Fact) -> bool:
        """Start the hazard's plan or go into its run; False when there is no plan to take care of the alarm."""
        run = None if alarm.run is None else self.book.runs.get(alarm.run)
        if run is not None:
            self._runs.sharpen(at, run, alarm)
            return True
        plan = self._routing.plan_for(alarm) if starts_plan(fact) else None
        if plan is None:
            return False
        self._runs.respond(at, alarm, plan)
        return True

    def _tell(self, at: int, alarm: Alarm, turn: Turn) -> None:
        if turn is Turn.NEW:
            self._escalation.begin(at, alarm)
        elif turn is Turn.WORSE:
            self._escalation.worsen(at, alarm)
        else:
            self._escalation.resume(at, alarm)

    # -- people ---------------------------------------------------------------------------------------------

    def _act(self, at: int, actor: str, action: Action, state: HallState) -> Outcome:
        match action:
            case Acknowledge() | NoteAlarm() | CloseAlarm():
                self._act_on_alarm(at, actor, action)
                return Outcome((action.alarm,))
            case AnswerMessage():
                return self._answer(at, self.book.messages[action.message])
            case StartPlan():
                return self._start(at, action, actor)
            case ConfirmRun() | StandDown() | CompleteStep() | TakeRole():
                self._act_on_run(at, actor, action, self.book.runs[action.run])
                return Outcome((action.run,))
            case _:
                return self._act_on_ticket(at, actor, action, state)

    def _act_on_alarm(self, at: int, actor: str, action: Acknowledge | NoteAlarm | CloseAlarm) -> None:
        match action:
            case Acknowledge():
                self._acknowledge(at, self.book.alarms[action.alarm], actor, action.note)
            case NoteAlarm():
                self._alarms.note(at, action.alarm, actor, action.note)
            case CloseAlarm():
                self._close(at, actor, action)

    def _act_on_run(
        self, at: int, actor: str, action: ConfirmRun | StandDown | CompleteStep | TakeRole, run: Run
    ) -> None:
        match action:
            case ConfirmRun():
                self._runs.confirm(at, run, actor, action.note)
            case StandDown():
                self._runs.end(at, run, actor, EndReason(action.reason), note=action.note)
            case CompleteStep():
                self._runs.complete(at, run, action.step, actor, action.note)
            case TakeRole():
                self._runs.take_role(at, run, actor, action.role)

    def _act_on_ticket(self, at: int, actor: str, action: Action, state: HallState) -> Outcome:
        match action:
            case ReportFault():
                device = None if action.device is None else state.devices.get(action.device)
                zone, window = (None, None) if device is None else (device.zone, device.window)
                return Outcome((self._tickets.report(at, action, actor, zone, window).id,))
            case AcceptTicket():
                self._tickets.accept(at, action.ticket, actor)
                return Outcome((action.ticket,))
            case FinishTicket():
                self._tickets.finish(at, action.ticket, actor, action.note)
                return Outcome((action.ticket,))
            case _:
                return Outcome()

    def _acknowledge(self, at: int, alarm: Alarm, actor: str, note: str = "") -> None:
        run = None if alarm.run is None else self.book.runs.get(alarm.run)
        self._alarms.acknowledge(at, alarm, actor, note)
        if run is None:
            self._escalation.answered(at, alarm)
        else:
            self._runs.answer(at, run, actor)

    def _close(self, at: int, actor: str, action: CloseAlarm) -> None:
        self._alarms.dispose(at, action.alarm, actor, action.disposition, action.note)
        alarm = self.book.alarms.get(action.alarm)
        if alarm is None:  # over already: only what it was is said
            return
        answered = alarm.acknowledged is not None
        self._alarms.close(at, alarm, actor)
        run = None if alarm.run is None else self.book.runs.get(alarm.run)
        if not answered and run is not None:
            self._runs.answer(at, run, actor)
        elif not answered:
            self._escalation.answered(at, alarm)

    def _answer(self, at: int, message: Message) -> Outcome:
        person = message.person or ""
        self._outbox.answer(at, message)
        run = self.book.runs.get(message.about)
        if run is not None:
            self._runs.answer(at, run, person, dict(message.note.params).get("role"))
        elif message.about in self.book.alarms:
            self._acknowledge(at, self.book.alarms[message.about], person)
        return Outcome((message.id, message.about))

    def _start(self, at: int, action: StartPlan, actor: str) -> Outcome:
        plan = self._routing.plan(action.plan)
        if plan is None:
            raise RefusedError("no_such_plan", plan=action.plan)
        run = self._runs.start(at, plan, Cause(actor, Why.PERSON, drill=action.drill, note=action.note))
        return Outcome((run.id,))

    # -- checks ---------------------------------------------------------------------------------------------

    def _known(self, letter: str, id: str, is_open: bool, unknown: str, over: str) -> None:
        if not is_open:
            raise RefusedError(over if self._ledger.was_given(letter, id) else unknown, id=id)

    def _run(self, id: str) -> Run:
        self._known("R", id, id in self.book.runs, "no_such_run", "run_ended")
        return self.book.runs[id]

    def _check_alarm(self, action: Acknowledge | NoteAlarm | CloseAlarm) -> None:
        alarm = self.book.alarms.get(action.alarm)
        # Of what is over something can still be said.
        if alarm is None and (isinstance(action, Acknowledge) or not self._ledger.was_given("A", action.alarm)):
            over = self._ledger.was_given("A", action.alarm)
            raise RefusedError("alarm_closed" if over else "no_such_alarm", id=action.alarm)
        # What still holds is not made to look normal by a word; only what nobody verified has no end of its own.
        if isinstance(action, CloseAlarm) and alarm is not None and alarm.active and alarm.verified and not alarm.edge:
            raise RefusedError("alarm_active", id=action.alarm)

    def _check_message(self, id: str) -> None:
        message = self.book.messages.get(id)
        self._known("M", id, message is not None, "no_such_message", "message_answered")
        if message is None or not message.answerable or message.person is None:
            raise RefusedError("no_such_message", id=id)

    def _check_start(self, action: StartPlan) -> None:
        if self._routing.plan(action.plan) is None:
            raise RefusedError("no_such_plan", plan=action.plan)
        if action.confirm != action.plan:
            raise RefusedError("confirm_mismatch", plan=action.plan)
        live = self._ledger.run_of(action.plan)
        # The real plan is never refused because a drill of it is on: it ends the drill.
        if live is not None and (action.drill or not live.drill):
            raise RefusedError("plan_running", plan=action.plan, run=live.id)
        real = next((run for run in self.book.runs.values() if not run.drill), None)
        if action.drill and real is not None:  # nobody practises while it is real
            raise RefusedError("plan_running", plan=real.plan.id, run=real.id)

    def _check_step(self, action: CompleteStep) -> None:
        run = self._run(action.run)
        step = next((state for state in run.steps if state.step == action.step), None)
        if step is None:
            raise RefusedError("no_such_step", run=action.run, step=action.step)
        if step.done is not None:
            raise RefusedError("step_done", run=action.run, step=action.step)

    def _check_role(self, action: TakeRole) -> None:
        role = next((state for state in self._run(action.run).roles if state.role == action.role), None)
        if role is None:
            raise RefusedError("no_such_role", run=action.run, role=action.role)
        if role.answered is not None:
            raise RefusedError("role_taken", run=action.run, role=action.role)


def _is_due(due: int | None, now: int) -> bool:
    return due is not None and due <= now
