"""Users and their sessions as rows. Hashing passwords and making tokens is the business of whoever calls."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import Connection, delete, insert, select, update

from gateway.store import schema
from gateway.store.worker import Worker


@dataclass(frozen=True, slots=True)
class User:
    """Who may log in. `password` is a hash; `person` is the id of a person of the site file, if it is one."""

    name: str
    password: str
    role: str
    created: int
    person: str | None = None
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A login. `token` is the hash of what the browser holds; `csrf` is what its writes must carry."""

    token: str
    user: str
    csrf: str
    created: int
    expires: int


_users = schema.users
_sessions = schema.sessions
_USER = (_users.c.name, _users.c.password, _users.c.role, _users.c.created, _users.c.person, _users.c.disabled)
_SESSION = (_sessions.c.token, _sessions.c.user, _sessions.c.csrf, _sessions.c.created, _sessions.c.expires)


class Accounts:
    """Users and sessions."""

    def __init__(self, writer: Worker, reader: Worker) -> None:
        self._writer = writer
        self._reader = reader

    async def add_user(self, user: User) -> None:
        """A new user; raises `StoreError` (`store_refused`) when the name is taken."""
        names = [column.name for column in _USER]
        row = dict(zip(names, astuple(user), strict=True))
        await self._writer.execute(insert(_users).values(row))

    async def add_first(self, user: User) -> bool:
        """A new user where there is none yet; else False, and nothing is changed."""
        row = dict(zip((column.name for column in _USER), astuple(user), strict=True))

        def add(connection: Connection) -> bool:
            if connection.execute(select(_users.c.name).limit(1)).first() is not None:
                return False
            connection.execute(insert(_users).values(row))
            return True

        return await self._writer.run(add)

    async def change_user(self, user: User, *, keeping: str | None = None) -> bool:
        """New password, role, person or state of a user, whose sessions end; False when there is no such user.

        False too, and nothing is changed, when it was the last enabled user with the role `keeping`.
        """

        def change(connection: Connection) -> bool:
            if keeping is not None and (user.disabled or user.role != keeping) and alone(connection, user.name):
                return False
            values = {"password": user.password, "role": user.role, "person": user.person, "disabled": user.disabled}
            done = connection.execute(update(_users).where(_users.c.name == user.name).values(values)).rowcount == 1
            connection.execute(delete(_sessions).where(_sessions.c.user == user.name))
            return done

        def alone(connection: Connection, name: str) -> bool:
            able = select(_users.c.name).where(_users.c.role == keeping, _users.c.disabled.is_(False))
            return connection.scalars(able).all() == [name]

        return await self._writer.run(change)

    async def set_password(self, user: User, password: str) -> bool:
        """A new password for one whose sessions end; False when it is not any more what was read, or is disabled."""
        unchanged = (_users.c.name == user.name, _users.c.password == user.password, _users.c.disabled.is_(False))

        def change(connection: Connection) -> bool:
            done = connection.execute(update(_users).where(*unchanged).values(password=password)).rowcount == 1
            if done:
                connection.execute(delete(_sessions).where(_sessions.c.user == user.name))
            return done

        return await self._writer.run(change)

    async def remove_user(self, name: str) -> bool:
        """Remove a user and the user's sessions; False when there is no such user."""

        def remove(connection: Connection) -> bool:
            connection.execute(delete(_sessions).where(_sessions.c.user == name))
            return connection.execute(delete(_users).where(_users.c.name == name)).rowcount == 1

        return await self._writer.run(remove)

    async def user(self, name: str) -> User | None:
        """One user; None too for a name that no user has and not every store could be asked for (NUL)."""
        if not name.isprintable():
            return None

        def look(connection: Connection) -> User | None:
            row = connection.execute(select(*_USER).where(_users.c.name == name)).first()
            return None if row is None else User(*row)

        return await self._reader.run(look)

    async def users(self) -> Sequence[User]:
        """All users, by name."""
        query = select(*_USER).order_by(_users.c.name)
        return await self._reader.run(lambda connection: [User(*row) for row in connection.execute(query)])

    async def add_session(self, session: Session) -> None:
        """A new session; those that had expired by its creation are swept."""

        def add(connection: Connection) -> None:
            connection.execute(delete(_sessions).where(_sessions.c.expires <= session.created))
            names = [column.name for column in _SESSION]
            connection.execute(insert(_sessions).values(dict(zip(names, astuple(session), strict=True))))

        await self._writer.run(add)

    async def session(self, token: str, now: int) -> tuple[Session, User] | None:
        """The session with this token's hash and its user, unless it has expired or the user is disabled."""
        query = (
            select(*_SESSION, *_USER)
            .join_from(_sessions, _users, _sessions.c.user == _users.c.name)
            .where(_sessions.c.token == token, _sessions.c.expires > now, _users.c.disabled.is_(False))
        )

        def look(connection: Connection) -> tuple[Session, User] | None:
            row = connection.execute(query).first()
            return None if row is None else (Session(*row[: len(_SESSION)]), User(*row[len(_SESSION) :]))

        return await self._reader.run(look)

    async def extend_session(self, token: str, expires: int) -> None:
        """A session that is in use lives on until `expires` (ms)."""
        statement = update(_sessions).where(_sessions.c.token == token).values(expires=expires)
        await self._writer.execute(statement)

    async def end_sessions(self, user: str) -> None:
        """Log a user out everywhere."""
        await self._writer.execute(delete(_sessions).where(_sessions.c.user == user))

    async def end_session(self, token: str) -> None:
        """Log out."""
        statement = delete(_sessions).where(_sessions.c.token == token)
        await self._writer.execute(statement)
