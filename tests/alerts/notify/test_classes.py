"""Every way in which an outside service can fail, and its class: sent, again, never, or nobody knows."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime
from typing import Any

import pytest
import trustme

from alerts.notify.mail import EmailSender
from alerts.notify.post import BODY_MAX
from alerts.notify.sender import Answer, Never, Sent, TryAgain, Unknown
from alerts.notify.webhook import open_webhook
from sensors.site.load import read_site
from sensors.site.model import EmailChannel, WebhookChannel
from tests.alerts.notify.samples import TEXT, message
from tests.fakes import rude as fake
from tests.fakes.mail import fake_mail
from tests.fakes.rude import Behaviour, rude
from tests.fakes.webhook import fake_webhook
from tests.system.small_site import Parts, small_site

NOW = 1_760_000_000_000
ROBOT = {"field": "errcode", "equals": 0, "retry": [-1, 45009]}


async def post(url: str, **settings: Any) -> Answer:  # noqa: ANN401 (any setting of a channel)
    channel = WebhookChannel.model_validate(
        {"id": "hook", "type": "webhook", "url": url, "allow_private": True, "timeout_s": 0.3, **settings}
    )
    async with asyncio.timeout(10), open_webhook(channel, lambda: NOW) as sender:
        return await sender.send(message(), TEXT)


@pytest.mark.parametrize(
    ("behaviour", "accept", "answer"),
    [
        (fake.hang_before_reading, None, Unknown("timeout")),
        (fake.hang_after_reading, None, Unknown("timeout")),
        (fake.hang_in_headers, None, Unknown("timeout")),
        (fake.drop_after_reading, None, Unknown("network")),
        (fake.reset, None, Unknown("network")),
        (fake.garbage, None, Unknown("network")),
        (fake.huge_head, None, Unknown("network")),
        (fake.slow_loris, None, Sent()),
        (fake.huge_body, None, Sent()),
        (fake.slow_loris, ROBOT, Unknown("timeout")),
        (fake.huge_body, ROBOT, Unknown("answer_unreadable")),
        (fake.drop_in_body, ROBOT, Unknown("network")),
    ],
)
async def test_what_left_and_was_not_answered_is_unknown(behaviour: Behaviour, accept: object, answer: Answer) -> None:
    async with rude(behaviour) as service:
        assert await post(service.url(), accept=accept) == answer
        assert service.connections == 1, "one try is one try"
        assert service.written <= BODY_MAX + 8 * 2**20, "what is not wanted is not read"


async def test_nobody_there_is_no_doubt() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert await post(f"http://127.0.0.1:{closed.getsockname()[1]}/") == TryAgain("network")


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b'{"errcode": 0, "errmsg": "ok"}', Sent()),
        (b'{"errcode": 310000, "errmsg": "sign not match"}', Never("answer_310000")),
        (b'{"errcode": 45009, "errmsg": "api freq out of limit"}', TryAgain("answer_45009")),
        (b'{"errcode": -1}', TryAgain("answer_-1")),
        (b'{"errcode": "0"}', Sent()),
        (b'{"errcode": false}', Never("answer_False")),
        (b'{"errcode": 0.0}', Unknown("answer_unreadable")),
        (b'{"errcode": "\\u0000<script>"}', Never("answer_refused")),
        (b'{"errcode": null}', Unknown("answer_unreadable")),
        (b'{"errcode": {}}', Unknown("answer_unreadable")),
        (b"{}", Unknown("answer_unreadable")),
        (b"[]", Unknown("answer_unreadable")),
        (b"", Unknown("answer_unreadable")),
        (b"<html>please log in</html>", Unknown("answer_unreadable")),
        (b"\xff\xfe", Unknown("answer_unreadable")),
        (b"[" * 60_000, Unknown("answer_unreadable")),
        (b" " * 100_000, Unknown("answer_unreadable")),
    ],
)
async def test_a_robot_that_answers_200_is_asked_what_it_means(body: bytes, answer: Answer) -> None:
    async with fake_webhook() as service:
        service.body = body
        assert await post(service.url, accept=ROBOT, timeout_s=2) == answer
        assert await post(service.url) == Sent(), "a site that does not ask does not get to know"


@pytest.mark.parametrize(
    ("equals", "body", "answer"),
    [
        ("0", b'{"data": {"ok": 0}}', Sent()),
        ("0", b'{"data": {"ok": 7}}', TryAgain("answer_7")),
        ("0", b'{"data": {"ok": 1}}', Never("answer_1")),
        ("0", b'{"data": {"ok": false}}', Never("answer_False")),
        ("true", b'{"data": {"ok": true}}', Sent()),
        ("true", b'{"data": {"ok": 1}}', Never("answer_1")),
        ("queued", b'{"data": {"ok": "queued"}}', Sent()),
        ('"0"', b'{"data": {"ok": 0}}', Sent()),
    ],
)
async def test_what_a_site_file_says_of_an_answer_is_what_is_meant(equals: str, body: bytes, answer: Answer) -> None:
    """By the reader of site files, which makes text of every value: `equals: 0` must mean the number."""
    async with fake_webhook() as service:
        service.body = body
        accept = f"{{field: data.ok, equals: {equals}, retry: [7]}}"
        hook = f"{{id: hook, type: webhook, url: '{service.url}', allow_private: true, accept: {accept}}}"
        text = small_site(Parts(1883)).replace("{id: log, type: log}", hook)
        site = read_site(text.replace("{log: duty}", "{hook: duty}"), "site").site
        assert site is not None
        (channel,) = site.channels
        assert isinstance(channel, WebhookChannel)
        async with open_webhook(channel, lambda: NOW) as sender:
            assert await sender.send(message(), TEXT) == answer


async def test_an_inner_field_and_a_word() -> None:
    async with fake_webhook() as service:
        service.body = b'{"data": {"status": "queued"}}'
        assert await post(service.url, accept={"field": "data.status", "equals": "queued"}) == Sent()
        assert await post(service.url, accept={"field": "data.status", "equals": "sent"}) == Never("answer_queued")


async def test_a_refusal_by_status_is_not_softened_by_a_body() -> None:
    async with fake_webhook() as service:
        service.status, service.body = 500, b'{"errcode": 0}'
        assert await post(service.url, accept=ROBOT) == TryAgain("http_500")
        service.status = 504
        assert await post(service.url) == Unknown("http_504"), "a proxy gave it to somebody"


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("99999999999999999999", 60),
        ("-5", 0),
        ("1e9", 0),
        ("Thu, 09 Oct 2025 08:53:30 GMT", 10),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 60),
        ("Thu, 09 Oct 2025 08:00:00 GMT", 0),
        ("Thu, 99 Oct 99999 00:00:00 GMT", 0),
        ("٣", 0),
    ],
)
async def test_a_service_may_ask_for_a_pause_but_not_for_a_day(asked: str, seconds: float) -> None:
    async with fake_webhook() as service:
        service.status, service.headers = 429, {"Retry-After": asked}
        assert await post(service.url) == TryAgain("http_429", seconds)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "10.0.0.1"])
async def test_a_redirect_leads_nowhere(status: int, host: str) -> None:
    async with rude(fake.hang_after_reading) as inside, fake_webhook() as service:
        service.status, service.headers = status, {"Location": inside.url(host=host)}
        assert await post(service.url) == Never(f"http_{status}")
        assert inside.connections == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.1.1", "100.64.0.1"])
async def test_a_name_that_leads_inside_is_refused_unless_the_site_allows_it(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *more: Any, **named: Any) -> Any:  # noqa: ANN401
        return real(address if host == "hook.example.org" else host, port, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    async with rude(fake.hang_after_reading) as inside:
        url = inside.url(host="hook.example.org")
        assert await post(url, allow_private=False, timeout_s=2) == Never("private_address")
        assert inside.connections == 0
        if address == "127.0.0.1":
            assert await post(url) == Unknown("timeout")
            assert len(inside.requests) == 1


async def test_a_name_that_nobody_knows_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*asked: Any, **named: Any) -> Any:  # noqa: ANN401
        raise socket.gaierror(socket.EAI_AGAIN, "no name server answers")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert await post("https://hook.example.org/") == TryAgain("dns")


def certificate(authority: trustme.CA, *, expired: bool = False) -> ssl.SSLContext:
    until = datetime(2020, 1, 1, tzinfo=UTC) if expired else None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", not_after=until).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.mark.parametrize(
    ("trusted", "expired", "answer", "requests"),
    [(True, True, TryAgain("tls"), 0), (False, False, TryAgain("tls"), 0), (True, False, Unknown("timeout"), 1)],
)
async def test_a_certificate_that_does_not_hold_gets_no_byte(
    monkeypatch: pytest.MonkeyPatch, *, trusted: bool, expired: bool, answer: Answer, requests: int
) -> None:
    authority = trustme.CA()
    if trusted:
        monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting(authority))
    async with rude(fake.hang_after_reading, certificate(authority, expired=expired)) as service:
        assert await post(service.url("https"), timeout_s=1) == answer
        assert len(service.requests) == requests


async def test_a_service_that_speaks_no_tls_gets_no_byte() -> None:
    async with rude(fake.garbage) as service:
        assert await post(service.url("https"), timeout_s=2) in {TryAgain("tls"), TryAgain("timeout")}
        assert not service.requests


# -- mail ---------------------------------------------------------------------------------------------------------


async def mail_to(port: int, tls: ssl.SSLContext | None = None, **settings: Any) -> Answer:  # noqa: ANN401
    channel = EmailChannel.model_validate(
        {
            "id": "mail", "type": "email", "host": "127.0.0.1", "port": port, "security": "none",
            "sender": "hall@example.org", "timeout_s": 0.5, **settings,
        }
    )  # fmt: skip
    async with asyncio.timeout(10):
        return await EmailSender(channel, tls=tls).send(message(), TEXT)


@pytest.mark.parametrize(
    ("drop_at", "hang", "answer", "arrived"),
    [
        ("RCPT", False, TryAgain("network"), 0),
        ("DATA", False, Unknown("network"), 1),
        ("", True, Unknown("timeout"), 1),
        ("", False, Sent(), 1),
    ],
)
async def test_a_mail_without_a_reply_may_have_arrived(drop_at: str, hang: bool, answer: Answer, arrived: int) -> None:
    async with fake_mail() as server:
        server.drop_at, server.hang = drop_at, hang
        assert await mail_to(server.port) == answer
        assert len(server.mails) == arrived


@pytest.mark.parametrize(
    ("address", "data", "answer"),
    [
        ("450 4.2.0 greylisted, try again", None, TryAgain("address_450")),
        ("550 no such person", None, Never("address_550")),
        (None, "452 disk full", TryAgain("smtp_452")),
        (None, "552 too large", Never("smtp_552")),
        ("421 going down", None, TryAgain("address_421")),
    ],
)
async def test_what_a_mail_server_says_is_taken_at_its_word(
    address: str | None, data: str | None, answer: Answer
) -> None:
    async with fake_mail() as server:
        server.refuse_address, server.refuse_data = address, data
        assert await mail_to(server.port) == answer
        assert not server.mails


@pytest.mark.parametrize(
    ("behaviour", "answer"),
    [
        (fake.greet_never, TryAgain("timeout")),
        (fake.greet_and_drop, TryAgain("network")),
        (fake.too_busy, TryAgain("smtp_421")),
        (fake.garbage, TryAgain("timeout")),
        (fake.reset, TryAgain("network")),
    ],
)
async def test_a_mail_that_never_began_is_tried_again(behaviour: Behaviour, answer: Answer) -> None:
    async with rude(behaviour) as service:
        assert await mail_to(service.port) == answer


@pytest.mark.parametrize(("expired", "answer"), [(True, TryAgain("tls")), (False, Sent())])
async def test_a_mail_server_whose_certificate_has_expired_gets_no_mail(*, expired: bool, answer: Answer) -> None:
    authority = trustme.CA()
    async with fake_mail(tls=certificate(authority, expired=expired)) as server:
        assert await mail_to(server.port, trusting(authority), security="starttls", timeout_s=2) == answer
        assert len(server.mails) == (answer == Sent())
