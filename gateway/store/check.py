"""Looks a store over beside a running gateway: one moment of it, read only, changing nothing and waited for by nobody.

Each check is a function that yields findings; `CHECKS` is the list, and whoever has more to check has a list of its
own. What a finding means, and its mend, is said by whoever shows it.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, func, select, text

from gateway.store import schema
from gateway.store.migrate import STEPS, version

# Below this the next hour may be the one in which nothing can be acknowledged any more.
FREE_BYTES: Final = 512 * 1024**2
BEHIND: Final = 100_000


class State(StrEnum):
    """Well, wrong, a warning (it works, and a person should mend it), or a note: to be known, nothing to mend."""

    OK = "ok"
    WARN = "warn"
    WRONG = "wrong"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has found: its name, the hall (if it is one's), and the figures or names behind it."""

    check: str
    state: State
    detail: str
    hall: str = ""


Check = Callable[[Connection], Iterable[Finding]]


def verdict(check: str, detail: str, *, well: bool, hall: str = "") -> Finding:
    """A finding that is well or wrong."""
    return Finding(check, State.OK if well else State.WRONG, detail, hall)


def halls(connection: Connection) -> list[str]:
    """The halls that have a journal here."""
    return list(connection.scalars(select(schema.journal.c.hall).distinct().order_by(schema.journal.c.hall)))


def check_schema(connection: Connection) -> Iterator[Finding]:
    """The schema is this release's."""
    found, newest = version(connection), STEPS[-1][0]
    yield verdict("schema", f"{found} / {newest}", well=found == newest)


def check_integrity(connection: Connection) -> Iterator[Finding]:
    """The database finds no damage in itself, and each table can be read to its end."""
    if connection.dialect.name == "sqlite":
        damage = list(connection.scalars(text("PRAGMA quick_check(3)")))
        yield verdict("integrity", "; ".join(map(str, damage)), well=damage == ["ok"])
        return
    invalid = connection.scalars(
        text(
            "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid"
            " UNION SELECT conname FROM pg_constraint WHERE NOT convalidated"
        )
    )
    names = list(invalid)
    yield verdict("integrity", ", ".join(map(str, names)) or "ok", well=not names)


def check_tables(connection: Connection) -> Iterator[Finding]:
    """Every value of every table can be fetched."""
    total = 0
    for table in schema.metadata.sorted_tables:
        for part in connection.execute(select(table).execution_options(yield_per=500)).partitions():
            total += len(part)
    yield verdict("tables", f"{total} rows", well=True)


def check_durable(connection: Connection) -> Iterator[Finding]:
    """What is committed is on the disk: nothing in the server's settings, or in the file's mode, says otherwise."""
    if connection.dialect.name == "sqlite":
        mode = str(connection.scalar(text("PRAGMA journal_mode")))
        yield verdict("durable", f"journal_mode {mode}", well=mode == "wal")
        return
    names = ("fsync", "full_page_writes", "synchronous_commit")
    shown = {name: str(connection.scalar(text("SELECT current_setting(:name)"), {"name": name})) for name in names}
    safe = shown["fsync"] == "on" == shown["full_page_writes"] and shown["synchronous_commit"] not in {"off", "local"}
    yield verdict("durable", ", ".join(f"{name} {value}" for name, value in shown.items()), well=safe)


def check_encoding(connection: Connection) -> Iterator[Finding]:
    """Text is Unicode: another encoding refuses 中文."""
    name = "PRAGMA encoding" if connection.dialect.name == "sqlite" else "SHOW server_encoding"
    encoding = str(connection.scalar(text(name)))
    yield verdict("encoding", encoding, well=encoding.upper().startswith("UTF"))


def check_space(connection: Connection) -> Iterator[Finding]:
    """There is room to write for a while; how large it all is."""
    if connection.dialect.name == "postgresql":
        size = int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
        yield Finding("space", State.NOTE, f"{_mb(size)} in the database; the server's disk is not ours to see")
        return
    place = Path(str(connection.engine.url.database))
    free = shutil.disk_usage(place.parent).free
    size = sum(one.stat().st_size for one in place.parent.glob(f"{place.name}*"))
    yield verdict("space", f"{_mb(free)} free, {_mb(size)} in use", well=free >= FREE_BYTES)


def check_gaps(connection: Connection) -> Iterator[Finding]:
    """What the disk budget has cost so far is said again."""
    c = schema.gaps.c
    for hall, name, count, dropped in connection.execute(
        select(c.hall, c.name, func.count(), func.sum(c.dropped)).group_by(c.hall, c.name).order_by(c.hall, c.name)
    ):
        yield Finding("gaps", State.NOTE, f"{name}: {count} gaps, {dropped} messages", hall)


def check_cursors(connection: Connection) -> Iterator[Finding]:
    """Each history stands within the journal, and not far behind its end."""
    for hall in halls(connection):
        first, end = ends(connection, hall)
        c = schema.cursors.c
        for name, index in connection.execute(select(c.name, c.index).where(c.hall == hall).order_by(c.name)):
            within = first <= index <= end or index == 0
            yield verdict("cursors", f"{name} at {index} in {first}..{end}", well=within, hall=hall)
            yield verdict("behind", f"{name}: {end - index}", well=end - index <= BEHIND, hall=hall)


def check_keys(connection: Connection) -> Iterator[Finding]:
    """Nothing open stands twice under one key (the database refuses it; a copy made by other means may not)."""
    for table in (schema.alarms, schema.tickets):
        c = table.c
        twice = select(c.hall, c.open_key).where(c.open_key.is_not(None)).group_by(c.hall, c.open_key)
        found = [f"{hall}: {key}" for hall, key in connection.execute(twice.having(func.count() > 1))]
        yield verdict("keys", f"{table.name}: {', '.join(found) or 'ok'}", well=not found)


def ends(connection: Connection, hall: str) -> tuple[int, int]:
    """The first index that a hall's journal still has, and the one that the next input will have."""
    c = schema.journal.c
    query = select(func.min(c.index), func.max(c.index + c.count)).where(c.hall == hall)
    first, end = connection.execute(query).one()
    return first or 0, end or 0


def _mb(size: int) -> str:
    return f"{size / 1024**2:.1f} MB"


CHECKS: Final[tuple[Check, ...]] = (
    check_schema,
    check_integrity,
    check_tables,
    check_durable,
    check_encoding,
    check_space,
    check_keys,
    check_cursors,
    check_gaps,
)
