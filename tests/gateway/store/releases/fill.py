"""Fills a database as a release of ours does: run once with each release's own code, and kept for the next one.

    git archive RELEASE | tar -x -C FOLDER
    cd FOLDER && python THIS_FILE URL

The hall has a fire that is being answered, a ticket, some telemetry, what could not be read, and a history
that is not quite through the journal. The dump of it is the file that `test_releases.py` migrates:
`sqlite3 FILE .dump`, and `pg_dump --inserts --no-owner --no-privileges` without its comments and `\\` lines.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator

sys.path.insert(0, "")

from sqlalchemy import insert

from alerts.core import Core
from alerts.engine import Engine
from alerts.model import Book
from gateway.batch import BatchMaker
from gateway.fold import take_snapshot
from gateway.history.points import Point
from gateway.history.readings import ReadingsSink
from gateway.history.shipper import Feed, Shipper
from gateway.playback import Later, Played, play
from gateway.store import schema
from gateway.store.accounts import Session, User
from gateway.store.cursors import Refused
from gateway.store.sql import Store, open_store
from sensors.actions import Acknowledge, Action, TakeRole, write_action
from sensors.decode.family import Packet
from sensors.decode.reception import Reception
from sensors.hall.hall import Hall
from sensors.inputs import Acted, Lane, Linked, Started
from sensors.readings import Kind
from sensors.site.load import read_site
from tests.system.small_site import Parts, small_site

HALL = "main"
HISTORY = "sqlite"
# 2026-11-23 10:00 in Shanghai
BEGIN = 1_795_399_200_000
STEP = 6_000
PREFIX = "hallwatch/v1/main"


def said(at: int, seq: int, device: str, kind: str, value: object, lane: Lane = Lane.TELEMETRY) -> Packet:
    """What a device says."""
    room = "safety" if lane is Lane.SAFETY else "telemetry"
    body = {"device": device, "boot": 1, "seq": seq, "time": at, "clock": "synced", "value": value}
    return Packet(f"{PREFIX}/{room}/{device}/{kind}", json.dumps(body, ensure_ascii=False).encode(), lane, at)


def happenings(digest: str) -> Iterator[Played]:
    """The hall's morning, in order."""
    yield Started(BEGIN, digest)
    for lane in Lane:
        yield Linked(BEGIN, lane, up=True)
    for step in range(40):
        at = BEGIN + step * STEP
        yield said(at, step + 1, "queue-1", "queue", {"length": step % 7})
        yield said(at + 1, step + 1, "air-1", "environment", {"temperature_c": 20.5 + step / 10})
        yield said(at + 2, step + 1, "count-1", "people_count", {"occupancy": step})
        if step == 5:
            yield Packet(f"{PREFIX}/telemetry/air-1/environment", b'{"rubbish": ', Lane.TELEMETRY, at + 3)
        if step == 10:
            yield said(at + 4, 1, "printer-1", "equipment", {"state": "fault", "code": "卡纸 jam"})
        if step == 30:
            yield said(at + 5, 1, "smoke-1", "fire", {"alarm": True, "sensor": "smoke"}, Lane.SAFETY)
            yield said(at + 6, 1, "smoke-2", "fire", {"alarm": True, "sensor": "smoke"}, Lane.SAFETY)
            yield _done(at + 8000, _answer)
            yield _done(at + 9000, _role)


def _done(at: int, make: Callable[[Core], Action]) -> Later:
    return Later(at, lambda core: Acted(at, "wang", write_action(make(core))))


def _answer(core: Core) -> Acknowledge:
    fires = [one.id for one in core.engine.book.alarms.values() if one.kind.value == "fire"]
    return Acknowledge(min(fires))


def _role(core: Core) -> TakeRole:
    return TakeRole(min(core.engine.book.runs), "commander")


async def fill(store: Store) -> None:
    """Fill an empty store."""
    text = small_site(Parts(1883))
    loaded = read_site(text, "small")
    assert loaded.site is not None, loaded.problems
    hall = Hall(loaded.site, HALL)
    reception = Reception(loaded.site, HALL, hall.state)
    maker = BatchMaker(Core(hall, Engine(loaded.site, HALL, Book())), reception, hall=HALL, index=0)
    await store.sites.keep(loaded.digest, text)
    items = list(happenings(loaded.digest))
    salt = await store.records.secret("badges")
    feed = Feed(HALL, HISTORY, reception.read, salt)
    shipper = Shipper(store.journal, store.cursors, ReadingsSink(store.writer), feed)
    # Two snapshots, a history that is half way, and a journal that goes on behind both.
    for start, end in ((0, 15), (15, 25), (25, 40)):
        part = [item for item in items if BEGIN + start * STEP <= item.at < BEGIN + end * STEP]
        await play(maker, store.journal, part, until=BEGIN + end * STEP)
        if end < 40:
            await store.journal.save_snapshot(take_snapshot(hall.state, maker.index))
        if start == 0:
            await shipper.catch_up(lambda _index: None)
    await _beside(store)


async def _beside(store: Store) -> None:
    """What stands beside the hall: logins, secrets, a point that a history refused."""
    await store.records.secret("links")
    await store.accounts.add_user(User("admin", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "staff", BEGIN, "wang"))
    await store.accounts.add_session(Session("0" * 64, "admin", "1" * 64, BEGIN, BEGIN + 3_600_000))
    point = Point(HALL, Kind.QUEUE, "queue-1", "waiting", "", (("length", 3.0),), BEGIN * 1_000_000, 3)
    at = await store.cursors.get(HALL, HISTORY)
    await store.cursors.advance(HALL, HISTORY, at, [Refused(point, "field type conflict 类型冲突")])
    gap = {"hall": HALL, "name": HISTORY, "first": 1, "last": 2, "from_at": BEGIN, "to_at": BEGIN + 2}
    await store.writer.execute(insert(schema.gaps).values(**gap, dropped=2, bytes=200))


async def main(url: str) -> None:
    """Fill the store at this URL."""
    async with open_store(url) as store:
        await fill(store)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
