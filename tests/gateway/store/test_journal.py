"""The journal on a real SQLite file and a real PostgreSQL: whole batches or nothing, in order, kept by a restart."""

import asyncio
import contextlib
import dataclasses
import hashlib
import sqlite3
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import Connection, select, update

from alerts.model import Event, Lane, Message, MessageState, Note
from gateway.store import schema
from gateway.store.contract import Journal, Snapshot
from gateway.store.errors import StoreError
from gateway.store.sql import Store, open_store
from sensors.inputs import unpack
from tests.gateway.store.build import HALL, alarm, batch, changes, quarantined, ticket
from tests.servers.postgres import Database


def message(id: str, about: str, state: MessageState, **more: object) -> Message:
    first = Message(id, HALL, Lane.OPERATIONAL, about, "p1", "log", "", Note("fire"), 5, 5, state)
    return dataclasses.replace(first, **more)  # type: ignore[arg-type]


async def test_batches_are_read_back_from_any_index(store: Store, url: str) -> None:
    journal: Journal = store.journal
    for index, count in ((0, 3), (3, 1), (4, 5)):
        await journal.commit(batch(index, count))
    assert await journal.end(HALL) == 9
    rows = await journal.read(HALL, 0, 10)
    assert [(row.index, row.count) for row in rows] == [(0, 3), (3, 1), (4, 5)]
    assert [one.topic for row in rows for one in unpack(row.blob)] == [f"t/{n}" for n in range(9)]  # type: ignore[union-attr]
    firsts = [[row.index for row in await journal.read(HALL, index, 2)] for index in range(10)]
    assert firsts == [[0, 3], [0, 3], [0, 3], [3, 4], [4], [4], [4], [4], [4], []]
    assert await journal.read("another", 0, 10) == []
    assert await journal.end("another") == 0


async def test_a_restart_finds_what_was_committed(url: str) -> None:
    async with open_store(url) as store:
        await store.journal.commit(batch(0, 3, changes=changes(alarm("A1"), ticket("T1"))))
    async with open_store(url) as store:
        assert await store.journal.end(HALL) == 3
        book = await store.journal.book(HALL)
        assert book.alarms == {"A1": alarm("A1")}
        assert book.tickets == {"T1": ticket("T1")}
        await store.journal.commit(batch(3))


async def test_a_batch_out_of_place_is_refused(store: Store) -> None:
    await store.journal.commit(batch(0, 3))
    for index in (0, 2, 4):
        with pytest.raises(StoreError) as caught:
            await store.journal.commit(batch(index))
        assert caught.value.code == "store_refused"
        assert not caught.value.transient
    await store.journal.commit(batch(3))


async def test_nothing_of_a_refused_batch_is_visible(store: Store) -> None:
    await store.journal.commit(batch(0, 3, changes=changes(alarm("A1"))))
    held = (quarantined(1),)
    poisoned = changes(alarm("A2", "crowd/z1", raised=2**70))
    poisoned.events.append(Event(HALL, 1, "A2", "raised"))
    poisoned.counters["A"] = 2
    with pytest.raises(StoreError, match="store_refused"):
        await store.journal.commit(batch(3, changes=poisoned, quarantined=held))
    assert await store.journal.end(HALL) == 3
    assert len(await store.journal.read(HALL, 0, 10)) == 1
    book = await store.journal.book(HALL)
    assert (list(book.alarms), book.counters) == (["A1"], {})
    assert await store.quarantine.page(HALL) == []
    assert await store.records.events(HALL) == []
    await store.journal.commit(batch(3))


async def test_two_alarms_cannot_hold_one_key(store: Store) -> None:
    await store.journal.commit(batch(0, 1, changes=changes(alarm("A1"))))
    with pytest.raises(StoreError, match="store_refused"):
        await store.journal.commit(batch(1, 1, changes=changes(alarm("A2"))))
    # In whatever order they stand, an alarm that closes makes room for the next one of its key.
    await store.journal.commit(batch(1, 1, changes=changes(alarm("A2"), alarm("A1", closed=20))))
    assert list((await store.journal.book(HALL)).alarms) == ["A2"]
    assert [one.id for one in await store.records.alarms(HALL)] == ["A2", "A1"]
    assert [one.id for one in await store.records.alarms(HALL, open_only=True)] == ["A2"]


async def test_halls_do_not_see_each_other(store: Store) -> None:
    await store.journal.commit(batch(0, 2, changes=changes(alarm("A1"))))
    other = changes(alarm("A1", hall="h2"))
    await store.journal.commit(batch(0, 1, hall="h2", changes=other))
    assert (await store.journal.end(HALL), await store.journal.end("h2")) == (2, 1)
    assert (await store.journal.book("h2")).alarms["A1"].hall == "h2"
    assert (await store.journal.book(HALL)).alarms["A1"].hall == HALL


