"""Who is there: logins, sessions, the demo's entry link, and whom the Unix socket trusts.

The browser holds a random token in a cookie that no script reads; the store keeps only its hash. A write must
carry the session's CSRF token besides. Passwords are hashed with argon2id, off the event loop.
"""

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from dashboard.server.hashes import digest
from dashboard.server.invites import SHUT, Invite, invitation
from dashboard.server.problem import ProblemError
from dashboard.server.rights import Role, role_of
from dashboard.server.throttle import Throttle, places
from gateway.store.accounts import Accounts, Session, User
from gateway.store.errors import StoreError

IDLE_MS: Final = 30 * 60 * 1000
EXTEND_AFTER_MS: Final = 60 * 1000
# However much it is used: a page that stays open logs in anew once a week.
LONGEST_MS: Final = 7 * 24 * 60 * 60 * 1000
FIRST_MS: Final = 60 * 60 * 1000
PASSWORD_LONGEST: Final = 256
PASSWORD_SHORTEST: Final = 8


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks. `actor` is what the journal keeps; `token` is the hash of what the session or the program came by.

    `local` came by the Unix socket, `bearer` with a token: neither is a browser that a stranger's page could misuse.
    """

    user: str | None = None
    actor: str = ""
    role: Role | None = None
    csrf: str | None = None
    local: bool = False
    bearer: bool = False
    token: str | None = None

    @property
    def called(self) -> str:
        """Who it is, for the audit: the login's own name, "" for nobody."""
        return self.actor if self.local else self.user or ""

    @property
    def known(self) -> bool:
        """True for who has said who it is; what that one may do is a matter of the role."""
        return self.user is not None


NOBODY: Final = Visitor()


@dataclass(frozen=True, slots=True)
class Change:
    """What shall be different about a user; None stays as it is. `invite` takes the password's place."""

    role: Role | None = None
    disabled: bool | None = None
    password: str | None = None
    invite: Invite | None = None


@dataclass(frozen=True, slots=True)
class First:
    """The link that makes the first admin: the hash of its token ("" opens nothing), and until when (ms)."""

    token: str
    until: int


