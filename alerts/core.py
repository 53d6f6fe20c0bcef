"""Steps 3 and 4 as one pure machine: an input in, facts, and what follows from them.

No I/O, no clock, no task. Deadlines of the hall and of the engine are fired in order, each at its own due
time, before the input that comes later is looked at: how often `advance` is called changes nothing.
"""

from alerts.engine import Engine
from alerts.model import Changes, Outcome
from sensors.actions import read_action
from sensors.decode.reception import Arrival
from sensors.hall.hall import Hall
from sensors.inputs import Acted, AnyInput, Started


class Core:
    """One hall's brain: its state machines and its alert engine."""

    def __init__(self, hall: Hall, engine: Engine) -> None:
        """Join a hall's state (from the journal) and its engine (from rows)."""
        self.hall = hall
        self.engine = engine
        # What the fold of the journal went through was written down when it happened.
        hall.take_turns()

    def next_due(self) -> int | None:
        """The earliest deadline (ms since the epoch), or None."""
        hall, engine = self.hall.next_due(), self.engine.next_due()
        if hall is None or engine is None:
            return engine if hall is None else hall
        return min(hall, engine)

    def advance(self, now: int) -> None:
        """Fire every deadline that is due by `now`, in order, each at its own time."""
        while (due := self.next_due()) is not None and due <= now:
            self.engine.decide(due, self.hall.fire_due(due), self.hall.state)
            self.engine.fire_due(due, self.hall.state)
        if turns := self.hall.take_turns():
            self.engine.chronicle.turned(turns)

    def step(self, item: AnyInput, arrival: Arrival | None = None) -> Outcome:
        """Take one input, a message with what was decoded from it; raises `RefusedError` for an action.

        A refused action has changed nothing but the time.
        """
        if isinstance(item, Started):
            self.engine.chronicle.started(item, self.hall.state)
            self.engine.repeats.absent_until = item.at
        self.hall.lapse(item)
        self.advance(item.at)
        if isinstance(item, Acted):
            action = read_action(item.action)
            self.hall.check(action, item.at)
            self.engine.check(action, self.hall.state)
        facts = self.hall.step(item, arrival)
        if turns := self.hall.take_turns():
            self.engine.chronicle.turned(turns)
        return self.engine.step(item, facts, self.hall.state)

    def take(self) -> Changes:
        """The rows changed since the last call."""
        return self.engine.take()
