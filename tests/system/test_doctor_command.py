"""The doctor as a person runs it: over a whole installation, over one with faults, and to send one test."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.fakes.robots import KEY, FakeRobots, fake_robots
from tests.servers.influx import InfluxBucket
from tests.servers.mosquitto import Mosquitto
from tests.servers.shipped import PASSWORD, ShippedBroker
from tests.system.hallwatch import Hallwatch
from tests.system.small_site import Parts, small_site


@dataclass(frozen=True, slots=True)
class Said:
    """What the command answered."""

    status: int
    checks: dict[str, str]
    details: dict[str, str]
    mends: dict[str, str]
    text: str


def doctor(*words: str | Path) -> Said:
    command = [sys.executable, "-m", "dashboard.cli.main", "doctor", "--json", *map(str, words)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HALLWATCH_")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=110)
    assert done.stdout, done.stderr
    assert "pending" not in done.stderr, "a library's worries stand between the answers"
    checks: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
    # Of a check that is made for several things the worst counts.
    rank = {"note": 0, "ok": 1, "warn": 2, "wrong": 3}
    worst = sorted(checks, key=lambda one: rank[one["state"]])
    return Said(
        done.returncode,
        {one["check"]: one["state"] for one in worst},
        {one["check"]: one["detail"] for one in worst},
        {one["check"]: f"{one['mend_zh']} · {one['mend_en']}" for one in worst if one["mend_en"]},
        done.stdout + done.stderr,
    )


def written(folder: Path, broker: ShippedBroker, bucket: InfluxBucket, robots: FakeRobots) -> Path:
    """A site file for all of it, its secrets in files of their own."""
    site = YAML(typ="safe").load(small_site(Parts(broker.programs_tls)))
    secrets = {
        "mqtt": PASSWORD,
        "device": PASSWORD,
        "influx": bucket.token,
        "key": KEY,
        "wecom": robots.url("wecom"),
        "ding": robots.url("dingtalk"),
    }
    for name, secret in secrets.items():
        (folder / name).write_text(secret, encoding="utf-8")
        (folder / name).chmod(0o600)
    named = {name: {"file": str(folder / name)} for name in secrets}
    site["mqtt"] |= {"username": "gateway", "password": named["mqtt"], "tls": {"ca": str(broker.ca_file)}}
    site["influx"] = {"url": bucket.url, "org": bucket.org, "bucket": bucket.name, "token": named["influx"]}
    private = {"allow_private": True}
    site["channels"] += [
        {"id": "wecom", "type": "wecom", "url": named["wecom"], **private},
        {"id": "ding", "type": "dingtalk", "url": named["ding"], "secret": named["key"], **private},
    ]
    site["people"][0]["contacts"] = {"log": "duty", "wecom": "wangmin", "ding": "13800138000"}
    file = folder / "site.yaml"
    file.write_text(json.dumps(site, ensure_ascii=False), encoding="utf-8")
    return file


async def test_an_installation_is_looked_over_before_and_while_it_runs(
    tmp_path: Path, influx_bucket: InfluxBucket
) -> None:
    async with fake_robots() as robots:
        with ShippedBroker(tmp_path / "broker", ("smoke-1",)) as broker:
            site = written(tmp_path, broker, influx_bucket, robots)
            device = ("--device", "smoke-1", "--device-password", tmp_path / "device")
            door = ("--device-broker", f"127.0.0.1:{broker.devices}", "--device-ca", broker.ca_file)
            there = ("--mosquitto", broker.folder / "mosquitto.conf")
            words = ("--site", site, "--data", tmp_path / "gateway" / "data", *device, *door, *there)
            before = await asyncio.to_thread(doctor, *words)
            assert before.status == 0, before.text
            assert before.checks["reach"] == "note", "nothing was begun yet"
            with Hallwatch(tmp_path / "gateway", site.read_text("utf-8")) as gateway:
                await gateway.linked()
                running = await asyncio.to_thread(doctor, *words, "--socket", gateway.socket, "--base-url", gateway.url)
                assert running.status == 0, running.text
                links = (await gateway.get("/api/v1/status"))["halls"][0]["links"]
                assert all(links.values()), "the doctor took nobody's session"
                account = await gateway.account()
                assert account["received"] == 0, "what the doctor said was nobody's news"
        for name in (
            "mqtt_reach", "mqtt_tls", "mqtt_retains", "mqtt_holds", "acl_anonymous", "acl_gateway", "acl_device",
            "acl_others", "acl_hears", "influx_token", "influx_write", "channel", "secret", "clock", "page",
            "page_tls", "data", "mqtt_disk", "broker", "writing", "journal",
        ):  # fmt: skip
            assert running.checks[name] == "ok", (name, running.details[name])
        assert running.checks["site"] == "warn", "window 2 of the small site has neither reader nor sensor"
        assert not robots.taken
        for secret in (PASSWORD, influx_bucket.token, KEY, "the-token"):
            assert secret not in before.text + running.text


async def test_each_fault_of_an_installation_is_named_with_its_mend(
    tmp_path: Path, influx_bucket: InfluxBucket
) -> None:
    async with fake_robots() as robots:
        open_to_all = {
            "allow_anonymous false": "allow_anonymous true",
            "\nmax_queued_messages 1000000": "",
            "autosave_interval 5": "autosave_interval 1800",
        }
        with ShippedBroker(tmp_path / "broker", ("smoke-1",), open_to_all) as broker:
            site = written(tmp_path, broker, influx_bucket, robots)
            text = (
                site.read_text("utf-8")
                .replace(influx_bucket.name, "nowhere")
                .replace('"zone": "waiting"', '"zone": "x"', 1)
            )
            site.write_text(text, encoding="utf-8")
            broken = await asyncio.to_thread(doctor, "--site", site, "--data", tmp_path / "none")
            assert (broken.status, set(broken.checks)) == (1, {"site", "reach"}), (
                "nothing is tried of a file that is wrong"
            )
            site.write_text(text.replace('"zone": "x"', '"zone": "waiting"'), encoding="utf-8")
            (tmp_path / "mqtt").chmod(0o644)
            (tmp_path / "key").unlink()
            there = ("--mosquitto", broker.folder / "mosquitto.conf")
            faulty = await asyncio.to_thread(doctor, "--site", site, "--data", tmp_path / "none", *there)
        wrong = {name for name, state in faulty.checks.items() if state == "wrong"}
        assert wrong == {"acl_anonymous", "mqtt_holds", "mqtt_disk", "influx_bucket", "secret", "channel"}, faulty.text
        assert faulty.status == 1
        assert wrong <= set(faulty.mends)
        assert "allow_anonymous false" in faulty.mends["acl_anonymous"]


async def test_one_test_is_sent_to_one_person_by_each_channel(tmp_path: Path, influx_bucket: InfluxBucket) -> None:
    async with fake_robots() as robots:
        with ShippedBroker(tmp_path / "broker", ()) as broker:
            site = written(tmp_path, broker, influx_bucket, robots)
            there = ("--mosquitto", broker.folder / "mosquitto.conf")
            words = ("--site", site, "--data", tmp_path / "none", *there, "--send-test")
            sent = await asyncio.to_thread(doctor, *words, "wang")
            assert (sent.status, sent.checks["sent"]) == (0, "ok"), sent.text
            texts = [json.dumps(one, ensure_ascii=False) for one in robots.taken]
            assert len(texts) == 2
            assert all("【测试】" in text and "/a/" not in text for text in texts)
            robots.refuse.append((200, b'{"errcode": 93000, "errmsg": "invalid webhook url"}'))
            refused = await asyncio.to_thread(doctor, *words, "wang")
            assert (refused.status, refused.details["sent"]) == (1, "wecom: Never answer_93000")
            assert "docs/notify.md" in refused.mends["sent"]


def test_who_is_to_be_told_must_be_known(tmp_path: Path, mosquitto: Mosquitto) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(small_site(Parts(mosquitto.port)), encoding="utf-8")
    command = [sys.executable, "-m", "dashboard.cli.main", "doctor", "--site", str(file), "--data", str(tmp_path)]
    done = subprocess.run([*command, "--send-test", "nobody"], capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 1
    assert "wang" in done.stderr, "it says who there is"


@pytest.mark.parametrize("words", [["--send-test", "wang"], ["--device", "smoke-1"], ["--device-password", "x"]])
def test_half_of_what_is_needed_is_wrong_usage(words: list[str]) -> None:
    command = [sys.executable, "-m", "dashboard.cli.main", "doctor", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
