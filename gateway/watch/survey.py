"""Asks the store the few things that only it knows, in the background: whoever reads figures waits for no disk."""

import asyncio
import logging
import time
from typing import Final

from sqlalchemy import Connection, text

from gateway.store.errors import StoreError
from gateway.store.quarantine import Quarantine
from gateway.store.worker import Worker
from gateway.watch.watched import Surveyed

log = logging.getLogger(__name__)

EVERY_S: Final = 5.0
# So long without an answer, and the store counts as silent.
ANSWERS_WITHIN_S: Final = 15.0

_SIZE: Final = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}


class Survey:
    """One hall's questions to its store. `run` is its only task: one question is under way at a time."""

    def __init__(self, reader: Worker, quarantine: Quarantine, hall: str) -> None:
        self._reader = reader
        self._quarantine = quarantine
        self._hall = hall
        self._held = 0
        self._bytes = 0
        self._answered = time.monotonic()

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            try:
                self._held = await self._quarantine.held(self._hall)
                self._bytes = await self._reader.run(_size)
                self._answered = time.monotonic()
            except StoreError as error:
                log.warning("the store was asked how it is: %s", error)
            await asyncio.sleep(EVERY_S)

    def look(self) -> Surveyed:
        """What was answered last."""
        answers = time.monotonic() - self._answered < ANSWERS_WITHIN_S
        return Surveyed(answers, self._held, self._bytes)


def _size(connection: Connection) -> int:
    question = _SIZE.get(connection.dialect.name)
    return 0 if question is None else int(connection.scalar(text(question)) or 0)
