"""When something is said again. What would have been said again while nobody was there to say it is said once.

A gateway that comes back after a week finds some hundred thousand repeats due of each alarm: each would be decided in
its turn, and all of that before the first message is taken.
"""


class Repeats:
    """Of one hall."""

    def __init__(self) -> None:
        self.absent_until = 0

    def after(self, at: int, every_s: int) -> int:
        """The next instant (ms) at which to say it again; of those that were missed, the last."""
        every = every_s * 1000
        missed = max(0, self.absent_until - at - every) // every
        return at + every * (1 + missed)
