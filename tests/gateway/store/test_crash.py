"""Kill -9 of the process that writes: what was promised is there, and no transaction is torn."""

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gateway.store.sql import open_store
from sensors.inputs import Heard, unpack
from tests.gateway.store.build import HALL

ROOT = Path(__file__).parents[3]


def commit_until_killed(url: str, after_s: float) -> list[int]:
    """Run the committer, kill it at some moment, and return what it had promised until then."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.gateway.store.committer", url], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    first = child.stdout.readline()
    timer = threading.Timer(after_s, child.kill)
    timer.start()
    rest = child.stdout.read()
    child.wait()
    timer.join()
    child.stdout.close()
    # The last line may be cut: a promise that was not given in full.
    return [int(line) for line in (first + rest).split("\n")[:-1]]


@pytest.mark.parametrize("seed", range(3))
async def test_what_was_promised_is_there(url: str, seed: int) -> None:
    chance = random.Random(seed)
    promised: list[int] = []
    for _ in range(2):
        promised += commit_until_killed(url, chance.uniform(0.0, 0.3))
    assert len(promised) >= 2
    async with open_store(url) as store:
        rows = await store.journal.read(HALL, 0, 1_000_000)
        kept = [row.index for row in rows]
        assert set(promised) <= set(kept)
        assert kept == list(range(0, await store.journal.end(HALL), 4))
        topics = [one.topic for row in rows for one in unpack(row.blob) if isinstance(one, Heard)]
        assert topics == [f"t/{number}" for number in range(len(rows) * 4)]
        # What followed from each batch is there exactly if the batch is.
        book = await store.journal.book(HALL)
        assert sorted(one.raised for one in book.alarms.values()) == kept
        assert book.counters == {"A": kept[-1]}
        events = await store.records.events(HALL, limit=1_000_000)
        assert sorted(row.event.at for row in events) == kept
        held = await store.quarantine.page(HALL, limit=1_000_000)
        assert sorted(row.message.at for row in held) == kept
