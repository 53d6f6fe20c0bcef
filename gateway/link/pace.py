"""When a session connects again, and what is wrong where it never stays.

Shared by both links. Pauses double while the broker cannot be reached. One that takes us and loses us again at once,
time after time, is a bad network, or another client with our id: the broker throws one out for the other, and two
that come back at once would do that to each other for ever. Then attempts become rare, and people are told.
"""

import random
import time
from collections.abc import Callable
from typing import Final

FIRST_S: Final = 0.5
# Whatever happened before: a broker that is back must not wait long for us, since until then nobody hears a fire. One
# hall's gateway that knocks every few seconds burdens nobody.
LONGEST_S: Final = 5.0
STEADY_S: Final = 30.0
SHORT_ONES: Final = 4
TAKEN, UNSTEADY = "session_taken", "link_unsteady"


class Pace:
    """Of one session. `tell` is given what is wrong with it, a code, and "" when it has stayed for half a minute."""

    def __init__(
        self, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic, *, stood: bool = False
    ) -> None:
        """Begin with nothing wrong. `stood`: a process before this one has told people, and that it is over is news."""
        self._tell = tell
        self._clock = clock
        self._since: float | None = None
        self._failed = self._short = self._taken = 0
        self._told = UNSTEADY if stood else ""

    def accepted(self) -> None:
        """The broker has taken us."""
        self._since = self._clock()
        self._failed = 0

    def taken(self) -> None:
        """The broker says that another client has come with our id."""
        self._taken += 1

    def tended(self) -> None:
        """The connection lives; asked now and then."""
        if self._since is not None and self._clock() - self._since >= STEADY_S:
            self._short = self._taken = 0
            self._say("")

    def pause_s(self) -> float:
        """The connection has ended, or could not be had: how long to wait before the next."""
        self.tended()
        if self._since is None:
            pause = min(FIRST_S * float(1 << self._failed), LONGEST_S)
            self._failed = min(self._failed + 1, 10)
        else:
            self._short += self._clock() - self._since < STEADY_S
            pause = min(FIRST_S * float(1 << max(0, self._short - SHORT_ONES + 1)), LONGEST_S)
            self._short = min(self._short, 10)
            if self._taken > 1:
                self._say(TAKEN)
            elif self._short >= SHORT_ONES:
                self._say(UNSTEADY)
        self._since = None
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret

    def _say(self, what: str) -> None:
        if what != self._told:
            self._told = what
            self._tell(what)
