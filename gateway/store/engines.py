"""Where the store is, and connections to it that are set up as this store needs them.

Two databases are known: a SQLite file, and PostgreSQL by its URL. Whatever the server or the file is set to by
itself, a commit here is on the disk before it returns, and a reader's connection refuses to write.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError

from gateway.store.checkpoint import PAGES_AT_MOST
from gateway.store.errors import StoreError

# Longer than any transaction of ours; only a stranger's hold on the file makes us wait so long.
BUSY_MS: Final = 1000
# Longer than any one statement of ours; a migration lifts it.
STATEMENT_MS: Final = 60_000
CONNECT_S: Final = 5
# A server that is gone without a word is given up after about this long, by both ends of the connection.
GONE_S: Final = 20
_NAMES: Final = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_EVERYWHERE: Final = ("-c client_encoding=UTF8", "-c timezone=UTC", "-c synchronous_commit=on")


def store_url(text: str) -> URL:
    """Read an address: `sqlite:////folder/file.db` or `postgresql://user@host:5432/database`.

    Raises `StoreError` (`store_address`); the sentence never repeats a password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StoreError(
            "store_address", "the store's address is no URL; postgresql://USER@HOST:PORT/DATABASE is one"
        ) from None
    name = _NAMES.get(url.drivername)
    if name is None:
        raise StoreError("store_address", f"no store is called {url.drivername}; there are postgresql and sqlite")
    if not url.database:
        raise StoreError("store_address", f"{masked(url)} names no database")
    return url.set(drivername=name)


def masked(url: URL) -> str:
    """The address as people may see it: no password, and none of the driver's words."""
    return url.set(drivername=url.drivername.partition("+")[0], query={}).render_as_string(hide_password=True)


def make_engine(url: str | URL, *, writing: bool) -> Engine:
    """An engine whose connections are set up as this store needs them; a reader's refuse to write."""
    address = store_url(url) if isinstance(url, str) else url
    arguments = _postgres_arguments(writing=writing) if address.get_backend_name() == "postgresql" else {}
    engine = create_engine(address, poolclass=NullPool, hide_parameters=True, connect_args=arguments)
    if engine.dialect.name == "sqlite":
        _settle_sqlite(engine, writing=writing)
    return engine


def _postgres_arguments(*, writing: bool) -> dict[str, object]:
    ours = [f"-c lock_timeout={BUSY_MS}", f"-c statement_timeout={STATEMENT_MS}"]
    # The server's own look at whether we still live: a lock of a machine that is gone must not stand for hours.
    alive = ["-c tcp_keepalives_idle=10", "-c tcp_keepalives_interval=5", "-c tcp_keepalives_count=2"]
    # All of a reader's transaction sees one moment, as SQLite's does.
    reading = ["-c default_transaction_read_only=on", "-c default_transaction_isolation=repeatable\\ read"]
    role = "writer" if writing else "reader"
    return {
        "options": " ".join([*_EVERYWHERE, *ours, *alive, *([] if writing else reading)]),
        "application_name": f"hallwatch {role} {socket.gethostname()[:30]} {os.getpid()}",
        "connect_timeout": CONNECT_S,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 2,
        "tcp_user_timeout": GONE_S * 1000,
    }


def _settle_sqlite(engine: Engine, *, writing: bool) -> None:
    """Set up each SQLite connection; transactions begin by our own word, so that a writer never upgrades a lock."""

    @event.listens_for(engine, "connect")
    def _connect(connection: DBAPIConnection, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {BUSY_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            *((f"wal_autocheckpoint = {PAGES_AT_MOST}",) if writing else ("query_only = ON",)),
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if writing:
            connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if _flushes(connection) else 'NORMAL'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def unflushed(connection: Connection) -> Iterator[None]:
    """Commits to a SQLite file within the block do not wait for the disk: the next one behind them takes them along.

    What undoes them is a power cut, which ends us too. A PostgreSQL server can fall while we live and go on from where
    we were, past what it forgot: it waits for its disk always.
    """
    connection.execution_options(hallwatch_flush=False)
    try:
        yield
    finally:
        connection.execution_options(hallwatch_flush=True)


def _flushes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("hallwatch_flush", True))
