"""One hall, one writer: on PostgreSQL by its locks, and whoever lost them to another writes nothing more."""

import asyncio

import psycopg
import pytest

from gateway.store.errors import StoreError
from gateway.store.sql import open_store
from tests.gateway.store.build import HALL, batch
from tests.servers.postgres import Database

CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'hallwatch writer%'"


def cut(database: Database) -> None:
    """What a fault of the network does: the sessions end, and with them their locks."""
    with database.connect() as connection:
        connection.execute(CUT)


async def test_halls_of_one_database_have_gateways_of_their_own(postgres: Database) -> None:
    async with open_store(postgres.url, ("h1", "h2")) as first, open_store(postgres.url, ("h3",)) as second:
        await first.journal.commit(batch(0, hall="h1"))
        await second.journal.commit(batch(0, hall="h3"))
        for halls in (("h2", "h3"), ()):
            with pytest.raises(StoreError, match=r"another Hallwatch is writing .*: hallwatch writer") as caught:
                async with open_store(postgres.url, halls):
                    pass
            assert caught.value.code == "store_busy"
            assert postgres.server.password not in str(caught.value)
    async with open_store(postgres.url):
        with pytest.raises(StoreError, match="this database"):
            async with open_store(postgres.url, ("h1",)):
                pass


async def test_who_lost_the_connection_alone_goes_on(postgres: Database) -> None:
    async with open_store(postgres.url, (HALL,)) as store:
        await store.journal.commit(batch(0))
        cut(postgres)
        with pytest.raises(StoreError) as caught:
            await store.journal.commit(batch(3))
        assert caught.value.transient
        await store.journal.commit(batch(3))
        with pytest.raises(StoreError, match="another Hallwatch is writing hall h1"):
            async with open_store(postgres.url, (HALL,)):
                pass


@pytest.mark.parametrize("halls", [(HALL,), ()])
async def test_who_lost_the_hall_to_another_writes_nothing_more(postgres: Database, halls: tuple[str, ...]) -> None:
    async with open_store(postgres.url, (HALL,)) as old:
        await old.journal.commit(batch(0))
        cut(postgres)
        async with open_store(postgres.url, halls) as new:
            await new.journal.commit(batch(3))
            # It finds out that the connection is gone, and that the hall is taken.
            for code in ("store_failed", "store_busy"):
                with pytest.raises(StoreError) as caught:
                    await old.journal.commit(batch(3))
                assert (caught.value.code, caught.value.transient) == (code, True)
        # The server lets go of the other's lease in its own time.
        async with asyncio.timeout(30):
            while True:
                with pytest.raises(StoreError) as fenced:
                    await old.journal.commit(batch(3))
                if fenced.value.code != "store_busy":
                    break
                await asyncio.sleep(0.05)
        assert "what we know is old" in str(fenced.value)
        assert not fenced.value.transient
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute('SELECT "index" FROM journal ORDER BY 1').fetchall() == [(0,), (3,)]
