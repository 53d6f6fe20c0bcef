"""Listening in: what one device says as it comes, with what became of each message. For people at work on a device.

Nobody listens nearly always, so that costs one look for each message. Who listens and does not keep up misses some, and
is told how many: the path waits for nobody.
"""

import contextlib
from asyncio import Queue
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from sensors.decode.family import Packet
from sensors.decode.reception import Received
from sensors.errors import HallwatchError

TAPS_AT_MOST: Final = 20
WAITING_AT_MOST: Final = 500


class TooManyTapsError(HallwatchError):
    """So many listen in already."""

    code = "too_many_taps"


class Tapped(msgspec.Struct, frozen=True):
    """A message as it came, and what became of it."""

    packet: Packet
    received: Received


class Tap:
    """One listener. `address` is the device's name on the wire: by it also what nobody could read is its own."""

    def __init__(self, device: str, address: str) -> None:
        self.device = device
        self._level = f"/{address}/"
        self.missed = 0
        self.queue: Queue[Tapped | None] = Queue(WAITING_AT_MOST)

    def take(self, tapped: Tapped) -> None:
        """Take it, if it is from the device."""
        device = tapped.received.device
        if device != self.device and (device or self._level not in f"{tapped.packet.topic}/"):
            return
        if self.queue.full():
            self.missed += 1
        else:
            self.queue.put_nowait(tapped)


class Taps:
    """All who listen in on one hall."""

    def __init__(self) -> None:
        self._taps: set[Tap] = set()
        self._closed = False

    def __bool__(self) -> bool:
        """True while somebody listens."""
        return bool(self._taps)

    @contextlib.contextmanager
    def listening(self, device: str, address: str) -> Iterator[Tap]:
        """Listen while the block runs. Raises `TooManyTapsError`."""
        if len(self._taps) >= TAPS_AT_MOST:
            raise TooManyTapsError(f"{TAPS_AT_MOST} listen in already")
        tap = Tap(device, address)
        if self._closed:
            tap.queue.put_nowait(None)
        self._taps.add(tap)
        try:
            yield tap
        finally:
            self._taps.discard(tap)

    def tell(self, tapped: Iterable[Tapped]) -> None:
        """What came in and is committed now."""
        for one in tapped:
            for tap in self._taps:
                tap.take(one)

    def close(self) -> None:
        """Nothing comes any more."""
        self._closed = True
        for tap in self._taps:
            if tap.queue.full():
                tap.queue.get_nowait()
            tap.queue.put_nowait(None)
