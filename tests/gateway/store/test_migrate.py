"""Migrations lead from nothing to exactly the schema that the code asks for, once."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text

from gateway.store import migrate as steps
from gateway.store import schema
from gateway.store.engines import make_engine
from gateway.store.errors import StoreError
from gateway.store.migrate import migrate
from gateway.store.sql import open_store, sqlite_url

Shape = dict[str, tuple[object, ...]]


NUMBERS = tuple(number for number, _, _ in steps.STEPS)


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    engine = make_engine(url, writing=True)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def shape(connection: Connection) -> Shape:
    """Tables as the database itself describes them."""
    with connection.begin():
        look = inspect(connection)
        found: Shape = {}
        for name in look.get_table_names():
            columns = [(one["name"], str(one["type"]), one["nullable"]) for one in look.get_columns(name)]
            indexes = sorted(
                (str(one["name"]), one["column_names"], bool(one["unique"])) for one in look.get_indexes(name)
            )
            uniques = sorted((str(one["name"]), one["column_names"]) for one in look.get_unique_constraints(name))
            keys = look.get_pk_constraint(name)["constrained_columns"]
            found[name] = (columns, keys, indexes, uniques)
        if connection.dialect.name == "sqlite":
            # The words themselves, for what no inspector tells (WITHOUT ROWID).
            words = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")).all()
            found |= {name: (*found[name], said) for name, said in words if name in found}
    found.pop("migrations", None)
    return found


def test_migrations_yield_exactly_the_schema(connection: Connection) -> None:
    assert migrate(connection, now=1) == NUMBERS
    made = shape(connection)
    assert "journal" in made
    tables = [*reversed(schema.metadata.sorted_tables), steps.applied]
    with connection.begin():
        for table in tables:
            table.drop(connection)
        schema.metadata.create_all(connection)
    assert made == shape(connection)


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
        migrate(connection, 2, (*steps.STEPS, (99, "half", half)))
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
        assert plain.execute("SELECT version, name FROM migrations").fetchall() == [step[:2] for step in steps.STEPS]
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain.close()
