"""Joins what watches a hall's path: its sessions, its probes, its balance and its store."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiohttp import ClientSession

from alerts.notify.secret import read_secret
from dashboard.server.desk import Watch
from dashboard.sessions import stands, telling
from gateway.link.contract import Session as Link
from gateway.pipeline import Pipeline
from gateway.store.sql import Store
from gateway.watch.balance import Balancer
from gateway.watch.commits import MeasuredJournal
from gateway.watch.heartbeat import Beat, Heart
from gateway.watch.meters import Meters
from gateway.watch.probing import Prober
from gateway.watch.survey import Survey
from gateway.watch.watched import Session, Watched
from sensors.site.watch import Heartbeat


@dataclass(frozen=True, slots=True)
class WatchOfHall:
    """What the server asks about one hall's path."""

    path: Pipeline
    links: Sequence[Link]
    prober: Prober
    balancer: Balancer
    survey: Survey

    def __call__(self) -> Watched:
        """As of now."""
        return Watched(
            sessions=tuple(_session(link) for link in self.links),
            probes=self.prober.look(),
            balance=self.balancer.look(),
            store=self.survey.look(),
            waiting=self.path.waiting,
            index=self.path.index,
        )

    @property
    def works(self) -> bool:
        """True while every session's last probe is fresh and the store takes what comes."""
        return self.path.stalled_since is None and all(probe.fresh for probe in self.prober.look())

    def tell(self, condition: str, wrong: str) -> None:
        """Raise a condition of the gateway's own, or clear it."""
        self.path.raised(condition, condition, holds=bool(wrong), detail=wrong)

    def stands(self, condition: str) -> bool:
        """Whether such a condition stands."""
        return stands(self.path, condition, condition)


@dataclass(frozen=True, slots=True)
class WatchParts:
    """What a hall's watch is built from."""

    hall: str
    path: Pipeline
    links: Sequence[Link]
    journal: MeasuredJournal
    store: Store
    meters: Meters
    probe_s: float


@contextlib.asynccontextmanager
async def watching(parts: WatchParts, group: asyncio.TaskGroup) -> AsyncIterator[WatchOfHall]:
    """Watch a hall's path until the block ends. Begin when it runs, and before its sessions are opened."""
    hall, path = parts.hall, parts.path
    prober = Prober(
        hall,
        path,
        parts.links,
        probes=lambda: path.core.hall.state.probes,
        committed=lambda: parts.journal.committed,
        period_s=parts.probe_s,
        meters=parts.meters,
        tell=lambda lane, wrong: path.raised("path", lane, holds=bool(wrong), detail=wrong),
        told=[name for name in (link.lane.name.lower() for link in parts.links) if stands(path, "path", name)],
    )
    balancer = Balancer(
        path,
        parts.links,
        lambda: path.core.hall.state,
        telling(path, "account", "account"),
        told=stands(path, "account", "account"),
    )
    survey = Survey(parts.store.reader, parts.store.quarantine, hall)
    watch = WatchOfHall(path, parts.links, prober, balancer, survey)
    tasks = [
        group.create_task(prober.run(), name=f"probes-{hall}"),
        group.create_task(balancer.run(), name=f"balance-{hall}"),
        group.create_task(survey.run(), name=f"survey-{hall}"),
    ]
    yield watch
    for task in tasks:
        task.cancel()


@contextlib.asynccontextmanager
async def beating(
    wanted: Heartbeat | None, watches: Sequence[Watch], meters: Meters, group: asyncio.TaskGroup
) -> AsyncIterator[None]:
    """The heartbeat to the outside, where the site names one: while every hall's path works."""
    stood = watches[0].stands("heartbeat")
    if wanted is None:
        if stood:
            watches[0].tell("heartbeat", "")
        yield
        return
    beat = Beat(read_secret(wanted.url), wanted.every_s, wanted.method, wanted.timeout_s)

    def tell(wrong: str) -> None:
        watches[0].tell("heartbeat", wrong)

    async with ClientSession() as client:
        heart = Heart(beat, client, lambda: all(watch.works for watch in watches), meters, tell, told=stood)
        task = group.create_task(heart.run(), name="heartbeat")
        yield
        task.cancel()


def _session(link: Link) -> Session:
    return Session(link.lane.name.lower(), link.connected, link.subscribed.is_set(), link.received)
