"""The journal's budget: what is safe elsewhere goes first, telemetry last and by name, life safety never."""

import hashlib

from gateway.store.contract import Batch, Snapshot
from gateway.store.sql import Store
from sensors.inputs import Heard, Lane, Ticked, pack, unpack
from tests.gateway.store.build import HALL, batch, heard


async def filled(store: Store, rows: int, covered: int) -> None:
    """`rows` rows of ten messages, the third of each a life-safety one in every second row."""
    for row in range(rows):
        lanes = [Lane.SAFETY if row % 2 and place == 3 else Lane.TELEMETRY for place in range(10)]
        inputs = [heard(row * 10 + place, 1000 + row, lane) for place, lane in enumerate(lanes)]
        await store.journal.commit(Batch(HALL, row * 10, 10, 1000 + row, pack(list(inputs))))
    await store.journal.save_snapshot(Snapshot(HALL, covered, 1, "v1", b"s", hashlib.sha256(b"s").hexdigest()))


async def indexes(store: Store) -> list[int]:
    return [row.index for row in await store.journal.read(HALL, 0, 10_000)]


async def test_nothing_goes_without_a_snapshot(store: Store) -> None:
    await store.journal.commit(batch(0))
    await store.journal.commit(batch(3))
    assert await store.budget.trim(HALL, 100) == 0
    assert (await store.budget.enforce(HALL, 1)).over > 0
    assert await indexes(store) == [0, 3]


async def test_trim_waits_for_the_slowest_history_and_for_the_older_snapshot(store: Store) -> None:
    await filled(store, rows=10, covered=60)
    await store.journal.save_snapshot(Snapshot(HALL, 90, 1, "v1", b"s", hashlib.sha256(b"s").hexdigest()))
    await store.cursors.advance(HALL, "readings", 100)
    await store.cursors.advance(HALL, "influx", 45)
    assert await store.budget.trim(HALL, 20) == 2
    assert await store.budget.trim(HALL, 100) == 2
    assert await indexes(store) == [40, 50, 60, 70, 80, 90]
    await store.cursors.forget(HALL, "influx")
    assert await store.budget.trim(HALL, 100) == 2
    assert await indexes(store) == [60, 70, 80, 90]
    assert await store.journal.end(HALL) == 100
    assert await store.records.gaps(HALL) == []


async def test_many_rows_go_in_many_small_steps_but_the_last_row_stays(store: Store) -> None:
    await filled(store, rows=150, covered=1500)
    assert await store.budget.trim(HALL, 1500) == 149
    assert await indexes(store) == [1490]


async def test_unshipped_telemetry_goes_last_and_leaves_a_named_gap(store: Store) -> None:
    await filled(store, rows=20, covered=150)
    await store.cursors.advance(HALL, "readings", 200)
    await store.cursors.advance(HALL, "influx", 40)
    before = await store.records.sizes(HALL)
    done = await store.budget.enforce(HALL, before.journal_bytes * 3 // 4)
    assert (done.over, done.rows) == (0, 4)
    (gap,) = await store.records.gaps(HALL)
    assert (gap.name, gap.first, gap.dropped) == ("influx", 40, done.dropped)
    assert gap.from_at == 1004
    assert (await store.records.sizes(HALL)).journal_bytes <= before.journal_bytes * 3 // 4

    # Once more, with nothing allowed: all telemetry before the snapshot goes, nothing behind it does.
    done = await store.budget.enforce(HALL, 0)
    assert done.over > 0
    (gap,) = await store.records.gaps(HALL)
    assert (gap.first, gap.last, gap.to_at) == (40, 149, 1014)
    rows = await store.journal.read(HALL, 0, 100)
    messages = [
        (row.index + place, one.lane)
        for row in rows
        for place, one in enumerate(unpack(row.blob))
        if isinstance(one, Heard)
    ]
    safety = [index for index, lane in messages if lane == Lane.SAFETY]
    assert safety == [row * 10 + 3 for row in range(20) if row % 2 and row >= 4]
    assert [index for index, lane in messages if lane != Lane.SAFETY and index < 150] == []
    kept = [index for index, lane in messages if lane != Lane.SAFETY]
    assert kept == [index for index in range(150, 200) if index not in safety]
    assert gap.dropped == 110 - 5
    assert all(isinstance(one, (Heard, Ticked)) for row in rows for one in unpack(row.blob))
    assert await store.budget.enforce(HALL, 0) == done.__class__(0, 0, done.over)
