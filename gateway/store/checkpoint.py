"""Moves what is committed from SQLite's write-ahead log into the database, beside the writer and not in its way.

SQLite would do so by itself, in whichever commit fills the log: tens of milliseconds, in which an alarm's commit waits.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
# From here on the log is emptied; SQLite's own limit is a thousand pages as well.
LOG_BYTES: Final = 4 * 2**20
# Where writing never rests the log grows all the same, until the writer waits for a moment: pages of 4 kB.
PAGES_AT_MOST: Final = 8192


@contextmanager
def checkpointing(file: Path) -> Iterator[None]:
    """Keep the log of this database short while the block runs, on a thread and a connection of its own."""
    ended = threading.Event()
    thread = threading.Thread(target=_keep_short, args=(file, ended), name="store-checkpoint", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _keep_short(file: Path, ended: threading.Event) -> None:
    log_file = file.with_name(file.name + "-wal")
    moved = 0
    while not ended.wait(LOOK_S):
        try:
            size = log_file.stat().st_size
            # A log that is emptied keeps its length and is written again from its beginning.
            if size > LOG_BYTES:
                moved = _checkpoint(file)
        except (OSError, sqlite3.Error) as error:
            # A full or broken disk is the writer's to tell; here it only means that the log stays as it is.
            log.debug("no checkpoint of %s after %d pages: %s", file, moved, error)


def _checkpoint(file: Path) -> int:
    """Move what can be moved without anybody waiting (PASSIVE); the number of pages that are moved."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as connection:
        _, _, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return int(moved)
