"""`hallwatch doctor --site`: real installations, good ones and ones with a fault that it must find by itself."""

import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from dashboard.cli.doctor_words import MENDS, NAMES
from dashboard.doctor.access import DeviceLogin, access_findings
from dashboard.doctor.broker import broker_findings, config_findings
from dashboard.doctor.channels import channel_findings
from dashboard.doctor.clock import Heard, clock_findings
from dashboard.doctor.history import history_findings
from dashboard.doctor.place import page_findings, room_findings, secret_findings
from gateway.link.contract import Broker
from gateway.store.check import Finding, State
from sensors.site.model import Influx, Site
from tests.fakes import rude as fake
from tests.fakes.mail import fake_mail
from tests.fakes.robots import KEY, fake_robots
from tests.fakes.rude import rude
from tests.fakes.webhook import fake_webhook
from tests.servers.disk import tmpfs
from tests.servers.influx import InfluxBucket
from tests.servers.mosquitto import Login, Mosquitto
from tests.servers.shipped import PASSWORD, ShippedBroker
from tests.system.hallwatch import Hallwatch
from tests.system.small_site import Parts, small_site

OK, WARN, WRONG, NOTE = State.OK, State.WARN, State.WRONG, State.NOTE
MakeMosquitto = Callable[..., Mosquitto]
# Lets everybody who logs in say and hear everything: what a broker without an access file does.
OPEN = "topic readwrite #\npattern readwrite #\n"


def states(found: list[Finding]) -> dict[str, State]:
    """Check → state; every finding has a name, and a mend where it may be wrong."""
    for one in found:
        assert one.check in NAMES
        assert one.state in {OK, NOTE} or one.check in MENDS
    return {one.check: one.state for one in found}


def site_of(**more: object) -> Site:
    hours = {"mon": ["08:00-18:00"]}
    whole = {"site": "s", "name": {"zh": "站"}, "halls": [{"id": "h1", "name": {"zh": "厅"}, "hours": hours}], **more}
    return Site.model_validate(whole)


# -- broker -------------------------------------------------------------------------------------------------------


async def test_the_shipped_broker_is_as_it_should_be_from_both_sides(tmp_path: Path) -> None:
    with ShippedBroker(tmp_path / "broker", ("smoke-1",)) as broker:
        gateway = Broker("127.0.0.1", broker.programs_tls, username="gateway", password=PASSWORD, tls=broker.trust)
        door = Broker("127.0.0.1", broker.devices, username="smoke-1", password=PASSWORD, tls=broker.trust)
        found = states(await broker_findings(gateway))
        assert found == dict.fromkeys(("mqtt_reach", "mqtt_tls", "mqtt_retains", "mqtt_holds"), OK)
        access = states(await access_findings(gateway, DeviceLogin("smoke-1", door)))
        names = ("acl_anonymous", "acl_gateway", "acl_device", "acl_others", "acl_hears")
        assert access == dict.fromkeys(names, OK)
        assert states(await access_findings(gateway, None))["acl_device"] is NOTE
        assert states(list(config_findings([broker.folder / "mosquitto.conf"]))) == {"mqtt_disk": OK}


async def test_a_broker_without_an_access_file_is_found_out(make_mosquitto: MakeMosquitto) -> None:
    server = make_mosquitto(login=Login("gateway", "word"), acl=OPEN)
    gateway = Broker("127.0.0.1", server.port, username="gateway", password="word")
    found = states(await access_findings(gateway, DeviceLogin("gateway", gateway)))
    assert found == {
        "acl_anonymous": OK,
        "acl_gateway": WARN,
        "acl_device": OK,
        "acl_others": WRONG,
        "acl_hears": WRONG,
    }


async def test_a_broker_that_lets_everybody_in_is_found_out(mosquitto: Mosquitto) -> None:
    named = Broker("127.0.0.1", mosquitto.port, username="gateway", password="word")
    assert states(await access_findings(named, None))["acl_anonymous"] is WRONG
    trial = Broker("127.0.0.1", mosquitto.port)
    assert states(await access_findings(trial, None))["acl_anonymous"] is WARN, "on this machine it is how one begins"


