"""Checks that need to know what a journal means: it is whole and readable, and its snapshots are what it says.

Part of `hallwatch doctor`: read only, beside a running gateway, from one moment of its store.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from sqlalchemy import Connection, select

from gateway.fold import Folder
from gateway.store import schema
from gateway.store.check import Check, Finding, State, ends, halls, verdict
from gateway.store.contract import JournalRow, Snapshot
from gateway.store.journal import read_rows
from gateway.store.sites import DIGEST_KEPT, PREFIX
from sensors.hall.snapshot import STATE_VERSION, SnapshotError, decode_state, encode_state
from sensors.hall.state import HallState
from sensors.inputs import AnyInput, Resited, Started, unpack
from sensors.site.load import read_site
from sensors.site.model import Site

ROWS_AT_ONCE: Final = 500
# Longer stretches than a gateway itself leaves between two snapshots are not folded anew: minutes, for nothing new.
FOLDED_AT_MOST: Final = 200_000


def check_journal(connection: Connection) -> Iterator[Finding]:
    """Every hall's journal goes on where the row before ended, and every row can be read and has what it says."""
    for hall in halls(connection):
        first, end = ends(connection, hall)
        wrong: list[str] = []
        due = first
        for row in _rows(connection, hall, first):
            if row.index != due:
                wrong.append(f"{due}..{row.index - 1} are missing" if row.index > due else f"{row.index} stands twice")
            due = row.index + row.count
            if (count := _readable(row)) != row.count:
                wrong.append(f"row {row.index} cannot be read" if count < 0 else f"row {row.index} has {count} inputs")
        yield verdict("journal", "; ".join(wrong[:5]) or f"{first}..{end}", well=not wrong, hall=hall)


def check_sites(connection: Connection) -> Iterator[Finding]:
    """Each site file that a journal names is kept, and is the one that it names."""
    kept, damaged = _sites(connection)
    for name in damaged:
        yield Finding("sites", State.WRONG, name)
    for hall in halls(connection):
        inputs = _inputs(connection, hall, ends(connection, hall)[0])
        named = {one.site for _, one in inputs if isinstance(one, Started | Resited)}
        missing = sorted(named - kept.keys())
        yield verdict("sites", ", ".join(missing) or f"{len(named)}", well=not missing, hall=hall)


def check_snapshot(connection: Connection) -> Iterator[Finding]:
    """A snapshot's bytes are those that were written, and the journal leads from the older one to the newer."""
    sites, _ = _sites(connection)
    for hall in halls(connection):
        kept = _snapshots(connection, hall)
        good = [one for one in kept if hashlib.sha256(one.blob).hexdigest() == one.digest]
        for one in kept:
            yield verdict("snapshot", f"{one.index}", well=one in good, hall=hall)
        usable = [one for one in good if one.version == STATE_VERSION]
        if usable:
            yield _refolded(connection, hall, usable, sites)
        else:
            yield Finding("fold", State.NOTE, "no snapshot of this release's state", hall)


def _refolded(connection: Connection, hall: str, usable: list[Snapshot], sites: Mapping[str, Site]) -> Finding:
    newest, older = usable[0], usable[1] if len(usable) > 1 else None
    begin = 0 if older is None else older.index
    if older is None and ends(connection, hall)[0] > 0:
        return Finding("fold", State.NOTE, f"nothing is left from before {newest.index}", hall)
    if newest.index - begin > FOLDED_AT_MOST:
        return Finding("fold", State.NOTE, f"{newest.index - begin} inputs lie between: not folded anew", hall)
    try:
        state = None if older is None else decode_state(older.blob)
        folded = _fold(connection, hall, begin, newest.index, (state, sites))
    except (SnapshotError, msgspec.MsgspecError, LookupError) as error:
        return Finding("fold", State.WRONG, f"{begin}..{newest.index}: {error!r}", hall)
    return verdict("fold", f"{begin}..{newest.index}", well=folded == newest.blob, hall=hall)


def _fold(
    connection: Connection, hall: str, begin: int, end: int, known: tuple[HallState | None, Mapping[str, Site]]
) -> bytes:
    state, sites = known
    inputs = _inputs(connection, hall, begin)
    folder: Folder | None = None if state is None else Folder.start(hall, state.site, sites, state)
    for index, item in inputs:
        if index >= end:
            break
        if folder is None:
            digest = item.site if isinstance(item, Started) and item.site in sites else next(iter(sites))
            folder = Folder.start(hall, digest, sites, None)
        folder.take(item)
    if folder is None:
        raise LookupError("no input is there")
    return encode_state(folder.hall.state)


def _rows(connection: Connection, hall: str, index: int) -> Iterator[JournalRow]:
    while rows := read_rows(connection, hall, index, ROWS_AT_ONCE):
        yield from rows
        index = rows[-1].index + rows[-1].count


def _inputs(connection: Connection, hall: str, index: int) -> Iterator[tuple[int, AnyInput]]:
    for row in _rows(connection, hall, index):
        if _readable(row) == row.count:
            for place, item in enumerate(unpack(row.blob), row.index):
                if place >= index:
                    yield place, item


def _readable(row: JournalRow) -> int:
    try:
        return len(unpack(row.blob))
    except msgspec.MsgspecError:
        return -1


def _sites(connection: Connection) -> tuple[dict[str, Site], list[str]]:
    c = schema.meta.c
    sites: dict[str, Site] = {}
    damaged = []
    for key, text in connection.execute(select(c.key, c.value).where(c.key.startswith(PREFIX))):
        loaded = read_site(text, key)
        if loaded.digest[:DIGEST_KEPT] != key.removeprefix(PREFIX):
            damaged.append(f"{key} is not what it is called")
        elif loaded.site is not None:
            sites[loaded.digest] = loaded.site
    return sites, damaged


def _snapshots(connection: Connection, hall: str) -> list[Snapshot]:
    c = schema.snapshots.c
    query = select(c.hall, c.index, c.at, c.version, c.blob, c.digest).where(c.hall == hall).order_by(c.index.desc())
    return [Snapshot(*row) for row in connection.execute(query)]


CHECKS: Final[tuple[Check, ...]] = (check_journal, check_sites, check_snapshot)
