"""What the sending loop asks of a channel, and what a channel may answer.

A sender tries once and says what came of it; how often and when to try again is decided in one place, the
engine. So a new channel is one file beside this one and one line in `open.py`.
"""

from dataclasses import dataclass
from typing import Protocol

from alerts.model import Message


@dataclass(frozen=True, slots=True)
class Text:
    """A message in words of both languages. `tail` holds the lines by which a person recognises a copy.

    `link` is the signed one-time link that acknowledges; it goes only to one person's own address.
    """

    title_zh: str
    title_en: str
    body_zh: str
    body_en: str
    tail_zh: str
    tail_en: str
    link: str | None = None

    @property
    def title(self) -> str:
        """Both titles on one line, Chinese first."""
        return self.title_zh if self.title_zh == self.title_en else f"{self.title_zh} / {self.title_en}"

    def lines(self) -> tuple[str, ...]:
        """The whole as lines: Chinese, English, the link, and the tail at the end."""
        link = (f"确认收到 / Acknowledge: {self.link}", "") if self.link else ()
        english = (self.title_en, self.body_en, "") if self.title_en != self.title_zh else ()
        return (self.title_zh, self.body_zh, "", *english, *link, self.tail_zh, self.tail_en)


@dataclass(frozen=True, slots=True)
class Sent:
    """The service took the message."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Not now, and it has not arrived: no connection, 5xx, 429. `error` is a stable code; `retry_after_s` is what the
    service asked for.
    """

    error: str
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Never:
    """Trying again would not help: address, login or request is refused. `error` is a stable code."""

    error: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It left, and no answer came: it may have arrived. `error` is a stable code.

    Life safety goes out again with its key and says that it may be a second copy; routine is shown as unknown.
    """

    error: str


Answer = Sent | TryAgain | Never | Unknown


class Sender(Protocol):
    """One channel."""

    async def send(self, message: Message, text: Text) -> Answer:
        """Try once. Says what came of it and raises nothing but cancellation."""
        ...
