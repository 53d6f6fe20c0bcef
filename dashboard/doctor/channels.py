"""The ways in which people are told: reached without sending, or one marked message to one person on request."""

import asyncio
import socket
import ssl
import time
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import aiosmtplib

from alerts.model import Lane, Message, Note
from alerts.notify.guard import PrivateAddressError, socket_factory
from alerts.notify.open import open_senders
from alerts.notify.secret import SecretMissingError, read_secret
from alerts.notify.sender import Sent, Text
from dashboard.doctor.broker import connected
from dashboard.doctor.clock import Heard, hear
from gateway.link.contract import Broker
from gateway.store.check import Finding, State, verdict
from sensors.errors import HallwatchError
from sensors.site.model import Channel, EmailChannel, LogChannel, MqttChannel, Site, WebhookChannel
from sensors.site.robots import DingtalkChannel, FeishuChannel, Robot

REACH_S: Final = 10.0
TEST: Final = Text(
    title_zh="【测试】Hallwatch 通知测试",
    title_en="[TEST] Hallwatch: a test of this channel",
    body_zh="这是 hallwatch doctor 发出的测试，没有发生任何事，不必回应。",
    body_en="Sent by hallwatch doctor. Nothing has happened; no answer is needed.",
    tail_zh="测试",
    tail_en="TEST",
)


class NoSuchPersonError(HallwatchError):
    """Nobody of this id, or nobody who can be told."""

    code = "no_such_person"


async def channel_findings(site: Site, clocks: list[Heard]) -> list[Finding]:
    """Each channel that leads out of the house, reached without sending; what its clock says goes into `clocks`."""
    async with asyncio.TaskGroup() as group:
        looks = [group.create_task(_reach(channel, clocks)) for channel in site.channels]
    return [finding for look in looks if (finding := look.result()) is not None]


async def _reach(channel: Channel, clocks: list[Heard]) -> Finding | None:
    said = ""
    try:
        match channel:
            case LogChannel() | MqttChannel():
                return None
            case EmailChannel():
                said = await _mail(channel)
            case WebhookChannel():
                if channel.secret is not None:
                    read_secret(channel.secret)
                said = await _web(channel.id, channel.url, clocks, allow_private=channel.allow_private)
            case Robot():
                url = read_secret(channel.url).get_secret_value()
                if isinstance(channel, DingtalkChannel | FeishuChannel) and channel.secret is not None:
                    read_secret(channel.secret)
                said = await _web(channel.id, url, clocks, allow_private=channel.allow_private)
    except SecretMissingError as error:
        said = str(error)
    return verdict("channel", f"{channel.id}: {said or 'ok'}", well=not said)


async def _web(name: str, url: str, clocks: list[Heard], *, allow_private: bool) -> str:
    """What is wrong with the way to a service, "" for nothing. Its address is not said: it may hold a key."""
    parts = urlsplit(url)
    guard = socket_factory(allow_private=allow_private)
    timeout = aiohttp.ClientTimeout(total=REACH_S)
    connector = aiohttp.TCPConnector(socket_factory=guard)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.head(f"{parts.scheme}://{parts.netloc}/", allow_redirects=False) as answer,
        ):
            clocks += hear(name, answer)
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, PrivateAddressError):
            return "private address (allow_private)"
        return f"{parts.hostname}: {type(error).__name__}"
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return f"{parts.hostname}: {type(error).__name__}"
    return ""


async def _mail(channel: EmailChannel) -> str:
    """The server greets, its TLS holds and the login is taken; no letter is begun."""
    password = None if channel.password is None else read_secret(channel.password).get_secret_value()
    login = channel.username if channel.security != "none" else None
    server = aiosmtplib.SMTP(
        hostname=channel.host,
        port=channel.port,
        username=login,
        password=password if login else None,
        timeout=REACH_S,
        use_tls=channel.security == "tls",
        start_tls=channel.security == "starttls",
    )
    try:
        async with asyncio.timeout(2 * REACH_S), server:
            return ""
    except aiosmtplib.SMTPResponseException as error:
        return f"{channel.host}: {type(error).__name__} {error.code}"
    except (aiosmtplib.SMTPException, OSError, ssl.SSLError, socket.gaierror) as error:
        return f"{channel.host}: {type(error).__name__}"


async def send_test(site: Site, person: str, broker: Broker) -> list[Finding]:
    """One marked message by each of a person's ways; raises `NoSuchPersonError`."""
    found = next((one for one in site.people if one.id == person), None)
    if found is None or not found.contacts:
        known = ", ".join(one.id for one in site.people if one.contacts)
        raise NoSuchPersonError(f"{person}: 没有此人或没有联系方式 · nobody who can be told; there are: {known}")
    channels = tuple(channel for channel in site.channels if channel.id in found.contacts)

    async def publish(topic: str, payload: bytes) -> None:
        async with connected(broker) as client:
            await client.publish(topic, payload, qos=1)

    results: list[Finding] = []
    for channel in channels:
        try:
            async with open_senders((channel,), publish, _now) as senders:
                message = _message(site, person, channel.id, found.contacts[channel.id])
                answer = await senders[channel.id].send(message, TEST)
        except SecretMissingError as error:
            results.append(Finding("sent", State.WRONG, f"{channel.id}: {error}"))
            continue
        said = "ok" if isinstance(answer, Sent) else f"{type(answer).__name__} {answer.error}"
        results.append(verdict("sent", f"{channel.id}: {said}", well=isinstance(answer, Sent)))
    return results


def _message(site: Site, person: str, channel: str, address: str) -> Message:
    """A message that is no outbox's: of the urgent lane, since that is the way that must work."""
    at = _now()
    return Message(
        id=f"doctor-{uuid4().hex[:8]}",
        hall=site.halls[0].id,
        lane=Lane.LIFE_SAFETY,
        about="doctor",
        person=person,
        channel=channel,
        address=address,
        note=Note("doctor_test"),
        created=at,
        not_before=at,
        attempts=1,
        drill=True,
        answerable=False,
    )


def _now() -> int:
    return time.time_ns() // 1_000_000
