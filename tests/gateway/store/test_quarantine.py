"""The quarantine keeps what could not be read, byte for byte, until a person has looked."""

import dataclasses

from gateway.store.contract import Settled
from gateway.store.sql import Store
from sensors.decode.bounds import ROW_BYTES
from tests.gateway.store.build import HALL, batch, quarantined


async def test_a_message_is_held_listed_discarded_or_replayed(store: Store) -> None:
    rubbish = tuple(quarantined(number) for number in range(5))
    await store.journal.commit(batch(0, 0, quarantined=rubbish))
    assert await store.journal.end(HALL) == 0
    page = await store.quarantine.page(HALL, limit=3)
    assert [row.message for row in page] == [rubbish[4], rubbish[3], rubbish[2]]
    rest = await store.quarantine.page(HALL, before=page[-1].id)
    assert [row.message for row in rest] == [rubbish[1], rubbish[0]]

    assert await store.quarantine.discard(HALL, Settled(page[0].id, "wang", 77))
    assert not await store.quarantine.discard(HALL, Settled(page[0].id, "li", 78))
    assert not await store.quarantine.discard("h2", Settled(page[1].id, "wang", 77))
    mended = Settled(page[1].id, "li", 99, "t/mended", b"{}")
    await store.journal.commit(batch(0, 1, released=(mended,)))
    first, second = (await store.quarantine.page(HALL, state=None))[:2]
    # Who and when and what was mended stand beside it; the message itself is as it came.
    assert (first.settled, second.settled) == (Settled(page[0].id, "wang", 77), mended)
    assert second.message == rubbish[3]
    states = [row.state for row in await store.quarantine.page(HALL, state=None)]
    assert states == ["discarded", "replayed", "held", "held", "held"]
    assert await store.quarantine.held(HALL) == 3
    found = await store.quarantine.get(HALL, page[2].id)
    assert found is not None
    assert found.message == rubbish[2]
    assert await store.quarantine.get("h2", page[2].id) is None


async def test_poisoned_text_does_not_stop_the_quarantine(store: Store) -> None:
    poison = dataclasses.replace(quarantined(1), device="d\0", topic="t/\ud800", detail="\udfff", payload=b"\0\xff")
    await store.journal.commit(batch(0, 0, quarantined=(poison,)))
    (row,) = await store.quarantine.page(HALL)
    assert (row.message.device, row.message.topic, row.message.detail) == ("d�", "t/?", "?")
    assert row.message.payload == b"\0\xff"


async def test_a_flood_is_bounded_and_what_was_settled_goes_first(store: Store) -> None:
    await store.journal.commit(batch(0, 0, quarantined=tuple(quarantined(number) for number in range(6))))
    newest = (await store.quarantine.page(HALL))[0].id
    assert await store.quarantine.discard(HALL, Settled(newest, "wang", 1))
    assert await store.quarantine.trim(HALL, 4, 10**6) == 1
    assert [row.message.at for row in await store.quarantine.page(HALL, state=None)] == [4, 3, 2, 1]
    assert await store.quarantine.trim(HALL, 4, 10**6) == 0
    size = len(quarantined(1).payload) + ROW_BYTES
    assert await store.quarantine.trim(HALL, 4, 2 * size) == 2
    assert [row.message.at for row in await store.quarantine.page(HALL, state=None)] == [4, 3]
