"""What is asked of a session with the broker: packets in, acknowledgements and publications out."""

import asyncio
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from sensors.decode.family import Packet, Subscription
from sensors.inputs import Lane


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and who we are to it; `password` is the secret itself, read by the composition.

    `max_unacknowledged` messages or `max_unacknowledged_bytes` of their bodies in hand stop the reading: what is not
    read waits in the broker. An MQTT 5 broker is told to send no packet of more than `max_packet_bytes`.
    """

    host: str
    port: int
    version: str = "5"
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None
    keepalive_s: int = 60
    max_unacknowledged: int = 5000
    max_unacknowledged_bytes: int = 64 * 2**20
    max_packet_bytes: int = 16 * 2**20


class Delivery(msgspec.Struct, frozen=True):
    """One PUBLISH in hand. `mid` and `epoch` say which one on which connection: an acknowledgement for an
    older connection would hit another message under the same id, so it is dropped.
    """

    packet: Packet
    mid: int
    epoch: int


class Link(Protocol):
    """One MQTT session, as the pipeline needs it."""

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


class Session(Link, Protocol):
    """One MQTT session, as the composition needs it.

    `connected`: the broker has accepted us. `received` counts the PUBLISHes where they are parsed, for the account to
    be held against. `subscribed` is set when the broker has answered our first subscriptions: from then on it keeps
    messages for us.
    """

    connected: bool
    subscribed: asyncio.Event

    @property
    def received(self) -> int:
        """PUBLISHes so far."""
        ...

    async def announce(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1 and wait for the broker's PUBACK. Raises `OSError` when it does not come."""
        ...

    async def run(self) -> None:
        """Connect, and connect again with back-off and jitter, until cancelled."""
        ...

    async def aclose(self) -> None:
        """Say goodbye: own status offline, then a clean DISCONNECT. The session itself stays with the broker."""
        ...


Deliver = Callable[[Delivery], None]


@dataclass(frozen=True, slots=True)
class LinkNews:
    """A session came `up` or went down; `missed`: the broker had lost it, so messages may be lost too."""

    lane: Lane
    up: bool
    missed: bool = False


LinkChanged = Callable[[LinkNews], None]
