"""The time of the day, as the machine has it."""

import time


def real_now() -> int:
    """The time, ms since the epoch."""
    return time.time_ns() // 1_000_000
