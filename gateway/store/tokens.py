"""What programs come in by, as rows. Making a token and hashing it is the business of whoever calls."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import insert, or_, select, update

from gateway.store import schema
from gateway.store.worker import Worker


@dataclass(frozen=True, slots=True)
class Token:
    """A program's key: `id` is what people call it by, `hash` all that is kept of it. Instants in ms."""

    id: str
    hash: str
    name: str
    role: str
    created: int
    created_by: str
    expires: int | None = None
    used: int | None = None
    revoked: int | None = None


_tokens = schema.tokens


class Tokens:
    """Making, finding, revoking."""

    def __init__(self, writer: Worker, reader: Worker) -> None:
        self._writer = writer
        self._reader = reader

    async def add(self, token: Token) -> None:
        """A new one."""
        await self._writer.execute(insert(_tokens).values(asdict(token)))

    async def all(self) -> Sequence[Token]:
        """All of them, also those that open nothing any more, newest first."""
        query = select(_tokens).order_by(_tokens.c.created.desc(), _tokens.c.id)
        return await self._reader.run(lambda connection: [Token(*row) for row in connection.execute(query)])

    async def valid(self, hash: str, now: int) -> Token | None:
        """The token with this hash, unless it has expired or was revoked."""
        query = select(_tokens).where(
            _tokens.c.hash == hash,
            _tokens.c.revoked.is_(None),
            or_(_tokens.c.expires.is_(None), _tokens.c.expires > now),
        )
        row = await self._reader.run(lambda connection: connection.execute(query).first())
        return None if row is None else Token(*row)

    async def use(self, id: str, at: int) -> None:
        """It was used."""
        await self._writer.execute(update(_tokens).where(_tokens.c.id == id).values(used=at))

    async def revoke(self, id: str, at: int) -> bool:
        """It opens nothing from now on; False when there is none, or it was revoked before."""
        if not id.isprintable():
            return False
        statement = update(_tokens).where(_tokens.c.id == id, _tokens.c.revoked.is_(None)).values(revoked=at)
        return await self._writer.execute(statement) == 1
