"""The figures that stand somewhere already, read when somebody asks: names and units by Prometheus' conventions.

Devices are counted by their state and never named: a label for each would make thousands of series of one figure,
and a badge reader's name says where a person was.
"""

import platform
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from alerts.model import MessageState, Priority, Stage, TicketState
from dashboard.server.desk import HallDesk, House
from dashboard.server.live import Hub
from gateway.watch.watched import Watched
from sensors.hall.account import sum_of
from sensors.hall.state import Liveness, Origin

OUTCOMES: Final = ("stored", "duplicate", "quarantined", "refused", "awaiting", "probe")
# What is still to be told or was given up; what was answered is over.
OUTBOX: Final = tuple(state for state in MessageState if state not in {MessageState.ANSWERED, MessageState.SUPERSEDED})
COUNTING: Final = (Origin.SITE, Origin.APPROVED)
MS: Final = 1000

# The value of each label beside the hall, and the figure.
Values = Iterable[tuple[tuple[str, ...], float]]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of every hall: `labels` stand beside `hall`; `grows` makes it a counter."""

    name: str
    text: str
    read: Callable[[HallDesk, Watched], Values]
    labels: tuple[str, ...] = ()
    grows: bool = False


class HallFigures(Collector):
    """Reads every hall's state between two awaits of the event loop, which is where `/metrics` runs."""

    def __init__(self, house: House, hubs: Iterable[Hub]) -> None:
        self._desks = tuple(house.halls.values())
        self._hubs = tuple(hubs)
        self._turned_away = house.turned_away

    def describe(self) -> Iterable[Metric]:
        """Nothing: else the registry would read everything once when this is put in."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All figures."""
        build = GaugeMetricFamily("hallwatch_build_info", "The release that runs.", labels=("version", "python"))
        build.add_metric((version("hallwatch"), platform.python_version()), 1)
        yield build
        yield GaugeMetricFamily("hallwatch_page_clients", "Open pages.", sum(hub.clients for hub in self._hubs))
        turned_away = CounterMetricFamily(
            "hallwatch_browsers_turned_away",
            "Browsers that a bound of the site file kept out or cut off, by the bound.",
            labels=("bound",),
        )
        for bound, count in self._turned_away.counts.items():
            turned_away.add_metric((bound,), count)
        yield turned_away
        watched = [(desk, desk.watch()) for desk in self._desks]
        for figure in FIGURES:
            make = CounterMetricFamily if figure.grows else GaugeMetricFamily
            family = make(f"hallwatch_{figure.name}", figure.text, labels=("hall", *figure.labels))
            for desk, seen in watched:
                for labels, value in figure.read(desk, seen):
                    family.add_metric((desk.id, *labels), value)
            yield family


def _one(value: float) -> Values:
    return (((), value),)


def _each(kinds: Iterable[str], things: Iterable[Hashable]) -> Values:
    """How many there are of each kind, none included: a series that comes and goes hides its zero."""
    found = Counter(things)
    return [((str(kind),), found[kind]) for kind in kinds]


def _outcomes(desk: HallDesk, _: Watched) -> Values:
    sums = sum_of(desk.view.state)
    return [((outcome,), getattr(sums, outcome)) for outcome in OUTCOMES]


def _stalled(desk: HallDesk, _: Watched) -> Values:
    since = desk.path.stalled_since
    return _one(0.0 if since is None else max(0.0, (desk.path.now() - since) / MS))


def _devices(desk: HallDesk, _: Watched) -> Values:
    return _each(Liveness, (one.liveness for one in desk.view.state.devices.values() if one.origin in COUNTING))


def _awaiting(desk: HallDesk, _: Watched) -> Values:
    return _one(sum(one.origin is Origin.DISCOVERED for one in desk.view.state.devices.values()))


def _silent(desk: HallDesk, _: Watched) -> Values:
    return _each(Priority, (one.priority for one in desk.view.book.alarms.values() if one.acknowledged is None))


