"""Proof 2: InfluxDB away under load, then back: nothing missing, no alarm waited, a refused point blocks nothing."""

import asyncio
import time
from pathlib import Path

import pytest
import urllib3

from gateway.store.sql import open_store, sqlite_url
from tests.servers.influx import InfluxBucket
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.load import Load
from tests.system.small_site import Parts, small_site

PATIENCE_S = 40.0


def site_with(bucket: InfluxBucket, mosquitto: Mosquitto) -> str:
    parts = Parts(mosquitto.port, influx=bucket.url, influx_org=bucket.org, influx_bucket=bucket.name)
    return small_site(parts)


def counted(bucket: InfluxBucket, measurement: str, field: str) -> int:
    rows = bucket.influxql(f'SELECT count("{field}") AS n FROM "{measurement}"')
    return int(rows[0]["n"]) if rows else 0


async def shipped(bucket: InfluxBucket, load: Load, kinds: dict[str, tuple[str, str]]) -> dict[str, int]:
    """Wait until InfluxDB has as many points of each device's kind as were sent; what it has in the end."""
    found: dict[str, int] = {}
    sent = {device: len(load.sent[device]) for device in kinds}
    until = time.monotonic() + PATIENCE_S
    while any(found.get(device, -1) < sent[device] for device in kinds):
        assert time.monotonic() < until, f"{found} of {sent}"
        await asyncio.sleep(0.3)
        found = {device: counted(bucket, *kinds[device]) for device in kinds}
    return found


KINDS = {
    "queue-1": ("queue", "length"),
    "count-1": ("people_count", "occupancy"),
    "printer-1": ("equipment", "power_w"),
}


@pytest.mark.parametrize("way", ["stopped", "hanging"])
async def test_an_outage_loses_no_reading_and_delays_no_alarm(
    way: str, tmp_path: Path, mosquitto: Mosquitto, influx_bucket: InfluxBucket
) -> None:
    server = influx_bucket.server
    gateway = Hallwatch(
        tmp_path / "gateway", site_with(influx_bucket, mosquitto), {"TEST_INFLUX_TOKEN": influx_bucket.token}
    )
    load = Load(mosquitto.port, 5)
    with gateway:
        await load.run(200)
        await asyncio.to_thread(server.stop if way == "stopped" else server.pause)
        await load.run(300, fires=(100,))
        # The alarm is there while InfluxDB is still away: it did not wait for it.
        async with asyncio.timeout(PATIENCE_S):
            while not [one for one in (await gateway.get("/api/v1/alarms"))["items"] if one["kind"] == "fire"]:
                await asyncio.sleep(0.05)
        await load.run(200)
        await asyncio.to_thread(server.start if way == "stopped" else server.resume)
        found = await shipped(influx_bucket, load, KINDS)
    assert found == {device: len(load.sent[device]) for device in KINDS}


async def test_a_refused_point_is_set_aside_and_blocks_nothing(
    tmp_path: Path, mosquitto: Mosquitto, influx_bucket: InfluxBucket
) -> None:
    # Somebody else wrote text where we write numbers: InfluxDB refuses our air temperatures from now on.
    line = b'environment,device=air-1,hall=main,zone=waiting temperature_c="warm"'
    address = f"{influx_bucket.url}/api/v2/write?org={influx_bucket.org}&bucket={influx_bucket.name}"
    answer = urllib3.request("POST", address, body=line, headers={"Authorization": f"Token {influx_bucket.token}"})
    assert answer.status == 204
    gateway = Hallwatch(
        tmp_path / "gateway", site_with(influx_bucket, mosquitto), {"TEST_INFLUX_TOKEN": influx_bucket.token}
    )
    load = Load(mosquitto.port, 6)
    with gateway:
        await load.run(300)
        found = await shipped(influx_bucket, load, KINDS)
        async with asyncio.timeout(PATIENCE_S):
            while (await gateway.get("/api/v1/status"))["halls"][0]["history_refused"] < len(load.sent["air-1"]):
                await asyncio.sleep(0.2)
    assert found == {device: len(load.sent[device]) for device in KINDS}
    async with open_store(sqlite_url(gateway.store)) as store:
        refused = await store.cursors.refused("main", "influxdb", limit=5)
    assert {row.device for row in refused} == {"air-1"}
    assert all("conflict" in row.reason for row in refused)
