"""The e-mail channel: one mail to one person, in both languages, over SMTP with TLS unless the site says otherwise."""

import asyncio
import contextlib
import logging
import ssl
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal

import aiosmtplib
from aiosmtplib.typing import Default
from pydantic import SecretStr

from alerts.model import Lane, Message
from alerts.notify.sender import Answer, Never, Sent, Text, TryAgain, Unknown
from sensors.site.model import EmailChannel

LOG = logging.getLogger(__name__)
_PERMANENT = 500
# A server that answers each command just in time may not hold a sender for ever.
_WHOLE_S = 25.0
_GOODBYE_S = 1.0
_ONE_LINE = str.maketrans(dict.fromkeys(map(chr, (*range(32), 127, 0x85, 0x2028, 0x2029)), " "))


class EmailSender:
    """Sends messages by one SMTP server; every mail has its own connection, there are few."""

    def __init__(
        self, channel: EmailChannel, password: SecretStr | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        """`tls` replaces the system's authorities where the server has a certificate of the house."""
        self._channel = channel
        self._password = password
        self._tls = tls

    async def send(self, message: Message, text: Text) -> Answer:
        """Send once. SMTP says it by its first digit: 4 is for now, 5 is for ever (RFC 5321 §4.2.1).

        A connection that ends between the letter and its reply says nothing (§4.2.5): it may have been taken.
        """
        try:
            mail = compose(self._channel.sender, message, text)
        except (ValueError, IndexError, MessageError):
            return Never("bad_address")
        dialogue = self._dialogue()
        try:
            async with asyncio.timeout(_WHOLE_S):
                await dialogue.connect()
                await dialogue.send_message(mail)
        except (aiosmtplib.SMTPException, OSError) as error:
            answer = _lost(error) if dialogue.unanswered else _judge(error)
            LOG.info("mail channel %s: %s (%s)", self._channel.id, type(error).__name__, answer.error)
            return answer
        else:
            # It is taken; how the server says goodbye changes nothing.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await dialogue.quit(timeout=_GOODBYE_S)
            return Sent()
        finally:
            dialogue.close()

    def _dialogue(self) -> "_Dialogue":
        channel = self._channel
        # Without TLS the password stays here: it would be read by everybody on the way.
        login = channel.username if channel.security != "none" else None
        return _Dialogue(
            hostname=channel.host,
            port=channel.port,
            username=login,
            password=self._password.get_secret_value() if login and self._password else None,
            timeout=channel.timeout_s,
            use_tls=channel.security == "tls",
            start_tls=channel.security == "starttls",
            tls_context=self._tls if channel.security != "none" else None,
        )


class _Dialogue(aiosmtplib.SMTP):
    """A dialogue that knows whether the letter has left without a reply."""

    unanswered = False

    async def data(
        self,
        message: str | bytes,
        /,
        *,
        timeout: float | Literal[Default.token] | None = Default.token,  # noqa: ASYNC109 (the library's signature)
    ) -> aiosmtplib.SMTPResponse:
        """The letter itself."""
        self.unanswered = True
        try:
            response = await super().data(message, timeout=timeout)
        except aiosmtplib.SMTPResponseException:
            self.unanswered = False
            raise
        self.unanswered = False
        return response


def compose(sender: str, message: Message, text: Text) -> EmailMessage:
    """Write the mail. No header can be injected: control characters become blanks, addresses are parsed.

    Raises `ValueError` (or what the parser of addresses raises) for an address that is none.
    """
    mail = EmailMessage(policy=SMTP.clone(max_line_length=200))
    origin = Address(addr_spec=sender)
    mail["From"] = Address("Hallwatch", origin.username, origin.domain)
    mail["To"] = Address(addr_spec=message.address)
    mail["Subject"] = text.title.translate(_ONE_LINE)[:200]
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.created / 1000, UTC))
    # Stable over attempts, so that a mailbox can recognise the second copy of one message.
    mail["Message-ID"] = f"<{message.hall}.{message.id}@{origin.domain}>".translate(_ONE_LINE)
    mail["Auto-Submitted"] = "auto-generated"
    if message.lane is Lane.LIFE_SAFETY:
        mail["Importance"] = "high"
        mail["X-Priority"] = "1"
    mail.set_content("\n".join(text.lines()), charset="utf-8", cte="base64")
    return mail


def _lost(error: Exception) -> Unknown:
    return Unknown("timeout" if isinstance(error, TimeoutError) else "network")


def _judge(error: aiosmtplib.SMTPException | OSError) -> TryAgain | Never:
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            return _by_code(min((refusal.code for refusal in error.recipients), default=_PERMANENT), "address")
        case aiosmtplib.SMTPAuthenticationError():
            return _by_code(error.code, "login")
        case aiosmtplib.SMTPResponseException():
            return _by_code(error.code, "smtp")
        case aiosmtplib.SMTPTimeoutError() | TimeoutError():
            return TryAgain("timeout")
        case _:
            # A certificate that is refused, a server without STARTTLS: mended by a person, but not never.
            tls = isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError)
            return TryAgain("tls" if tls else "network")


def _by_code(code: int, what: str) -> TryAgain | Never:
    return TryAgain(f"{what}_{code}") if code < _PERMANENT else Never(f"{what}_{code}")
