"""Sees from outside the event loop that it no longer turns: nothing within it could say so.

A thread counts the turns of the loop. While there are some it tells the supervisor (systemd) that we live; when there
have been none for `LIMIT_S` it writes down once what the loop's thread is doing, and says nothing more: systemd then
ends the process and starts it again, and what was acknowledged is on disk.
"""

import asyncio
import contextlib
import logging
import os
import socket
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Callable
from typing import Final

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
LIMIT_S: Final = 15.0

# Tells the supervisor one line of sd_notify(3): READY=1, WATCHDOG=1, STOPPING=1.
Notify = Callable[[str], None]


def systemd() -> Notify:
    """How systemd, or whoever keeps its protocol, is told; without one nobody is."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return lambda _line: None
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]

    def notify(line: str) -> None:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.settimeout(0)
                out.sendto(line.encode("ascii"), address)
        except OSError as error:
            log.warning("cannot tell systemd %s: %s", line, error)

    return notify


class Turning:
    """Looks every `look_s`; `turn` is what the loop calls.

    Looks are counted and not seconds: a process that was suspended as a whole did not look either.
    """

    def __init__(self, notify: Notify, *, limit_s: float, look_s: float) -> None:
        self._notify = notify
        self._look_s = look_s
        self._patience = max(1, round(limit_s / look_s))
        self._loop_thread = threading.get_ident()
        self._turned = threading.Event()
        self._over = threading.Event()
        self._missed = 0

    def turn(self) -> None:
        """The loop turns."""
        self._turned.set()

    def end(self) -> None:
        """Look no more."""
        self._over.set()

    def run(self) -> None:
        """The thread: look until the end."""
        while not self._over.wait(self._look_s):
            self._look()

    def _look(self) -> None:
        if self._turned.is_set():
            self._turned.clear()
            if self._missed >= self._patience:
                log.error("the event loop turns again, after %.1f s", self._missed * self._look_s)
            self._missed = 0
        else:
            self._missed += 1
        if self._missed < self._patience:
            self._notify("WATCHDOG=1")
        elif self._missed == self._patience:
            # A stack holds lines of code and no values: nothing of people or secrets gets into the log.
            frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001 - its documented name
            stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
            log.critical("the event loop has not turned for %.1f s; it is in:\n%s", self._missed * self._look_s, stack)


@contextlib.asynccontextmanager
async def turning(
    group: asyncio.TaskGroup, notify: Notify | None = None, *, limit_s: float = LIMIT_S, look_s: float = LOOK_S
) -> AsyncIterator[None]:
    """Say that everything stands, and watch the loop until the block ends."""
    tell = notify or systemd()
    watch = Turning(tell, limit_s=limit_s, look_s=look_s)

    async def turn() -> None:
        while True:
            watch.turn()
            await asyncio.sleep(look_s / 2)

    tell("READY=1")
    task = group.create_task(turn(), name="turning")
    thread = threading.Thread(target=watch.run, name="turning", daemon=True)
    thread.start()
    try:
        yield
    finally:
        tell("STOPPING=1")
        watch.end()
        task.cancel()
