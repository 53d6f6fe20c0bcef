import argparse
import asyncio
import io
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alerts.model import Changes
from dashboard.cli import demo
from dashboard.cli.example import EXAMPLE, load_site, on_broker
from dashboard.cli.main import COMMANDS, main, parser
from dashboard.cli.place import address, free_port, listening
from dashboard.server.guard import BEARERS
from dashboard.server.rights import Role
from gateway.store.contract import Batch, Quarantined
from sensors.actions import Acknowledge
from sensors.inputs import Ticked, pack
from sensors.site.calendar import HallCalendar
from simulators.fleet import Fleet
from tests.dashboard.desk import NOW, Running, browser, running


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as server:
        yield server


async def command(server: Running, *words: str) -> int:
    """Run the command in a thread, as it would run in a process of its own."""
    return await asyncio.to_thread(main, [*words, "--socket", str(server.socket)])


@pytest.mark.parametrize(
    ("word", "unwanted"),
    [
        ("run", {"influxdb_client", "amqtt", "simulators"}),
        ("status", {"influxdb_client", "amqtt", "sqlalchemy", "simulators"}),
        ("check", {"influxdb_client", "amqtt", "sqlalchemy", "aiohttp", "simulators"}),
    ],
)
def test_a_command_loads_only_what_it_needs(word: str, unwanted: set[str]) -> None:
    code = f"import sys; from dashboard.cli.main import parser; parser({word!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "sensors" in loaded
    assert not loaded & unwanted


def test_the_help_names_every_command() -> None:
    words = parser().format_help()
    assert {line.split()[0] for line in words.splitlines() if line.startswith("    ") and line[4] != " "} == {*COMMANDS}


# -- on a running system


async def test_an_alarm_is_acknowledged(server: Running, capsys: pytest.CaptureFixture[str]) -> None:
    assert await command(server, "ack", "A000001", "--note", "seen") == 0
    actor, action = server.path.acted[0]
    assert actor.startswith("local:")
    assert action == Acknowledge("A000001", "seen")
    server.path.refuse = "alarm_closed"
    assert await command(server, "ack", "A000001") == 1
    assert "alarm_closed: alarm=A000001" in capsys.readouterr().err


async def test_a_user_is_added_by_a_password_from_stdin(
    server: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a good password\n"))
    assert await command(server, "user", "add", "li", "--role", "staff") == 0
    _, session = await server.doors.login("li", "a good password", "test")
    assert session.user == "li"
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert await command(server, "user", "add", "zhao", "--role", "staff") == 1
    said = capsys.readouterr()
    assert "bad_password" in said.err
    assert "a good password" not in said.out + said.err


async def test_logins_are_listed_and_changed(server: Running, capsys: pytest.CaptureFixture[str]) -> None:
    await server.doors.add("li", "a good password", Role.STAFF)
    for words, said in (
        (["role", "li", "manager"], "li: manager"),
        (["disable", "li"], "disabled"),
        (["list"], "disabled"),
        (["enable", "li"], "li: manager"),
    ):
        assert await command(server, "user", *words) == 0
        assert said in capsys.readouterr().out
    assert await command(server, "user", "disable", "wang") == 1
    assert "last_admin" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["user", "add", "zhao"])
    assert "--role" in capsys.readouterr().err, "nobody gets a role by an oversight"


async def test_another_password_is_read_from_stdin(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("another password\n"))
    assert await command(server, "user", "password", "wang") == 0
    _, session = await server.doors.login("wang", "another password", "test")
    assert session.user == "wang"


