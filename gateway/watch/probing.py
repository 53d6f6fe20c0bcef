"""Sends a synthetic message through the whole path of each session, and knows when one has come back.

Back means committed: broker, session, batch, hall state and store have all done their part. What is only decided in
memory, because the store does not answer, has not come back. Periods are real time, whatever clock the hall has.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.watch.meters import Meters
from gateway.watch.watched import Probed
from sensors.decode.probe import Probe, write_probe
from sensors.hall.state import ProbeState
from sensors.inputs import Lane
from sensors.topics import probe_topic

# After so many periods without one that came back the path is not known to work, and people must look.
FRESH_PERIODS: Final = 2
LATE_PERIODS: Final = 3
LONGEST_TICK_S: Final = 1.0
MS: Final = 1000
SILENT: Final = "path_silent"

# The lane, and what is wrong with it: "" when nothing is any more.
Tell = Callable[[str, str], None]


class Link(Protocol):
    """A session, as far as it is probed."""

    lane: Lane
    connected: bool

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Hand a message to the session."""
        ...


class Path(Protocol):
    """The path, as far as it is probed. `index` is that of the next input."""

    @property
    def index(self) -> int:
        """The index that the next input will have."""
        ...

    def now(self) -> int:
        """The gateway's time, ms since the epoch."""
        ...

    async def wait_changed(self, version: int) -> int:
        """Wait until something was committed or decided after `version`; returns the new version."""
        ...


@dataclass(slots=True)
class _Lane:
    """One session's probes. Times with `_s` are of the monotonic clock.

    `since_s`: since when a probe may be expected back; `back_s`: when the newest that came back was sent.
    """

    link: Link
    since_s: float
    back_s: float
    next_s: float = 0.0
    up: bool = False
    id: str = ""
    sent: int = 0
    sent_s: float = 0.0
    index: int | None = None
    at: int | None = None
    took_ms: float | None = None
    told: bool = False


class Prober:
    """One hall's synthetic messages. `run` is its only task; `look` answers at once."""

    def __init__(  # noqa: PLR0913 - what watches a path is given all that the path is made of
        self,
        hall: str,
        path: Path,
        links: Sequence[Link],
        *,
        probes: Callable[[], Mapping[str, ProbeState]],
        committed: Callable[[], int],
        period_s: float,
        meters: Meters,
        tell: Tell,
        told: Collection[str] = (),
    ) -> None:
        """`probes` is what the hall has heard, `committed` the journal's end as the store has it.

        `told`: the sessions of which a process before this one has told people.
        """
        now = time.monotonic()
        self._hall = hall
        self._path = path
        lanes = {link.lane.name.lower(): link for link in links}
        self._lanes = {name: _Lane(link, now, now, told=name in told) for name, link in lanes.items()}
        self._probes = probes
        self._committed = committed
        self._period_s = period_s
        self._meters = meters
        self._tell = tell

    async def run(self) -> None:
        """Probe for ever."""
        version = -1
        tick = min(LONGEST_TICK_S, self._period_s / 4)
        while True:
            self._send_due()
            self._take()
            self._judge()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(tick):
                    version = await self._path.wait_changed(version)

    def look(self) -> tuple[Probed, ...]:
        """How the probes of each session stand."""
        now = time.monotonic()
        return tuple(
            Probed(
                name,
                lane.at,
                lane.took_ms,
                now - lane.back_s,
                fresh=self._fresh(lane, now),
                late=now - lane.back_s > LATE_PERIODS * self._period_s,
            )
            for name, lane in self._lanes.items()
        )

    def _send_due(self) -> None:
        now = time.monotonic()
        for name, lane in self._lanes.items():
            if lane.link.connected is not lane.up:
                # A session that has just come up is tried at once; what was under way by the old one may be lost.
                lane.up, lane.next_s = lane.link.connected, now
            if lane.up and now >= lane.next_s:
                lane.next_s = now + self._period_s
                lane.id, lane.sent, lane.sent_s, lane.index = secrets.token_hex(8), self._path.now(), now, None
                lane.link.publish(probe_topic(self._hall, name), write_probe(Probe(lane.id, lane.sent)))

    def _take(self) -> None:
        heard = self._probes()
        for name, lane in self._lanes.items():
            state = heard.get(name)
            if not lane.id or state is None or state.id != lane.id:
                continue
            lane.index = self._path.index if lane.index is None else lane.index
            if self._committed() >= lane.index:
                took_s = time.monotonic() - lane.sent_s
                lane.at, lane.took_ms, lane.back_s, lane.id = lane.sent, took_s * MS, lane.sent_s, ""
                self._meters.probe_seconds.labels(self._hall, name).observe(took_s)

    def _fresh(self, lane: _Lane, now: float) -> bool:
        return lane.at is not None and now - lane.back_s <= FRESH_PERIODS * self._period_s

    def _judge(self) -> None:
        """Tell people of a session that is said to be up and brings nothing back; a lost broker they know of."""
        now = time.monotonic()
        for name, lane in self._lanes.items():
            if not lane.up:
                lane.since_s = now
            if not lane.told and now - max(lane.back_s, lane.since_s) > LATE_PERIODS * self._period_s:
                lane.told = True
                self._tell(name, SILENT)
            elif lane.told and self._fresh(lane, now):
                lane.told = False
                self._tell(name, "")
