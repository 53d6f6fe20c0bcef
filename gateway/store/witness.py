"""How far each hall's journal was written, kept beside the database: what a damaged file cannot say of itself.

A database that has lost its end is a good database of an earlier hour; nothing in it tells that there was more. After
each commit one block of this file is overwritten in place, without waiting for the disk: it needs no space on a full
one, and never says more than what was committed. A start that finds less than the witness saw says so.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

import msgspec

BLOCK: Final = 4096


class Seen(msgspec.Struct, frozen=True):
    """The index that the next input would have had, when the last one was (ms), and the ids given out by letter."""

    index: int = 0
    at: int = 0
    counters: dict[str, int] = msgspec.field(default_factory=dict)


class Witness:
    """One hall's witness. `path` None keeps nothing: a server's database has its own ways."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.seen = Seen()
        self._handle: int | None = None
        if path is not None:
            with contextlib.suppress(OSError, msgspec.DecodeError):
                self.seen = msgspec.json.decode(path.read_bytes().rstrip(b" \n\x00"), type=Seen)

    def saw(self, index: int, at: int, counters: dict[str, int]) -> None:
        """A batch was committed. A witness that cannot be written stops nothing."""
        self.seen = Seen(index, at, self.seen.counters | counters if counters else self.seen.counters)
        if self._path is None:
            return
        with contextlib.suppress(OSError):
            if self._handle is None:
                self._handle = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            os.pwrite(self._handle, msgspec.json.encode(self.seen).ljust(BLOCK - 1) + b"\n", 0)

    def close(self) -> None:
        """Let the file go."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


class Witnesses:
    """The witnesses of all halls of one database file."""

    def __init__(self, database: Path | None) -> None:
        self._database = database
        self._halls: dict[str, Witness] = {}

    def of(self, hall: str) -> Witness:
        """One hall's."""
        if hall not in self._halls:
            path = None if self._database is None else Path(f"{self._database}.end-{hall}")
            self._halls[hall] = Witness(path)
        return self._halls[hall]

    def close(self) -> None:
        """Let the files go."""
        for witness in self._halls.values():
            witness.close()
