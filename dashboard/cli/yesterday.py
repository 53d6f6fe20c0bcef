"""The demo's day before: played through the same path into the store and its history, only without a broker.

Everything that the page asks for is then there: a day of readings, today's punches, devices that were heard. The
state is kept as a snapshot, so that the gateway, which starts next, need not fold the day once more.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import aiomqtt

from alerts.core import Core
from alerts.engine import Engine
from alerts.model import Book
from dashboard.cli.example import KeptSite
from dashboard.sessions import session_names
from gateway.batch import BatchMaker
from gateway.broker import Address
from gateway.fold import take_snapshot
from gateway.history.readings import ReadingsSink
from gateway.history.shipper import Feed, Shipper
from gateway.playback import Played, Router, Slicing, play
from gateway.store.sql import Store, open_store, sqlite_url
from sensors.decode.family import Packet
from sensors.decode.reception import Reception
from sensors.hall.hall import Hall
from sensors.inputs import Lane, Linked, Started
from sensors.site.calendar import HallCalendar
from sensors.site.model import Site
from simulators.fleet import Fleet
from simulators.publication import Publication
from simulators.scenario import Scenario
from simulators.voices import PAST

DAY_MS: Final = 86_400_000
# Nobody answers an alarm of yesterday, and nothing else waits for the store: what costs least is right.
SLICING: Final = Slicing(ms=300_000, limit=2000)
BEFORE_MS: Final = 45 * 60_000
POINTS_AT_ONCE: Final = 2000
HISTORY: Final = "readings"
# How much of the whole is done, 0 to 1.
Show = Callable[[float], None]
_PLAYING: Final = 0.65


async def play_yesterday(file: Path, kept: KeptSite, tour: Scenario, start: int, show: Show) -> None:
    """Fill a new store at `file` with what came before `start` (ms since the epoch): 24 hours at least.

    It begins before the doors opened: whose clock-in was not seen, nobody can say of.
    """
    site, digest = kept.site, kept.digest
    fleet = Fleet(site, tour.hall, tour.seed, PAST)
    begin, name = _begin(HallCalendar(fleet.index.hall), start), fleet.hall
    hall = Hall(site, name)
    reception = Reception(site, name, hall.state)
    maker = BatchMaker(Core(hall, Engine(site, name, Book())), reception, hall=name, index=0)
    items = _heard(fleet.publications(begin, start), begin, digest, Router(reception.subscriptions()))
    async with open_store(sqlite_url(file)) as store:
        await store.sites.keep(digest, kept.text)
        await play(
            maker,
            store.journal,
            items,
            until=start,
            slicing=SLICING,
            progress=lambda at: show(_PLAYING * (at - begin) / (start - begin)),
        )
        await store.journal.save_snapshot(take_snapshot(hall.state, maker.index))
        await _ship(store, reception, name, lambda done: show(_PLAYING + (1 - _PLAYING) * done / maker.index))


async def leave_sessions(broker: Address, site: Site, hall: str) -> None:
    """Open the gateway's sessions once, as yesterday's gateway would have: a broker without them has lost them."""
    for name in session_names(site, hall).values():
        async with aiomqtt.Client(
            broker.host, broker.port, username=broker.username, identifier=name, clean_session=False
        ):
            pass


def _begin(calendar: HallCalendar, start: int) -> int:
    opened = calendar.periods(calendar.date_of(start) - timedelta(days=1))
    return min([start - DAY_MS, *(first - BEFORE_MS for first, _ in opened[:1])])


async def _ship(store: Store, reception: Reception, hall: str, show: Callable[[int], None]) -> None:
    feed = Feed(hall, HISTORY, reception.read, await store.records.secret("badges"), POINTS_AT_ONCE)
    shipper = Shipper(store.journal, store.cursors, ReadingsSink(store.writer), feed)
    await shipper.catch_up(show)


def _heard(publications: Iterable[Publication], begin: int, digest: str, router: Router) -> Iterator[Played]:
    yield Started(begin, digest)
    for lane in Lane:
        yield Linked(begin, lane, up=True)
    for one in publications:
        yield Packet(one.topic, one.payload, router.lane(one.topic), one.at, one.qos)