async def test_a_device_that_gets_nowhere_is_said(tmp_path: Path) -> None:
    with ShippedBroker(tmp_path / "broker", ("smoke-1",)) as broker:
        gateway = Broker("127.0.0.1", broker.programs, username="gateway", password=PASSWORD)
        wrong = Broker("127.0.0.1", broker.devices, username="smoke-1", password="no", tls=broker.trust)
        assert states(await access_findings(gateway, DeviceLogin("smoke-1", wrong)))["acl_device"] is WRONG


@pytest.mark.parametrize("version", ["5", "3.1.1"])
@pytest.mark.parametrize(
    ("config", "holds", "retains"),
    [
        ("", OK, OK),
        ("max_queued_messages 1000", WRONG, OK),
        ("retain_available false", OK, WRONG),
    ],
)
async def test_what_a_broker_keeps_is_tried(
    make_mosquitto: MakeMosquitto, version: str, config: str, holds: State, retains: State
) -> None:
    server = make_mosquitto(config=config)
    file = server.folder / "mosquitto.conf"
    server.process.stop()
    # Each change to disk is a brake (docs/adr/0012); and a setting may stand only once.
    text = file.read_text("utf-8").replace("autosave_on_changes true", "autosave_on_changes false")
    text = text.replace("max_queued_messages 1000000\n", "" if "max_queued" in config else "max_queued_messages 9999\n")
    file.write_text(text, encoding="utf-8")
    server.process.start()
    found = states(await broker_findings(Broker("127.0.0.1", server.port, version=version)))
    assert (found["mqtt_reach"], found["mqtt_holds"], found["mqtt_retains"]) == (OK, holds, retains)


async def test_a_broker_that_is_away_or_refuses_is_the_only_thing_said_of_it(make_mosquitto: MakeMosquitto) -> None:
    server = make_mosquitto(login=Login("gateway", "word"))
    for broker in (
        Broker("127.0.0.1", 9, username="gateway", password="word"),
        Broker("127.0.0.1", server.port, username="gateway", password="no"),
        Broker("127.0.0.1", server.port),
    ):
        (found,) = await broker_findings(broker)
        assert (found.check, found.state) == ("mqtt_reach", WRONG)
        assert "word" not in found.detail


async def test_a_certificate_that_is_not_trusted_or_ends_soon_is_said(tmp_path: Path) -> None:
    with ShippedBroker(tmp_path / "broker", ()) as broker:
        stranger = ssl.create_default_context()
        trustme.CA().configure_trust(stranger)
        gateway = Broker("127.0.0.1", broker.programs_tls, username="gateway", password=PASSWORD, tls=stranger)
        (found,) = await broker_findings(gateway)
        assert (found.check, found.state) == ("mqtt_tls", WRONG)
        assert "certificate" in found.detail
        trusting = replace(gateway, tls=broker.trust)
        soon = broker.folder / "server.pem"
        authority = trustme.CA()
        short = authority.issue_cert("127.0.0.1", not_after=datetime.now(UTC) + timedelta(days=5))
        authority.cert_pem.write_to_path(str(broker.ca_file))
        soon.write_bytes(short.cert_chain_pems[0].bytes())
        (broker.folder / "server.key").write_bytes(short.private_key_pem.bytes())
        broker.process.stop()
        broker.process.start()
        assert states(await broker_findings(replace(trusting, tls=broker.trust)))["mqtt_tls"] is WARN


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("persistence true\nautosave_interval 5\n", OK),
        ("persistence true\n", WRONG),
        ("persistence false\nautosave_interval 5\n", WRONG),
        ("# persistence true\nlistener 1883\n", WRONG),
    ],
)
def test_what_a_broker_writes_to_disk_stands_in_its_configuration(tmp_path: Path, text: str, state: State) -> None:
    file = tmp_path / "mosquitto.conf"
    assert list(config_findings([file])) == [], "another machine's broker cannot be looked into"
    file.write_text(text, encoding="utf-8")
    assert states(list(config_findings([file]))) == {"mqtt_disk": state}


