"""The gateway of this release starts on a database of the last one, and the fire that stood there still stands."""

from pathlib import Path

import pytest

from gateway.store.sql import sqlite_url
from tests.gateway.store.test_releases import load
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.ledger import read_kept
from tests.system.small_site import Parts, small_site


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
async def test_a_gateway_starts_on_the_last_releases_database(
    store: str, tmp_path: Path, mosquitto: Mosquitto, request: pytest.FixtureRequest
) -> None:
    url: str = request.getfixturevalue("postgres").url if store == "postgresql" else sqlite_url(tmp_path / "old.db")
    load(url, 1)
    with Hallwatch(tmp_path / "gateway", small_site(Parts(mosquitto.port)), {"HALLWATCH_STORE": url}) as gateway:
        await gateway.linked()
        alarms = (await gateway.get("/api/v1/alarms"))["items"]
        fires = [one for one in alarms if one["kind"] == "fire"]
        assert len(fires) == 2
        assert all(one["active"] and one["acknowledged"] for one in fires)
        assert (await gateway.get("/api/v1/status"))["halls"][0]["runs"] == 1
    kept = await read_kept(url)
    assert kept.resumed == kept.from_empty
