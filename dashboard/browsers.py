"""Tells people, once and until it is over, that browsers are kept out: in an alarm somebody may need the page.

One that is cut off because it does not keep up is only counted: it comes back by itself.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from dashboard.server.desk import House
from dashboard.server.turned_away import Bound, TurnedAway

LOOK_S: Final = 2.0
# It is over when nobody was kept out for so many looks: a minute.
QUIET_LOOKS: Final = 30
CONDITION: Final = "browsers"
TOLD: Final = {Bound.CONNECTIONS: "too_many_connections", Bound.PAGES: "too_many_pages"}

# Told what is wrong, and "" when nothing is any more.
Tell = Callable[[str], None]


class Crowding:
    """Looks at how the counts grow."""

    def __init__(self, turned_away: TurnedAway, *, told: bool = False) -> None:
        """`told`: people were told by a process before this one."""
        self._counts = turned_away.counts
        self._seen = dict(self._counts)
        self._told = told
        self._quiet = 0

    def look(self) -> str | None:
        """What is to be told now: a code, "" that it is over, None for nothing new."""
        grown = [code for bound, code in TOLD.items() if self._counts[bound] > self._seen[bound]]
        self._seen = dict(self._counts)
        self._quiet = 0 if grown else self._quiet + 1
        if grown and not self._told:
            self._told = True
            return grown[0]
        if self._told and self._quiet >= QUIET_LOOKS:
            self._told = False
            return ""
        return None


async def watch_browsers(crowding: Crowding, tell: Tell) -> None:
    """Look for ever."""
    while True:
        await asyncio.sleep(LOOK_S)
        news = crowding.look()
        if news is not None:
            tell(news)


@contextlib.asynccontextmanager
async def browsers_watched(house: House, group: asyncio.TaskGroup) -> AsyncIterator[None]:
    """Watch while the block runs. The bounds are the process's: the first hall's people are told."""
    watch = next(iter(house.halls.values())).watch
    crowding = Crowding(house.turned_away, told=watch.stands(CONDITION))
    task = group.create_task(watch_browsers(crowding, lambda wrong: watch.tell(CONDITION, wrong)), name="browsers")
    yield
    task.cancel()