# -- history ------------------------------------------------------------------------------------------------------


def influx(place: InfluxBucket, tmp_path: Path, **changes: str) -> Influx:
    (tmp_path / "token").write_text(changes.pop("token", place.token), encoding="utf-8")
    given = {"url": place.url, "org": place.org, "bucket": place.name, **changes}
    return Influx.model_validate({**given, "token": {"file": str(tmp_path / "token")}})


async def test_influxdb_is_written_to_read_back_and_left_as_it_was(influx_bucket: InfluxBucket, tmp_path: Path) -> None:
    clocks: list[Heard] = []
    found = states(await history_findings(influx(influx_bucket, tmp_path), clocks))
    assert found == {"influx_reach": OK, "influx_token": OK, "influx_write": OK, "influx_bucket": NOTE}
    assert influx_bucket.influxql("SHOW MEASUREMENTS") == []
    assert clocks == [] or states(clock_findings(clocks)) == {"clock": OK}


async def test_what_is_wrong_with_influxdb_is_named(influx_bucket: InfluxBucket, tmp_path: Path) -> None:
    for changes, check in (
        ({"token": "not-the-token"}, "influx_token"),
        ({"bucket": "nowhere"}, "influx_bucket"),
        ({"url": "http://127.0.0.1:9"}, "influx_reach"),
    ):
        found = await history_findings(influx(influx_bucket, tmp_path, **changes), [])
        assert (found[-1].check, found[-1].state) == (check, WRONG)
        assert "not-the-token" not in str(found)
    (tmp_path / "token").unlink()
    gone = Influx.model_validate(
        {"url": influx_bucket.url, "org": "o", "bucket": "b", "token": {"file": str(tmp_path / "none")}}
    )
    assert states(await history_findings(gone, [])) == {"influx_token": WRONG}


async def test_a_short_retention_is_a_warning(influx_bucket: InfluxBucket, tmp_path: Path) -> None:
    for days, state in ((7, WARN), (365, OK)):
        rule = {"type": "expire", "everySeconds": days * 86_400}
        server = influx_bucket.server
        server.ask("PATCH", f"/api/v2/buckets/{influx_bucket.id}", json={"retentionRules": [rule]})
        assert states(await history_findings(influx(influx_bucket, tmp_path), []))["influx_bucket"] is state


async def test_another_program_on_influxdb_s_port_is_no_influxdb(influx_bucket: InfluxBucket, tmp_path: Path) -> None:
    async with fake_webhook() as stranger:
        stranger.body = b"{}"
        found = await history_findings(influx(influx_bucket, tmp_path, url=stranger.url.rsplit("/", 1)[0]), [])
        assert found[-1].state is WRONG


# -- channels -----------------------------------------------------------------------------------------------------


async def test_channels_are_reached_and_nothing_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", KEY)
    async with fake_robots() as robots, fake_mail() as mail, fake_webhook() as hook, rude(fake.hang_in_headers) as hung:
        (tmp_path / "url").write_text(robots.url("feishu"), encoding="utf-8")
        (tmp_path / "hung").write_text(hung.url(), encoding="utf-8")
        private = {"allow_private": True}
        robot = {"type": "feishu", "url": {"file": str(tmp_path / "url")}, "secret": {"env": "SOME_KEY"}, **private}
        letter = {"type": "email", "host": "127.0.0.1", "security": "none", "sender": "a@example.org"}
        site = site_of(
            channels=[
                {"id": "log", "type": "log"},
                {"id": "robot", **robot},
                {"id": "keyless", **robot, "secret": {"env": "NO_SUCH_KEY"}},
                {"id": "hook", "type": "webhook", "url": hook.url, **private},
                {"id": "inside", "type": "webhook", "url": hook.url},
                {"id": "away", "type": "webhook", "url": "https://127.0.0.1:9/", **private},
                {"id": "mail", **letter, "port": mail.port},
                {"id": "no-mail", **letter, "port": 9},
            ]
        )
        clocks: list[Heard] = []
        found = {one.detail.partition(":")[0]: one for one in await channel_findings(site, clocks)}
        assert {name for name, one in found.items() if one.state is OK} == {"robot", "hook", "mail"}
        assert {name for name, one in found.items() if one.state is WRONG} == {"keyless", "inside", "away", "no-mail"}
        assert not robots.taken
        assert not mail.mails
        assert {one.path for one in hook.received} == {"/"}, "not what would be taken for a message"
        assert "the-token" not in str(found)
        assert {one.who for one in clocks} == {"robot", "hook"}
        assert states(clock_findings(clocks)) == {"clock": OK}


