"""Recordings as they lie on the disk: plain or gzip (`.gz`), read line by line however long they are."""

import gzip
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from sensors.recording import LONGEST_LINE, RecordingError

GZIP: Final = ".gz"


def lines_of(file: Path) -> Iterator[str]:
    """The file's lines; raises `RecordingError` where they cannot be read, with the number of the line."""
    number = 0
    try:
        with _open(file, "rb") as opened:
            while line := opened.readline(LONGEST_LINE + 1):
                number += 1
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise RecordingError(f"{file}:{number}: 不是 UTF-8 · no UTF-8 ({error.reason})") from error
    except (EOFError, zlib.error) as error:
        raise RecordingError(
            f"{file}:{number + 1}: 压缩文件不完整或已损坏 · the gzip file ends early or is damaged ({error})"
        ) from error
    except OSError as error:
        raise RecordingError(f"{file}: {error.strerror or error}") from error


@contextmanager
def writing(file: Path) -> Generator["Writer"]:
    """A new recording, whole lines at a time; an existing file is not overwritten. Raises `RecordingError`.

    Where something fails before the first line there is no file.
    """
    try:
        with _open(file, "xb") as opened:
            writer = Writer(opened)
            try:
                yield writer
            finally:
                if not writer.lines:
                    file.unlink(missing_ok=True)
    except FileExistsError as error:
        raise RecordingError(f"{file}: 已存在，不覆盖 · exists already and is not overwritten") from error
    except OSError as error:
        raise RecordingError(f"{file}: {error.strerror or error}") from error


class Writer:
    """Writes lines."""

    def __init__(self, opened: IO[bytes]) -> None:
        self._opened = opened
        self.lines = 0

    def write(self, *lines: str) -> None:
        """Write these lines."""
        for line in lines:
            self._opened.write(f"{line}\n".encode())
            self.lines += 1


def _open(file: Path, mode: str) -> IO[bytes]:
    opened: IO[bytes] = gzip.open(file, mode) if file.suffix == GZIP else file.open(mode)  # type: ignore[assignment]  # noqa: SIM115
    return opened
