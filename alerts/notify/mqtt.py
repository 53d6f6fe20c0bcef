"""The MQTT channel: the hall's notice for signs and sirens, published through the gateway's own link.

A notice is read by everything that listens: it carries no address, no person and no link.
"""

import json
import logging
from typing import Protocol

from alerts.model import Message
from alerts.notify.sender import Answer, Sent, Text, TryAgain
from sensors.errors import HallwatchError

LOG = logging.getLogger(__name__)


class Publish(Protocol):
    """Publishes one notice with QoS 1; returns when the broker has it."""

    async def __call__(self, topic: str, payload: bytes) -> None:
        """Raises `OSError` (a time-out is one) or `HallwatchError` when the broker does not answer."""
        ...


class MqttSender:
    """Publishes messages as JSON on one topic per hall."""

    def __init__(self, publish: Publish, topic: str) -> None:
        """`{hall}` in `topic` is replaced by the message's hall."""
        self._publish = publish
        self._topic = topic

    async def send(self, message: Message, text: Text) -> Answer:
        """Publish; the broker's absence is a matter of time, so every failure is tried again."""
        try:
            await self._publish(self._topic.replace("{hall}", message.hall), _notice(message, text))
        except (OSError, HallwatchError) as error:
            LOG.warning("notice %s was not published: %s", message.id, type(error).__name__)
            return TryAgain("broker_lost")
        return Sent()


def _notice(message: Message, text: Text) -> bytes:
    notice = {
        "id": message.id,
        "hall": message.hall,
        "about": message.about,
        "lane": message.lane.value,
        "at": message.created,
        "attempt": message.attempts,
        "drill": message.drill,
        "possible_duplicate": message.duplicate,
        "title": {"zh": text.title_zh, "en": text.title_en},
        "body": {"zh": text.body_zh, "en": text.body_en},
        "tail": {"zh": text.tail_zh, "en": text.tail_en},
    }
    return json.dumps(notice, ensure_ascii=False).encode()
