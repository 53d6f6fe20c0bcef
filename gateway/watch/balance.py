"""Holds the account against what the sessions received: a message that is neither counted nor in hand is an alarm.

Two counts that share no line of code: a session counts each PUBLISH where it is parsed, the account is what the
journal folds to. Between them stands what waits in the path. All three are read between two awaits of the event
loop, so at every instant received = counted + in hand; a message delivered twice is received twice and counted twice.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

from gateway.watch.watched import Balance
from sensors.hall.account import sum_of, uneven
from sensors.hall.state import HallState
from sensors.inputs import Lane

EVERY_S: Final = 1.0
# So many looks in a row must find the same: a batch that failed is out of sight while it is taken apart.
LOOKS: Final = 5
SHOWN: Final = 5

# What does not balance, in figures; "" when everything does.
Tell = Callable[[str], None]


class Link(Protocol):
    """A session, as far as it is counted."""

    lane: Lane

    @property
    def received(self) -> int:
        """PUBLISHes since the process began."""
        ...


class Path(Protocol):
    """The path, as far as it is counted."""

    @property
    def stalled_since(self) -> int | None:
        """Since when the store takes nothing, ms since the epoch; None while it does."""
        ...

    @property
    def in_hand(self) -> int:
        """Messages that were delivered and not counted yet."""
        ...


class Balancer:
    """One hall's balance. `run` is its only task; `look` answers at once."""

    def __init__(
        self, path: Path, links: Sequence[Link], state: Callable[[], HallState], tell: Tell, *, told: bool = False
    ) -> None:
        """Begin before the first message: what was counted by now is another process's. `told`: as it told people."""
        self._path = path
        self._links = links
        self._state = state
        self._tell = tell
        self._before = sum_of(state()).received
        self._lost = 0
        self._seen = 0
        self._looks = 0
        self._told = told
        self._balance = Balance()
        self._links_since: Mapping[str, int] = {}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(EVERY_S)
            self.check()

    def look(self) -> Balance:
        """What stood at the last check."""
        return self._balance

    def check(self) -> None:
        """Look once; what is found so many times in a row is told."""
        if self._path.stalled_since is not None:
            return
        self._forgive()
        difference = self._difference()
        self._looks = self._looks + 1 if difference == self._seen else 1
        self._seen = difference
        if self._looks < LOOKS and difference:
            return
        self._balance = Balance(difference, self._lost, tuple(uneven(self._state())))
        self._say(self._words())

    def _difference(self) -> int:
        received = sum(link.received for link in self._links)
        counted = sum_of(self._state()).received - self._before
        return received - counted - self._path.in_hand - self._lost

    def _forgive(self) -> None:
        """What was missing when its session was cut was never acknowledged: the broker delivers it again."""
        since = dict(self._state().link_since)
        if since != self._links_since and self._balance.unexplained > 0:
            self._lost += self._balance.unexplained
            self._balance = Balance(0, self._lost, self._balance.devices)
            self._seen = self._looks = 0
        self._links_since = since

    def _words(self) -> str:
        """Figures and ids, which need no language."""
        balance = self._balance
        if balance.even:
            return ""
        received = sum(link.received for link in self._links) - self._lost
        counted = sum_of(self._state()).received - self._before
        said = [f"{received} ≠ {counted} + {self._path.in_hand}"] if balance.unexplained else []
        return "; ".join([*said, _some(balance.devices)] if balance.devices else said)

    def _say(self, words: str) -> None:
        if bool(words) is not self._told:
            self._tell(words)
        self._told = bool(words)


def _some(devices: Iterable[str]) -> str:
    named = list(devices)
    return ", ".join(named[:SHOWN]) + (f" (+{len(named) - SHOWN})" if len(named) > SHOWN else "")
