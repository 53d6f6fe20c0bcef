"""The robots of group chats as channels: WeCom (企业微信), DingTalk (钉钉), Feishu (飞书).

A robot's address holds its key: whoever has it can write into the group. So it is a secret as a password is.
"""

from typing import Literal

from pydantic import Field

from sensors.site.part import Id, Part
from sensors.site.secret import Secret


class Robot(Part):
    """What the three have in common. A person's address on it is whom to mention; `group` mentions nobody."""

    id: Id
    url: Secret
    timeout_s: float = Field(default=5, gt=0, le=30)
    allow_private: bool = False
    link: bool = True


class WecomChannel(Robot):
    """A WeCom group robot. An address is a userid, or a mobile number (11 digits)."""

    type: Literal["wecom"]


class DingtalkChannel(Robot):
    """A DingTalk custom robot; `secret` signs where its security is 加签. An address is a mobile number or a userid."""

    type: Literal["dingtalk"]
    secret: Secret | None = None


class FeishuChannel(Robot):
    """A Feishu custom robot; `secret` signs where 签名校验 is on. An address is an open_id or a user_id."""

    type: Literal["feishu"]
    secret: Secret | None = None
