import asyncio
import logging
import socket
import ssl
from dataclasses import replace

import pytest
import trustme
from pydantic import SecretStr

from alerts.notify.mail import EmailSender
from alerts.notify.sender import Answer, Never, Sent, TryAgain, Unknown
from sensors.site.model import EmailChannel
from tests.alerts.notify.samples import TEXT, message
from tests.fakes.mail import FakeMail, fake_mail

PASSWORD = "pässwort-nobody-sees"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def channel(server: FakeMail, **settings: object) -> EmailChannel:
    return EmailChannel.model_validate(
        {
            "id": "mail", "type": "email", "host": server.host, "port": server.port, "security": "none",
            "sender": "hall@example.org", "timeout_s": 2, **settings,
        }
    )  # fmt: skip


async def test_a_mail_in_both_languages() -> None:
    async with fake_mail() as server:
        assert await EmailSender(channel(server)).send(message(), TEXT) == Sent()
    mail = server.mails[0]
    assert mail["Subject"] == "火警：B区 / Fire: zone B"
    assert mail["To"] == "wang@example.org"
    assert mail["Message-ID"] == "<h1.M1@example.org>"
    lines = mail.get_content().splitlines()
    assert lines[0] == "火警：B区"
    assert "Verify at once." in lines
    assert any(TEXT.link in line for line in lines if TEXT.link)
    assert lines[-1] == TEXT.tail_en
    assert server.raw[0].isascii(), "an old server may drop the eighth bit"


async def test_starttls_and_login(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    async with fake_mail(tls=server_tls, login=("hall", PASSWORD)) as server:
        settings = channel(server, security="starttls", username="hall")
        assert await EmailSender(settings, SecretStr(PASSWORD), client_tls).send(message(), TEXT) == Sent()
        wrong = await EmailSender(settings, SecretStr("wrong"), client_tls).send(message(), TEXT)
    assert wrong == Never("login_535")
    assert len(server.mails) == 1


async def test_tls_from_the_start(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    async with fake_mail(tls=server_tls, implicit=True) as server:
        assert await EmailSender(channel(server, security="tls"), tls=client_tls).send(message(), TEXT) == Sent()


async def test_a_certificate_of_nobody_we_know_is_not_taken(server_tls: ssl.SSLContext) -> None:
    async with fake_mail(tls=server_tls) as server:
        assert await EmailSender(channel(server, security="starttls")).send(message(), TEXT) == TryAgain("tls")
        assert not server.mails


async def test_no_starttls_no_mail() -> None:
    """A server (or somebody between) that offers no TLS must not get what the site wants encrypted."""
    async with fake_mail() as server:
        answer = await EmailSender(channel(server, security="starttls")).send(message(), TEXT)
        assert isinstance(answer, TryAgain)
        assert not server.mails


@pytest.mark.parametrize(
    ("data", "address", "answer"),
    [
        ("451 later", None, TryAgain("smtp_451")),
        ("554 no", None, Never("smtp_554")),
        (None, "450 busy", TryAgain("address_450")),
        (None, "550 nobody", Never("address_550")),
    ],
)
async def test_the_first_digit_decides(data: str | None, address: str | None, answer: Answer) -> None:
    async with fake_mail() as server:
        server.refuse_data, server.refuse_address = data, address
        assert await EmailSender(channel(server)).send(message(), TEXT) == answer


async def test_a_server_that_hangs_and_one_that_is_not_there() -> None:
    async with fake_mail() as server:
        server.hang = True
        async with asyncio.timeout(5):
            answer = await EmailSender(channel(server, timeout_s=0.3)).send(message(), TEXT)
        assert answer == Unknown("timeout"), "it hung with the letter in its hands"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gone = FakeMail(port=closed.getsockname()[1])
        assert await EmailSender(channel(gone)).send(message(), TEXT) == TryAgain("network")


@pytest.mark.parametrize(
    "address",
    [
        "wang@example.org\r\nBcc: all@example.org",
        "wang@example.org, li@example.org",
        "",
        "nobody",
        "a b@example.org",
        "@",
    ],
)
async def test_an_address_that_is_none_reaches_nobody(address: str) -> None:
    async with fake_mail() as server:
        assert await EmailSender(channel(server)).send(message(address=address), TEXT) == Never("bad_address")
        assert not server.mails


async def test_a_title_cannot_add_a_header() -> None:
    text = replace(TEXT, title_zh="a\r\nBcc: all@example.org\r\n\r\nx", title_en="b\x00\u2028c")
    async with fake_mail() as server:
        assert await EmailSender(channel(server)).send(message(), text) == Sent()
    assert server.mails[0]["Bcc"] is None
    assert server.recipients == [["wang@example.org"]]


async def test_the_password_comes_into_no_log(
    caplog: pytest.LogCaptureFixture, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    caplog.set_level(logging.DEBUG)
    async with fake_mail(tls=server_tls, login=("hall", "other")) as server:
        sender = EmailSender(channel(server, security="starttls", username="hall"), SecretStr(PASSWORD), client_tls)
        assert await sender.send(message(), TEXT) == Never("login_535")
    assert PASSWORD not in caplog.text
    assert PASSWORD not in repr(vars(sender))
