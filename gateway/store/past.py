"""What a chart marks beside its line: alarms and lines of the log of a stretch of time. Reads only."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Row, and_, or_, select

from alerts.model import Alarm, Event
from gateway.store import schema
from gateway.store.rows import ALARMS
from gateway.store.worker import Worker

# More marks than this hide the line that they stand beside.
MOST_ALARMS: Final = 500
# A window that turns every five minutes of a month's working days makes some three thousand.
MOST_LINES: Final = 20_000


class Past:
    """Questions about a stretch of time, its `start` included and its `end` not (ms since the epoch)."""

    def __init__(self, reader: Worker) -> None:
        self._reader = reader

    async def alarms(self, hall: str, start: int, end: int, limit: int = MOST_ALARMS) -> Sequence[Alarm]:
        """The alarms that were raised by then and had not cleared before, the newest first."""
        c = schema.alarms.c
        query = (
            select(c.body)
            .where(c.hall == hall, c.raised < end, or_(c.cleared.is_(None), c.cleared >= start))
            # One that ended without its condition being seen to clear is over with its end.
            .where(or_(c.cleared.is_not(None), c.closed.is_(None), c.closed >= start))
            .order_by(c.raised.desc(), c.id.desc())
            .limit(limit)
        )
        return await self._reader.run(lambda connection: [ALARMS.value(body) for body in connection.scalars(query)])

    async def lines(self, hall: str, about: str, what: str, start: int, end: int) -> Sequence[Event]:
        """The lines of one sort about one thing, oldest first, with the one before `start` where there is one."""
        c = schema.events.c
        these = and_(c.hall == hall, c.about == about, c.what == what)
        columns = (c.hall, c.at, c.about, c.what, c.actor, c.detail)
        before = select(*columns).where(these, c.at < start).order_by(c.id.desc()).limit(1)
        within = select(*columns).where(these, c.at >= start, c.at < end).order_by(c.id).limit(MOST_LINES)
        return await self._reader.run(
            lambda connection: [_event(row) for query in (before, within) for row in connection.execute(query)]
        )


def _event(row: Row[str, int, str, str, str, str]) -> Event:
    return Event(*row)
