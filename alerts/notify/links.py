"""The signed one-time link by which a person answers a message without a login.

The token names the hall, the message and its end, and is signed with a secret that the store keeps. It says nothing
of the person. Opening it (GET) never acts, since mail programs open links by themselves; its page's button (POST)
does, once: the second answer finds the message answered.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from sensors.errors import HallwatchError

LIFE_MS: Final = 12 * 3600 * 1000
_SIGNATURE = 16
_TOKEN_MAX = 400


class LinkError(HallwatchError):
    """A link that is not ours, was changed, or has ended. `code` is link_bad or link_expired."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says: a message of a hall, until when (ms since the epoch)."""

    hall: str
    message: str
    expires: int


class Links:
    """Writes and reads tokens with one secret."""

    def __init__(self, secret: bytes, base_url: str) -> None:
        """`base_url` is how people reach this server from where they are, without a slash at its end."""
        self._secret = secret
        self._base_url = base_url.rstrip("/")

    def url(self, hall: str, message: str, now: int) -> str:
        """The whole link, good for twelve hours from `now`: a night's message is answered in the morning."""
        return f"{self._base_url}/a/{self.token(Link(hall, message, now + LIFE_MS))}"

    def token(self, link: Link) -> str:
        """Sign a link."""
        content = "\0".join((link.hall, link.message, str(link.expires // 1000))).encode()
        return base64.urlsafe_b64encode(self._sign(content) + content).rstrip(b"=").decode()

    def read(self, token: str, now: int) -> Link:
        """Read a token; raises `LinkError`."""
        if len(token) > _TOKEN_MAX:
            raise LinkError("link_bad")
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise LinkError("link_bad") from error
        signature, content = raw[:_SIGNATURE], raw[_SIGNATURE:]
        if not hmac.compare_digest(signature, self._sign(content)):
            raise LinkError("link_bad")
        hall, message, seconds = content.decode().split("\0")
        link = Link(hall, message, int(seconds) * 1000)
        if link.expires < now:
            raise LinkError("link_expired")
        return link

    def _sign(self, content: bytes) -> bytes:
        return hmac.new(self._secret, b"answer\0" + content, hashlib.sha256).digest()[:_SIGNATURE]
