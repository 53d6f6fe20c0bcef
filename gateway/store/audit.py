"""Who wrote what and who looked at names, as rows. Rows are added and, after their time, swept; none is changed."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, insert, literal, select

from gateway.store import schema
from gateway.store.worker import Worker

KEPT_MS: Final = 400 * 86_400_000
# What nobody had a login for is mostly noise of the network, and anybody can make it.
STRANGERS_KEPT_MS: Final = 30 * 86_400_000
SWEPT_EACH_MS: Final = 3_600_000
# Every other outcome is the code of a refusal.
DONE: Final = "done"
LOOK: Final = "look"


@dataclass(frozen=True, slots=True)
class Audited:
    """One line: who ("" is nobody known) did what about what, from where, and how it ended; `at` in ms."""

    at: int
    who: str
    address: str
    what: str
    about: str
    outcome: str


class Sort(StrEnum):
    """What a line tells of."""

    WRITE = "write"
    LOOK = "look"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines: of one login, about one thing, of one sort, from `since` to before `until` (ms); None is all."""

    who: str | None = None
    about: str | None = None
    sort: Sort | None = None
    since: int | None = None
    until: int | None = None


ALL: Final = Asked()
_audit = schema.audit


def _within(asked: Asked) -> Iterator[ColumnElement[bool]]:
    if asked.who is not None:
        yield _audit.c.who == asked.who
    if asked.about is not None:
        # A line may name more than one thing, a space between them.
        yield (literal(" ") + _audit.c.about + " ").contains(f" {asked.about} ", autoescape=True)
    if asked.since is not None:
        yield _audit.c.at >= asked.since
    if asked.until is not None:
        yield _audit.c.at < asked.until
    match asked.sort:
        case Sort.WRITE:
            yield _audit.c.outcome == DONE
        case Sort.LOOK:
            yield _audit.c.outcome == LOOK
        case Sort.REFUSED:
            yield _audit.c.outcome.not_in([DONE, LOOK])


class Audit:
    """Writing and listing."""

    def __init__(self, writer: Worker, reader: Worker) -> None:
        self._writer = writer
        self._reader = reader
        self._swept = 0

    async def add(self, line: Audited) -> None:
        """Keep one line; from time to time those that are too old go."""
        sweep = line.at - self._swept >= SWEPT_EACH_MS

        def write(connection: Connection) -> None:
            connection.execute(insert(_audit).values(asdict(line)))
            if sweep:
                connection.execute(delete(_audit).where(_audit.c.at < line.at - KEPT_MS))
                strangers = _audit.c.who == ""
                connection.execute(delete(_audit).where(strangers, _audit.c.at < line.at - STRANGERS_KEPT_MS))

        await self._writer.run(write)
        if sweep:
            self._swept = line.at

    async def page(
        self, asked: Asked = ALL, *, before: int | None = None, limit: int = 100
    ) -> Sequence[tuple[int, Audited]]:
        """The newest first, each with its number; `before` is the number of the last one of the page before."""
        query = select(_audit).where(*_within(asked)).order_by(_audit.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(_audit.c.id < before)
        return await self._reader.run(
            lambda connection: [(row[0], Audited(*row[1:])) for row in connection.execute(query)]
        )
