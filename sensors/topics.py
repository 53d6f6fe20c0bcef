"""Topics of the native scheme: who may write where, and which of the two sessions hears it.

The class stands in the topic, so that one wildcard catches life safety and nothing else: MQTT has no "all but".
`docs/devices.md` describes the scheme for the people who write firmware.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sensors.readings import Kind

BASE: Final = "hallwatch/v1"
NAME_AT_MOST: Final = 128

# Kinds that may have to move people: they travel by the life-safety session.
SAFETY_KINDS: Final = frozenset({Kind.FIRE, Kind.CROWD, Kind.BUTTON, Kind.SEISMIC})
# A room's climate is measured again in a minute; what is said only once is published with QoS 1.
QOS_0_KINDS: Final = frozenset({Kind.ENVIRONMENT})


class TopicClass(StrEnum):
    """The topic's class: life safety, or everything else."""

    SAFETY = "safety"
    TELEMETRY = "telemetry"


def class_of(kind: Kind) -> TopicClass:
    """The class under which a kind is to be published."""
    return TopicClass.SAFETY if kind in SAFETY_KINDS else TopicClass.TELEMETRY


def qos_of(kind: Kind) -> int:
    """The QoS with which a device should publish a kind."""
    return 0 if kind in QOS_0_KINDS else 1


def device_topic(hall: str, device: str, kind: Kind, base: str = BASE) -> str:
    """Where a device publishes a kind."""
    return f"{base}/{hall}/{class_of(kind)}/{device}/{kind}"


def availability_topic(hall: str, device: str, base: str = BASE) -> str:
    """Where a device's retained availability stands; its last will goes there too."""
    return device_topic(hall, device, Kind.AVAILABILITY, base)


def class_filter(hall: str, topic_class: TopicClass, base: str = BASE) -> str:
    """The filter that hears one class of a hall, misshapen topics included: they belong in quarantine."""
    return f"{base}/{hall}/{topic_class}/#"


def gateway_status_topic(hall: str, client_id: str, base: str = BASE) -> str:
    """Where the gateway's own retained birth and last will stand."""
    return f"{base}/{hall}/gateway/{client_id}/status"


def probe_topic(hall: str, lane: str, base: str = BASE) -> str:
    """Where the gateway publishes its synthetic message of one session, and hears it again."""
    return f"{base}/{hall}/gateway/probe/{lane}"


def notice_topic(hall: str, *levels: str, base: str = BASE) -> str:
    """Where notices for signs, speakers and sirens are published, never read by us."""
    return "/".join((base, hall, "notice", *levels))


@dataclass(frozen=True, slots=True)
class DeviceTopic:
    """A device's topic, below the hall: its class, device and kind."""

    topic_class: TopicClass
    device: str
    kind: Kind


class TopicError(ValueError):
    """A topic that the scheme does not know; `reason` is a code of `sensors.decode.reasons`."""

    def __init__(self, reason: str, detail: str, device: str = "") -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.device = device


def parse_device_topic(below_hall: str) -> DeviceTopic:
    """Read `<class>/<device>/<kind>`; raises `TopicError`."""
    levels = below_hall.split("/")
    if levels[0] not in {"safety", "telemetry"}:
        raise TopicError("ignored", f"{levels[0][:64]!r} is no device's class: nothing is read there")
    if len(levels) != 3:  # noqa: PLR2004 - class, device, kind
        raise TopicError("topic_malformed", "the topic must end in <class>/<device>/<kind>")
    topic_class, device, kind = levels
    if not device or len(device) > NAME_AT_MOST or not device.isprintable():
        raise TopicError("topic_malformed", f"a device's name has 1 to {NAME_AT_MOST} printable characters")
    try:
        known = Kind(kind)
    except ValueError:
        raise TopicError("kind_unknown", f"{kind[:64]!r} is no kind of reading", device) from None
    if topic_class == "safety" and known not in SAFETY_KINDS:
        raise TopicError("kind_not_safety", f"{known} belongs under telemetry, not under safety", device)
    return DeviceTopic(TopicClass(topic_class), device, known)
