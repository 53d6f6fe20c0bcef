"""Reads what a gateway has kept, with the gateway's own code but in another process, and says what it holds."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from alerts.model import Alarm, Event
from gateway.fold import fold
from gateway.store.sql import Store, open_store, sqlite_url
from sensors.decode.signature import body_of
from sensors.hall.snapshot import encode_state
from sensors.inputs import Heard, unpack
from sensors.site.load import read_site
from sensors.site.model import Site

HALL = "main"


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands in a store: sequences by device as the journal has them, alarms, events, and two folds."""

    sequences: dict[str, Counter[int]]
    alarms: list[Alarm]
    events: list[Event]
    resumed: bytes
    from_empty: bytes


async def sites_of(store: Store) -> dict[str, Site]:
    """The site files of a store, by digest."""
    loaded = [read_site(text, "kept") for text in await store.sites.texts()]
    return {item.digest: item.site for item in loaded if item.site is not None}


async def read_kept(place: Path | str) -> Kept:
    """Open a store whose gateway has ended (a SQLite file, or any store by its URL), and read it."""
    async with open_store(sqlite_url(place) if isinstance(place, Path) else place) as store:
        sites = await sites_of(store)
        digest = next(iter(sites))
        resumed = await fold(store.journal, HALL, digest, sites)
        empty = await fold(store.journal, HALL, digest, sites, from_empty=True)
        return Kept(
            sequences=await _sequences(store),
            alarms=list(await store.records.alarms(HALL, open_only=False, limit=1000)),
            events=[row.event for row in await store.records.events(HALL, limit=5000)],
            resumed=encode_state(resumed.hall.state),
            from_empty=encode_state(empty.hall.state),
        )


async def _sequences(store: Store) -> dict[str, Counter[int]]:
    found: dict[str, Counter[int]] = {}
    index = 0
    while rows := await store.journal.read(HALL, index, 500):
        for row in rows:
            for item in unpack(row.blob):
                if isinstance(item, Heard):
                    body = json.loads(body_of(item.payload))
                    found.setdefault(body["device"], Counter())[body["seq"]] += 1
            index = row.index + row.count
    return found
