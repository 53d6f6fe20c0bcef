"""The MQTT channel: the hall's notice for signs and sirens, and messages to pagers, through the gateway's own link.

A topic is read by everything that listens. So a public notice carries no address; a message to one person carries
that person's address on this channel, or no pager would know whose it is. Neither carries a name or the link:
whoever has the link could answer.
"""

import json
import logging
from typing import Protocol

from alerts.model import Message
from alerts.notify.sender import Answer, Sent, Text, TryAgain, Unknown
from sensors.errors import HallwatchError

LOG = logging.getLogger(__name__)


class Publish(Protocol):
    """Publishes one notice with QoS 1; returns when the broker has it."""

    async def __call__(self, topic: str, payload: bytes) -> None:
        """Raises `TimeoutError` when it left unacknowledged, any other `OSError` or `HallwatchError` before that."""
        ...


class MqttSender:
    """Publishes messages as JSON on one topic per hall."""

    def __init__(self, publish: Publish, topic: str) -> None:
        """`{hall}` in `topic` is replaced by the message's hall."""
        self._publish = publish
        self._topic = topic

    async def send(self, message: Message, text: Text) -> Answer:
        """Publish; the broker's absence is a matter of time. What it has not acknowledged may have arrived."""
        try:
            await self._publish(self._topic.replace("{hall}", message.hall), _notice(message, text))
        except TimeoutError:
            LOG.warning("notice %s was not acknowledged", message.id)
            return Unknown("timeout")
        except (OSError, HallwatchError) as error:
            LOG.warning("notice %s was not published: %s", message.id, type(error).__name__)
            return TryAgain("broker_lost")
        return Sent()


def _notice(message: Message, text: Text) -> bytes:
    notice: dict[str, object] = {
        "id": message.id,
        "hall": message.hall,
        "about": message.about,
        "lane": message.lane.value,
        "at": message.created,
        "attempt": message.attempts,
        "drill": message.drill,
        "possible_duplicate": message.duplicate,
        "unwritten": message.unwritten,
        "title": {"zh": text.title_zh, "en": text.title_en},
        "body": {"zh": text.body_zh, "en": text.body_en},
        "tail": {"zh": text.tail_zh, "en": text.tail_en},
    }
    if message.person is not None and message.address:
        notice["to"] = message.address
    return json.dumps(notice, ensure_ascii=False).encode()
