"""The log channel: the message as one line of the gateway's own log. It is always there and cannot fail."""

import logging

from alerts.model import Lane, Message
from alerts.notify.sender import Answer, Sent, Text

LOG = logging.getLogger("hallwatch.notice")


class LogSender:
    """Writes messages to the log; the one-time link is left out, a log is read by many."""

    async def send(self, message: Message, text: Text) -> Answer:
        """Write one line; life safety stands out by its level."""
        level = logging.CRITICAL if message.lane is Lane.LIFE_SAFETY else logging.WARNING
        LOG.log(level, "%s | %s | %s", text.title, text.body_zh.replace("\n", "；"), text.tail_en)
        return Sent()