# -- this machine -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("skews", "state"),
    [
        ((0, 1), OK),
        ((9, 8, 0), WARN),
        ((-9, -7), WARN),
        ((70, 3000, 65), WRONG),
        ((0, 1, 9000), OK),
        ((), NOTE),
    ],
)
def test_the_clock_is_judged_by_most_of_those_that_were_heard(skews: tuple[float, ...], state: State) -> None:
    heard = [Heard(str(number), 1_000_000.0, 1_000_000.0 + skew) for number, skew in enumerate(skews)]
    assert states(clock_findings(heard)) == {"clock": state}


@pytest.mark.parametrize(("mode", "state"), [(0o600, OK), (0o400, OK), (0o640, WARN), (0o644, WRONG), (0o666, WRONG)])
def test_who_may_read_a_secret_is_looked_at(tmp_path: Path, mode: int, state: State) -> None:
    file = tmp_path / "password"
    file.write_text("the word", encoding="utf-8")
    file.chmod(mode)
    site = site_of(mqtt={"username": "gateway", "password": {"file": str(file)}})
    (found,) = secret_findings(site)
    assert (found.check, found.state) == ("secret", state)
    assert "the word" not in found.detail
    file.unlink()
    assert next(secret_findings(site)).state is WRONG


def test_every_secret_of_a_site_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERE", "x")
    site = site_of(
        mqtt={"password": {"env": "HERE"}, "tls": {"cert": "/nowhere/cert", "key": "/nowhere/key"}},
        influx={"url": "http://i", "org": "o", "bucket": "b", "token": {"env": "THERE"}},
        channels=[{"id": "w", "type": "wecom", "url": {"file": "/nowhere/url"}}],
    )
    found = {one.detail.split()[0].rstrip(":"): one.state for one in secret_findings(site)}
    assert found == {"$HERE": OK, "$THERE": NOTE, "/nowhere/url": WRONG, "/nowhere/key": WRONG}


def test_a_full_disk_is_found(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "small", 2) as small:
        small.fill()
        found = {one.check: one for one in room_findings(small.folder, site_of())}
    assert found["disk"].state is WRONG
    assert "0 MiB free" in found["disk"].detail
    open_to_all = tmp_path / "data"
    open_to_all.mkdir(mode=0o755)
    assert {one.check: one.state for one in room_findings(open_to_all, site_of())}["data"] is WARN


async def test_the_page_that_links_lead_to_is_opened(tmp_path: Path, mosquitto: Mosquitto) -> None:
    gateway = Hallwatch(tmp_path / "gateway", small_site(Parts(mosquitto.port)))
    with gateway:
        clocks: list[Heard] = []
        assert states(await page_findings(gateway.url, clocks)) == {"page": OK, "page_tls": OK}
        assert [one.who for one in clocks] == ["page"]
    assert states(await page_findings(gateway.url, []))["page"] is WRONG
    assert states(await page_findings("http://hall.invalid", [])) == {"page": WRONG, "page_tls": WRONG}
    assert states(await page_findings("ftp://hall", [])) == {"page": WRONG}
