"""Migrations lead from nothing to exactly the schema that the code asks for, once."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from gateway.store import migrate as steps
from gateway.store import schema
from gateway.store.errors import StoreError
from gateway.store.migrate import migrate
from gateway.store.sql import make_engine, open_store, sqlite_url

Shape = dict[str, tuple[object, ...]]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = make_engine(sqlite_url(tmp_path / "steps.db"), writing=True)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def shape(connection: Connection) -> Shape:
    """Tables as the database itself describes them."""
    with connection.begin():
        found = connection.execute(text("SELECT type, name, tbl_name, sql FROM sqlite_master")).all()
        look = inspect(connection)
        uniques = {name: look.get_unique_constraints(name) for name in look.get_table_names()}
    return {f"{row[0]} {row[1]}": (row[2], row[3], str(uniques.get(row[2]))) for row in found if row[2] != "migrations"}


def test_migrations_yield_exactly_the_schema(connection: Connection) -> None:
    assert migrate(connection, now=1) == (1,)
    other: Engine = create_engine("sqlite://")
    with other.connect() as fresh:
        with fresh.begin():
            schema.metadata.create_all(fresh)
        wanted = shape(fresh)
    other.dispose()
    made = shape(connection)
    assert "table journal" in made
    assert made == wanted


def test_a_second_run_changes_nothing(connection: Connection) -> None:
    migrate(connection, now=1)
    before = shape(connection)
    assert migrate(connection, now=2) == ()
    assert shape(connection) == before


def test_a_newer_schema_is_refused_and_left_alone(connection: Connection) -> None:
    migrate(connection, now=1)
    with connection.begin():
        connection.execute(steps.applied.insert().values(version=99, name="from the future", at=5))
    with pytest.raises(StoreError, match="schema 99") as caught:
        migrate(connection, now=2)
    assert caught.value.code == "store_newer"


def test_a_step_that_fails_leaves_nothing_of_itself(connection: Connection) -> None:
    def half(inner: Connection) -> None:
        inner.execute(text("CREATE TABLE half (a INTEGER)"))
        raise ZeroDivisionError

    migrate(connection, now=1)
    before = shape(connection)
    with pytest.raises(ZeroDivisionError):
        migrate(connection, 2, (*steps.STEPS, (2, "half", half)))
    assert shape(connection) == before


async def test_the_store_migrates_a_file_and_keeps_it_from_others(tmp_path: Path) -> None:
    file = tmp_path / "new" / "hall.db"
    async with open_store(sqlite_url(file)):
        with pytest.raises(StoreError, match="another Hallwatch"):
            async with open_store(sqlite_url(file)):
                pass
    assert file.stat().st_mode & 0o077 == 0
    async with open_store(sqlite_url(file)):
        pass
    with sqlite3.connect(file) as plain:
        assert plain.execute("SELECT version, name FROM migrations").fetchall() == [(1, "first")]
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain.close()
