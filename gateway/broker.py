"""The demo's own MQTT broker, in the process, so that a first look needs nothing installed.

It is real MQTT 3.1.1 on a socket, so the demo's path is the real path. It is for nothing else: what it had delivered
but did not get acknowledged is lost at a reconnect, it keeps nothing on disk, and speaks no MQTT 5.
"""

import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from amqtt.broker import Broker  # type: ignore[import-untyped]
from amqtt.contexts import BrokerConfig, ListenerConfig  # type: ignore[import-untyped]
from amqtt.plugins.base import BaseAuthPlugin  # type: ignore[import-untyped]
from amqtt.session import Session  # type: ignore[import-untyped]

LOG = logging.getLogger(__name__)
HOST = "127.0.0.1"
# A session is kept, and queued for, only under a name.
USERNAME = "hallwatch"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker listens. Clients that want their session kept log in under a name; any name will do."""

    host: str
    port: int
    username: str = USERNAME


class NamedAuth(BaseAuthPlugin):  # type: ignore[misc]
    """Lets everybody on this machine in. Who gives no name is anonymous, and amqtt keeps no anonymous session."""

    async def authenticate(self, *, session: Session) -> bool | None:
        """Never refuses: the broker listens on loopback alone and lives as long as the demo."""
        session.is_anonymous = not session.username
        return True


@asynccontextmanager
async def demo_broker(port: int = 0) -> AsyncIterator[Address]:
    """Run the broker on loopback; port 0 takes a free one. Raises `OSError` when the port is taken."""
    address = Address(HOST, port or _free_port())
    # It warns of every packet of a client that reconnects, which is what the demo's devices do.
    logging.getLogger("amqtt").setLevel(logging.ERROR)
    broker = Broker(_config(address))
    await broker.start()
    LOG.warning(
        "embedded MQTT broker on %s:%d: for the demo only (MQTT 3.1.1, no TLS, no passwords, nothing on disk, "
        "unacknowledged messages are lost at a reconnect); use Mosquitto or another broker for a real hall",
        address.host,
        address.port,
    )
    try:
        yield address
    finally:
        await broker.shutdown()


def _config(address: Address) -> BrokerConfig:
    return BrokerConfig(
        listeners={"default": ListenerConfig(bind=f"{address.host}:{address.port}")},
        plugins={f"{NamedAuth.__module__}.{NamedAuth.__qualname__}": {}},
    )


def _free_port() -> int:
    # amqtt does not tell which port it got for 0; between this look and its bind another program could take it.
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