async def test_a_link_by_which_a_password_is_chosen_is_printed_once(
    server: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command(server, "user", "add", "li", "--role", "staff", "--link") == 0
    first = capsys.readouterr().out.strip()
    assert await command(server, "user", "link", "li") == 0
    second = capsys.readouterr().out.strip()
    assert first != second
    for link in (first, second):
        assert link.startswith("http://127.0.0.1/#/password/"), "only the link goes to stdout"
        assert link.endswith("?user=li")
    token = second.removeprefix("http://127.0.0.1/#/password/").removesuffix("?user=li")
    assert await command(server, "user", "list") == 0
    listed = capsys.readouterr().out
    assert "未设密码" in listed
    assert token not in listed
    cookie, _ = await server.doors.accept(token, "li", "a good password")
    assert (await server.doors.who(cookie)).user == "li"
    assert await command(server, "user", "logout", "li") == 0
    assert not (await server.doors.who(cookie)).known
    for word in ("link", "logout"):
        assert await command(server, "user", word, "nobody") == 1
        assert "no_user" in capsys.readouterr().err


async def test_a_token_is_printed_once(server: Running, capsys: pytest.CaptureFixture[str]) -> None:
    assert await command(server, "user", "token", "add", "[red]grafana", "--role", "viewer", "--days", "0") == 0
    secret = capsys.readouterr().out.strip()
    (kept,) = await server.store.tokens.all()
    assert (kept.role, kept.expires) == ("viewer", None)
    assert (await server.app[BEARERS].who(f"Bearer {secret}")).user == "token:[red]grafana"
    assert await command(server, "user", "token", "list") == 0
    listed = capsys.readouterr().out
    assert kept.id in listed
    assert secret not in listed
    assert "[red]grafana" in listed
    assert await command(server, "user", "token", "revoke", kept.id) == 0
    assert await command(server, "user", "token", "revoke", kept.id) == 1
    assert "not_found" in capsys.readouterr().err


async def test_the_quarantine_is_listed_replayed_and_discarded(
    server: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    held = [
        Quarantined("h1", NOW, "d[red]1", "t", payload, len(payload), "00", "bad_json", "no JSON")
        for payload in (b"rubbish", b"\x1b[31mred")
    ]
    await server.store.journal.commit(Batch("h1", 0, 1, NOW, pack([Ticked(NOW)]), Changes(), tuple(held)))
    assert await command(server, "quarantine", "list") == 0
    listed = capsys.readouterr().out
    assert "bad_json" in listed
    assert "\x1b[31m" not in listed, "a device does not paint the terminal"
    assert await command(server, "quarantine", "replay", "2") == 0
    assert await command(server, "quarantine", "replay", "1") == 1
    assert await command(server, "quarantine", "discard", "1") == 0
    assert await command(server, "quarantine", "discard", "7") == 1


async def test_the_status_tells_that_the_broker_is_lost(server: Running, capsys: pytest.CaptureFixture[str]) -> None:
    server.view.state.links = {"safety": True, "telemetry": True}
    assert await command(server, "status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["halls"][0]["devices"] == {"online": 1}
    server.view.state.links["safety"] = False
    assert await command(server, "status") == 1
    assert "down" in capsys.readouterr().out


def test_nobody_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--data", str(tmp_path)]) == 1
    assert "is hallwatch running?" in capsys.readouterr().err


# -- check


def test_the_example_is_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(EXAMPLE)]) == 0
    assert "good" in capsys.readouterr().out


def test_a_bad_site_is_told_by_line_and_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(EXAMPLE.read_text("utf-8").replace("port: 1883", "port: 99999"), encoding="utf-8")
    assert main(["check", str(file)]) == 1
    said = capsys.readouterr().err
    assert "mqtt.port" in said
    assert "99999" in said


def test_what_is_no_site_file_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "site.yaml"
    assert main(["check", str(file)]) == 1
    file.write_bytes("名称".encode("gb18030"))
    assert main(["check", str(file)]) == 1
    assert "UTF-8" in capsys.readouterr().err


def test_the_schema_is_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert "halls" in schema["properties"]
    assert main(["check", "--schema", "device"]) == 0
    assert json.loads(capsys.readouterr().out)["$id"] == "urn:hallwatch:native:v1"


# -- words on the command line


@pytest.mark.parametrize(
    ("text", "expected"),
    [("h:1", ("h", 1)), (":8080", ("127.0.0.1", 8080)), ("[::1]:0", ("::1", 0)), ("0.0.0.0:80", ("0.0.0.0", 80))],  # noqa: S104
)
def test_an_address(text: str, expected: tuple[str, int]) -> None:
    assert address(text) == expected


@pytest.mark.parametrize(
    "words",
    [
        [], ["sing"], ["run"], ["check"], ["run", "--site", "x", "--listen", "here"],
        ["run", "--site", "x", "--listen", "h:70000"],
        ["simulate", "real_fire"], ["simulate", "real_fire", "--broker", "h:1", "--speed", "0"],
        ["demo", "--speed", "500"],
    ],
)  # fmt: skip
def test_wrong_usage_is_told_and_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: hallwatch" in capsys.readouterr().err


def test_a_scenario_that_is_not_there_or_a_broker_that_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        broker = f"127.0.0.1:{closed.getsockname()[1]}"
        assert main(["simulate", "picnic", "--broker", broker]) == 1
        assert "real_fire" in capsys.readouterr().err
        assert main(["simulate", "real_fire", "--broker", broker]) == 1
        assert broker in capsys.readouterr().err


def test_a_site_with_errors_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("site: x\n", encoding="utf-8")
    assert main(["run", "--site", str(file), "--data", str(tmp_path / "data")]) == 1
    assert "halls" in capsys.readouterr().err
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


# -- the demo


def test_the_demo_opens_in_a_morning_after_a_day_that_was_worked_whenever_it_is_started() -> None:
    calendar = HallCalendar(load_site(EXAMPLE.read_text("utf-8"), EXAMPLE.name).halls[0])
    zone = ZoneInfo("Asia/Shanghai")
    # Weekends, nights, and the long holidays of February and October with their make-up days.
    for month, days in ((2, range(10, 28)), (3, range(2, 16)), (9, range(24, 31)), (10, range(1, 14))):
        for day, hour in product(days, (3, 9, 10, 23)):
            now = round(datetime(2026, month, day, hour, 30, tzinfo=zone).timestamp() * 1000)
            start = demo.opening(calendar, now)
            assert calendar.is_open(start)
            assert start <= now
            assert datetime.fromtimestamp(start / 1000, zone).strftime("%H:%M") == "09:45"
            assert calendar.periods(calendar.date_of(start) - timedelta(days=1)), "a yesterday without visitors"


def test_the_demo_begins_when_somebody_waits() -> None:
    site = load_site(EXAMPLE.read_text("utf-8"), EXAMPLE.name)
    fleet, calendar = Fleet(site, seed=7), HallCalendar(site.halls[0])
    several = []
    for day in range(2, 28):
        at = demo.opening(calendar, round(datetime(2026, 3, day, 18, tzinfo=UTC).timestamp() * 1000))
        start = demo.lively(fleet, at)
        assert at <= start < at + 45 * 60_000
        waiting = [queue.at(start) for queue in fleet.day_of(start).queues.values()]
        assert sum(waiting) >= 1, (day, waiting)
        several.append(sum(map(bool, waiting)) > 1)
    assert sum(several) > 0.8 * len(several)


def test_the_demos_site_is_the_example_on_its_own_broker() -> None:
    site = load_site(on_broker(EXAMPLE.read_text("utf-8"), "127.0.0.1", 4321, "hallwatch"), "demo")
    assert (site.mqtt.port, site.mqtt.version, site.mqtt.username) == (4321, "3.1.1", "hallwatch")


def test_a_port_that_is_taken_is_replaced() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port("127.0.0.1", port) not in {0, port}


def chosen(*words: str) -> argparse.Namespace:
    return parser().parse_args(["run", "--site", "x", *words])


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_a_free_port_is_known_before_the_first_link_is_written(host: str) -> None:
    named, port = listening(chosen("--listen", f"{host}:0"))
    assert named == host.strip("[]")
    assert port > 0
    assert listening(chosen("--listen", f"{host}:8080")) == (named, 8080)


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "[::0]", "0"])  # noqa: S104
@pytest.mark.parametrize("words", [["run", "--site", str(EXAMPLE)], ["demo"]])
def test_who_listens_everywhere_says_how_to_be_reached(
    host: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--data", str(tmp_path)] if words[0] == "run" else []
    assert main([*words, *place, "--behind-proxy", "--listen", f"{host}:8080"]) == 1
    assert "--base-url" in capsys.readouterr().err
    assert listening(chosen("--listen", f"{host}:8080", "--base-url", "https://hall.example.org"))[1] == 8080


async def test_the_api_is_described_without_a_server_as_a_server_does(
    server: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    async with browser(server) as page, page.get("/api/v1/openapi.json") as answer:
        served = await answer.text()
    assert main(["openapi"]) == 0
    assert capsys.readouterr().out == served + "\n"
