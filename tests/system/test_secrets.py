"""No secret stands in anything that Hallwatch says or writes, though every service that is given one repeats it."""

import asyncio
import base64
import re
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import get_args

import aiohttp
import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer

from dashboard.server.routes import ROUTES
from sensors.decode.signature import sign
from sensors.readings import Kind
from sensors.site.load import read_site
from sensors.site.model import Site
from sensors.site.part import Part
from sensors.site.secret import Secret
from sensors.topics import device_topic
from tests.servers.fixtures import MosquittoMaker
from tests.servers.mosquitto import Login
from tests.system.hallwatch import Hallwatch
from tests.system.ledger import HALL
from tests.system.planted import TAIL, Planted
from tests.system.scene import page
from tests.system.small_site import Parts, small_site

NAMES = (
    "BROKER_WORD",
    "INFLUX_TOKEN",
    "HOOK_SECRET",
    "MAIL_WORD",
    "BEAT_PATH",
    "METRICS_TOKEN",
    "DESK_KEY",
    "SMOKE_KEY",
    "WECOM_PATH",
    "DING_PATH",
    "DING_KEY",
    "FEISHU_PATH",
    "FEISHU_KEY",
)
# What of them is the end of an address that is a secret as a whole.
ADDRESSES = {"BEAT": "BEAT_PATH", "WECOM": "WECOM_PATH", "DING": "DING_PATH", "FEISHU": "FEISHU_PATH"}
PATIENCE_S = 30.0
DESK = device_topic(HALL, "desk-1", Kind.PRESENCE)
FIRE = device_topic(HALL, "smoke-1", Kind.FIRE)
UNUSED = "http://127.0.0.1:1"


async def echo(request: web.Request) -> web.Response:
    """A service that refuses, and repeats all that it was given in its answer."""
    said = f"{request.path_qs} {dict(request.headers)}"
    return web.json_response({"code": "unauthorized", "message": said}, status=401, reason="Not you")


@asynccontextmanager
async def echoing() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", echo)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def answer_mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A mail server that refuses every login, and repeats it."""
    writer.write(b"220 here\r\n")
    while line := await reader.readline():
        if line.upper().startswith(b"EHLO"):
            writer.write(b"250-here\r\n250 AUTH PLAIN LOGIN\r\n")
        elif line.upper().startswith(b"AUTH PLAIN"):
            said = base64.b64decode(line.split()[-1]).replace(b"\x00", b" ")
            writer.write(b"535 5.7.8 not you: " + line.strip() + b" " + said + b"\r\n")
        elif line.upper().startswith(b"QUIT"):
            break
        else:
            writer.write(b"500 " + line.strip() + b"\r\n")
    writer.close()


def site_of(port: int, *, influx: str, hook: str, mail: int) -> str:
    """The small site with every secret that a site file can name."""
    watch = "{probe_s: 1, metrics_token: {env: METRICS_TOKEN}, heartbeat: {url: {env: BEAT}, every_s: 1, timeout_s: 1}}"
    site = small_site(Parts(port, webhook=hook, influx=influx, influx_org="o", influx_bucket="b", watch=watch))
    mailing = (
        f"  - {{id: mail, type: email, host: 127.0.0.1, port: {mail}, sender: hall@example.org, security: tls,"
        " username: hall, password: {env: MAIL_WORD}}\n"
    )
    robots = "".join(
        f"  - {{id: {robot}, type: {robot}, allow_private: true, url: {{env: {name}}}{key}}}\n"
        for robot, name, key in (
            ("wecom", "WECOM", ""),
            ("dingtalk", "DING", ", secret: {env: DING_KEY}"),
            ("feishu", "FEISHU", ", secret: {env: FEISHU_KEY}"),
        )
    )
    contacts = "mail: duty@example.org, wecom: duty, dingtalk: duty, feishu: duty"
    for old, new in (
        ("keepalive_s: 10", "username: hall, password: {env: BROKER_WORD}"),
        ("TEST_INFLUX_TOKEN", "INFLUX_TOKEN"),
        ("TEST_HOOK_SECRET", "HOOK_SECRET"),
        ("people:\n", f"{mailing}{robots}people:\n"),
        ("{log: duty, hook: duty}", f"{{log: duty, hook: duty, {contacts}}}"),
        ("{id: desk-1, ", "{id: desk-1, key: {env: DESK_KEY}, "),
        ("{id: smoke-1, ", "{id: smoke-1, key: {env: SMOKE_KEY}, "),
    ):
        assert old in site, old
        site = site.replace(old, new)
    return site


