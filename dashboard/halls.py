"""One hall, built: its path, its two sessions, its history and its senders, and the order in which they end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from alerts.core import Core
from alerts.engine import Engine
from alerts.notify.open import open_senders
from alerts.notify.words import Phrasebook
from dashboard.desks import EngineOutbox, HealthOfHistory, LiveView, PutInForce, ReplayFromQuarantine
from dashboard.disk import watch_disk
from dashboard.housekeeping import JOURNAL, QUARANTINE, Tell, keep_house
from dashboard.losses import tell_losses
from dashboard.moment import STEP_MS, hear_steps, real_now
from dashboard.server.desk import HallDesk
from dashboard.sessions import hall_sessions, stands, telling
from dashboard.settings import Settings
from dashboard.watching import WatchParts, watching
from gateway.batch import BatchMaker, Siting
from gateway.clockwork import Clockwork
from gateway.fold import fold
from gateway.history.contract import HistoryQuery, HistorySink
from gateway.history.shipper import Feed, Shipper
from gateway.link.contract import Session
from gateway.link.session import opened
from gateway.overload import watch_bounds
from gateway.pipeline import Pipeline
from gateway.raw import RawMessages
from gateway.sending import SendingLoop
from gateway.store.holes import Lost
from gateway.store.sql import Store
from gateway.taps import Taps
from gateway.watch.commits import MeasuredJournal
from gateway.watch.meters import Meters
from sensors.decode.reception import Reception
from sensors.inputs import Lane, Started
from sensors.site.model import Hall as HallModel
from sensors.site.model import Site

# Before its first SUBSCRIBE a broker keeps nothing for a session, so we are ready only after it, if it comes soon.
FIRST_LINK_S: Final = 2.0
STOP_WITHIN_S: Final = 4.5
# Fewer write the same pages again and again; more would hold the one writer longer than an alarm should wait.
READINGS_AT_ONCE: Final = 150


@dataclass(frozen=True, slots=True)
class History:
    """Where readings go and are asked for."""

    name: str
    sink: HistorySink
    query: HistoryQuery


@dataclass(frozen=True, slots=True)
class HallParts:
    """What one hall is built from."""

    settings: Settings
    siting: Siting
    hall: HallModel
    sites: Mapping[str, Site]
    store: Store
    history: History
    clock: Clockwork
    words: Phrasebook
    meters: Meters
    sitings: dict[str, Siting] = field(default_factory=dict)
    taps: Taps = field(default_factory=Taps)

    @property
    def site(self) -> Site:
        """The site file of the start. What of it is opened once stays so until the next."""
        return self.siting.site


@contextlib.asynccontextmanager
async def open_hall(parts: HallParts, group: asyncio.TaskGroup) -> AsyncIterator[HallDesk]:
    """One hall's path: folded, linked, shipping and sending; the end closes the inlet first and drains."""
    lost = await parts.store.journal.mend(parts.hall.id)
    losses = [] if lost is None else [lost]
    maker = await load_maker(parts, losses)
    journal = MeasuredJournal(parts.store.journal, parts.meters, parts.hall.id, maker.index)
    pipeline = Pipeline(maker, journal, parts.clock, recover=lambda: load_maker(parts))
    hear_steps(parts.clock, pipeline.stepped)
    sessions = hall_sessions(parts.settings, parts.site, parts.hall.id, parts.clock, pipeline)
    shipper = await _shipper(parts, pipeline)
    async with (
        open_senders(parts.site.channels, sessions[Lane.SAFETY].announce, real_now) as senders,
        contextlib.AsyncExitStack() as inlet,
    ):
        sending = SendingLoop(pipeline, EngineOutbox(pipeline), senders, parts.words)
        path = group.create_task(pipeline.run(sessions), name=f"path-{parts.hall.id}")
        out = group.create_task(sending.run(), name=f"sending-{parts.hall.id}")
        shipping = group.create_task(shipper.run(), name=f"history-{parts.hall.id}")
        hall = parts.hall.id
        stood = {one for one in (JOURNAL, QUARANTINE) if stands(pipeline, one, hall)}
        house = keep_house(parts.store, hall, parts.site.limits, _teller(pipeline, hall), stood)
        bounds = watch_bounds(pipeline, parts.clock.now, lambda: pipeline.core.hall.state)
        disk = watch_disk(parts.settings.data, telling(pipeline, "disk", hall), low=stands(pipeline, "disk", hall))
        watches = [group.create_task(one, name=f"watch-{parts.hall.id}") for one in (house, bounds, disk)]
        await _start(pipeline, parts, losses)
        watched = await inlet.enter_async_context(watching(_watch_parts(parts, pipeline, sessions, journal), group))
        for session in sessions:
            await inlet.enter_async_context(opened(session, group))
        await _first_linked(sessions)
        yield HallDesk(
            path=pipeline,
            view=LiveView(pipeline),
            records=parts.store.records,
            past=parts.store.past,
            quarantine=parts.store.quarantine,
            replay=ReplayFromQuarantine(pipeline),
            history=parts.history.query,
            health=HealthOfHistory(parts.history.name, shipper),
            watch=watched,
            resite=PutInForce(pipeline, parts.sitings),
            raw=RawMessages(parts.hall.id, pipeline, parts.store.journal, parts.store.quarantine),
            taps=parts.taps,
        )
        for watch in watches:
            watch.cancel()
        await inlet.aclose()
        await _drain(sending, out, pipeline, path)
        shipping.cancel()


