"""A process that commits batches as fast as it can and prints each index once the store has promised it.

Run by the crash test, which kills it. Each batch carries an alarm, an event and a counter, so that the test can see
whether a transaction was ever torn.
"""

import asyncio
import sys

from alerts.model import Event
from gateway.store.sql import open_store
from tests.gateway.store.build import HALL, alarm, batch, changes, quarantined


async def main(url: str) -> None:
    """Commit for ever, from where the journal ends."""
    async with open_store(url) as store:
        index = await store.journal.end(HALL)
        while True:
            made = changes(alarm(f"A{index}", f"fire/{index}", raised=index))
            made.events.append(Event(HALL, index, f"A{index}", "raised"))
            made.counters["A"] = index
            await store.journal.commit(batch(index, 4, changes=made, quarantined=(quarantined(index),)))
            sys.stdout.write(f"{index}\n")
            sys.stdout.flush()
            index += 4


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
