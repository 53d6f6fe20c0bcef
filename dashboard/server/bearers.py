"""Programs that come in by a token: `Authorization: Bearer …`. No page of a stranger can send that for us.

A token is random and long; it is shown once, and the store keeps its hash. It has a role and, mostly, an end.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from dashboard.server.accounts import NOBODY, Visitor
from dashboard.server.hashes import digest
from dashboard.server.problem import ProblemError
from dashboard.server.rights import Role, role_of
from gateway.store.tokens import Token, Tokens

# So that a person, and whatever scans files for secrets, knows one on sight.
PREFIX: Final = "hallwatch_"
SCHEME: Final = "bearer"
USE_NOTED_EACH_MS: Final = 60_000
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token that somebody asks for: what it is for, what it may do, and for how many days (None: for ever)."""

    name: str
    role: Role
    days: int | None


class Bearers:
    """Makes tokens, knows their bearers, and ends them."""

    def __init__(self, tokens: Tokens, now: Callable[[], int]) -> None:
        """`now` is the real time, ms since the epoch."""
        self._tokens = tokens
        self._now = now

    async def make(self, wanted: Wanted, by: str) -> tuple[Token, str]:
        """A new one, and its secret, which nobody will be told again."""
        secret = PREFIX + secrets.token_urlsafe(32)
        now = self._now()
        expires = None if wanted.days is None else now + wanted.days * DAY_MS
        token = Token(secrets.token_hex(4), digest(secret), wanted.name, wanted.role, now, by, expires)
        await self._tokens.add(token)
        return token, secret

    async def all(self) -> Sequence[Token]:
        """All of them, newest first, also those that have ended."""
        return await self._tokens.all()

    async def revoke(self, id: str) -> None:
        """End one. Raises `ProblemError` 404 when there is none to end."""
        if not await self._tokens.revoke(id, self._now()):
            raise ProblemError(404, "not_found")

    async def who(self, header: str) -> Visitor:
        """Whose `Authorization` header this is. Raises `ProblemError` 401 when it is nobody's."""
        scheme, _, secret = header.partition(" ")
        found = NOBODY
        if scheme.lower() == SCHEME and len(secret) < 100:  # noqa: PLR2004
            found = await self.still(digest(secret.strip()))
        if not found.known:
            refused = ProblemError(401, "bad_token")
            refused.headers["WWW-Authenticate"] = "Bearer"
            raise refused
        return found

    async def still(self, hashed: str) -> Visitor:
        """The visitor of a token by its hash, NOBODY when it has ended; that it is used is noted once a minute."""
        now = self._now()
        token = await self._tokens.valid(hashed, now)
        if token is None:
            return NOBODY
        if token.used is None or now - token.used >= USE_NOTED_EACH_MS:
            await self._tokens.use(token.id, now)
        name = f"token:{token.name}"
        return Visitor(name, name, role_of(token.role), token=hashed, bearer=True)