def settings_of(planted: Planted, service: str) -> dict[str, str]:
    """The environment: every secret, and the addresses that end in one."""
    return {**planted.values, **{name: f"{service}/{planted[path]}" for name, path in ADDRESSES.items()}}


def places_of(model: type[Part]) -> set[str]:
    """The fields of a part, and of the parts within it, that say where a secret stands."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        inner = set(_types(field.annotation))
        if Secret in inner:
            found.add(f"{model.__name__}.{name}")
        for part in inner:
            if isinstance(part, type) and issubclass(part, Part) and part is not Secret:
                found |= places_of(part)
    return found


def _types(of: object) -> Iterator[object]:
    yield of
    for part in get_args(of):
        yield from _types(part)


def filled(part: Part) -> set[str]:
    """The same, of a site: those that it fills in."""
    found: set[str] = set()
    for name in type(part).model_fields:
        value = getattr(part, name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Secret):
                found.add(f"{type(part).__name__}.{name}")
            elif isinstance(item, Part):
                found |= filled(item)
    return found


def test_the_site_of_these_tests_names_a_secret_wherever_one_can_be_named() -> None:
    """So that nobody adds a place for one and forgets it here."""
    site = read_site(site_of(1, influx=UNUSED, hook=UNUSED, mail=1), "site.yaml").site
    assert site is not None
    assert filled(site) == places_of(Site)
    assert len(filled(site)) > 10


def command(gateway: Hallwatch, *words: str, **settings: str) -> str:
    """All that a command says of a running gateway."""
    where = ["--data", str(gateway.data), "--socket", str(gateway.socket)]
    given = [f"{name}={value}" for name, value in settings.items()]
    beside = where if words[0] != "check" else []
    done = subprocess.run(
        ["/usr/bin/env", *given, sys.executable, "-m", "dashboard.cli.main", *words, *beside],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def addresses() -> list[str]:
    """Every address that answers a GET, and a few that do not exist."""
    app = web.Application()
    app.add_routes([route.definition for route in ROUTES])
    found = {
        re.sub(r"\{[^}]*\}", "x", route.resource.canonical)
        for route in app.router.routes()
        if route.method == "GET" and route.resource is not None
    }
    asked = {"/api/v1/history?kind=presence&field=present&device=desk-1&from=0&to=1", "/api/v1/quarantine?state=all"}
    return sorted(found - {"/api/v1/live"} | asked | {"/", "/nothing", "/api/v1/events?limit=500"})


async def answers(gateway: Hallwatch, token: str) -> dict[str, str]:
    """What every address says: to the local user, to a stranger, and to one who guesses."""
    said: dict[str, str] = {"live": str(await page(gateway))}
    local = aiohttp.ClientSession("http://localhost", connector=aiohttp.UnixConnector(str(gateway.socket)))
    guess = {"Authorization": "Bearer guess", "Cookie": "hallwatch=guess"}
    async with local, aiohttp.ClientSession(gateway.url) as stranger:
        for address in addresses():
            for who, session, headers in (("local", local, {}), ("stranger", stranger, {}), ("guess", stranger, guess)):
                async with session.get(address, headers=headers) as answer:
                    # What follows a device has no end; its first line says as much of secrets as the next.
                    endless = answer.content_type == "application/x-ndjson"
                    text = repr(await answer.content.readline()) if endless else await answer.text(errors="replace")
                    said[f"{who} {address} {answer.status}"] = f"{answer.reason} {dict(answer.headers)} {text}"
        async with stranger.get("/metrics", headers={"Authorization": f"Bearer {token}"}) as answer:
            assert answer.status == 200
            said["metrics"] = await answer.text()
    return said


async def test_no_secret_is_said_or_written_though_each_service_repeats_it(
    tmp_path: Path, make_mosquitto: MosquittoMaker
) -> None:
    planted = Planted(*NAMES)
    broker = make_mosquitto(login=Login("hall", planted["BROKER_WORD"]))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    mail = await asyncio.start_server(answer_mail, "127.0.0.1", 0, ssl=tls)
    async with mail, echoing() as service:
        site = site_of(broker.port, influx=service, hook=f"{service}/hook", mail=mail.sockets[0].getsockname()[1])
        settings = settings_of(planted, service)
        gateway = Hallwatch(tmp_path / "gateway", site, {**settings, "SSL_CERT_FILE": str(tmp_path / "ca.pem")})
        # The harness hands the environment over by `env`, which has become the gateway itself by the time we look.
        gateway.process.command += ["--log", "debug"]
        await asyncio.to_thread(gateway.start)
        try:
            await gateway.linked()
            present = b'{"boot":1,"seq":1,"value":{"present":true}}'
            broker.publish(DESK, sign(DESK, present, planted["DESK_KEY"].encode()))
            broker.publish(DESK, b'{"value":{"present":false}}')
            broker.publish(FIRE, b'{"value":{"alarm":true}}')
            async with asyncio.timeout(PATIENCE_S):
                for sign_of_life in (
                    "mail channel mail: ",
                    "heartbeat: ",
                    "history influxdb of main is down",
                    "http_401",
                    "Hallwatch itself: wecom",
                    "Hallwatch itself: dingtalk",
                    "Hallwatch itself: feishu",
                ):
                    while sign_of_life not in gateway.log():
                        await asyncio.sleep(0.1)
            said = await answers(gateway, planted["METRICS_TOKEN"])
            for words in (("status",), ("status", "--json"), ("doctor",), ("doctor", "--json"), ("quarantine",)):
                said[" ".join(words)] = await asyncio.to_thread(command, gateway, *words)
            said["check"] = await asyncio.to_thread(command, gateway, "check", str(gateway.site_file), **settings)
            said["command line"] = command_line(gateway)
        finally:
            await asyncio.to_thread(gateway.stop)
    assert "--site" in said["command line"]
    assert {place: found for place, text in said.items() if (found := planted.within(text))} == {}
    written = [file for file in gateway.folder.rglob("*") if file.is_file()]
    assert {gateway.store, gateway.process.log} <= set(written)
    assert {file.name: found for file in written if (found := planted.within(file.read_bytes()))} == {}


def command_line(gateway: Hallwatch) -> str:
    """What everybody on the machine may read of the process."""
    return Path(f"/proc/{gateway.process.pid}/cmdline").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "wrong", "named"),
    [
        ("BROKER_WORD", "", "BROKER_WORD"),
        ("DESK_KEY", "short", "desk-1"),
        ("INFLUX_TOKEN", f"two\nlines {TAIL}", "INFLUX_TOKEN"),
        ("BEAT", f"bell\a{TAIL}", "BEAT"),
        ("WECOM", f"no address {TAIL}", "channel wecom"),
        ("DING_KEY", "", "DING_KEY"),
    ],
)
def test_a_start_without_a_good_secret_names_it_and_shows_none(
    name: str, wrong: str, named: str, tmp_path: Path
) -> None:
    planted = Planted(*NAMES)
    site = site_of(1, influx=UNUSED, hook=UNUSED, mail=1)
    settings = settings_of(planted, UNUSED) | {name: wrong}
    gateway = Hallwatch(tmp_path / "gateway", site, settings)
    with pytest.raises(RuntimeError), gateway:
        pass
    said = gateway.log()
    assert named in said
    assert "Traceback" not in said
    assert planted.within(said) == set()
    assert TAIL not in said


@pytest.mark.parametrize("word", ["run", "doctor", "backup"])
def test_the_stores_password_is_not_said_where_no_server_answers(word: str, tmp_path: Path) -> None:
    planted = Planted("STORE_WORD")
    secret, site = tmp_path / "word", tmp_path / "site.yaml"
    secret.write_text(planted["STORE_WORD"], "utf-8")
    site.write_text(small_site(Parts(1)), "utf-8")
    beside = {"run": ["--site", str(site), "--log", "debug"], "backup": [str(tmp_path / "copy")]}.get(word, [])
    where = ["--data", str(tmp_path / "data"), "--store", "postgresql://hall@127.0.0.1:1/hall"]
    done = subprocess.run(
        [sys.executable, "-m", "dashboard.cli.main", word, *beside, *where, "--store-password", str(secret)],
        capture_output=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert b"127.0.0.1" in said
    assert planted.within(said) == set()


def test_what_is_planted_is_found() -> None:
    """The search that the others rest on can fail."""
    planted = Planted("WORD", "OTHER")
    word = planted["WORD"]
    for said in (
        f"token={word}",
        base64.b64encode(f"\0hall\0{word}".encode()).decode(),
        base64.b64encode(f"u:{word}".encode()).decode(),
        base64.urlsafe_b64encode(f"xy{word}!".encode()).decode(),
        word.encode().hex(),
    ):
        assert planted.within(said) == {"WORD"}, said
    assert planted.within(TAIL) == set()
