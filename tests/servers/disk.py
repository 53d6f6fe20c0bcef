"""Real file systems of a test's own, to be filled to the last byte or made read-only under a running process."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BLOCK = 65_536


class SmallDisk:
    """A mounted file system; made by `tmpfs` or `ext4`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ballast = folder / "ballast"

    def fill(self) -> None:
        """Write until not one byte more goes in; most of it is only reserved, so that a large one is full at once."""
        with self.ballast.open("ab", buffering=0) as file:
            _reserve(file.fileno())
            for size in (BLOCK, 512, 1):
                while _write(file.fileno(), size):
                    pass

    def free(self) -> None:
        """Give the space back."""
        self.ballast.unlink()

    def forbid(self, *names: str) -> None:
        """Make files read-only even for who has them open, root included (ext4's immutable flag)."""
        _run("chattr", "+i", *(str(self.folder / name) for name in names))

    def allow(self, *names: str) -> None:
        """Undo `forbid`."""
        _run("chattr", "-i", *(str(self.folder / name) for name in names))


def _reserve(handle: int) -> None:
    size, left = 0, os.fstatvfs(handle)
    step = left.f_bavail * left.f_frsize
    while step >= BLOCK:
        try:
            os.posix_fallocate(handle, size, step)
            size += step
        except OSError:
            step //= 2


def _write(handle: int, size: int) -> bool:
    try:
        return os.write(handle, b"x" * size) > 0
    except OSError:
        return False


@contextmanager
def tmpfs(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """A file system in memory."""
    folder.mkdir(parents=True)
    with _mounted(folder, "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs"):
        yield SmallDisk(folder)


@contextmanager
def ext4(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """An ext4 in a file beside the folder."""
    folder.mkdir(parents=True)
    image = folder.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    _run("mkfs.ext4", "-q", "-m", "0", str(image))
    with _mounted(folder, "-o", "loop", str(image)):
        yield SmallDisk(folder)
    image.unlink()


@contextmanager
def _mounted(folder: Path, *what: str) -> Iterator[None]:
    _run("mount", *what, str(folder))
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip(f"{command[0]} is not on this machine: install the Debian packages mount and e2fsprogs")
    if done.returncode != 0:
        pytest.skip(f"no file system of a test's own here (run as root): {' '.join(command)}: {done.stderr.strip()}")
