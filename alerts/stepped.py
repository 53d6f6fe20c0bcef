"""This machine's clock was stepped: what is due in a while is due in the same while by the new time.

So no step lets a verify clock run out in one moment, and none puts a repeat off by a day.
"""

from dataclasses import replace

from alerts.ledger import ON_ITS_WAY, Ledger
from alerts.model import Run


def shift(ledger: Ledger, by: int) -> None:
    """Move every deadline of the open rows by `by` ms; what is only a record of when something was stays."""
    book = ledger.book
    for alarm in list(book.alarms.values()):
        if alarm.next_told is not None or alarm.repeat_at is not None:
            ledger.put_alarm(
                replace(alarm, next_told=_moved(alarm.next_told, by), repeat_at=_moved(alarm.repeat_at, by))
            )
    for run in list(book.runs.values()):
        ledger.put_run(_run(run, by))
    for message in list(book.messages.values()):
        if message.state in ON_ITS_WAY:
            ledger.put_message(replace(message, not_before=message.not_before + by))


def _run(run: Run, by: int) -> Run:
    return replace(
        run,
        verify_until=_moved(run.verify_until, by),
        repeat_at=_moved(run.repeat_at, by),
        roles=tuple(replace(role, next_at=_moved(role.next_at, by)) for role in run.roles),
        steps=tuple(step if step.done else replace(step, due=_moved(step.due, by)) for step in run.steps),
    )


def _moved(at: int | None, by: int) -> int | None:
    return None if at is None else at + by
