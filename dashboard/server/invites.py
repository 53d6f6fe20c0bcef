"""A login whose password is still to be chosen: by a one-time link, which an admin hands over.

What the link carries is hashed into the place of the password, where no password fits it: so there is one way in or the
other, a new link ends the one before, and whoever uses it ends it too.
"""

import secrets
from dataclasses import dataclass
from typing import Final, Self

from dashboard.server.hashes import digest

# No hash of a password begins so, and no password fits what does.
SHUT: Final = "!"
LASTS_MS: Final = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Invite:
    """The hash of a link's token, and until when (ms) it opens."""

    token: str
    until: int

    @classmethod
    def read(cls, password: str) -> Self | None:
        """The open invitation that stands in the place of a password, if one does."""
        token, colon, until = password.removeprefix(SHUT).partition(":")
        return cls(token, int(until)) if password.startswith(SHUT) and colon else None

    def written(self) -> str:
        """What stands in the place of a password."""
        return f"{SHUT}{self.token}:{self.until}"


def invitation(now: int) -> tuple[str, Invite]:
    """A new one: the token of its link, which nobody is told again, and what is kept of it."""
    token = secrets.token_urlsafe(24)
    return token, Invite(digest(token), now + LASTS_MS)
