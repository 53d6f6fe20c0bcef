"""Tells an outside service that the path works, for as long as it does: what tells people when we cannot.

A process that merely lives proves nothing. A beat goes out only while the last synthetic message of every session
was committed in its time; so it stops when the broker, the store, the pipeline or the machine does.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout
from pydantic import SecretStr

from gateway.watch.meters import Meters

log = logging.getLogger(__name__)

# One that is lost on its way is no news; the outside service has a grace of its own.
TOLD_AFTER: Final = 3
FAILED: Final = "heartbeat_failed"

# What is wrong with the heartbeat itself, "" when nothing is any more.
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Beat:
    """Where and how often. Whoever knows the address can beat in our place, so it is a secret."""

    url: SecretStr
    every_s: float
    method: str = "GET"
    timeout_s: float = 10.0


class Heart:
    """The one heartbeat of a process. `run` is its only task."""

    def __init__(
        self,
        beat: Beat,
        client: ClientSession,
        works: Callable[[], bool],
        meters: Meters,
        tell: Tell,
        *,
        told: bool = False,
    ) -> None:
        """`works` says whether the whole path does, now. `told`: a process before this one has told people."""
        self._beat = beat
        self._client = client
        self._works = works
        self._outcomes = meters.heartbeats
        self._tell = tell
        self._failed = TOLD_AFTER if told else 0

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            if not self._works():
                self._outcomes.labels("withheld").inc()
            elif await self._send():
                self._outcomes.labels("sent").inc()
                self._count(failed=0)
            else:
                self._outcomes.labels("failed").inc()
                self._count(failed=self._failed + 1)
            await asyncio.sleep(self._beat.every_s)

    async def _send(self) -> bool:
        beat = self._beat
        limit = ClientTimeout(total=beat.timeout_s)
        try:
            async with self._client.request(
                beat.method, beat.url.get_secret_value(), timeout=limit, allow_redirects=False
            ) as answer:
                taken = answer.status < HTTPStatus.MULTIPLE_CHOICES
                if not taken:
                    log.warning("heartbeat: the outside service answered %d", answer.status)
                return taken
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            # An error's own text would show the address.
            log.warning("heartbeat: %s", type(error).__name__)
            return False

    def _count(self, *, failed: int) -> None:
        if failed == TOLD_AFTER:
            self._tell(FAILED)
        elif not failed and self._failed >= TOLD_AFTER:
            self._tell("")
        self._failed = failed
