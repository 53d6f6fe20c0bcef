"""Watches the space on the disk that holds the data, and tells people while there is still time."""

import asyncio
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

EVERY_S: Final = 10.0
# Little is a tenth of the disk, but never more than the first and never less than the second.
AT_MOST: Final = 5 * 2**30
AT_LEAST: Final = 256 * 2**20
# What was little is enough again only when there is so much more.
AGAIN: Final = 1.2

# Told what is wrong, and "" when nothing is any more.
Tell = Callable[[str], None]


def is_low(total: int, free: int, *, was_low: bool) -> bool:
    """Whether so few bytes are free that a person should hear of it."""
    limit = max(AT_LEAST, min(total // 10, AT_MOST))
    return free < limit * (AGAIN if was_low else 1)


async def watch_disk(folder: Path, tell: Tell, *, low: bool = False) -> None:
    """Look for ever. A disk that hangs hangs this task and nothing else. `low`: people were told so before."""
    while True:
        try:
            usage = await asyncio.to_thread(shutil.disk_usage, folder)
        except OSError as error:
            log.warning("cannot look at the disk of %s: %s", folder, error)
        else:
            is_now = is_low(usage.total, usage.free, was_low=low)
            if is_now is not low:
                low = is_now
                tell(f"disk_low {usage.free // 2**20} MiB" if low else "")
        await asyncio.sleep(EVERY_S)
