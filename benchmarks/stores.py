"""Where a gateway that is measured keeps its journal: a SQLite file of its own, or a database on one PostgreSQL."""

import contextlib
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from benchmarks.figures import Table
from benchmarks.plan import NotMeasuredError, Plan, StoreName
from benchmarks.servers import family_cpu_s, need_servers
from gateway.store.sql import sqlite_url
from tests.servers.find import postgres_program
from tests.servers.postgres import Postgres

FILE = "hallwatch.db"


@dataclass(frozen=True, slots=True)
class Ground:
    """One kind of store; a file where there is no `server`."""

    name: str
    server: Postgres | None = None

    def row(self, label: str) -> str:
        """The label of a row on this store: what is not the default is named."""
        return label if self.server is None else f"{label}, {self.name}"

    def fresh(self, folder: Path) -> str:
        """The URL of an empty store, in `folder` where it is a file."""
        if self.server is None:
            folder.mkdir(parents=True, exist_ok=True)
            return sqlite_url(folder / FILE)
        return self.server.create_database(_name()).url

    def copy(self, url: str, folder: Path) -> str:
        """The URL of a copy of a store that nobody has open, in `folder` where it is a file."""
        database = make_url(url).database
        assert database is not None
        if self.server is None:
            shutil.copytree(Path(database).parent, folder)
            return sqlite_url(folder / FILE)
        return self.server.create_database(_name(), template=database).url

    def cpu_s(self) -> float:
        """CPU that the server and all its processes have used so far, s; 0 where the gateway does its work."""
        return 0.0 if self.server is None else family_cpu_s(self.server.process.pid)


def _name() -> str:
    return f"bench_{secrets.token_hex(8)}"


@contextlib.contextmanager
def grounds(plan: Plan, table: Table) -> Iterator[Sequence[Ground]]:
    """The stores that the plan asks for, SQLite first; where PostgreSQL is missing the table says so."""
    with contextlib.ExitStack() as stack:
        made = [Ground("SQLite")] if StoreName.SQLITE in plan.stores else []
        if StoreName.POSTGRESQL in plan.stores:
            try:
                made.append(Ground("PostgreSQL", stack.enter_context(_postgres())))
            except NotMeasuredError as missing:
                table.lack(f"left out: PostgreSQL. {missing}")
        if not made:
            raise NotMeasuredError(" ".join(table.lacks))
        yield made


def turns(stores: Sequence[Ground], number: int) -> Sequence[Ground]:
    """Those of one round of a case that is long: the first in each, the others in round 0 only."""
    return stores if number == 0 else stores[:1]


@contextlib.contextmanager
def _postgres() -> Iterator[Postgres]:
    with need_servers():
        postgres_program("postgres")
    try:
        server = Postgres()
    except (KeyError, OSError, RuntimeError) as error:
        # Root may not run it, and its package's user may be missing.
        raise NotMeasuredError(f"PostgreSQL could not be started: {error}") from error
    with server:
        yield server
