"""The inlet: what goes into the next batch, and that neither side starves the other."""

import asyncio

from gateway.inlet import ALONE_IN_ROW, BATCH_BYTES, BATCH_LIMIT, OWED, Inlet
from gateway.link.contract import Delivery
from sensors.decode.family import Packet
from sensors.inputs import Lane


def said(number: int, lane: Lane, payload: bytes = b"") -> Delivery:
    return Delivery(Packet("hall/x", payload, lane, 0), number, 1)


def telemetry(*numbers: int) -> list[Delivery]:
    return [said(number, Lane.TELEMETRY) for number in numbers]


async def test_what_is_urgent_goes_alone_a_few_times_and_then_telemetry_has_its_turn() -> None:
    inlet = Inlet()
    for number in range(1000):
        inlet.put_ordinary(said(number, Lane.TELEMETRY))
    for _ in range(ALONE_IN_ROW):
        inlet.put_urgent(said(0, Lane.SAFETY))
        assert [entry.packet.lane for entry in inlet.collect() if isinstance(entry, Delivery)] == [Lane.SAFETY]
    inlet.put_urgent(said(0, Lane.SAFETY))
    owed = inlet.collect()
    lanes = [entry.packet.lane for entry in owed if isinstance(entry, Delivery)]
    assert lanes == [Lane.SAFETY, *[Lane.TELEMETRY] * OWED]
    inlet.put_urgent(said(0, Lane.SAFETY))
    assert not inlet.cuts
    assert len(inlet.collect()) == 1


async def test_what_is_owed_to_telemetry_is_given_however_much_is_urgent() -> None:
    inlet = Inlet()
    inlet.put_ordinary(*telemetry(1))
    for _ in range(ALONE_IN_ROW):
        inlet.put_urgent(said(0, Lane.SAFETY))
        inlet.collect()
    for _ in range(BATCH_LIMIT * 2):
        inlet.put_urgent(said(0, Lane.SAFETY))
    assert inlet.collect()[-1:] == telemetry(1)


async def test_a_batch_that_is_cut_short_comes_again_in_its_order() -> None:
    inlet = Inlet()
    for entry in telemetry(1, 2, 3, 4):
        inlet.put_ordinary(entry)
    batch = inlet.collect()
    before = inlet.cuts
    inlet.put_ordinary(*telemetry(5))
    inlet.put_urgent(said(0, Lane.SAFETY))
    assert (before, inlet.cuts) == (False, True)
    inlet.put_back(batch[2:])
    assert inlet.collect() == [said(0, Lane.SAFETY)]
    assert inlet.collect() == telemetry(3, 4, 5)


async def test_a_batch_is_bounded_by_number_and_by_bytes() -> None:
    inlet = Inlet()
    for number in range(BATCH_LIMIT + 1):
        inlet.put_ordinary(said(number, Lane.TELEMETRY))
    assert (len(inlet.collect()), len(inlet.collect())) == (BATCH_LIMIT, 1)
    for number in range(3):
        inlet.put_ordinary(said(number, Lane.TELEMETRY, b"x" * (BATCH_BYTES // 2)))
    assert (len(inlet.collect()), len(inlet.collect())) == (2, 1)


async def test_telemetry_waits_for_company_only_while_nothing_hurries() -> None:
    inlet = Inlet()
    inlet.put_ordinary(*telemetry(1))
    inlet.put_urgent(said(0, Lane.SAFETY))
    async with asyncio.timeout(30):
        await inlet.linger()
    assert len(inlet) == 2


async def test_without_telemetry_only_what_is_urgent_is_taken_and_its_turn_is_still_owed() -> None:
    inlet = Inlet()
    inlet.put_ordinary(*telemetry(1))
    for _ in range(ALONE_IN_ROW):
        inlet.put_urgent(said(0, Lane.SAFETY))
        assert inlet.collect(telemetry=False) == [said(0, Lane.SAFETY)]
    assert inlet.collect(telemetry=False) == []
    assert inlet.owes
    assert inlet.collect() == telemetry(1)
    assert not inlet.owes


async def test_news_is_what_came_since_and_a_pause_without_any_ends() -> None:
    inlet = Inlet()
    assert not await inlet.news(0.01)
    asyncio.get_running_loop().call_soon(inlet.wake)
    async with asyncio.timeout(30):
        assert await inlet.news(None)