FIGURES: Final = (
    Figure("messages", "Messages by what became of each.", _outcomes, ("outcome",), grows=True),
    Figure(
        "sequence_gap_messages",
        "Messages that devices numbered and nobody received.",
        lambda desk, _: _one(sum_of(desk.view.state).gaps),
    ),
    Figure(
        "account_unexplained_messages",
        "Messages received, and neither counted nor in hand.",
        lambda _, seen: _one(seen.balance.unexplained),
    ),
    Figure(
        "account_uneven_devices",
        "Devices whose outcomes do not add up to what was received.",
        lambda _, seen: _one(len(seen.balance.devices)),
    ),
    Figure(
        "account_lost_messages",
        "Messages that were unexplained when their session was cut; the broker delivers them again.",
        lambda _, seen: _one(seen.balance.lost),
        grows=True,
    ),
    Figure(
        "link_up",
        "1 while the session to the broker is up.",
        lambda _, seen: [((one.lane,), one.up) for one in seen.sessions],
        ("lane",),
    ),
    Figure(
        "link_received",
        "PUBLISH packets received since the process began.",
        lambda _, seen: [((one.lane,), one.received) for one in seen.sessions],
        ("lane",),
        grows=True,
    ),
    Figure(
        "path_waiting_inputs",
        "Messages and inputs that wait for their batch.",
        lambda _, seen: _one(seen.waiting),
    ),
    Figure(
        "journal_next_index",
        "The index that the next input of the journal will have.",
        lambda _, seen: _one(seen.index),
    ),
    Figure("store_stalled_seconds", "Since when the store takes nothing; 0 while it does.", _stalled),
    Figure("store_answers", "1 while the store answers questions.", lambda _, seen: _one(seen.store.answers)),
    Figure("store_size_bytes", "Size of the operations store.", lambda _, seen: _one(seen.store.bytes)),
    Figure(
        "quarantine_held_messages",
        "Messages in quarantine that wait for a person.",
        lambda _, seen: _one(seen.store.held),
    ),
    Figure(
        "history_behind_inputs",
        "Inputs that the history has not got yet.",
        lambda desk, _: [((desk.health().store,), desk.health().behind)],
        ("store",),
    ),
    Figure(
        "history_refused_points",
        "Points that the history refused since the process began.",
        lambda desk, _: [((desk.health().store,), desk.health().refused)],
        ("store",),
        grows=True,
    ),
    Figure("devices", "Devices that count, by liveness.", _devices, ("liveness",)),
    Figure("devices_awaiting_approval", "Devices that nobody has approved yet.", _awaiting),
    Figure(
        "alarms_open",
        "Open alarms.",
        lambda desk, _: _each(Priority, (one.priority for one in desk.view.book.alarms.values())),
        ("priority",),
    ),
    Figure("alarms_unacknowledged", "Open alarms that nobody has answered.", _silent, ("priority",)),
    Figure(
        "outbox_messages",
        "Messages to people that are not over.",
        lambda desk, _: _each(OUTBOX, (one.state for one in desk.view.book.messages.values())),
        ("state",),
    ),
    Figure(
        "plan_runs",
        "Runs of emergency plans under way.",
        lambda desk, _: _each((Stage.VERIFY, Stage.ACTIVE), (one.stage for one in desk.view.book.runs.values())),
        ("stage",),
    ),
    Figure(
        "tickets_open",
        "Maintenance tickets that are not done.",
        lambda desk, _: _each(
            (TicketState.OPEN, TicketState.ACCEPTED), (one.state for one in desk.view.book.tickets.values())
        ),
        ("state",),
    ),
    Figure(
        "probe_age_seconds",
        "Time since the newest synthetic message that came back was sent.",
        lambda _, seen: [((one.lane,), one.age_s) for one in seen.probes],
        ("lane",),
    ),
    Figure(
        "probe_late",
        "1 when no synthetic message has come back for three periods.",
        lambda _, seen: [((one.lane,), one.late) for one in seen.probes],
        ("lane",),
    ),
)
