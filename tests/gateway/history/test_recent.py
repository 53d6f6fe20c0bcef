"""What is kept in memory for the history is what the journal says, message by message; and it stays small."""

import random

import pytest

from alerts.core import Core
from alerts.engine import Engine
from alerts.model import Book
from gateway.batch import BatchMaker, Entry, Waiting
from gateway.history import shipper
from gateway.history.points import points, read_row
from gateway.history.recent import Fresh, Recent, Said
from gateway.history.shipper import Feed, Shipper
from gateway.link.contract import Delivery
from gateway.store.contract import Batch, JournalRow
from gateway.store.sql import Store
from sensors.decode.family import Packet
from sensors.decode.reception import Arrival, Reception
from sensors.hall.hall import Hall
from sensors.inputs import Heard, Lane, Linked, Started
from sensors.site.load import read_site
from tests.gateway.history.build import HALL, counted, read_count
from tests.gateway.history.conftest import History
from tests.system.small_site import Parts, small_site

SALT = b"salt"
START = 1_795_400_000_000
LOADED = read_site(small_site(Parts(1883)), "small")
PAYLOADS = {
    "environment": '"value":{"temperature_c":21.5,"leak":true}',
    "presence": '"value":{"present":true},"clock":"synced","time":%d',
    "badge": '"value":{"token":"AA01","result":"granted"},"flags":["test"]',
    "queue": '"value":{"length":4},"clock":"synced","time":1',
    "fire": '"value":{"alarm":true}',
    "button": '"value":{"action":',
}


def began() -> BatchMaker:
    assert LOADED.site is not None
    hall = Hall(LOADED.site, "main")
    maker = BatchMaker(
        Core(hall, Engine(LOADED.site, "main", Book())),
        Reception(LOADED.site, "main", hall.state),
        hall="main",
        index=0,
    )
    assert maker.prepare([Waiting(Started(START, LOADED.digest), None)], START).batch is not None
    return maker


def traffic(seed: int, count: int) -> list[Entry]:
    """Known devices and strangers, damaged, retained, replayed; telemetry that waited is older than what is urgent."""
    chance = random.Random(seed)
    assert LOADED.site is not None
    names = [device.id for device in LOADED.site.halls[0].devices] + ["stranger"]
    entries: list[Entry] = []
    for number in range(count):
        at = START + number * 10 - chance.choice([0, 0, 500])
        kind = chance.choice(list(PAYLOADS))
        lane = Lane.SAFETY if kind in {"fire", "button"} else Lane.TELEMETRY
        body = PAYLOADS[kind] % at if "%" in PAYLOADS[kind] else PAYLOADS[kind]
        payload = f'{{"boot":1,"seq":{number},{body}{"" if chance.random() < 0.03 else "}"}'.encode()
        topic = f"hallwatch/v1/main/{lane.name.lower()}/{chance.choice(names)}/{kind}"
        if chance.random() < 0.05:
            entries.append(Waiting(Heard(at, topic, payload, lane, replayed=True), None))
        elif chance.random() < 0.05:
            entries.append(Waiting(Linked(at, lane, up=True), None))
        else:
            entries.append(Delivery(Packet(topic, payload, lane, at, retained=chance.random() < 0.1), 1, 1))
    return entries


@pytest.mark.parametrize("seed", range(5))
def test_memory_says_what_the_journal_says(seed: int) -> None:
    maker, recent = began(), Recent()
    begin, rows = maker.index, []
    entries = traffic(seed, 400)
    for at in range(0, len(entries), 40):
        prepared = maker.prepare(entries[at : at + 40], START)
        assert prepared.batch is not None
        assert prepared.fresh is not None
        recent.keep(prepared.fresh)
        rows.append(JournalRow(prepared.batch.index, prepared.batch.count, prepared.batch.at, prepared.batch.blob))
    said, after = recent.take(begin, 10_000)
    again = [one for row in rows for one in read_row(row, maker.reception.read)]
    assert after == maker.index
    assert len({one.index for one in said}) > 200
    # A decoded reading knows whether its device was approved when it came; no point rests on it.
    assert [points(one, SALT) for one in said] == [points(one, SALT) for one in again]
    assert [(one.index, one.replayed) for one in said] == [(one.index, one.replayed) for one in again]


def fresh(index: int, count: int) -> Fresh:
    return Fresh(index, count, [Said(index + place, ()) for place in range(count)])


def test_it_stays_small_and_says_what_it_has_not() -> None:
    recent = Recent(at_most=100)
    for index in range(0, 1000, 10):
        recent.keep(fresh(index, 10))
    assert recent.take(0, 50) == ([], 0)
    assert recent.take(890, 50) == ([], 890)
    said, after = recent.take(900, 15)
    assert ([one.index for one in said], after) == (list(range(900, 920)), 920)
    # What was taken is gone, and so is what lies before what is asked for.
    assert recent.take(900, 15) == ([], 900)
    assert recent.take(990, 15)[1] == 1000
    assert recent.take(980, 15) == ([], 980)


async def test_what_is_in_memory_is_not_decoded_again(store: Store, history: History) -> None:
    recent, decoded = Recent(), []

    def read(heard: Heard) -> Arrival | None:
        decoded.append(heard)
        return read_count(heard)

    for index in range(0, 500, 50):
        row = counted(index, 50)
        await store.journal.commit(Batch(HALL, row.index, row.count, row.at, row.blob))
        if index >= 200:  # the others were committed before a restart
            recent.keep(Fresh(row.index, row.count, list(read_row(row, read_count))))
    one = Shipper(store.journal, store.cursors, history.sink, Feed(HALL, "h", read, SALT, recent=recent))
    await one.catch_up(lambda _: None)
    assert one.lag().shipped == 500
    assert len(decoded) == shipper.ROWS_AT_ONCE * 50
    assert await store.cursors.get(HALL, "h") == 500
