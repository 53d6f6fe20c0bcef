"""A database of the last release comes to this one's schema with every row as it was, and the hall goes on from it."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import psycopg
from sqlalchemy import Connection, MetaData, Table, insert, select

from gateway.fold import fold
from gateway.store import schema
from gateway.store.accounts import User
from gateway.store.audit import Audited
from gateway.store.engines import make_engine
from gateway.store.migrate import STEPS, applied, migrate
from gateway.store.sql import Store, open_store
from gateway.store.tokens import Token
from sensors.facts import FactKind
from sensors.hall.snapshot import encode_state
from sensors.site.load import read_site
from tests.gateway.store.build import batch

RELEASES = Path(__file__).with_name("releases")
HALL = "main"
Rows = Mapping[str, list[tuple[object, ...]]]


def load(url: str, release: int) -> None:
    """Make a database as that release left it."""
    if url.startswith("sqlite"):
        words = (RELEASES / f"{release:04}.sqlite.sql").read_text(encoding="utf-8")
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.executescript(words)
        connection.close()
        return
    words = (RELEASES / f"{release:04}.postgresql.sql").read_text(encoding="utf-8")
    with psycopg.connect(url) as server:
        server.execute(words.encode())


def rows(url: str) -> Rows:
    """Every row of every table, as the database says it."""
    engine = make_engine(url, writing=False)
    with engine.connect() as connection:
        found = _rows(connection)
    engine.dispose()
    return found


def _rows(connection: Connection) -> Rows:
    known = MetaData()
    known.reflect(connection)
    return {name: _rows_of(connection, table) for name, table in known.tables.items()}


def _rows_of(connection: Connection, table: Table) -> list[tuple[object, ...]]:
    return sorted((tuple(row) for row in connection.execute(select(table))), key=repr)


def renamed(before: Rows) -> Rows:
    """What migrations make of the first release's rows: the readings table has its own name, who logs in is admin."""
    known = {name: list(found) for name, found in before.items()}
    for name in ("cursors", "gaps", "refused_points"):
        assert any("sqlite" in row for row in known[name]), name
        known[name] = [tuple("readings" if value == "sqlite" else value for value in row) for row in known[name]]
    assert any("staff" in row for row in known["users"])
    known["users"] = [tuple("admin" if value == "staff" else value for value in row) for row in known["users"]]
    return known


async def test_every_row_of_the_last_release_is_there(url: str) -> None:
    load(url, 1)
    before = rows(url)
    filled = {name for name, found in before.items() if found}
    assert {"journal", "alarms", "messages", "runs", "tickets", "snapshots", "quarantine", "readings"} <= filled
    assert filled == set(before), "the dump has a row in every table"
    async with open_store(url):
        pass
    after = dict(rows(url))
    assert [row[:2] for row in after.pop(applied.name)] == [step[:2] for step in STEPS]
    after.pop("leases")
    for new in ("settlements", "tokens", "audit"):
        assert not after.pop(new)
    wanted = dict(renamed(before))
    wanted.pop(applied.name)
    assert after == wanted


async def test_logins_tokens_and_the_audit_pass_each_later_step(url: str) -> None:
    engine = make_engine(url, writing=True)
    user = {"name": "li", "password": "!0a:9", "role": "staff", "created": 1, "person": None, "disabled": False}
    token = {"id": "t1", "hash": "0" * 64, "name": "grafana", "role": "viewer", "created": 5, "created_by": "li"}
    line = {"at": 5, "who": "li", "address": "::1", "what": "token.add", "about": "grafana", "outcome": "done"}
    with engine.connect() as connection:
        # They are what they are since the fourth step.
        migrate(connection, 1, STEPS[:4])
        with connection.begin():
            for table, row in ((schema.users, user), (schema.tokens, token), (schema.audit, line)):
                connection.execute(insert(table).values(row))
    engine.dispose()
    async with open_store(url) as store:
        assert await store.accounts.user("li") == User("li", "!0a:9", "staff", 1)
        assert await store.tokens.all() == [Token("t1", "0" * 64, "grafana", "viewer", 5, "li")]
        assert await store.audit.page() == [(1, Audited(5, "li", "::1", "token.add", "grafana", "done"))]


async def test_the_hall_goes_on_from_it(url: str) -> None:
    load(url, 1)
    async with open_store(url) as store:
        book = await store.journal.book(HALL)
        fires = [one for one in book.alarms.values() if one.kind is FactKind.FIRE]
        assert fires
        assert all(one.acknowledged for one in fires)
        assert [one.plan.id for one in book.runs.values()] == ["fire"]
        assert [one.subject.id for one in book.tickets.values()] == ["printer-1"]
        assert await resumes(store)
        end = await store.journal.end(HALL)
        await store.journal.commit(batch(end, hall=HALL))
        assert await store.journal.end(HALL) == end + 3
        assert [one.name for one in await store.cursors.all(HALL)] == ["readings"]
        assert 0 < await store.cursors.get(HALL, "readings") < end


async def resumes(store: Store) -> bool:
    """Whether the fold from the snapshot is the fold from empty, and knows of the fire."""
    loaded = [read_site(text, "kept") for text in await store.sites.texts()]
    sites = {one.digest: one.site for one in loaded if one.site is not None}
    digest = next(iter(sites))
    resumed = await fold(store.journal, HALL, digest, sites)
    empty = await fold(store.journal, HALL, digest, sites, from_empty=True)
    assert resumed.hall.state.devices["smoke-1"].fire
    return encode_state(resumed.hall.state) == encode_state(empty.hall.state)
