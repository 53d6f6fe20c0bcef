"""Instants as a person at this terminal reads them."""

from datetime import UTC, datetime


def local_time(at: int) -> str:
    """An instant (ms since the epoch) in this machine's zone, with its offset."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone().isoformat(" ", "seconds")
