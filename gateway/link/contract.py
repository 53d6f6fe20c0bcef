"""What the pipeline asks of a link to the broker: packets in, acknowledgements and publications out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from sensors.decode.family import Packet, Subscription
from sensors.inputs import Lane


@dataclass(frozen=True, slots=True)
class Delivery:
    """One PUBLISH in hand. `mid` and `epoch` say which one on which connection: an acknowledgement for an
    older connection would hit another message under the same id, so it is dropped.
    """

    packet: Packet
    mid: int
    epoch: int


class Link(Protocol):
    """One MQTT session."""

    lane: Lane

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Send PUBACK for committed messages, in the order in which they came."""
        ...

    def subscribe(self, subscriptions: Iterable[Subscription]) -> None:
        """Hold exactly these subscriptions, now and at every connect."""
        ...

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Hand a message to the session; it is sent when the link is up."""
        ...


Deliver = Callable[[Delivery], None]


@dataclass(frozen=True, slots=True)
class LinkNews:
    """A session came `up` or went down; `missed`: the broker had lost it, so messages may be lost too."""

    lane: Lane
    up: bool
    missed: bool = False


LinkChanged = Callable[[LinkNews], None]
