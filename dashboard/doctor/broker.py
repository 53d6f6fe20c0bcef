"""The broker as the gateway finds it: it answers, keeps what is retained, and keeps what nobody fetches for a while."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import uuid4

import aiomqtt
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from dashboard.cli.exposure import is_loopback
from gateway.link.contract import Broker
from gateway.store.check import Finding, State, verdict
from sensors.topics import notice_topic

CONNECT_S: Final = 8.0
# More than a broker holds by default (Mosquitto: 1000): a minute or two of a hall while the gateway is away.
HELD: Final = 2000
_AT_ONCE: Final = 100
_SILENCE_S: Final = 3.0
CERTIFICATE_DAYS: Final = 14
CONFIGS: Final = (Path("/etc/mosquitto/mosquitto.conf"), *sorted(Path("/etc/mosquitto/conf.d").glob("*.conf")))


def nowhere() -> str:
    """A hall that no gateway serves: what is said there is nobody's news."""
    return f"doctor-{uuid4().hex[:8]}"


@contextlib.asynccontextmanager
async def connected(broker: Broker, client_id: str = "", *, keep: bool = False) -> AsyncIterator[aiomqtt.Client]:
    """A client of our own; with `keep` the broker holds its session for five minutes."""
    five = broker.version == "5"
    expiry = None
    if five:
        expiry = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        expiry.SessionExpiryInterval = 300 if keep else 0
    async with aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
        tls_context=broker.tls,
        identifier=client_id or f"hallwatch-doctor-{uuid4().hex[:12]}",
        timeout=CONNECT_S,
        clean_session=None if five else not keep,
        clean_start=not keep if five else MQTT_CLEAN_START_FIRST_ONLY,
        properties=expiry,
        max_queued_outgoing_messages=0,
    ) as client:
        # So many are under way on purpose; the library would complain of each beyond ten in the middle of our answer.
        client.pending_calls_threshold = _AT_ONCE
        yield client


async def broker_findings(broker: Broker) -> list[Finding]:
    """All of it; nothing more where the broker does not answer."""
    place = f"{broker.host}:{broker.port}"
    try:
        # Before the login: what it says of a certificate is not to be mixed up with what the broker says.
        encrypted = await _encrypted(broker)
        if encrypted.state is State.WRONG:
            return [encrypted]
        async with asyncio.timeout(2 * CONNECT_S), connected(broker):
            found = [Finding("mqtt_reach", State.OK, f"{place}, MQTT {broker.version}"), encrypted]
    except (aiomqtt.MqttError, OSError) as error:
        said = str(error) or type(error).__name__
        return [Finding("mqtt_reach", State.WRONG, f"{place}: {said}")]
    for one in (_retains, _holds):
        try:
            async with asyncio.timeout(60):
                found.append(await one(broker))
        except (aiomqtt.MqttError, OSError) as error:
            found.append(Finding(f"mqtt{one.__name__}", State.WRONG, str(error) or type(error).__name__))
    return found


async def _encrypted(broker: Broker) -> Finding:
    if broker.tls is None:
        near = is_loopback(broker.host)
        return Finding("mqtt_tls", State.OK if near else State.WARN, "this machine" if near else "no TLS")
    return await certificate("mqtt_tls", broker.host, broker.port, broker.tls)


async def certificate(check: str, host: str, port: int, trust: ssl.SSLContext) -> Finding:
    """How long a server's certificate still holds. Raises `OSError` where nobody answers."""
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(host, port, ssl=trust)
    except ssl.SSLError as error:
        return Finding(check, State.WRONG, str(error) or type(error).__name__)
    until = ssl.cert_time_to_seconds(writer.get_extra_info("peercert")["notAfter"])
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    days = int(until - time.time()) // 86_400
    return Finding(check, State.OK if days >= CERTIFICATE_DAYS else State.WARN, f"{days} d")


async def _retains(broker: Broker) -> Finding:
    """What is retained is given to who comes later, and marked."""
    topic, word = notice_topic(nowhere(), "doctor"), uuid4().hex.encode()
    async with connected(broker) as speaker:
        await speaker.publish(topic, word, qos=1, retain=True)
        try:
            async with connected(broker) as late:
                await late.subscribe(topic, qos=1)
                heard = await _next(late)
        finally:
            await speaker.publish(topic, b"", qos=1, retain=True)
    well = heard is not None and heard.payload == word and heard.retain
    return verdict("mqtt_retains", "ok" if well else "not given to a later subscriber", well=well)


async def _holds(broker: Broker) -> Finding:
    """A session that is away for a moment finds all that was said meanwhile."""
    topic, name = notice_topic(nowhere(), "doctor"), f"hallwatch-doctor-{uuid4().hex[:12]}"
    async with connected(broker, name, keep=True) as away:
        await away.subscribe(topic, qos=1)
    async with connected(broker) as speaker:
        for start in range(0, HELD, _AT_ONCE):
            await asyncio.gather(
                *(speaker.publish(topic, str(start + number).encode(), qos=1) for number in range(_AT_ONCE))
            )
    heard: set[bytes] = set()
    async with connected(broker, name, keep=True) as back:
        while len(heard) < HELD and (one := await _next(back)) is not None:
            heard.add(bytes(one.payload))
    # A session that nobody will fetch any more is not left behind.
    async with connected(broker, name):
        pass
    return verdict("mqtt_holds", f"{len(heard)} / {HELD}", well=len(heard) == HELD)


async def _next(client: aiomqtt.Client) -> aiomqtt.Message | None:
    try:
        async with asyncio.timeout(_SILENCE_S):
            return await anext(aiter(client.messages))
    except TimeoutError:
        return None


def without_login(broker: Broker) -> Broker:
    """The same broker for who says no name."""
    return replace(broker, username=None, password=None)


def config_findings(files: Iterable[Path]) -> Iterator[Finding]:
    """What a Mosquitto on this machine is told to keep: it cannot be seen from outside."""
    said: dict[str, str] = {}
    for file in files:
        try:
            lines = file.read_text("utf-8", errors="replace").splitlines()
        except OSError:
            continue
        said |= dict(line.split(maxsplit=1) for line in lines if len(line.split(maxsplit=1)) == 2 and line[0] != "#")  # noqa: PLR2004
    if not said:
        return
    kept = said.get("persistence", "false").strip() == "true"
    often = said.get("autosave_interval", "1800").strip()
    soon = often.isdigit() and 0 < int(often) <= 60  # noqa: PLR2004
    detail = f"persistence {said.get('persistence', 'false')}, autosave_interval {often}"
    yield verdict("mqtt_disk", detail, well=kept and soon)
