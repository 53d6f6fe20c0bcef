"""A blocking call in a thread that nobody waits for.

The event loop's own threads are joined when the process ends: a name server or a handshake that hangs would hold up
an orderly stop for as long as it likes. This one is left behind.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable


async def in_daemon(call: Callable[[], None], name: str) -> None:
    """Run `call`, and raise what it raises. When this is cancelled the call goes on, and its end interests nobody."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def tell(error: Exception | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        failed = None
        try:
            call()
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits has it
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, failed)

    threading.Thread(target=run, name=name, daemon=True).start()
    await done
