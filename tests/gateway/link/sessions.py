"""Sessions to test: of either link, linked to a broker, with what they handed over."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from gateway.link.contract import Broker, Delivery, LinkNews
from gateway.link.mqtt5 import Mqtt5Link
from gateway.link.paho import PahoLink
from gateway.link.session import LINKS, opened
from sensors.decode.family import Subscription
from sensors.inputs import Lane

PATIENCE_S = 30.0
ALL = Subscription("hall/#", Lane.TELEMETRY)

AnyLink = PahoLink | Mqtt5Link


@dataclass(slots=True)
class Inlet:
    """What a link handed over."""

    deliveries: list[Delivery] = field(default_factory=list)
    news: list[LinkNews] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def payloads(self) -> list[bytes]:
        return [delivery.packet.payload for delivery in self.deliveries]

    async def count(self, wanted: int) -> None:
        await until(lambda: len(self.deliveries) >= wanted)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.01)


def link_to(broker: Broker, inlet: Inlet, *, lane: Lane = Lane.TELEMETRY, client_id: str = "gateway-1") -> AnyLink:
    """A session of the link that the broker's version asks for; its status topic is `status/<client id>`."""
    return LINKS[broker.version](
        broker,
        client_id=client_id,
        lane=lane,
        status_topic=f"status/{client_id}",
        now=lambda: int(time.time() * 1000),
        deliver=inlet.deliveries.append,
        changed=inlet.news.append,
        refused=inlet.refused.append,
    )


@contextlib.asynccontextmanager
async def linked(
    broker: Broker, inlet: Inlet, *, subscription: Subscription = ALL, client_id: str = "gateway-1"
) -> AsyncIterator[AnyLink]:
    """A session with one subscription, accepted by its broker."""
    link = link_to(broker, inlet, lane=subscription.lane, client_id=client_id)
    link.subscribe([subscription])
    async with asyncio.TaskGroup() as group, opened(link, group):
        await until(lambda: link.connected)
        yield link
