"""How much is taken from whom: a bucket for each device, the distinct topics, and what the quarantine may take.

Asked at the door, before the journal: what is refused here is counted and changes nothing else. Nothing here is
asked about a fire or a call for help. Time is that at which each message was received, so a test can drive it.
"""

from typing import Final

from sensors.decode.family import Packet
from sensors.site.limits import Limits

# What a message costs grows by one for each so many bytes (as a shift): 16 KiB, the longest that a device sends.
_SIZE_SHIFT: Final = 14
# A row of the quarantine costs what is kept of its message, and about so much beside it.
ROW_BYTES: Final = 500
# The quarantine is trimmed once a minute: in that time it may grow by its own size, so it is never over twice that.
_REFILL_MS: Final = 60_000
# The clock was set back by more than that: what was counted by the old one says nothing.
_STEP_MS: Final = 1000


class Bounds:
    """The bounds of one hall. Each bucket is one number: the time at which it will be full again (ms)."""

    __slots__ = (
        "_burst",
        "_full",
        "_interval",
        "_latest",
        "_most",
        "_quarantine",
        "_quarantined_at",
        "_topics",
        "limits",
    )

    def __init__(self, limits: Limits) -> None:
        """All buckets are full."""
        self.limits = limits
        self._interval = 1000 / limits.rate_per_s
        self._most = limits.burst
        self._burst = limits.burst * self._interval
        self._full: dict[str, float] = {}
        self._latest = 0
        self._topics: set[str] = set()
        self._quarantine = 0.0
        self._quarantined_at = 0

    def in_time(self, device: str, packet: Packet) -> bool:
        """Take what one message costs from its device's bucket; False when there is not so much in it."""
        at = packet.at
        if at < self._latest - _STEP_MS:
            self._full.clear()
        self._latest = at
        full = self._full.get(device, 0.0)
        if full < at:  # noqa: PLR1730 - `max` costs thrice as much, for every message
            full = at
        size = len(packet.payload) >> _SIZE_SHIFT
        full += self._interval * min(1 + size, self._most) if size else self._interval
        if full - at > self._burst:
            return False
        self._full[device] = full
        return True

    def known_topic(self, topic: str) -> bool:
        """Whether a topic is among those heard, or may become one."""
        if topic in self._topics:
            return True
        if len(self._topics) >= self.limits.topics:
            return False
        self._topics.add(topic)
        return True

    def quarantine_takes(self, packet: Packet, kept: int) -> bool:
        """Take a row's size from what the quarantine may grow by; False when it has grown enough for now."""
        at = packet.at
        if at < self._quarantined_at - _STEP_MS:
            self._quarantine = 0.0
        self._quarantined_at = at
        cost = (min(len(packet.payload), kept) + ROW_BYTES) * _REFILL_MS / (self.limits.quarantine_mib * 2**20)
        full = max(self._quarantine, at) + cost
        if full - at > _REFILL_MS:
            return False
        self._quarantine = full
        return True


def no_room(limits: Limits, known: int, discovered: int) -> str:
    """Why one more device that nobody has named cannot be listed beside so many, "" if it can."""
    if discovered >= limits.unknown_devices:
        return "too_many_unknown"
    return "too_many_devices" if known >= limits.devices else ""
