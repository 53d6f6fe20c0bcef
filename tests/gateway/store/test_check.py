"""The look over a store finds what was damaged in it, names it, and is content with a store that is well."""

import asyncio
import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, delete, insert, select, text, update

from dashboard.cli.doctor import STORE, SYSTEM, store_findings
from dashboard.cli.doctor_words import MENDS, NAMES
from gateway.store import schema
from gateway.store.check import Finding, State
from gateway.store.sql import open_store, sqlite_url
from sensors.hall.snapshot import decode_state, encode_state
from sensors.inputs import pack, unpack
from tests.gateway.store.releases.fill import fill
from tests.servers.postgres import Database

JOURNAL, SNAPSHOTS = schema.journal, schema.snapshots
Damage = Callable[[Connection], object]


def wrong(found: list[Finding]) -> set[str]:
    return {one.check for one in found if one.state is State.WRONG}


async def filled(url: str) -> None:
    async with open_store(url) as store:
        await fill(store)


@pytest.fixture(scope="module")
def filled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with a hall in it, made once."""
    path = tmp_path_factory.mktemp("filled") / "hallwatch.db"
    asyncio.run(filled(sqlite_url(path)))
    return path


@pytest.fixture
def filled_url(filled_file: Path, tmp_path: Path) -> str:
    """A copy of it to damage."""
    return sqlite_url(Path(shutil.copy(filled_file, tmp_path)))


async def damaged(url: str, damage: Damage) -> list[Finding]:
    async with open_store(url) as store:
        await store.writer.run(damage)
    return list(store_findings(url))


async def test_a_store_that_is_well_is_called_well(url: str) -> None:
    await filled(url)
    found = list(store_findings(url))
    assert wrong(found) == set(), found
    by_check = {one.check: one for one in found}
    assert {"schema", "integrity", "tables", "durable", "journal", "sites", "snapshot", "cursors"} <= by_check.keys()
    assert by_check["fold"].state is State.OK
    assert by_check["gaps"].state is State.NOTE
    assert set(by_check) <= NAMES.keys()


def lose_a_row(connection: Connection) -> None:
    last = connection.scalar(select(JOURNAL.c.index).order_by(JOURNAL.c.index.desc()).offset(3).limit(1))
    connection.execute(delete(JOURNAL).where(JOURNAL.c.index == last))


def shorten_a_row(connection: Connection) -> None:
    c = JOURNAL.c
    last = connection.scalar(select(c.index).order_by(c.index.desc()).limit(1))
    connection.execute(update(JOURNAL).where(c.index == last).values(count=c["count"] + 1))


def spoil_a_row(connection: Connection) -> None:
    last = connection.scalar(select(JOURNAL.c.index).order_by(JOURNAL.c.index.desc()).limit(1))
    connection.execute(update(JOURNAL).where(JOURNAL.c.index == last).values(blob=b"\xc1 no msgpack"))


def forge_a_snapshot(connection: Connection) -> None:
    """Bytes and digest fit each other, but not what the journal says."""
    row = connection.execute(select(SNAPSHOTS).order_by(SNAPSHOTS.c.index.desc()).limit(1)).one()
    state = decode_state(row.blob)
    state.now += 1
    blob = encode_state(state)
    digest = hashlib.sha256(blob).hexdigest()
    connection.execute(update(SNAPSHOTS).where(SNAPSHOTS.c.index == row.index).values(blob=blob, digest=digest))


def forge_the_journal(connection: Connection) -> None:
    """A row between the two snapshots says something else than it did."""
    newest = connection.scalar(select(SNAPSHOTS.c.index).order_by(SNAPSHOTS.c.index.desc()).limit(1)) or 0
    rows = connection.execute(select(JOURNAL).where(JOURNAL.c.index < newest).order_by(JOURNAL.c.index.desc()))
    for row in rows.all():
        inputs = unpack(row.blob)
        changed = [msgspec.structs.replace(one, at=one.at + 1) for one in inputs]
        connection.execute(update(JOURNAL).where(JOURNAL.c.index == row.index).values(blob=pack(changed)))


def stand_for_long(connection: Connection) -> None:
    connection.execute(insert(JOURNAL).values(hall="h9", index=0, count=200_000, at=1, blob=pack([])))
    connection.execute(insert(schema.cursors).values(hall="h9", name="influxdb", index=0))


DAMAGES: dict[str, tuple[Damage, set[str]]] = {
    "a row of the journal is lost": (lose_a_row, {"journal"}),
    "a row has not what it says": (shorten_a_row, {"journal"}),
    "a row cannot be read": (spoil_a_row, {"journal"}),
    "a snapshot's bytes are others": (lambda c: c.execute(update(SNAPSHOTS).values(digest="x")), {"snapshot"}),
    "a snapshot is forged": (forge_a_snapshot, {"fold"}),
    "the journal is forged": (forge_the_journal, {"fold"}),
    "a site file is gone": (
        lambda c: c.execute(delete(schema.meta).where(schema.meta.c.key.startswith("site/"))),
        {"sites", "fold"},
    ),
    "a site file is another": (
        lambda c: c.execute(
            update(schema.meta).where(schema.meta.c.key.startswith("site/")).values(value=schema.meta.c.value + "#")
        ),
        {"sites", "fold"},
    ),
    "a cursor stands behind the end": (
        lambda c: c.execute(update(schema.cursors).values(index=10_000)),
        {"cursors"},
    ),
    "a history has stood for long": (stand_for_long, {"journal", "behind"}),
    "a newer release was here": (
        lambda c: c.execute(text("INSERT INTO migrations (version, name, at) VALUES (99, 'x', 1)")),
        {"schema"},
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
async def test_what_is_damaged_is_found(filled_url: str, name: str) -> None:
    damage, expected = DAMAGES[name]
    found = await damaged(filled_url, damage)
    assert wrong(found) == expected, found
    assert expected <= MENDS.keys()


async def test_damage_is_found_on_postgresql(postgres: Database) -> None:
    def damage(connection: Connection) -> None:
        lose_a_row(connection)
        connection.execute(update(SNAPSHOTS).values(digest="x"))
        connection.execute(update(schema.cursors).values(index=10_000))

    await filled(postgres.url)
    found = await damaged(postgres.url, damage)
    assert wrong(found) == {"journal", "snapshot", "cursors"}, found


def test_a_damaged_page_is_found(filled_url: str) -> None:
    path = Path(filled_url.removeprefix("sqlite:///"))
    with sqlite3.connect(path) as plain:
        root = plain.execute("SELECT rootpage FROM sqlite_master WHERE name = 'alarms_by_time'").fetchone()[0]
        size = plain.execute("PRAGMA page_size").fetchone()[0]
    plain.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size + size // 2)
        file.write(b"\x5a" * (size // 2))
    assert "integrity" in wrong(list(store_findings(filled_url)))


async def test_settings_that_lose_commits_are_found(postgres: Database) -> None:
    await filled(postgres.url)
    with postgres.connect() as connection:
        connection.execute("ALTER SYSTEM SET full_page_writes = off")
        connection.execute("SELECT pg_reload_conf()")
    try:
        found = list(store_findings(postgres.url))
        assert wrong(found) == {"durable"}, found
    finally:
        with postgres.connect() as connection:
            connection.execute("ALTER SYSTEM RESET full_page_writes")
            connection.execute("SELECT pg_reload_conf()")


async def test_a_missing_table_is_a_finding_and_the_rest_is_looked_at(filled_url: str) -> None:
    found = await damaged(filled_url, lambda connection: connection.execute(text("DROP TABLE readings")))
    assert wrong(found) == {"tables"}, found
    assert len(found) > len(STORE)


def test_a_database_that_does_not_answer_is_said() -> None:
    (found,) = store_findings("postgresql://nobody:secret@127.0.0.1:1/none")
    assert (found.check, found.state) == ("reach", State.WRONG)
    assert "secret" not in found.detail


def test_every_check_has_its_words() -> None:
    named = {one.__name__.removeprefix("check_") for one in (*STORE, *SYSTEM)}
    assert named <= NAMES.keys()
    assert set(MENDS) == set(NAMES) - {"gaps", "identity"}, "what is only noted need not be mended"
