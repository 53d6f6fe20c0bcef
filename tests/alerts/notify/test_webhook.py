import asyncio
import hashlib
import hmac
import json
import logging
import socket
from pathlib import Path

import aiohttp
import pytest

from alerts.notify.guard import PrivateAddressError, is_public, public_socket
from alerts.notify.sender import Answer, Never, Sent, TryAgain, Unknown
from alerts.notify.webhook import open_webhook
from sensors.site.model import WebhookChannel
from sensors.site.secret import Secret
from tests.alerts.notify.samples import TEXT, message
from tests.fakes.webhook import FakeWebhook, fake_webhook

NOW = 1_760_000_000_000


async def send_to(service: FakeWebhook, **settings: object) -> Answer:
    channel = WebhookChannel.model_validate(
        {"id": "hook", "type": "webhook", "url": service.url, "allow_private": True, "timeout_s": 1, **settings}
    )
    async with open_webhook(channel, lambda: NOW) as sender:
        return await sender.send(message(), TEXT)


async def test_a_message_arrives_signed_and_with_its_key(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret-of-the-hook\n", encoding="utf-8")
    async with fake_webhook() as service:
        assert await send_to(service, secret=Secret(file=str(secret))) == Sent()
    request = service.received[0]
    seconds, signature = (part.split("=")[1] for part in request.headers["X-Hallwatch-Signature"].split(","))
    expected = hmac.new(b"s3cret-of-the-hook", f"{seconds}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert signature == expected
    assert int(seconds) == NOW // 1000
    assert request.headers["Idempotency-Key"] == "h1/M1"
    body = json.loads(request.body)
    assert body["title"] == {"zh": "火警：B区", "en": "Fire: zone B"}
    assert body["acknowledge"] == TEXT.link
    assert body["text"].splitlines()[-1] == TEXT.tail_en


@pytest.mark.parametrize(
    ("status", "headers", "answer"),
    [
        (204, {}, Sent()),
        (400, {}, Never("http_400")),
        (401, {}, Never("http_401")),
        (404, {}, Never("http_404")),
        (408, {}, TryAgain("http_408")),
        (429, {"Retry-After": "7"}, TryAgain("http_429", 7)),
        (429, {"Retry-After": "86400"}, TryAgain("http_429", 60)),
        (429, {"Retry-After": "Thu, 09 Oct 2025 08:53:30 GMT"}, TryAgain("http_429", 10)),
        (429, {"Retry-After": "soon"}, TryAgain("http_429", 0)),
        (500, {}, TryAgain("http_500")),
        (503, {"Retry-After": "3"}, TryAgain("http_503", 3)),
    ],
)
async def test_the_status_decides(status: int, headers: dict[str, str], answer: Answer) -> None:
    async with fake_webhook() as service:
        service.status, service.headers = status, headers
        assert await send_to(service) == answer


async def test_a_redirect_is_not_followed() -> None:
    async with fake_webhook() as target, fake_webhook() as service:
        service.status, service.headers = 307, {"Location": target.url}
        assert await send_to(service) == Never("http_307")
        assert not target.received


async def test_a_service_that_hangs_is_given_up() -> None:
    async with fake_webhook() as service:
        service.hang = True
        async with asyncio.timeout(5):
            assert await send_to(service, timeout_s=0.2) == Unknown("timeout"), "the request had left"


async def test_an_endless_body_is_not_waited_for() -> None:
    async with fake_webhook() as service:
        service.endless = True
        async with asyncio.timeout(1):
            assert await send_to(service, timeout_s=30) == Sent()


async def test_nobody_listens() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        service = FakeWebhook(url=f"http://127.0.0.1:{closed.getsockname()[1]}/")
        assert await send_to(service) == TryAgain("network")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0"])  # noqa: S104
async def test_an_address_inside_is_refused_unless_the_site_allows_it(host: str) -> None:
    async with fake_webhook() as service:
        service.url = service.url.replace("127.0.0.1", host)
        assert await send_to(service, allow_private=False) == Never("private_address")
        assert not service.received


class TwoFaced(aiohttp.abc.AbstractResolver):
    """A name that was public when it was looked at, and leads inside when it is connected."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        return [
            aiohttp.abc.ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def test_a_name_that_is_bound_anew_does_not_pass() -> None:
    """What counts is the address at the socket, so a resolver that changes its mind gains nothing."""
    async with fake_webhook() as service:
        port = service.url.split(":")[2].split("/")[0]
        connector = aiohttp.TCPConnector(socket_factory=public_socket, resolver=TwoFaced())
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(aiohttp.ClientConnectorError) as refused:
                await session.post(f"http://hook.example.org:{port}/")
        assert isinstance(refused.value.os_error, PrivateAddressError)
        assert not service.received


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::", "::1",  # noqa: S104
        "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
        "ff02::1", "255.255.255.255",
    ],
)  # fmt: skip
def test_what_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_what_is_public(address: str) -> None:
    assert is_public(address)


async def test_no_secret_and_no_link_comes_into_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = tmp_path / "secret"
    secret.write_text("s3cret-of-the-hook", encoding="utf-8")
    async with fake_webhook() as service:
        for service.status in (200, 500, 400):
            await send_to(service, secret=Secret(file=str(secret)))
        service.hang = True
        await send_to(service, secret=Secret(file=str(secret)), timeout_s=0.1)
    assert "s3cret" not in caplog.text
    assert "token-of-the-link" not in caplog.text
