"""The site file read again while the gateway runs: checked, held against the one in force, and put in force.

Refused whole where it is wrong, or where it changes what is opened once at the start; the old one goes on. What is
taken stands in the store before it is in the journal, so that a start after any crash finds both or neither.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

from dashboard.keys import device_keys
from dashboard.server.desk import HallDesk, Reload
from dashboard.sessions import SiteRefusedError
from dashboard.site_file import read_text
from gateway.batch import Siting
from gateway.store.sites import Sites
from sensors.errors import HallwatchError
from sensors.site.difference import Difference, difference
from sensors.site.load import read_site
from sensors.site.model import Site
from sensors.site.problem import format_problems

LOG = logging.getLogger(__name__)
SIGNAL: Final = "SIGHUP"


class RestartNeededError(HallwatchError):
    """The new file changes what only a start can; the sentence names each key."""

    code = "restart_needed"


class Reloading:
    """Loads one site's file anew, one time after the other."""

    def __init__(
        self,
        file: Path | None,
        sitings: Mapping[str, Siting],
        desks: Mapping[str, HallDesk],
        kept: Sites,
        sites: dict[str, Site],
    ) -> None:
        """`sitings` are in force now, by hall; `sites` are those by which every hall's journal is read."""
        self._file = file
        self._sitings = sitings
        self._desks = desks
        self._kept = kept
        self._sites = sites
        self._one_by_one = asyncio.Lock()

    async def __call__(self, by: str) -> Difference:
        """Put in force what stands in the file now; returns what changed.

        Raises `SiteFileError`, `SiteRefusedError`, `RestartNeededError`, and what a device's key may raise.
        """
        async with self._one_by_one:
            return await self._load(by)

    async def _load(self, by: str) -> Difference:
        if self._file is None:
            raise SiteRefusedError("这里没有站点文件 · this system runs without a file")
        text = await asyncio.to_thread(read_text, self._file)
        loaded = await asyncio.to_thread(read_site, text, str(self._file))
        if loaded.site is None:
            raise SiteRefusedError(format_problems(loaded.problems, loaded.name))
        before = next(iter(self._sitings.values()))
        changed = difference(before.site, loaded.site)
        if changed.restart:
            keys = "\n".join(f"    {change}" for change in changed.restart)
            raise RestartNeededError(f"以下改动要重新启动才能生效 · these need a restart, nothing was changed:\n{keys}")
        sitings = {
            hall.id: Siting(loaded.digest, loaded.site, await asyncio.to_thread(device_keys, hall))
            for hall in loaded.site.halls
        }
        if loaded.digest != before.digest:
            await self._kept.keep(loaded.digest, text)
            self._sites[loaded.digest] = loaded.site
        elif sitings == self._sitings:  # the same text, and no device's key is another one
            return changed
        for hall, siting in sitings.items():
            # One after the other: what one hall's path refuses is said in its own words, not as a group of tasks.
            await self._desks[hall].resite(siting, by, changed.brief())
        self._sitings = sitings
        LOG.info("site file loaded anew by %s: %s", by, changed.brief() or "nothing has changed")
        return changed


@contextlib.asynccontextmanager
async def on_hangup(reload: Reload | None, group: asyncio.TaskGroup) -> AsyncIterator[None]:
    """Load the file anew at each SIGHUP, where there is a file. What is wrong with it stands in the log."""
    if reload is None:
        yield
        return
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, asked.set)
    task = group.create_task(_listen(reload, asked), name="reload")
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        task.cancel()


async def _listen(reload: Reload, asked: asyncio.Event) -> None:
    while True:
        await asked.wait()
        asked.clear()
        try:
            await reload(SIGNAL)
        except HallwatchError as error:
            LOG.error("the site file is not taken, the old one goes on: %s\n%s", error.code, error)  # noqa: TRY400
