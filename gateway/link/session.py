"""The session that a broker's version asks for, kept while a block runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final, TypeVar

from gateway.link.contract import Session
from gateway.link.mqtt5 import Mqtt5Link
from gateway.link.paho import PahoLink

S = TypeVar("S", bound=Session)

LINKS: Final[dict[str, type[Mqtt5Link] | type[PahoLink]]] = {"5": Mqtt5Link, "3.1.1": PahoLink}


@contextlib.asynccontextmanager
async def opened(link: S, group: asyncio.TaskGroup) -> AsyncIterator[S]:
    """Keep a link connected while the block runs; its end closes the inlet."""
    task = group.create_task(link.run(), name=f"link-{link.lane.name.lower()}")
    try:
        yield link
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await link.aclose()
