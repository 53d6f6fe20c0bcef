"""What one device sent last, as it came: out of the journal and the quarantine, with what became of each message.

The journal has no list by device: it is read backwards, for as far as that is quick, and says how far it was.
"""

import asyncio
from collections.abc import Iterator
from typing import Final

import msgspec

from gateway.pipeline import Pipeline
from gateway.store.contract import JournalRow, QuarantineRow
from gateway.store.journal import SqlJournal
from gateway.store.quarantine import Quarantine
from sensors.inputs import Heard, unpack
from sensors.readings import Kind, Value

ROWS_A_LOOK: Final = 200
ROWS_AT_MOST: Final = 6_000


class Raw(msgspec.Struct, frozen=True):
    """A message and what became of it: stored, awaiting, replayed, quarantined (then with its row)."""

    at: int
    topic: str
    payload: bytes
    verdict: str
    values: tuple[tuple[Kind, Value], ...] = ()
    retained: bool = False
    length: int = 0
    reason: str = ""
    detail: str = ""
    row: int | None = None


class RawPage(msgspec.Struct, frozen=True):
    """The newest messages of a device, newest first. `since`: all of the journal from then on was looked through."""

    items: tuple[Raw, ...]
    since: int | None


class RawMessages:
    """Looks for one hall's messages."""

    def __init__(self, hall: str, path: Pipeline, journal: SqlJournal, quarantine: Quarantine) -> None:
        self._hall = hall
        self._path = path
        self._journal = journal
        self._quarantine = quarantine

    async def of(self, device: str, limit: int) -> RawPage:
        """The newest `limit` messages of a device. Raises `StoreError`."""
        found, since = await self._kept(device, limit)
        held = await self._quarantine.page(self._hall, state=None, limit=limit, device=device)
        found += [_held(row) for row in held if since is None or row.message.at >= since]
        found.sort(key=lambda raw: raw.at, reverse=True)
        return RawPage(tuple(found[:limit]), since)

    async def _kept(self, device: str, limit: int) -> tuple[list[Raw], int | None]:
        known = self._path.core.hall.state.devices.get(device)
        if known is None:
            return [], None
        found: list[Raw] = []
        before, looked, since = self._path.index, 0, None
        while len(found) < limit and looked < ROWS_AT_MOST:
            rows = await self._journal.back(self._hall, before, ROWS_A_LOOK)
            if not rows:
                return found, None
            for row in rows:
                found += self._in(row, device, known.address)
            before, since, looked = rows[-1].index, rows[-1].at, looked + len(rows)
            await asyncio.sleep(0)
        return found, since

    def _in(self, row: JournalRow, device: str, address: str) -> Iterator[Raw]:
        """One batch's messages of the device, newest first."""
        try:
            items = unpack(row.blob)
        except msgspec.MsgspecError:
            return
        for item in reversed(items):
            if not isinstance(item, Heard) or address not in item.topic:
                continue
            arrival = self._path.reads(item)
            if arrival is not None and arrival.device == device:
                verdict = "replayed" if item.replayed else "awaiting" if item.awaiting else "stored"
                values = arrival.decoded.values
                yield Raw(item.at, item.topic, item.payload, verdict, values, item.retained, len(item.payload))


def _held(row: QuarantineRow) -> Raw:
    one = row.message
    verdict = "quarantined" if row.state == "held" else row.state
    return Raw(one.at, one.topic, one.payload, verdict, (), one.retained, one.length, one.reason, one.detail, row.id)
