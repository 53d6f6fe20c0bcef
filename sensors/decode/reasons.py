"""Why a message was not taken: stable codes, each with a sentence in both languages.

Codes travel (database, API, page); sentences are for people. A `refused` message is understood and not wanted;
every other reason sends the message to quarantine, whence it can be replayed after the mend.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason. `refused` tells it from a reason for quarantine."""

    code: str
    zh: str
    en: str
    refused: bool = False


REASONS: Final[dict[str, Reason]] = {
    reason.code: reason
    for reason in (
        Reason("topic_unknown", "没有任何设备协议使用这个主题", "No device family of this site speaks on this topic"),
        Reason("topic_malformed", "主题的层级不符合约定", "The topic has not the agreed levels"),
        Reason("kind_unknown", "主题中的读数类型未知", "The topic names a kind of reading that does not exist"),
        Reason("kind_not_safety", "该读数类型不得使用安全类主题", "This kind must not be published under safety"),
        Reason("too_large", "消息超过大小上限", "The message is larger than allowed"),
        Reason("invalid_json", "消息不是有效的 JSON", "The message is not valid JSON"),
        Reason(
            "invalid_value", "某个字段缺失、类型不符或超出范围", "A field is missing, of another type or out of range"
        ),
        Reason(
            "device_mismatch", "消息中的设备与主题中的设备不一致", "The message and its topic name different devices"
        ),
        Reason("sequence_without_boot", "有序号 seq 却没有启动号 boot", "A sequence number came without a boot number"),
        Reason("topic_too_long", "主题超过长度上限", "The topic is longer than allowed"),
        Reason("signature_missing", "设备配有密钥，消息却没有签名", "The device has a key, the message no signature"),
        Reason(
            "signature_wrong",
            "签名不符：并非该设备所发，或已被改动",
            "Not signed by this device, or changed since",
        ),
        Reason(
            "signature_old",
            "签了名，但太旧，无法与重放区分",
            "Signed, and so old that it may be a copy which somebody says again",
        ),
        Reason(
            "signature_unnumbered",
            "签了名，却没有 boot 和 seq，无法与重放区分",
            "Signed without boot and seq: it may be a copy which somebody says again",
        ),
        Reason("failed", "处理这条消息时系统出错", "The system failed on this message"),
        Reason("ignored", "该主题不是设备读数，不予处理", "This topic carries no readings", refused=True),
        Reason("retired", "设备已停用", "The device is retired", refused=True),
        Reason("over_rate", "设备发送过快，超出其配额", "The device sends more than its share", refused=True),
        Reason("too_many_devices", "设备总数已达上限", "There are as many devices as allowed", refused=True),
        Reason("too_many_topics", "主题数量已达上限", "There are as many topics as allowed", refused=True),
        Reason("quarantine_full", "隔离区暂时已满", "The quarantine has grown enough for now", refused=True),
        Reason("too_many_unknown", "未登记的设备过多", "Too many devices are waiting for approval", refused=True),
    )
}