async def test_the_book_holds_messages_that_still_matter(store: Store) -> None:
    states = MessageState
    made = changes(
        alarm("A1"),
        alarm("A2", "fire/d2", closed=9),
        message("M1", "A1", states.QUEUED),
        message("M2", "A1", states.SENT),
        message("M3", "A1", states.ANSWERED, answered=7),
        message("M4", "A2", states.SENT),
        message("M5", "A2", states.RETRY),
        message("M6", "A1", states.SENT, answerable=False),
        message("M7", "A1", states.SUPERSEDED),
    )
    await store.journal.commit(batch(0, 1, changes=made))
    assert sorted((await store.journal.book(HALL)).messages) == ["M1", "M2", "M5"]
    assert [one.id for one in await store.records.messages(HALL, about="A2")] == ["M5", "M4"]
    assert [one.id for one in await store.records.messages(HALL, state=states.SENT)] == ["M6", "M4", "M2"]


async def test_events_are_listed_newest_first(store: Store) -> None:
    made = changes()
    made.events += [Event(HALL, number, f"A{number % 2}", "raised", detail="半\ud800") for number in range(4)]
    await store.journal.commit(batch(0, 1, changes=made))
    newest = await store.records.events(HALL, limit=3)
    assert [row.event.at for row in newest] == [3, 2, 1]
    assert [row.event.at for row in await store.records.events(HALL, before=newest[-1].id)] == [0]
    assert [row.event.at for row in await store.records.events(HALL, about="A1")] == [3, 1]
    assert newest[0].event.detail == "半?"


