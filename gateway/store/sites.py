"""The site files that the journal was written under: each stretch of it is folded with its own."""

from typing import Final

from sqlalchemy import Connection, insert, select

from gateway.store import schema
from gateway.store.worker import Worker

PREFIX: Final = "site/"
DIGEST_KEPT: Final = 56


class Sites:
    """Site files by digest, kept as text in the store's `meta` table."""

    def __init__(self, writer: Worker, reader: Worker) -> None:
        self._writer = writer
        self._reader = reader

    async def keep(self, digest: str, text: str) -> None:
        """Keep a site file under its digest, once."""
        key = PREFIX + digest[:DIGEST_KEPT]
        table = schema.meta

        def put(connection: Connection) -> None:
            if connection.scalar(select(table.c.key).where(table.c.key == key)) is None:
                connection.execute(insert(table).values(key=key, value=text))

        await self._writer.run(put)

    async def texts(self) -> list[str]:
        """Every site file that was ever in force."""
        table = schema.meta

        def fetch(connection: Connection) -> list[str]:
            rows = connection.scalars(select(table.c.value).where(table.c.key.startswith(PREFIX)))
            return list(rows)

        return await self._reader.run(fetch)
