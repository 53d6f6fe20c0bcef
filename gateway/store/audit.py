"""Who wrote what and who looked at names, as rows. Rows are added and, after their time, swept; none is changed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from gateway.store import schema
from gateway.store.worker import Worker

KEPT_MS: Final = 400 * 86_400_000
# What nobody had a login for is mostly noise of the network, and anybody can make it.
STRANGERS_KEPT_MS: Final = 30 * 86_400_000
SWEPT_EACH_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Audited:
    """One line: who ("" is nobody known) did what about what, from where, and how it ended; `at` in ms."""

    at: int
    who: str
    address: str
    what: str
    about: str
    outcome: str


_audit = schema.audit


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
        self, *, who: str | None = None, before: int | None = None, limit: int = 100
    ) -> Sequence[tuple[int, Audited]]:
        """The newest first, each with its number; `before` is the number of the last one of the page before."""
        query = select(_audit).order_by(_audit.c.id.desc()).limit(limit)
        if who is not None:
            query = query.where(_audit.c.who == who)
        if before is not None:
            query = query.where(_audit.c.id < before)
        return await self._reader.run(
            lambda connection: [(row[0], Audited(*row[1:])) for row in connection.execute(query)]
        )
