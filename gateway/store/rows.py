"""Alarms, runs, tickets and messages as rows: the whole value as JSON, beside the columns that queries select by.

A row that was read back is equal to the value that was written, the run's frozen copy of its plan included.
"""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

import msgspec
from pydantic import BaseModel
from sqlalchemy import Connection, Dialect, Table

from alerts.model import Alarm, Changes, Message, Run, Ticket, TicketState
from gateway.store import schema
from gateway.store.statements import Insert

T = TypeVar("T", Alarm, Run, Ticket, Message)
Columns = tuple[object, ...]


def _pack(value: object) -> object:
    # The one value inside ours that msgspec does not know: a model of the site file.
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    raise TypeError(f"{type(value).__name__} is no value of a row")


def _unpack(type_: type, value: object) -> object:
    if issubclass(type_, BaseModel):
        return type_.model_validate(value)
    raise TypeError(f"{type_.__name__} is no value of a row")


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_pack)


class Shelf(Generic[T]):
    """How one type of value is kept: its table, its columns before `updated` and `body`, and its decoder."""

    def __init__(self, type_: type[T], table: Table, columns: tuple[str, ...], row: Callable[[T], Columns]) -> None:
        self.table = table
        self.columns = ("hall", "id", *columns, "updated", "body")
        self._row: Callable[[T], Columns] = row
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(type_, dec_hook=_unpack)

    def row(self, value: T, at: int) -> Columns:
        """The value as a row that was changed at `at`."""
        return (value.hall, value.id, *self._row(value), at, _ENCODER.encode(value).decode())

    def value(self, body: str) -> T:
        """The value of a row's `body`."""
        return self._decoder.decode(body)


def _alarm(one: Alarm) -> Columns:
    key = one.key if one.closed is None else None
    when = (one.raised, one.cleared, one.acknowledged, one.closed)
    return (key, str(one.kind), str(one.priority), one.zone, one.device, *when)


def _run(one: Run) -> Columns:
    return (one.plan.id, str(one.stage), one.drill, one.started, one.ended)


def _ticket(one: Ticket) -> Columns:
    key = one.key if one.state != TicketState.DONE else None
    return (key, str(one.state), one.zone, one.window, one.opened, one.done)


def _message(one: Message) -> Columns:
    what = (str(one.lane), one.about, one.person, one.channel, str(one.state), one.answerable)
    return (*what, one.created, one.not_before, one.answered)


_TIMES: Final = ("raised", "cleared", "acknowledged", "closed")
ALARMS: Final = Shelf(Alarm, schema.alarms, ("open_key", "kind", "priority", "zone", "device", *_TIMES), _alarm)
RUNS: Final = Shelf(Run, schema.runs, ("plan", "stage", "drill", "started", "ended"), _run)
TICKETS: Final = Shelf(Ticket, schema.tickets, ("open_key", "state", "zone", "window", "opened", "done"), _ticket)
MESSAGES: Final = Shelf(
    Message,
    schema.messages,
    ("lane", "about", "person", "channel", "state", "answerable", "created", "not_before", "answered"),
    _message,
)


class ChangesWriter:
    """Writes what a batch changed."""

    def __init__(self, dialect: Dialect) -> None:
        key = ("hall", "id")
        self._alarms = Insert(dialect, ALARMS.table, ALARMS.columns, replace=key)
        self._runs = Insert(dialect, RUNS.table, RUNS.columns, replace=key)
        self._tickets = Insert(dialect, TICKETS.table, TICKETS.columns, replace=key)
        self._messages = Insert(dialect, MESSAGES.table, MESSAGES.columns, replace=key)
        self._events = Insert(dialect, schema.events, ("hall", "at", "about", "what", "actor", "detail"))
        self._counters = Insert(dialect, schema.counters, ("hall", "name", "value"), replace=("hall", "name"))

    def __call__(self, connection: Connection, hall: str, at: int, changes: Changes) -> None:
        """Write all of it; the newest value of an id replaces the one before."""
        # What gives its open key back goes first: the next holder of the key may stand in the same batch.
        alarms = sorted(changes.alarms.values(), key=lambda one: one.closed is None)
        tickets = sorted(changes.tickets.values(), key=lambda one: one.state != TicketState.DONE)
        self._alarms(connection, [ALARMS.row(one, at) for one in alarms])
        self._runs(connection, [RUNS.row(one, at) for one in changes.runs.values()])
        self._tickets(connection, [TICKETS.row(one, at) for one in tickets])
        self._messages(connection, [MESSAGES.row(one, at) for one in changes.messages.values()])
        self._events(
            connection,
            [
                (one.hall, one.at, storable(one.about), one.what, storable(one.actor), storable(one.detail))
                for one in changes.events
            ],
        )
        self._counters(connection, [(hall, name, value) for name, value in changes.counters.items()])


def storable(text: str) -> str:
    """`text` as every database holds it: no NUL, no half of a surrogate pair."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
