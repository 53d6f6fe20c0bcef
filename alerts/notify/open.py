"""Opens the site's channels as senders: one line for each type."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from alerts.notify.dingtalk import DINGTALK
from alerts.notify.feishu import FEISHU
from alerts.notify.log import LogSender
from alerts.notify.mail import EmailSender
from alerts.notify.mqtt import MqttSender, Publish
from alerts.notify.robot import open_robot
from alerts.notify.secret import read_secret
from alerts.notify.sender import Sender
from alerts.notify.webhook import open_webhook
from alerts.notify.wecom import WECOM
from sensors.site.model import Channel, EmailChannel, LogChannel, MqttChannel, WebhookChannel
from sensors.site.robots import DingtalkChannel, FeishuChannel, WecomChannel


@asynccontextmanager
async def open_senders(
    channels: tuple[Channel, ...], publish: Publish, now: Callable[[], int]
) -> AsyncIterator[Mapping[str, Sender]]:
    """Open all channels, by id. `now` is the real time (ms since the epoch). Raises `SecretMissingError`."""
    async with AsyncExitStack() as stack:
        senders: dict[str, Sender] = {}
        for channel in channels:
            match channel:
                case LogChannel():
                    senders[channel.id] = LogSender()
                case MqttChannel():
                    senders[channel.id] = MqttSender(publish, channel.topic)
                case WebhookChannel():
                    senders[channel.id] = await stack.enter_async_context(open_webhook(channel, now))
                case WecomChannel():
                    opened = open_robot(channel, WECOM, None, now)
                    senders[channel.id] = await stack.enter_async_context(opened)
                case DingtalkChannel():
                    opened = open_robot(channel, DINGTALK, channel.secret, now)
                    senders[channel.id] = await stack.enter_async_context(opened)
                case FeishuChannel():
                    opened = open_robot(channel, FEISHU, channel.secret, now)
                    senders[channel.id] = await stack.enter_async_context(opened)
                case EmailChannel():
                    password = read_secret(channel.password) if channel.password is not None else None
                    senders[channel.id] = EmailSender(channel, password)
        yield senders
