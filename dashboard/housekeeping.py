"""Keeps one hall's journal and quarantine within their budgets, and tells people what that has cost."""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Final

from gateway.store.errors import StoreError
from gateway.store.sql import Store
from sensors.site.limits import Limits

log = logging.getLogger(__name__)

EVERY_S: Final = 60.0

# Told of a condition, and what is wrong: "" when nothing is any more.
Tell = Callable[[str, str], None]
JOURNAL: Final = "journal"
QUARANTINE: Final = "quarantine"


async def keep_house(store: Store, hall: str, limits: Limits, tell: Tell, stood: Collection[str] = ()) -> None:
    """Tidy once a minute, for ever. `stood`: the conditions that were told before this process began."""
    told = {condition: condition if condition in stood else "" for condition in (JOURNAL, QUARANTINE)}
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            wrong = {
                JOURNAL: await tidy_journal(store, hall, limits),
                QUARANTINE: await tidy_quarantine(store, hall, limits),
            }
        except StoreError as error:
            log.warning("the store has no time to tidy %s: %s", hall, error)
            continue
        for condition, detail in wrong.items():
            if detail != told[condition]:
                tell(condition, detail)
        told = wrong


async def tidy_journal(store: Store, hall: str, limits: Limits) -> str:
    """Bring the journal to its budget; returns what was lost or is over, "" if nothing. Raises `StoreError`."""
    trimmed = await store.budget.enforce(hall, limits.journal_mib * 2**20)
    if not trimmed.dropped and not trimmed.over:
        return ""
    log.error(
        "journal of %s: %d dropped before the history had them, %d bytes over", hall, trimmed.dropped, trimmed.over
    )
    return f"journal_dropped {trimmed.dropped}" if trimmed.dropped else f"journal_over {trimmed.over} B"


async def tidy_quarantine(store: Store, hall: str, limits: Limits) -> str:
    """Bring the quarantine to its size; returns what was lost, "" if nothing. Raises `StoreError`."""
    lost = await store.quarantine.trim(hall, limits.quarantine_rows, limits.quarantine_mib * 2**20)
    return f"quarantine_dropped {lost}" if lost else ""
