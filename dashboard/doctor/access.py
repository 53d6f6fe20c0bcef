"""Who may say what at the broker, tried from both sides: only what arrives was allowed, whatever the broker answers.

Everything is said in a hall that nobody serves. A subscriber never learns who spoke, so without this access file a
device without a key can be spoken for by every other.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import aiomqtt

from dashboard.cli.exposure import is_loopback
from dashboard.doctor.broker import connected, nowhere, without_login
from gateway.link.contract import Broker
from gateway.store.check import Finding, State, verdict
from sensors.readings import Kind
from sensors.topics import BASE, device_topic, gateway_status_topic, notice_topic

WAIT_S: Final = 10.0
OTHER: Final = "doctor-other"
_REFUSED: Final = (aiomqtt.MqttError, OSError)


@dataclass(frozen=True, slots=True)
class DeviceLogin:
    """A device's way in: `name` is its login and its id."""

    name: str
    broker: Broker


class Ear:
    """Hears, as the gateway, what is said in the probed hall."""

    def __init__(self, client: aiomqtt.Client, hall: str) -> None:
        self._client = client
        self._hall = hall

    async def heard(self) -> set[tuple[str, bytes]]:
        """Topics and words that have come so far; what the broker has taken has arrived when the last word has."""
        last = notice_topic(self._hall, uuid4().hex)
        await self._client.publish(last, b"", qos=1)
        heard: set[tuple[str, bytes]] = set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WAIT_S):
                async for message in self._client.messages:
                    if message.topic.value == last:
                        break
                    heard.add((message.topic.value, bytes(message.payload)))
        return heard


async def access_findings(gateway: Broker, device: DeviceLogin | None) -> list[Finding]:
    """All of it; an empty list where the gateway itself does not get in (which is said elsewhere)."""
    hall = nowhere()
    try:
        async with _ear(gateway, hall) as ear:
            found = [await _anonymous(gateway, hall, ear), await _gateway(gateway, hall, ear)]
            if device is None:
                found.append(Finding("acl_device", State.NOTE, "--device ID --device-password FILE"))
            else:
                found += await _device(device, gateway, hall, ear)
    except _REFUSED as error:
        return [Finding("acl_gateway", State.WRONG, str(error) or type(error).__name__)]
    return found


@contextlib.asynccontextmanager
async def _ear(gateway: Broker, hall: str) -> AsyncIterator[Ear]:
    async with connected(gateway) as client:
        await client.subscribe(f"{BASE}/{hall}/#", qos=1)
        yield Ear(client, hall)


async def _say(broker: Broker, topics: Sequence[str], client_id: str = "") -> bytes | None:
    """Say one word on each topic; None where the broker lets nobody in."""
    word = uuid4().hex.encode()
    try:
        async with connected(broker, client_id) as client:
            for topic in topics:
                # A broker may refuse a topic in words (MQTT 5), or take it and give it to nobody.
                with contextlib.suppress(*_REFUSED):
                    await client.publish(topic, word, qos=1)
    except _REFUSED:
        return None
    return word


async def _anonymous(gateway: Broker, hall: str, ear: Ear) -> Finding:
    """Who says no name gets in nowhere."""
    topic = device_topic(hall, OTHER, Kind.FIRE)
    word = await _say(without_login(gateway), [topic])
    if word is None:
        return Finding("acl_anonymous", State.OK, "refused")
    spoke = (topic, word) in await ear.heard()
    detail = "gets in" + (", speaks for devices" if spoke else "")
    # On this machine alone, without any login, is how a trial begins.
    trial = gateway.username is None and is_loopback(gateway.host)
    return Finding("acl_anonymous", State.WARN if trial else State.WRONG, detail)


async def _gateway(gateway: Broker, hall: str, ear: Ear) -> Finding:
    """The gateway needs no device's voice; whoever has its password would have them all."""
    topic = device_topic(hall, OTHER, Kind.FIRE)
    word = await _say(gateway, [topic])
    spoke = word is not None and (topic, word) in await ear.heard()
    detail = "may speak for devices" if spoke else "speaks for itself alone"
    return Finding("acl_gateway", State.WARN if spoke else State.OK, detail)


async def _device(device: DeviceLogin, gateway: Broker, hall: str, ear: Ear) -> list[Finding]:
    """A device speaks for itself, for no other, and hears nothing that is not meant for it."""
    own, other = (device_topic(hall, name, Kind.FIRE) for name in (device.name, OTHER))
    posing = [other, gateway_status_topic(hall, "doctor"), notice_topic(hall, "doctor")]
    word = await _say(device.broker, [own, *posing], device.name)
    if word is None:
        return [Finding("acl_device", State.WRONG, f"{device.name}: does not get in")]
    heard = {topic for topic, said in await ear.heard() if said == word}
    found = [verdict("acl_device", f"{device.name}: {'heard' if own in heard else 'not heard'}", well=own in heard)]
    posed = [topic.removeprefix(f"{BASE}/{hall}/") for topic in posing if topic in heard]
    found.append(verdict("acl_others", f"{device.name} → {', '.join(posed) or 'refused'}", well=not posed))
    found.append(await _eavesdrops(device, gateway, hall))
    return found


async def _eavesdrops(device: DeviceLogin, gateway: Broker, hall: str) -> Finding:
    secret, public = gateway_status_topic(hall, "doctor"), notice_topic(hall, "doctor")
    heard: set[str] = set()
    async with connected(device.broker, device.name) as client:
        with contextlib.suppress(*_REFUSED):
            await client.subscribe(f"{BASE}/{hall}/#", qos=1)
        with contextlib.suppress(*_REFUSED):
            await client.subscribe(f"{BASE}/{hall}/notice/#", qos=1)
        await _say(gateway, [secret, public])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WAIT_S / 5):
                async for message in client.messages:
                    heard.add(message.topic.value)
                    if message.topic.value == public:
                        break
    return verdict("acl_hears", "hears all" if secret in heard else "notices alone", well=secret not in heard)
