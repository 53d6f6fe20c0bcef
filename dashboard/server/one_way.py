"""A WebSocket on which only we speak: the page's and the display's. What a client may send is a pong, or a ping.

Reading costs us what sending costs a stranger, and anybody may open a display's. So whoever says something is sent
away at the first word, and whoever pings without end at the first too many.
"""

import asyncio
from typing import Final

from aiohttp import WSMsgType, web

from dashboard.server.throttle import Few

# In a minute; we ask three times, and a program or a proxy may ask as well.
SIGNS_MOST: Final = 60


def one_way() -> web.WebSocketResponse:
    """Such a socket, before its handshake."""
    # Deltas are small and written once for all pages; compressing them for each would undo that.
    return web.WebSocketResponse(heartbeat=20, max_msg_size=4096, compress=False, timeout=1.0, autoping=False)


async def listen(socket: web.WebSocketResponse) -> None:
    """Returns when the client goes, or has to."""
    signs = Few(SIGNS_MOST)
    clock = asyncio.get_running_loop().time
    async for message in socket:
        if message.type not in {WSMsgType.PING, WSMsgType.PONG} or not signs.another(int(clock() * 1000)):
            return
        if message.type is WSMsgType.PING:
            await socket.pong(message.data)
