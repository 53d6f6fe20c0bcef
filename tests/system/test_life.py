"""Start, stop and failure: an orderly end drains, a part that dies takes the process down with its own error."""

import asyncio
import contextlib
import sqlite3
import time
from pathlib import Path

import pytest

from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.ledger import read_kept
from tests.system.load import Load
from tests.system.small_site import Parts, small_site


async def test_sigterm_closes_the_inlet_drains_and_ends(tmp_path: Path, mosquitto: Mosquitto) -> None:
    load = Load(mosquitto.port, 3)
    gateway = Hallwatch(tmp_path / "gateway", small_site(Parts(mosquitto.port)))
    with gateway:
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run(400))
            await asyncio.sleep(0.3)
            began = time.monotonic()
            await asyncio.to_thread(gateway.stop)
            # The promise itself (5 s), not a measure of speed: an end that hangs is a defect.
            assert time.monotonic() - began < 5
        assert gateway.process.child is not None
        assert gateway.process.child.returncode == 0
        assert "Traceback" not in gateway.log()
        await asyncio.to_thread(gateway.start)
        async with asyncio.timeout(20):
            while (await gateway.account())["stored"] < 400:
                await asyncio.sleep(0.1)
    kept = await read_kept(gateway.store)
    assert all(kept.sequences[device] == dict.fromkeys(numbers, 1) for device, numbers in load.sent.items())


async def test_a_part_that_dies_takes_the_process_down_with_its_real_error(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    gateway = Hallwatch(tmp_path / "gateway", small_site(Parts(mosquitto.port)))
    with gateway:
        await gateway.linked()
        await asyncio.to_thread(
            mosquitto.publish, "hallwatch/v1/main/safety/smoke-1/fire", '{"value": {"alarm": true}}'
        )
        async with asyncio.timeout(20):
            while not (await gateway.get("/api/v1/alarms?open=1"))["items"]:
                await asyncio.sleep(0.1)
        gateway.stop()
        # An open alarm that nobody can read: the book must not be loaded without it in silence.
        with sqlite3.connect(gateway.store) as store:
            store.execute("UPDATE alarms SET body = 'x'")
        store.close()
        with pytest.raises(RuntimeError, match="DecodeError"):
            await asyncio.to_thread(gateway.start)
    assert gateway.process.child is not None
    assert gateway.process.child.returncode != 0


async def test_a_store_that_does_not_answer_is_said_and_nothing_is_lost(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with Hallwatch(tmp_path / "gateway", small_site(Parts(mosquitto.port))) as gateway:
        with contextlib.closing(sqlite3.connect(gateway.store, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            topic = "hallwatch/v1/main/telemetry/queue-1/queue"
            body = '{"device":"queue-1","boot":1,"seq":1,"value":{"length":1}}'
            await asyncio.to_thread(mosquitto.publish, topic, body)
            async with asyncio.timeout(20):
                while (await gateway.get("/api/v1/status"))["halls"][0]["stalled_since"] is None:
                    await asyncio.sleep(0.1)
            assert (await gateway.get("/api/v1/events"))["items"] is not None
        async with asyncio.timeout(20):
            while (await gateway.get("/api/v1/status"))["halls"][0]["stalled_since"] is not None:
                await asyncio.sleep(0.1)
        assert (await gateway.account())["stored"] == 1


async def test_a_second_gateway_on_the_same_store_is_refused(tmp_path: Path, mosquitto: Mosquitto) -> None:
    site = small_site(Parts(mosquitto.port))
    with Hallwatch(tmp_path / "gateway", site) as first:
        second = Hallwatch(tmp_path / "gateway", site)
        with pytest.raises(RuntimeError, match="another Hallwatch is using"):
            await asyncio.to_thread(second.start)
        assert (await first.get("/api/v1/status"))["halls"][0]["hall"] == "main"


async def test_a_bad_site_file_is_answered_with_line_key_value_and_mend(tmp_path: Path) -> None:
    broken = small_site(Parts(1883)).replace("kinds: [badge]", "kinds: [bagde]")
    gateway = Hallwatch(tmp_path / "gateway", broken)
    with pytest.raises(RuntimeError) as refused:
        await asyncio.to_thread(gateway.start)
    words = str(refused.value)
    line = next(number for number, text in enumerate(broken.splitlines(), 1) if "bagde" in text)
    assert f":{line}:" in words
    assert "bagde" in words
    assert "badge" in words


async def test_a_certificate_that_is_missing_is_said_in_one_line(tmp_path: Path) -> None:
    site = small_site(Parts(1883)).replace("keepalive_s: 10", "tls: {ca: /nowhere/ca.pem}")
    gateway = Hallwatch(tmp_path / "gateway", site)
    with pytest.raises(RuntimeError):
        gateway.start()
    assert "mqtt.tls: /nowhere/ca.pem" in gateway.log()
    assert "Traceback" not in gateway.log()


async def test_a_changed_site_file_is_taken_up_at_the_next_start(tmp_path: Path, mosquitto: Mosquitto) -> None:
    site = small_site(Parts(mosquitto.port))
    load = Load(mosquitto.port, 4)
    gateway = Hallwatch(tmp_path / "gateway", site)
    with gateway:
        await load.run(100, fires=(50,))
        async with asyncio.timeout(20):
            while (await gateway.account())["stored"] < 101:
                await asyncio.sleep(0.1)
    gateway.site_file.write_text(site.replace("id: air-1", "id: air-9"), encoding="utf-8")
    with gateway:
        devices = {one["id"]: one for one in (await gateway.get("/api/v1/devices"))["items"]}
        assert devices["air-9"]["origin"] == "site"
        assert [one["kind"] for one in (await gateway.get("/api/v1/alarms?open=1"))["items"]].count("fire") == 1
    kept = await read_kept(gateway.store)
    assert kept.resumed == kept.from_empty
