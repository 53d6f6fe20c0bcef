"""Brings a database to the schema of this release, one numbered step after the other.

Each step and the line that says it was done are one transaction, so a crash leaves no half of a step.
A database that a newer release has changed is refused: an older program would misread it.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, String, Table, func, insert, inspect, select

from gateway.store.errors import StoreError
from gateway.store.migrations import m0001_first, m0002_leases, m0003_settlements, m0004_roles

Step = tuple[int, str, Callable[[Connection], None]]
STEPS: Final[tuple[Step, ...]] = (
    (1, "first", m0001_first.upgrade),
    (2, "leases", m0002_leases.upgrade),
    (3, "settlements", m0003_settlements.upgrade),
    (4, "roles", m0004_roles.upgrade),
)

_own: Final = MetaData()
applied: Final = Table(
    "migrations",
    _own,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("name", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
)


def migrate(connection: Connection, now: int, steps: tuple[Step, ...] = STEPS) -> tuple[int, ...]:
    """Apply what is missing and return its numbers; raises `StoreError` for a database that is newer than this.

    `now` is ms since the epoch. The connection must not be in a transaction: each step has its own.
    """
    newest = steps[-1][0]
    with connection.begin():
        _own.create_all(connection)
        present = set(connection.scalars(select(applied.c.version)))
    if present and max(present) > newest:
        raise StoreError(
            "store_newer",
            f"the database has schema {max(present)}, this Hallwatch knows {newest}: "
            "start the newer release, or restore the backup that was made before it",
        )
    done: list[int] = []
    for version, name, upgrade in steps:
        if version in present:
            continue
        with connection.begin():
            upgrade(connection)
            connection.execute(insert(applied).values(version=version, name=name, at=now))
        done.append(version)
    return tuple(done)


def version(connection: Connection) -> int:
    """The newest step that a database has seen, 0 where there was none."""
    if not inspect(connection).has_table(applied.name):
        return 0
    return connection.scalar(select(func.max(applied.c.version))) or 0
