"""A mail server on loopback: real SMTP, STARTTLS and login, and refusals where a test asks for them."""

import asyncio
import email
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(slots=True)
class FakeMail:
    """Keeps mails; `refuse_data` and `refuse_address` are SMTP answers such as "451 later".

    `drop_at` names the command (RCPT, DATA) after which it closes the connection without a word; at DATA it has the
    mail by then. `hang` takes a mail and answers nothing.
    """

    host: str = "127.0.0.1"
    port: int = 0
    refuse_data: str | None = None
    refuse_address: str | None = None
    drop_at: str = ""
    hang: bool = False
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_RCPT(  # noqa: N802 (the names are aiosmtpd's)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take or refuse a recipient."""
        if self.drop_at == "RCPT":
            _drop(server)
        if self.refuse_address is not None:
            return self.refuse_address
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take or refuse a mail."""
        if self.refuse_data is not None:
            return self.refuse_data
        content = cast("bytes", envelope.content)
        self.raw.append(content)
        self.mails.append(email.message_from_bytes(content, policy=default))
        self.recipients.append(list(envelope.rcpt_tos))
        if self.drop_at == "DATA":
            _drop(server)
        if self.hang:
            await self.closing.wait()
        return "250 taken"


def _drop(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()


@asynccontextmanager
async def fake_mail(
    *, tls: ssl.SSLContext | None = None, implicit: bool = False, login: tuple[str, str] | None = None
) -> AsyncIterator[FakeMail]:
    """Run the server on a free port; with `tls` it offers STARTTLS, or with `implicit` speaks TLS from the start."""
    service = FakeMail()

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        good = (
            login is not None
            and isinstance(data, LoginPassword)
            and (data.login, data.password) == (login[0].encode(), login[1].encode())
        )
        return AuthResult(success=good, handled=False)

    def protocol() -> SMTP:
        return SMTP(
            service,
            hostname="mail.test",
            enable_SMTPUTF8=True,
            tls_context=None if implicit else tls,
            require_starttls=tls is not None and not implicit,
            authenticator=check if login else None,
            auth_required=login is not None,
        )

    server = await asyncio.get_running_loop().create_server(protocol, service.host, 0, ssl=tls if implicit else None)
    service.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield service
        finally:
            service.closing.set()
