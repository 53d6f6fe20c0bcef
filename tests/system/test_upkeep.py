"""The commands of upkeep beside a real gateway under load: doctor is content, a backup is whole and runs elsewhere."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.mosquitto import Mosquitto
from tests.servers.postgres import Database
from tests.system.hallwatch import Hallwatch
from tests.system.ledger import read_kept
from tests.system.load import Load
from tests.system.small_site import Parts, small_site
from tests.system.test_crash import check, drained

STORE = "HALLWATCH_STORE"


def command(*words: str | Path, store: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would."""
    environment = {name: value for name, value in os.environ.items() if name != STORE}
    if store is not None:
        environment[STORE] = store
    whole = [sys.executable, "-m", "dashboard.cli.main", *map(str, words)]
    return subprocess.run(whole, env=environment, capture_output=True, text=True, check=False, timeout=60)


async def test_a_running_hall_is_looked_over_backed_up_and_moved_to_postgresql(
    tmp_path: Path, mosquitto: Mosquitto, postgres: Database
) -> None:
    site, file, load = small_site(Parts(mosquitto.port)), tmp_path / "hall.backup", Load(mosquitto.port, 5)
    with Hallwatch(tmp_path / "first", site) as gateway:
        await gateway.linked()
        where = ("--data", gateway.data, "--socket", gateway.socket)
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run(300, fires=(100,)))
            looked = await asyncio.to_thread(command, "doctor", "--json", *where)
            beside = await asyncio.to_thread(command, "backup", tmp_path / "beside", *where)
        assert looked.returncode == 0, looked.stdout + looked.stderr
        findings = json.loads(looked.stdout)
        assert findings["well"]
        assert {"journal", "fold", "broker", "writing"} <= {one["check"] for one in findings["checks"]}
        assert beside.returncode == 0, beside.stderr
        await drained(gateway, load)
        again = await asyncio.to_thread(command, "restore", tmp_path / "beside", "--data", gateway.data)
        assert again.returncode == 1
        assert "another Hallwatch" in again.stderr
    saved = command("backup", file, "--data", gateway.data)
    assert saved.returncode == 0, saved.stderr
    restored = command("restore", file, store=postgres.url)
    assert restored.returncode == 0, restored.stderr
    assert postgres.server.password not in restored.stdout + restored.stderr
    with Hallwatch(tmp_path / "second", site, {STORE: postgres.url}) as moved:
        await moved.linked()
        await load.run(100)
        await drained(moved, load)
        looked = await asyncio.to_thread(command, "doctor", "--socket", moved.socket, store=postgres.url)
        assert looked.returncode == 0, looked.stdout
        assert postgres.server.password not in looked.stdout + moved.log()
    check(await read_kept(postgres.url), load)


async def test_the_doctor_says_that_the_broker_is_gone(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with Hallwatch(tmp_path / "gateway", small_site(Parts(mosquitto.port))) as gateway:
        await gateway.linked()
        mosquitto.stop()
        async with asyncio.timeout(30):
            while any((await gateway.get("/api/v1/status"))["halls"][0]["links"].values()):
                await asyncio.sleep(0.1)
        where = ("--data", gateway.data, "--socket", gateway.socket)
        looked = await asyncio.to_thread(command, "doctor", *where)
    assert looked.returncode == 1
    assert "异常 · wrong" in looked.stdout
    assert "see that the MQTT broker runs" in looked.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--store", "postgresql://hall:s3cret@127.0.0.1/hall"), "a password on the command line"),
        (("--store", "mysql://hall@127.0.0.1/hall"), "no store is called mysql"),
        (("--store", "s3cret"), "is no URL"),
        (("--store", "postgresql://hall@127.0.0.1:1/hall", "--store-password", "nowhere"), "nowhere cannot be read"),
        (("--data", "nowhere"), "there is no such file"),
    ],
)
def test_a_store_that_is_none_is_said_in_a_sentence(words: tuple[str, ...], said: str) -> None:
    answer = command("doctor", *words)
    assert answer.returncode == 1
    assert said in answer.stderr
    assert "s3cret" not in answer.stderr
    assert "Traceback" not in answer.stderr
