"""What nobody must answer and somebody will ask for later: how each window was staffed, and when nobody listened.

Lines of the log, written in the transaction of the input that they follow from. The history of windows is made of
them (`dashboard/server/staffed.py`); nobody is told.
"""

from collections.abc import Sequence
from typing import Final

from alerts.ledger import Ledger
from sensors.hall.floor import Turned
from sensors.hall.state import HallState
from sensors.inputs import Started

STAFFING: Final = "window.staffing"
AWAY: Final = "gateway.away"
SITE: Final = "site.changed"
# A restart is no gap: what came meanwhile waits in the broker.
AWAY_MS: Final = 60_000


class Chronicle:
    """Writes such lines."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def turned(self, turns: Sequence[Turned]) -> None:
        """Windows whose staffing became another one; `detail` is what it became."""
        for turn in turns:
            self._ledger.event(turn.at, turn.window, STAFFING, "", turn.staffing)

    def started(self, item: Started, state: HallState) -> None:
        """The gateway starts, in a state that was last moved when it still listened; `detail` is how long ago."""
        silent = item.at - state.now
        if state.now and silent >= AWAY_MS:
            self._ledger.event(item.at, "gateway", AWAY, "", f"{silent // 1000} s")
        if state.site and state.site != item.site:
            self._ledger.event(item.at, "site", SITE)
