"""The first start: where nobody can log in yet, one link makes the first admin. It is told once, and to no log."""

import logging
import os
import sys
from pathlib import Path
from typing import Final

from dashboard.server.accounts import Doors

LOG = logging.getLogger(__name__)
FILE_NAME: Final = "first-admin.url"


async def invite(doors: Doors, public_url: str, data: Path) -> None:
    """Print the link to a terminal; where there is none, put it into a file for this user alone, and say where.

    A file that an earlier start has left is removed: its link opens nothing.
    """
    file = data / FILE_NAME
    file.unlink(missing_ok=True)
    token = await doors.open_first()
    if token is None:
        return
    # Behind the # it is sent to no server and stands in no proxy's log.
    link = f"{public_url}/#/first/{token}"
    if sys.stdout.isatty():
        print(
            f"\n  首次启动：打开此链接建立管理员（一小时内有效，仅一次）\n  First start: this link makes the admin "
            f"(one hour, once)\n\n  {link}\n",
            flush=True,
        )
        return
    _keep(file, link + "\n")
    LOG.warning("nobody can log in yet: the link in %s makes the first admin, once, within an hour", file)


def _keep(file: Path, text: str) -> None:
    handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)