async def _start(pipeline: Pipeline, parts: HallParts, losses: list[Lost]) -> None:
    """Say that we start, and what was lost by then. A store that does not answer keeps nobody from hearing."""
    ahead = pipeline.core.hall.state.now - parts.clock.now()
    if ahead > STEP_MS:  # the clock was set back while nobody looked: time must not stand still until it is there again
        pipeline.stepped(pipeline.core.hall.state.now, -ahead)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FIRST_LINK_S):
            await pipeline.put_in_force(Started(parts.clock.now(), parts.siting.digest), parts.siting)
    tell_losses(pipeline, parts.hall.id, ZoneInfo(parts.hall.timezone), losses, parts.store.damage)


def _watch_parts(
    parts: HallParts, pipeline: Pipeline, sessions: Sequence[Session], journal: MeasuredJournal
) -> WatchParts:
    return WatchParts(parts.hall.id, pipeline, sessions, journal, parts.store, parts.meters, parts.site.watch.probe_s)


def _teller(pipeline: Pipeline, hall: str) -> Tell:
    return lambda condition, wrong: pipeline.raised(condition, hall, holds=bool(wrong), detail=wrong)


async def _first_linked(sessions: Iterable[Session]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FIRST_LINK_S):
            for session in sessions:
                await session.subscribed.wait()


async def _drain(sending: SendingLoop, out: asyncio.Task[None], pipeline: Pipeline, path: asyncio.Task[None]) -> None:
    """Finish what is in hand, within the time that an orderly stop has; the rest is not lost, only not done."""
    sending.close()
    await asyncio.wait({out}, timeout=STOP_WITHIN_S / 3)
    out.cancel()
    pipeline.close()
    await asyncio.wait({path}, timeout=STOP_WITHIN_S / 2)
    path.cancel()


async def load_maker(parts: HallParts, losses: list[Lost] | None = None) -> BatchMaker:
    """Fold a hall's journal and load what is open: the beginning of a run, and of a new try after a failed batch.

    What nobody can read of it any more is added to `losses`.
    """
    name, journal = parts.hall.id, parts.store.journal
    folded = await fold(journal, name, parts.siting.digest, parts.sites)
    unreadable = [await journal.blank(name, row) for row in folded.damaged]
    if losses is not None:
        losses += unreadable
    # The site that the journal ends with; the start, and each that comes into force later, bring their own.
    siting = parts.sitings.get(folded.site) or Siting(folded.site, parts.sites[folded.site])
    engine = Engine(siting.site, name, await journal.book(name))
    reception = Reception(siting.site, name, folded.hall.state, siting.keys)
    return BatchMaker(Core(folded.hall, engine), reception, hall=name, index=folded.index, taps=parts.taps)


async def _shipper(parts: HallParts, pipeline: Pipeline) -> Shipper:
    """The one history that this site has; the cursor of another would hold the journal back for ever."""
    for cursor in await parts.store.cursors.all(parts.hall.id):
        if cursor.name != parts.history.name:
            await parts.store.cursors.forget(parts.hall.id, cursor.name)
            if stands(pipeline, "history_behind", cursor.name):
                pipeline.raised("history_behind", cursor.name, holds=False)

    def tell(behind: bool, why: str) -> None:
        pipeline.raised("history_behind", parts.history.name, holds=behind, detail=f"history_behind {why}")

    feed = Feed(
        hall=parts.hall.id,
        name=parts.history.name,
        read=pipeline.reads,
        salt=await parts.store.records.secret("badges"),
        batch=parts.site.influx.batch if parts.site.influx is not None else READINGS_AT_ONCE,
        recent=pipeline.recent,
        give_way=pipeline.give_way,
    )
    told = stands(pipeline, "history_behind", parts.history.name)
    return Shipper(parts.store.journal, parts.store.cursors, parts.history.sink, feed, tell=tell, told=told)
