"""The servers that all other proofs stand on do what those proofs rely on."""

import asyncio
import socket
import ssl
import subprocess
from typing import TYPE_CHECKING

import aiomqtt
import psycopg
import pytest

from tests.servers.influx import InfluxBucket
from tests.servers.mosquitto import Login, Mosquitto
from tests.servers.postgres import Database

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.servers.fixtures import MosquittoMaker


def keeper(broker: Mosquitto) -> aiomqtt.Client:
    """A client whose session the broker keeps."""
    return aiomqtt.Client(broker.host, broker.port, identifier="keeper", clean_session=False)


async def test_a_broker_that_was_killed_still_has_what_it_kept(mosquitto: Mosquitto) -> None:
    async with keeper(mosquitto) as client:
        await client.subscribe("hall/#", qos=1)
    mosquitto.publish("hall/smoke", "烟雾")
    mosquitto.publish("elsewhere", "the broker's loop has turned, so what came before is on its disk")
    mosquitto.kill()
    mosquitto.start()
    async with asyncio.timeout(10), keeper(mosquitto) as client:
        message = await anext(aiter(client.messages))
    assert message.payload == "烟雾".encode()


def test_a_broker_with_a_login_and_an_acl_keeps_others_out(make_mosquitto: "MosquittoMaker") -> None:
    broker = make_mosquitto(login=Login("gate", "secret"), acl="user gate\ntopic readwrite hall/#")
    broker.publish("hall/door", "open")
    stranger = ["mosquitto_pub", "-p", str(broker.port), "-t", "hall/door", "-m", "x"]
    assert subprocess.run(stranger, capture_output=True, check=False).returncode != 0


async def test_a_broker_speaks_tls_under_its_own_authority(make_mosquitto: "MosquittoMaker") -> None:
    broker = make_mosquitto(tls=True)
    assert broker.tls_port is not None
    trusting = ssl.create_default_context(cafile=str(broker.ca_file))
    async with aiomqtt.Client(broker.host, broker.tls_port, tls_context=trusting) as client:
        await client.publish("hall/door", b"open", qos=1)
    strict = ssl.create_default_context()
    with (
        socket.create_connection((broker.host, broker.tls_port), timeout=5) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        strict.wrap_socket(plain, server_hostname=broker.host)


def test_influxdb_keeps_a_point_over_a_restart(influx_bucket: InfluxBucket) -> None:
    server = influx_bucket.server
    line = "reading,hall=h1 value=3i 1700000000000000001"
    path = f"{server.url}/api/v2/write?org={influx_bucket.org}&bucket={influx_bucket.name}&precision=ns"
    written = server.pool.request("POST", path, body=line, headers={"Authorization": f"Token {server.token}"})
    assert written.status == 204, written.data
    server.restart()
    rows = influx_bucket.influxql("SELECT value FROM reading")
    assert rows == [{"time": 1700000000000000001, "value": 3}]


async def test_the_browser_shows_chinese(browser: "Browser") -> None:
    page = await browser.new_page()
    await page.set_content("<h1>服务大厅</h1>")
    assert await page.inner_text("h1") == "服务大厅"


def test_a_postgresql_that_was_killed_still_has_what_it_promised(postgres: Database) -> None:
    with postgres.connect() as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('烟雾')")
    postgres.server.kill()
    with pytest.raises(psycopg.OperationalError):
        postgres.connect()
    postgres.server.start()
    with postgres.connect() as connection:
        assert connection.execute("SELECT word FROM kept").fetchall() == [("烟雾",)]