class Doors:
    """Lets people in and out."""

    def __init__(self, accounts: Accounts, now: Callable[[], int], hasher: PasswordHasher | None = None) -> None:
        """`now` is the real time, ms since the epoch: a demo's fast clock must not end sessions.

        `hasher` has argon2's recommended cost (RFC 9106 §4) unless a test brings a cheap one.
        """
        self._accounts = accounts
        self.now = now
        self._hasher = hasher or PasswordHasher()
        # So that a name that does not exist takes as long as one that does.
        self._nobody = self._hasher.hash(secrets.token_hex(16))
        self._one_at_a_time = asyncio.Semaphore(2)
        self._throttle = Throttle()
        self._entries: dict[str, str] = {}
        self._first = First("", 0)
        self._changed = asyncio.Event()

    async def login(self, name: str, password: str, address: str) -> tuple[str, Session]:
        """Check a password; returns the token for the cookie and the session. Raises `ProblemError` 401 or 429."""
        return await self._begin(await self._checked(name, password, address))

    async def _checked(self, name: str, password: str, address: str) -> User:
        now = self.now()
        counted = places(name, address)
        if wait := max(self._throttle.wait_ms(place, now) for place in counted):
            refused = ProblemError(429, "too_many_logins", seconds=str(wait // 1000 + 1))
            refused.headers["Retry-After"] = str(wait // 1000 + 1)
            raise refused
        for place in counted:
            # Noted before the check, so that many at once do not slip through together.
            self._throttle.failed(place, now)
        user = await self._accounts.user(name)
        good = user is not None and not user.disabled and not user.password.startswith(SHUT)
        right = await self._verify(user.password if user and good else self._nobody, password)
        if user is None or not good or not right:
            raise ProblemError(401, "bad_login")
        for place in counted:
            self._throttle.succeeded(place)
        return user

    async def add(self, name: str, password: str, role: Role, person: str | None = None) -> None:
        """A new user. Raises `ProblemError` for a name or password that will not do."""
        _good(name)
        await self._add(User(name, await self._hash(password), role, self.now(), person))

    async def add_invited(self, name: str, role: Role, person: str | None = None) -> str:
        """A new user, who chooses a password by the link of the token that this returns."""
        token, invite = invitation(self.now())
        await self._add(User(_good(name), invite.written(), role, self.now(), person))
        return token

    async def _add(self, user: User) -> None:
        try:
            await self._accounts.add_user(user)
        except StoreError as error:
            if error.transient:
                raise
            raise ProblemError(409, "name_taken") from error

    async def has(self, name: str) -> bool:
        """Whether somebody is called so."""
        return await self._accounts.user(name) is not None

    async def users(self) -> Sequence[User]:
        """All users, by name."""
        return await self._accounts.users()

    async def change(self, name: str, change: Change) -> User:
        """Change a user, whose sessions end; returns what it is now.

        Raises `ProblemError`: `no_user`, `bad_password`, and `last_admin` where nobody would be left to let others in.
        """
        user = await self._accounts.user(name)
        if user is None:
            raise ProblemError(404, "no_user")
        password = user.password if change.invite is None else change.invite.written()
        changed = replace(
            user,
            password=password if change.password is None else await self._hash(change.password),
            role=user.role if change.role is None else change.role,
            disabled=user.disabled if change.disabled is None else change.disabled,
        )
        if not await self._accounts.change_user(changed, keeping=Role.ADMIN):
            raise ProblemError(409, "last_admin")
        self.changed()
        return changed

    async def invite(self, name: str) -> str:
        """The token of a link by which a user chooses a password, once; the old one opens nothing any more."""
        token, invite = invitation(self.now())
        await self.change(name, Change(invite=invite))
        return token

    async def accept(self, token: str, name: str, password: str) -> tuple[str, Session]:
        """Choose a password by such a link, and be logged in. Raises `ProblemError` `link_used`, `bad_password`."""
        user = await self._accounts.user(name)
        invite = None if user is None else Invite.read(user.password)
        if user is None or invite is None or not hmac.compare_digest(digest(token), invite.token):
            raise ProblemError(403, "link_used")
        if user.disabled or self.now() >= invite.until:
            raise ProblemError(403, "link_used")
        if not await self._accounts.set_password(user, await self._hash(password)):
            raise ProblemError(403, "link_used")
        return await self._begin(user)

    async def renew(self, name: str, old: str, new: str, address: str) -> tuple[str, Session]:
        """Another password of one's own; every login of before ends. Raises what `login` does, and `bad_password`."""
        user = await self._checked(name, old, address)
        if not await self._accounts.set_password(user, await self._hash(new)):
            raise ProblemError(401, "bad_login")
        self.changed()
        return await self._begin(user)

    async def end_all(self, name: str) -> None:
        """Log a user out everywhere. Raises `ProblemError` `no_user`."""
        if not await self.has(name):
            raise ProblemError(404, "no_user")
        await self._accounts.end_sessions(name)
        self.changed()

    async def who(self, token: str | None) -> Visitor:
        """Whose cookie this is; using a session keeps it alive."""
        if not token or len(token) > 100:  # noqa: PLR2004
            return NOBODY
        return await self.still(digest(token))

    async def still(self, hashed: str) -> Visitor:
        """The visitor of a session by its hash, NOBODY when it has ended; an open page asks from time to time."""
        now = self.now()
        found = await self._accounts.session(hashed, now)
        if found is None:
            return NOBODY
        session, user = found
        if session.expires - now < IDLE_MS - EXTEND_AFTER_MS:
            await self._accounts.extend_session(hashed, min(now + IDLE_MS, session.created + LONGEST_MS))
        return Visitor(user.name, user.person or user.name, role_of(user.role), session.csrf, token=hashed)

    async def stays(self, look: Callable[[], Awaitable[Visitor]], every_s: float) -> None:
        """Returns when a login has ended; looks every so often, and at once when somebody's rights have changed."""
        while True:
            changed = self._changed
            if not (await look()).known:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(every_s):
                    await changed.wait()

    def changed(self) -> None:
        """Some login or token is not what it was: open pages look whether they may stay."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def logout(self, visitor: Visitor) -> None:
        """End a session."""
        if visitor.token is not None:
            await self._accounts.end_session(visitor.token)
            self.changed()

    async def entry(self, name: str, role: Role = Role.ADMIN) -> str:
        """A token that lets its first bearer in once as `name`, who has no password (the demo's visitor)."""
        with suppress(StoreError):
            await self._accounts.add_user(User(name, SHUT, role, self.now()))
        token = secrets.token_urlsafe(24)
        self._entries[digest(token)] = name
        return token

    async def enter(self, token: str) -> tuple[str, Session]:
        """Use an entry link. Raises `ProblemError` 403 for one that is not ours or was used."""
        name = self._entries.pop(digest(token), None)
        user = None if name is None else await self._accounts.user(name)
        if user is None:
            raise ProblemError(403, "entry_used")
        return await self._begin(user)

    async def open_first(self) -> str | None:
        """A token that makes the first admin, once and for an hour; None where somebody can log in already."""
        if await self._accounts.users():
            return None
        token = secrets.token_urlsafe(24)
        self._first = First(digest(token), self.now() + FIRST_MS)
        return token

    async def be_first(self, token: str, name: str, password: str) -> tuple[str, Session]:
        """Become the first admin, and be logged in. Raises `ProblemError`: `first_used`, and what `add` raises."""
        if not hmac.compare_digest(digest(token), self._first.token) or self.now() >= self._first.until:
            raise ProblemError(403, "first_used")
        user = User(_good(name), await self._hash(password), Role.ADMIN, self.now())
        if not await self._accounts.add_first(user):
            raise ProblemError(403, "first_used")
        self._first = First("", 0)
        return await self._begin(user)

    async def _begin(self, user: User) -> tuple[str, Session]:
        token = secrets.token_urlsafe(32)
        now = self.now()
        session = Session(digest(token), user.name, secrets.token_urlsafe(24), now, now + IDLE_MS)
        await self._accounts.add_session(session)
        return token, session

    async def _hash(self, password: str) -> str:
        if not PASSWORD_SHORTEST <= len(password) <= PASSWORD_LONGEST:
            raise ProblemError(400, "bad_password", f"{PASSWORD_SHORTEST} to {PASSWORD_LONGEST} characters")
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _verify(self, hashed: str, password: str) -> bool:
        if len(password) > PASSWORD_LONGEST:
            return False
        async with self._one_at_a_time:
            try:
                return await asyncio.to_thread(self._hasher.verify, hashed, password)
            except (Argon2Error, InvalidHashError):
                return False


def _good(name: str) -> str:
    """A name that will do; a colon is for tokens and for who comes by the socket. Raises `ProblemError`."""
    if not name or len(name) > 64 or not name.isprintable() or name != name.strip() or ":" in name:  # noqa: PLR2004
        raise ProblemError(400, "bad_name")
    return name
