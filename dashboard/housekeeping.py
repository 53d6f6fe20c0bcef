"""Keeps one hall's journal and quarantine within their budgets, and tells people what that has cost."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from gateway.store.errors import StoreError
from gateway.store.sql import Store

log = logging.getLogger(__name__)

EVERY_S: Final = 60.0
JOURNAL_BYTES: Final = 2 * 1024**3
QUARANTINE_ROWS: Final = 10_000

# Told what is wrong, and "" when nothing is any more.
Tell = Callable[[str], None]


async def keep_house(store: Store, hall: str, tell: Tell) -> None:
    """Tidy once a minute, for ever."""
    told = ""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            wrong = await tidy(store, hall, JOURNAL_BYTES)
        except StoreError as error:
            log.warning("the store has no time to tidy %s: %s", hall, error)
            continue
        if wrong != told:
            tell(wrong)
        told = wrong


async def tidy(store: Store, hall: str, journal_bytes: int) -> str:
    """Tidy now; returns what was lost or is over, "" if nothing. Raises `StoreError`."""
    trimmed = await store.budget.enforce(hall, journal_bytes)
    await store.quarantine.trim(hall, QUARANTINE_ROWS)
    if not trimmed.dropped and not trimmed.over:
        return ""
    wrong = f"{trimmed.dropped} messages dropped before the history had them, {trimmed.over} bytes over the budget"
    log.error("journal of %s: %s", hall, wrong)
    return wrong
