"""The path decides ahead of its store: what is decided, written and acknowledged while a transaction is under way."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alerts.core import Core
from gateway.inlet import BATCH_LIMIT
from gateway.store.contract import Batch
from gateway.store.errors import StoreError
from gateway.turns import AHEAD
from sensors.inputs import Heard, Lane, unpack
from tests.gateway.test_pipeline import Rig, running, until


class Slow:
    """Holds a rig's journal: transactions stand until they are let go, and what each held is noted."""

    def __init__(self, rig: Rig) -> None:
        self.together: list[int] = []
        self.poison = b"no such words"
        self._rig = rig
        self._inner = rig.journal.commit
        self._go = asyncio.Event()

    @contextmanager
    def holding(self) -> Iterator["Slow"]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self._rig.journal, "commit", self._commit)
            try:
                yield self
            finally:
                self.release()

    def release(self) -> None:
        self._go.set()

    async def _commit(self, *batches: Batch) -> None:
        self.together.append(len(batches))
        await self._go.wait()
        if any(self.poison in batch.blob for batch in batches):
            raise StoreError("store_refused", "no such words")
        await self._inner(*batches)


def hear_queue(rig: Rig, first: int, last: int) -> None:
    for number in range(first, last + 1):
        rig.hear("queue-1", "queue", {"length": number % 100}, number)


def fires(rig: Rig) -> list[str]:
    return [alarm.kind.value for alarm in rig.path.core.engine.book.alarms.values()]


async def test_a_fire_is_decided_while_a_transaction_hangs_and_acknowledged_after_it(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        with Slow(rig).holding() as slow:
            hear_queue(rig, 1, 1)
            await until(lambda: slow.together == [1])
            rig.hear("smoke-1", "fire", {"alarm": True, "sensor": "smoke"}, 1, Lane.SAFETY)
            await until(lambda: fires(rig) == ["fire"])
            assert rig.acknowledged() == rig.acknowledged(Lane.SAFETY) == []
            slow.release()
            await until(lambda: rig.acknowledged(Lane.SAFETY) == [1])
            assert rig.acknowledged() == [1]


async def test_what_was_decided_meanwhile_shares_one_transaction(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        with Slow(rig).holding() as slow:
            hear_queue(rig, 1, 1)
            await until(lambda: slow.together == [1])
            for number in range(1, 4):
                rig.hear("smoke-1", "fire", {"alarm": number % 2 == 1, "sensor": "smoke"}, number, Lane.SAFETY)
                await until(lambda: rig.path.in_hand == 0)
            slow.release()
            await until(lambda: rig.acknowledged(Lane.SAFETY) == [1, 2, 3])
            assert slow.together == [1, 3]


async def test_a_store_is_silent_no_later_than_for_who_waits_as_long_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a message would leave marked as unwritten while the page still says that all is well."""
    monkeypatch.setattr("gateway.writing.STORE_LIMIT_S", 0.1)
    async with running(tmp_path) as rig:
        with Slow(rig).holding() as slow:
            hear_queue(rig, 1, 1)
            await until(lambda: slow.together == [1])
            await asyncio.sleep(0.1)
            assert rig.path.stalled_since is not None
            slow.release()
            await until(lambda: rig.acknowledged() == [1])
            assert rig.path.stalled_since is None


async def test_telemetry_is_decided_no_further_than_the_store_follows(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        with Slow(rig).holding() as slow:
            before = rig.path.index
            count = BATCH_LIMIT * (AHEAD + 2)
            hear_queue(rig, 1, count)
            await until(lambda: rig.path.in_hand == BATCH_LIMIT * 2)
            await asyncio.sleep(0.05)
            assert rig.path.in_hand == BATCH_LIMIT * 2
            assert BATCH_LIMIT * AHEAD <= rig.path.index - before < BATCH_LIMIT * (AHEAD + 1)
            slow.release()
            await until(lambda: len(rig.acknowledged()) == count)
        assert await rig.heard() == list(range(1, count + 1))


async def test_of_turns_that_fail_together_only_the_message_at_fault_is_lost(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        with Slow(rig).holding() as slow:
            slow.poison = b'"length": 66'
            hear_queue(rig, 1, 1)
            await until(lambda: slow.together == [1])
            hear_queue(rig, 65, 67)
            rig.hear("smoke-1", "fire", {"alarm": True, "sensor": "smoke"}, 1, Lane.SAFETY)
            await until(lambda: fires(rig) == ["fire"])
            slow.release()
            await until(lambda: len(rig.acknowledged()) == 4 and rig.acknowledged(Lane.SAFETY) == [1])
        assert sorted(await rig.heard()) == [1, 1, 65, 67]
        held = await rig.store.quarantine.page("main")
        assert [json.loads(row.message.payload)["seq"] for row in held] == [66]
        assert fires(rig) == ["fire"]


async def test_a_message_that_cannot_be_decided_behind_a_transaction_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Core.step

    def poisoned(core: Core, item: object, arrival: object = None) -> object:
        if isinstance(item, Heard) and b'"length": 13' in item.payload:
            raise AttributeError("a defect that one message brings to light")
        return step(core, item, arrival)  # type: ignore[arg-type]

    monkeypatch.setattr(Core, "step", poisoned)
    async with running(tmp_path) as rig:
        with Slow(rig).holding() as slow:
            hear_queue(rig, 11, 11)
            await until(lambda: slow.together == [1])
            hear_queue(rig, 12, 14)
            await asyncio.sleep(0.05)
            assert rig.path.in_hand == 3
            slow.release()
            await until(lambda: len(rig.acknowledged()) == 4)
        assert await rig.heard() == [11, 12, 14]


async def test_a_snapshot_waits_until_what_it_says_is_written_and_telemetry_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.pipeline.SNAPSHOT_EVERY", 50)
    async with running(tmp_path) as rig:
        with Slow(rig).holding() as slow:
            hear_queue(rig, 1, 60)
            await until(lambda: rig.path.index > 60)
            hear_queue(rig, 61, 61)
            await until(lambda: rig.path.in_hand == 0)
            assert await rig.store.journal.snapshot("main") is None
            slow.release()
            await until(lambda: len(rig.acknowledged()) == 61)
        rig.hear("queue-1", "queue", {"length": 1}, 62)
        await until(lambda: len(rig.acknowledged()) == 62)
        snapshot = await rig.store.journal.snapshot("main")
        assert snapshot is not None
        rows = await rig.store.journal.read("main", 0, 1000)
        ends = {row.index + len(unpack(row.blob)) for row in rows}
        assert snapshot.index in ends


async def test_who_can_wait_gives_way_to_what_is_urgent_and_not_for_ever(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        with Slow(rig).holding() as slow:
            async with asyncio.timeout(10):
                await rig.path.give_way()
            rig.hear("smoke-1", "fire", {"alarm": True, "sensor": "smoke"}, 1, Lane.SAFETY)
            async with asyncio.timeout(10), asyncio.TaskGroup() as group:
                giving = group.create_task(rig.path.give_way())
                await until(lambda: fires(rig) == ["fire"])
                before = giving.done()
            assert (before, rig.acknowledged(Lane.SAFETY)) == (False, [])
            slow.release()
            await until(lambda: rig.acknowledged(Lane.SAFETY) == [1])
