"""The visitors of one day: when they come, how long they wait, when they are served and leave.

Arrivals are a non-homogeneous Poisson process (by thinning) with peaks in the middle of the morning and of the
afternoon; each service is a queue before the windows that offer it. All of a day is drawn from its seed at once,
so what happens at eleven does not depend on when somebody began to look.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import Final

from sensors.site.calendar import Span
from sensors.site.model import Service, Window

# Share of the windows' capacity that the busiest minute asks for; at two thirds, queues are short, as on most days.
LOAD: Final = 0.65
LAST_CALL_MS: Final = 600_000
MINUTE_MS: Final = 60_000
ARRIVE, FREE, OPEN, CLOSE = range(4)


@dataclass(slots=True)
class Visit:
    """A visitor: comes, is served from `begin` on, and leaves; `begin` equals `leave` if never served."""

    service: str
    come: int
    begin: int
    leave: int
    window: str = ""


def shape(minute: float) -> float:
    """How busy a minute of the day is, 0 to about 1: peaks at 10:00 and 14:35."""
    morning = math.exp(-(((minute - 600) / 75) ** 2))
    afternoon = math.exp(-(((minute - 875) / 75) ** 2))
    return 0.25 + 0.70 * morning + 0.55 * afternoon


def poisson(rng: Random, start: int, end: int, peak_per_s: float, rate: Callable[[int], float]) -> Iterator[int]:
    """Instants (ms) of a Poisson process of rate `peak_per_s · rate(at)`, `rate` being at most 1."""
    at = float(start)
    while peak_per_s > 0:
        at += rng.expovariate(peak_per_s) * 1000
        if at >= end:
            return
        if rng.random() < rate(int(at)):
            yield int(at)


@dataclass(slots=True)
class _Desk:
    window: Window
    open: bool = False
    busy: bool = False


@dataclass(slots=True)
class Queueing:
    """One day's queues before the windows."""

    services: dict[str, Service]
    rng: Random
    desks: dict[str, _Desk] = field(default_factory=dict)
    waiting: dict[str, deque[Visit]] = field(default_factory=dict)
    done: list[Visit] = field(default_factory=list)
    events: list[tuple[int, int, int, str]] = field(default_factory=list)

    def run(self, windows: dict[str, tuple[Window, tuple[Span, ...]]], midnight: int) -> list[Visit]:
        """Serve everybody who comes; `windows` with their opening periods of the day."""
        for window, spans in windows.values():
            self.desks[window.id] = _Desk(window)
            for start, end in spans:
                self._put(start, OPEN, window.id)
                self._put(end, CLOSE, window.id)
        for service in self.services.values():
            self.waiting[service.id] = deque()
            offering = [(window, spans) for window, spans in windows.values() if service.id in window.services]
            for at in self._arrivals(service, offering, midnight):
                self._put(at, ARRIVE, service.id)
        while self.events:
            at, what, _, about = heappop(self.events)
            self._happen(at, what, about)
        return sorted(self.done, key=lambda visit: (visit.come, visit.service))

    def _arrivals(
        self, service: Service, offering: list[tuple[Window, tuple[Span, ...]]], midnight: int
    ) -> Iterator[int]:
        def share(at: int) -> float:
            """The windows that will still be open in ten minutes, each divided by the services it offers."""
            later = at + LAST_CALL_MS
            return sum(
                1 / len(window.services)
                for window, spans in offering
                if any(start <= at and later < end for start, end in spans)
            )

        most = sum(1 / len(window.services) for window, _ in offering)
        spans = [span for _, spans in offering for span in spans]
        if not spans:
            return
        first, last = min(start for start, _ in spans), max(end for _, end in spans)
        peak = LOAD * most / service.service_time_s
        busy = poisson(
            self.rng, first, last, peak, lambda at: shape((at - midnight) / MINUTE_MS) * share(at) / max(most, 1e-9)
        )
        yield from busy

    def _happen(self, at: int, what: int, about: str) -> None:
        if what == ARRIVE:
            self.waiting[about].append(Visit(about, at, at, at))
        elif what == FREE:
            self.desks[about].busy = False
        elif what == OPEN:
            self.desks[about].open = True
        else:
            self.desks[about].open = False
            self._send_home(at)
        self._serve(at)

    def _send_home(self, at: int) -> None:
        for service, queue in self.waiting.items():
            if not any(desk.open and service in desk.window.services for desk in self.desks.values()):
                while queue:
                    visit = queue.popleft()
                    visit.begin = visit.leave = at + int(self.rng.uniform(5_000, 50_000))
                    self.done.append(visit)

    def _serve(self, at: int) -> None:
        for desk in self.desks.values():
            if not desk.open or desk.busy:
                continue
            longest = max(desk.window.services, key=lambda service: len(self.waiting[service]), default=None)
            if longest is None or not self.waiting[longest]:
                continue
            visit = self.waiting[longest].popleft()
            # A gamma of shape 6: most take about as long as the mean, few three times as long.
            takes = self.rng.gammavariate(6, self.services[longest].service_time_s / 6)
            visit.begin, visit.leave, visit.window = at, at + int(takes * 1000), desk.window.id
            desk.busy = True
            self.done.append(visit)
            self._put(visit.leave, FREE, desk.window.id)

    def _put(self, at: int, what: int, about: str) -> None:
        heappush(self.events, (at, what, len(self.events), about))


def strollers(rng: Random, spans: tuple[Span, ...], people: float, midnight: int) -> list[tuple[int, int]]:
    """Stays of people who are in a zone for something else; about `people` of them at the busiest time."""
    mean_s = 240.0
    return [
        (at, min(at + int(rng.gammavariate(3, mean_s / 3) * 1000), end + LAST_CALL_MS))
        for start, end in spans
        for at in poisson(rng, start, end, people / mean_s, lambda at: shape((at - midnight) / MINUTE_MS))
    ]