async def test_a_list_is_paged_without_loss_although_times_are_equal(store: Store) -> None:
    many = [ticket(f"T{number}", f"fault/{number}", opened=number // 3) for number in range(10)]
    await store.journal.commit(batch(0, 1, changes=changes(*many)))
    seen: list[str] = []
    page = await store.records.tickets(HALL, limit=4)
    while page:
        seen += [one.id for one in page]
        page = await store.records.tickets(HALL, limit=4, before=(page[-1].opened, page[-1].id))
    assert sorted(seen) == sorted(one.id for one in many)
    assert len(seen) == 10


def snapshot(index: int, blob: bytes = b"state") -> Snapshot:
    return Snapshot(HALL, index, index, "v1", blob, hashlib.sha256(blob).hexdigest())


async def test_a_damaged_snapshot_is_not_used(store: Store) -> None:
    assert await store.journal.snapshot(HALL) is None
    for index in (1, 2, 3):
        await store.journal.save_snapshot(snapshot(index, f"state {index}".encode()))
    assert await store.journal.snapshot(HALL) == snapshot(3, b"state 3")
    kept = select(schema.snapshots.c.index).order_by(schema.snapshots.c.index)
    assert await store.reader.run(lambda connection: list(connection.scalars(kept))) == [2, 3]
    await store.writer.execute(update(schema.snapshots).where(schema.snapshots.c.index == 3).values(blob=b"state 4"))
    assert await store.journal.snapshot(HALL) == snapshot(2, b"state 2")
    await store.writer.execute(update(schema.snapshots).values(digest="x"))
    assert await store.journal.snapshot(HALL) is None


async def test_a_locked_file_is_busy_and_may_be_tried_again(sqlite_only: str) -> None:
    stranger = sqlite3.connect(sqlite_only.removeprefix("sqlite:///"), isolation_level=None)
    async with open_store(sqlite_only) as store:
        stranger.execute("BEGIN IMMEDIATE")
        await is_busy(store)
        stranger.execute("ROLLBACK")
        stranger.close()
        await goes_on(store)


async def test_a_locked_table_is_busy_and_may_be_tried_again(postgres: Database) -> None:
    async with open_store(postgres.url) as store:
        with psycopg.connect(postgres.url) as stranger:
            stranger.execute("LOCK TABLE journal IN EXCLUSIVE MODE")
            await is_busy(store)
        await goes_on(store)


async def is_busy(store: Store) -> None:
    with pytest.raises(StoreError) as caught:
        await store.journal.commit(batch(0))
    assert (caught.value.code, caught.value.transient) == ("store_busy", True)
    # The page can still read meanwhile.
    assert await store.records.alarms(HALL) == []


async def goes_on(store: Store) -> None:
    await store.journal.commit(batch(0))
    assert await store.journal.end(HALL) == 3


@contextlib.contextmanager
def unheard(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    transaction = store.writer.run

    async def run(job: Callable[[Connection], object], _after: Callable[[], None] | None = None) -> object:
        await transaction(job)
        raise StoreError("store_failed", "the connection broke before the answer to COMMIT came")

    with monkeypatch.context() as broken:
        broken.setattr(store.writer, "run", run)
        yield


async def test_a_commit_whose_answer_was_lost_may_be_asked_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database has it and could not say so: the same batch again is the same batch, not a second one."""
    first = batch(0, 3, changes=changes(alarm("A1")), quarantined=(quarantined(1),))
    with unheard(store, monkeypatch), pytest.raises(StoreError):
        await store.journal.commit(first)
    await store.journal.commit(first)
    assert await store.journal.end(HALL) == 3
    assert len(await store.quarantine.page(HALL)) == 1
    # Another batch in its place is none of ours, whether the journal's end is known or looked up.
    other = dataclasses.replace(first, at=first.at + 1)
    for _ in range(2):
        with pytest.raises(StoreError, match="ends at 3"):
            await store.journal.commit(other)


async def test_several_batches_whose_answer_was_lost_are_held_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.journal.commit(batch(0))
    turns = [batch(3, 2), batch(5, 1, quarantined=(quarantined(1),)), batch(6, 4)]
    with unheard(store, monkeypatch), pytest.raises(StoreError):
        await store.journal.commit(*turns)
    await store.journal.commit(*turns)
    await store.journal.commit(batch(10))
    assert [row.index for row in await store.journal.read(HALL, 0, 10)] == [0, 3, 5, 6, 10]
    assert len(await store.quarantine.page(HALL)) == 1


async def test_a_cancelled_commit_leaves_the_journal_usable(store: Store) -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(store.journal.commit(batch(0)))
        await asyncio.sleep(0)
        task.cancel()
    end = await store.journal.end(HALL)
    await store.journal.commit(batch(end))
    assert await store.journal.end(HALL) == end + 3


async def test_a_full_disk_refuses_the_batch_whole_and_goes_on_when_there_is_room(sqlite_only: str) -> None:
    async with open_store(sqlite_only) as store:
        await fills_up(store)


async def fills_up(store: Store) -> None:
    await store.journal.commit(batch(0, changes=changes(alarm("A1"))))

    def limit(pages: int) -> None:
        # The database file may not grow beyond this: SQLite answers as it does on a full disk.
        store.writer._connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")  # type: ignore[union-attr]

    await store.writer.run(lambda _: limit(1))
    big = dataclasses.replace(batch(3, changes=changes(alarm("A1", closed=9))), blob=b"x" * 1_000_000)
    with pytest.raises(StoreError) as caught:
        await store.journal.commit(big)
    assert (caught.value.code, caught.value.transient) == ("store_full", True)
    assert await store.journal.end(HALL) == 3
    assert list((await store.journal.book(HALL)).alarms) == ["A1"]
    await store.writer.run(lambda _: limit(1_000_000))
    await store.journal.commit(big)
    assert await store.journal.end(HALL) == 6
    assert (await store.journal.book(HALL)).alarms == {}


async def test_a_fault_of_the_program_is_no_fault_of_the_store(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        await store.writer.run(lambda _: 1 // 0)
    await store.journal.commit(batch(0))


async def test_the_reader_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError, match=r"read-?only"):
        await store.reader.run(lambda connection: connection.exec_driver_sql("DELETE FROM journal"))


async def test_a_missing_table_is_no_matter_of_time(store: Store) -> None:
    await store.writer.run(lambda connection: connection.exec_driver_sql("DROP TABLE journal"))
    for _ in range(2):
        with pytest.raises(StoreError, match="journal") as caught:
            await store.journal.commit(batch(0))
        assert (caught.value.code, caught.value.transient) == ("store_broken", False)


async def test_what_a_refused_row_held_is_not_repeated(store: Store) -> None:
    secret = "correct horse battery staple"
    row = {"name": "li", "password": secret, "role": None, "created": 5, "disabled": False}
    with pytest.raises(StoreError) as caught:
        await store.writer.run(lambda connection: connection.execute(schema.users.insert().values(row)))
    assert caught.value.code == "store_refused"
    assert secret not in str(caught.value)


async def test_what_no_store_can_hold_costs_only_itself(store: Store) -> None:
    await store.journal.commit(batch(0))
    too_large = dataclasses.replace(batch(3), at=2**63)
    half = dataclasses.replace(batch(3), hall="\ud800")
    for poison in (too_large, half):
        with pytest.raises(StoreError) as caught:
            await store.journal.commit(poison)
        assert (caught.value.code, caught.value.transient) == ("store_refused", False)
    await store.journal.commit(batch(3))
    assert await store.journal.end(HALL) == 6
