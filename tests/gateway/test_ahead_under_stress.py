"""The path ahead of its store when much comes together: storms of what is urgent, poison, and an end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from alerts.core import Core
from gateway.batch import BatchMaker, Entry, Making
from gateway.pipeline import SLICE
from gateway.store.contract import Batch
from gateway.store.errors import StoreError
from gateway.turns import AHEAD
from sensors.inputs import Heard, Lane, unpack
from tests.gateway.test_ahead import Slow, fires, hear_queue
from tests.gateway.test_pipeline import Rig, running, until

SMOKE = {"alarm": True, "sensor": "smoke"}


class Storm:
    """Life safety without end: whenever a transaction is under way, more turns of it than may be ahead are decided."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._inner = rig.journal.commit
        self._said = 0
        self._over = False

    @asynccontextmanager
    async def raging(self) -> AsyncIterator["Storm"]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self._rig.journal, "commit", self._commit)
            self._say()
            await until(lambda: self._said > AHEAD * 2)
            try:
                yield self
            finally:
                self._over = True

    def _say(self) -> None:
        self._said += 1
        self._rig.hear("smoke-1", "fire", SMOKE, self._said, Lane.SAFETY)

    async def _commit(self, *batches: Batch) -> None:
        for _ in range(AHEAD):
            index = self._rig.path.index
            self._say()
            await until(lambda index=index: self._over or self._rig.path.index > index)  # type: ignore[misc]
        await self._inner(*batches)


async def test_a_storm_of_life_safety_does_not_starve_telemetry(tmp_path: Path) -> None:
    async with running(tmp_path) as rig, Storm(rig).raging():
        hear_queue(rig, 1, 300)
        await until(lambda: len(rig.acknowledged()) == 300)
        assert rig.acknowledged() == list(range(1, 301))


async def test_a_storm_does_not_keep_a_snapshot_and_telemetry_from_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.pipeline.SNAPSHOT_EVERY", 50)
    async with running(tmp_path) as rig:
        async with Storm(rig).raging():
            hear_queue(rig, 1, 300)
            await until(lambda: len(rig.acknowledged()) == 300)
            snapshot = await rig.store.journal.snapshot("main")
        assert snapshot is not None
        rows = await rig.store.journal.read("main", 0, 10_000)
        assert snapshot.index in {row.index + len(unpack(row.blob)) for row in rows}


async def test_life_safety_keeps_its_order_when_a_turn_is_decided_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Core.step
    async with running(tmp_path) as rig:
        recover = rig.path._recover
        said: list[int] = []

        def say(number: int) -> None:
            said.append(number)
            rig.hear("smoke-1", "fire", SMOKE, number, Lane.SAFETY)

        def alarming(core: Core, item: object, arrival: object = None) -> object:
            if isinstance(item, Heard) and b'"length": 77' in item.payload and not said:
                say(1)
            return step(core, item, arrival)  # type: ignore[arg-type]

        async def recovering() -> BatchMaker:
            say(2)
            return await recover()

        monkeypatch.setattr(Core, "step", alarming)
        monkeypatch.setattr(rig.path, "_recover", recovering)
        with Slow(rig).holding() as slow:
            slow.poison = b'"length": 1}'
            hear_queue(rig, 1, 1)
            await until(lambda: slow.together == [1])
            # The first word comes while the second slice is decided, and cuts the batch before the third.
            for number in range(2, SLICE * 5):
                rig.hear("queue-1", "queue", {"length": 77 if number == SLICE + 8 else 2}, number)
            await until(lambda: fires(rig) == ["fire"])
            slow.release()
            await until(lambda: len(rig.acknowledged()) == SLICE * 5 - 1 and len(rig.acknowledged(Lane.SAFETY)) == 2)
        rows = await rig.store.journal.read("main", 0, 10_000)
        heard = [item for row in rows for item in unpack(row.blob) if isinstance(item, Heard)]
        assert [json.loads(one.payload)["seq"] for one in heard if "smoke-1" in one.topic] == [1, 2]


async def test_an_end_waits_for_a_turn_that_is_taken_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path) as rig:
        recover = rig.path._recover
        recovering, go = asyncio.Event(), asyncio.Event()

        async def slowly() -> BatchMaker:
            recovering.set()
            await go.wait()
            return await recover()

        monkeypatch.setattr(rig.path, "_recover", slowly)
        rig.journal.failures = [StoreError("store_refused", "no such value")]
        hear_queue(rig, 1, 2)
        await recovering.wait()
        rig.path.close()
        asyncio.get_running_loop().call_later(0.05, go.set)
    assert rig.acknowledged() == [1, 2]


async def test_an_end_does_not_wait_for_deadlines_that_never_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A demo's day may pass while a transaction is written, and each has its deadlines."""
    async with asyncio.timeout(20), running(tmp_path) as rig:
        inner = rig.journal.commit

        async def commit(*batches: Batch) -> None:
            rig.now[0] += 86_400_000
            rig.path.close()  # wakes it as well
            await asyncio.sleep(0.02)
            await inner(*batches)

        monkeypatch.setattr(rig.journal, "commit", commit)
        hear_queue(rig, 1, 1)
        await until(lambda: rig.acknowledged() == [1])
    assert rig.path.waiting == 0


async def test_the_index_counts_what_is_decided_of_a_batch_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has seen a probe in the hall knows by it when the probe is written, also in the middle of a batch."""
    take = BatchMaker.take
    ends: list[tuple[int, int]] = []

    def taking(maker: BatchMaker, making: Making, entries: list[Entry]) -> None:
        take(maker, making, entries)
        ends.append((maker.index, making.draft.index + len(making.draft.inputs)))

    monkeypatch.setattr(BatchMaker, "take", taking)
    async with running(tmp_path) as rig:
        hear_queue(rig, 1, SLICE * 3)
        await until(lambda: len(rig.acknowledged()) == SLICE * 3)
    assert len(ends) > 3
    assert all(index == end for index, end in ends)
