"""What the budget of the journal costs is told, and only while it does."""

import hashlib
from pathlib import Path

from dashboard.housekeeping import tidy_journal
from gateway.store.contract import Batch, Snapshot
from gateway.store.sql import open_store, sqlite_url
from sensors.inputs import Heard, Lane, pack
from sensors.site.limits import Limits


async def test_a_loss_is_told_with_what_it_has_cost(tmp_path: Path) -> None:
    async with open_store(sqlite_url(tmp_path / "hallwatch.db")) as store:
        for row in range(10):
            inputs = [Heard(1000 + row, "t/1", b"x" * 12_000, Lane.TELEMETRY) for _ in range(10)]
            await store.journal.commit(Batch("main", row * 10, 10, 1000 + row, pack(list(inputs))))
        digest = hashlib.sha256(b"s").hexdigest()
        await store.journal.save_snapshot(Snapshot("main", 90, 1, "v1", b"s", digest))
        await store.cursors.advance("main", "influxdb", 0)
        assert await tidy_journal(store, "main", Limits(journal_mib=2)) == ""
        code, _, dropped = (await tidy_journal(store, "main", Limits(journal_mib=1))).partition(" ")
        (gap,) = await store.records.gaps("main")
        assert (code, int(dropped)) == ("journal_dropped", gap.dropped)
        assert [gap.name for gap in await store.records.gaps("main")] == ["influxdb"]
        assert await tidy_journal(store, "main", Limits(journal_mib=1)) == ""
