"""The real servers as pytest fixtures, for every test of the repository."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import pytest
from playwright.async_api import Browser

from tests.servers.browser import chromium
from tests.servers.find import chromium_program
from tests.servers.influx import InfluxBucket, Influxd
from tests.servers.mosquitto import Login, Mosquitto
from tests.servers.postgres import Database, Postgres, database_name


class MosquittoMaker(Protocol):
    """Starts brokers that end with the test; the arguments are those of `Mosquitto`."""

    def __call__(
        self, *, login: Login | None = None, acl: str | None = None, tls: bool = False, config: str = ""
    ) -> Mosquitto:
        """Start one more broker."""
        ...


@pytest.fixture
def make_mosquitto(tmp_path: Path) -> Iterator[MosquittoMaker]:
    """For tests that want a broker of a certain make, or more than one."""
    with ExitStack() as brokers:
        made = 0

        def make(
            *, login: Login | None = None, acl: str | None = None, tls: bool = False, config: str = ""
        ) -> Mosquitto:
            nonlocal made
            made += 1
            folder = tmp_path / f"mosquitto-{made}"
            return brokers.enter_context(Mosquitto(folder, login=login, acl=acl, tls=tls, config=config))

        yield make


@pytest.fixture
def folder_in_memory(tmp_path: Path) -> Iterator[Path]:
    """For stores of which no test asks that they outlive a power cut: their thousands of commits wait for no disk."""
    shared = Path("/dev/shm")  # noqa: S108 - a folder of its own within
    if not shared.is_dir():
        yield tmp_path
        return
    with TemporaryDirectory(prefix="hallwatch-", dir=shared) as folder:
        yield Path(folder)


@pytest.fixture
def mosquitto(make_mosquitto: MosquittoMaker) -> Mosquitto:
    """A broker that lets everybody in, for one test."""
    return make_mosquitto()


@pytest.fixture(scope="session")
def influxd_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """The one InfluxDB of the run; tests ask for `influxd`."""
    with Influxd(tmp_path_factory.mktemp("influxd")) as server:
        yield server


@pytest.fixture
def influxd(influxd_server: Influxd) -> Influxd:
    """InfluxDB, running whatever the test before did to it."""
    if influxd_server.process.running:
        influxd_server.resume()
    else:
        influxd_server.start()
    return influxd_server


@pytest.fixture
def influx_bucket(influxd: Influxd, request: pytest.FixtureRequest) -> InfluxBucket:
    """An empty bucket, named after the test."""
    return influxd.create_bucket(re.sub(r"\W+", "-", request.node.nodeid))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """The one PostgreSQL of the run; tests ask for `postgres`, a database of their own."""
    with Postgres() as server:
        yield server


class DatabaseMaker(Protocol):
    """Makes databases that are gone with the test."""

    def __call__(self) -> Database:
        """One more empty database."""
        ...


@pytest.fixture
def make_postgres(request: pytest.FixtureRequest) -> Iterator[DatabaseMaker]:
    """For tests that want more than one database, or perhaps none: the server starts with the first."""
    made: list[Database] = []

    def make() -> Database:
        server: Postgres = request.getfixturevalue("postgres_server")
        server.revive()
        made.append(server.create_database(database_name(request.node.name)))
        return made[-1]

    yield make
    for database in made:
        database.server.revive()
        database.server.drop_database(database)


@pytest.fixture
def postgres(make_postgres: DatabaseMaker) -> Database:
    """An empty database, the server running whatever the test before did to it."""
    return make_postgres()


@pytest.fixture
def chromium_path() -> Path:
    """The browser's program."""
    return chromium_program()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium, for one test; `await browser.new_page()`."""
    async with chromium() as running:
        yield running
