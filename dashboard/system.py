"""Builds the whole application, read from top to bottom: store, history, senders, halls, server.

Every resource is a block and every long task a child of one group. SIGTERM closes the inlet, drains what has come
in and ends; a part that dies takes the process down with its real error.
"""

import asyncio
import contextlib
import signal
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import ClientSession

from alerts.core import Core
from alerts.engine import Engine
from alerts.notify.links import Links
from alerts.notify.open import open_senders
from alerts.notify.secret import read_secret
from alerts.notify.words import Phrasebook
from dashboard.desks import EngineOutbox, HealthOfHistory, LiveView, ReplayFromQuarantine
from dashboard.housekeeping import keep_house
from dashboard.server.accounts import Doors
from dashboard.server.answer import Answering
from dashboard.server.app import Wishes, make_app
from dashboard.server.desk import HallDesk, House
from dashboard.server.serve import serving
from dashboard.settings import Settings
from gateway.batch import BatchMaker
from gateway.fold import fold
from gateway.history.contract import HistoryQuery, HistorySink
from gateway.history.readings import ReadingsHistory, ReadingsSink
from gateway.history.shipper import Feed, Shipper
from gateway.influx.query import InfluxHistory
from gateway.influx.ship import open_sink
from gateway.link.paho import Broker, PahoLink, opened
from gateway.pipeline import Clockwork, Pipeline
from gateway.sending import SendingLoop
from gateway.store.sql import Store, open_store, sqlite_url
from sensors.decode.reception import Reception
from sensors.errors import HallwatchError
from sensors.hall.hall import Hall
from sensors.inputs import Lane, Started
from sensors.site.index import SiteIndex
from sensors.site.load import Loaded, read_site
from sensors.site.model import Hall as HallModel
from sensors.site.model import Mqtt, Site
from sensors.site.problem import format_problems
from sensors.topics import gateway_status_topic

# Before its first SUBSCRIBE a broker keeps nothing for a session, so we are ready only after it, if it comes soon.
FIRST_LINK_S: Final = 2.0
STOP_WITHIN_S: Final = 4.5
# More at once would hold the one writer longer than an alarm should wait.
READINGS_AT_ONCE: Final = 100


class SiteRefusedError(HallwatchError):
    """The site file has errors; the text of this error names each with its line and mend."""

    code = "site_refused"


@dataclass(frozen=True, slots=True)
class History:
    """Where readings go and are asked for."""

    name: str
    sink: HistorySink
    query: HistoryQuery


Ready = Callable[[Doors], Awaitable[None]]


async def run_system(settings: Settings, *, clock: Clockwork | None = None, ready: Ready | None = None) -> None:
    """Run until SIGTERM or SIGINT. `ready` is called once everything answers."""
    loaded = _load(settings)
    site = _site_of(loaded)
    time_of = clock or Clockwork(real_now)
    stopping = _stop_on_signals()
    async with (
        open_store(sqlite_url(settings.store)) as store,
        _history(site, store) as history,
        asyncio.TaskGroup() as group,
    ):
        await store.sites.keep(loaded.digest, settings.site_text)
        sites = {loaded.digest: site} | await _kept_sites(store, settings.site_text)
        links = Links(await store.records.secret("links"), settings.public_url)
        words = {hall.id: Phrasebook(ZoneInfo(hall.timezone), links, real_now) for hall in site.halls}
        doors = Doors(store.accounts, real_now)
        async with contextlib.AsyncExitStack() as halls:
            desks: dict[str, HallDesk] = {}
            for hall in site.halls:
                parts = HallParts(settings, site, hall, loaded.digest, sites, store, history, time_of, words[hall.id])
                desks[hall.id] = await halls.enter_async_context(_hall(parts, group))
            house = House(desks, store.accounts)
            answering = Answering(links, lambda message: words[message.hall](message), real_now)
            app = make_app(house, doors, answering, _wishes(settings))
            async with serving(app, settings.host, settings.port, settings.socket):
                if ready is not None:
                    await ready(doors)
                await stopping.wait()


@dataclass(frozen=True, slots=True)
class HallParts:
    """What one hall is built from."""

    settings: Settings
    site: Site
    hall: HallModel
    digest: str
    sites: Mapping[str, Site]
    store: Store
    history: History
    clock: Clockwork
    words: Phrasebook


@contextlib.asynccontextmanager
async def _hall(parts: HallParts, group: asyncio.TaskGroup) -> AsyncIterator[HallDesk]:
    """One hall's path: folded, linked, shipping and sending; the end closes the inlet first and drains."""
    maker = await load_maker(parts)
    pipeline = Pipeline(maker, parts.store.journal, parts.clock, recover=lambda: load_maker(parts))
    sessions = _sessions(parts, pipeline)
    shipper = await _shipper(parts, pipeline)
    async with (
        open_senders(parts.site.channels, sessions[Lane.SAFETY].announce, real_now) as senders,
        contextlib.AsyncExitStack() as inlet,
    ):
        sending = SendingLoop(pipeline, EngineOutbox(pipeline), senders, parts.words)
        path = group.create_task(pipeline.run(sessions), name=f"path-{parts.hall.id}")
        out = group.create_task(sending.run(), name=f"sending-{parts.hall.id}")
        shipping = group.create_task(shipper.run(), name=f"history-{parts.hall.id}")
        tell = _telling(pipeline, "journal", parts.hall.id)
        housekeeping = group.create_task(keep_house(parts.store, parts.hall.id, tell), name=f"house-{parts.hall.id}")
        await pipeline.submit(Started(parts.clock.now(), parts.digest))
        for session in sessions:
            await inlet.enter_async_context(opened(session, group))
        await _first_linked(sessions)
        yield HallDesk(
            site=SiteIndex(parts.site, parts.hall),
            path=pipeline,
            view=LiveView(pipeline),
            records=parts.store.records,
            quarantine=parts.store.quarantine,
            replay=ReplayFromQuarantine(pipeline),
            history=parts.history.query,
            health=HealthOfHistory(parts.history.name, shipper),
        )
        housekeeping.cancel()
        await inlet.aclose()
        await _drain(sending, out, pipeline, path)
        shipping.cancel()


async def _first_linked(sessions: Iterable[PahoLink]) -> None:
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


async def load_maker(parts: HallParts) -> BatchMaker:
    """Fold a hall's journal and load what is open: the beginning of a run, and of a new try after a failed batch."""
    name, journal = parts.hall.id, parts.store.journal
    folded = await fold(journal, name, parts.digest, parts.sites)
    hall = folded.hall if folded.site == parts.digest else Hall(parts.site, name, folded.hall.state)
    engine = Engine(parts.site, name, await journal.book(name))
    reception = Reception(parts.site, name, hall.state)
    return BatchMaker(Core(hall, engine), reception, hall=name, index=folded.index)


def _sessions(parts: HallParts, pipeline: Pipeline) -> list[PahoLink]:
    """Life safety on a session of its own; fixed client ids, so that the broker keeps both for us."""
    broker = _broker(parts.site.mqtt, parts.settings.broker)
    names = {lane: f"hallwatch-{parts.site.site}-{parts.hall.id}-{lane.name.lower()}" for lane in Lane}
    return [
        PahoLink(
            broker,
            client_id=names[lane],
            lane=lane,
            status_topic=gateway_status_topic(parts.hall.id, names[lane]),
            now=parts.clock.now,
            deliver=pipeline.deliver,
            changed=pipeline.linked,
            refused=_telling(pipeline, "subscription_refused", lane.name.lower()),
        )
        for lane in Lane
    ]


def _telling(pipeline: Pipeline, condition: str, subject: str) -> Callable[[str], None]:
    """For a part that says what is wrong with it, and "" when nothing is any more."""

    def tell(detail: str) -> None:
        pipeline.raised(condition, subject, holds=bool(detail), detail=detail)

    return tell


def _broker(mqtt: Mqtt, override: tuple[str, int] | None) -> Broker:
    host, port = override or (mqtt.host, mqtt.port)
    context = None
    if mqtt.tls is not None:
        try:
            context = ssl.create_default_context(cafile=mqtt.tls.ca)
            if mqtt.tls.cert is not None:
                context.load_cert_chain(mqtt.tls.cert, mqtt.tls.key)
        except OSError as error:
            files = ", ".join(file for file in (mqtt.tls.ca, mqtt.tls.cert, mqtt.tls.key) if file is not None)
            raise SiteRefusedError(f"mqtt.tls: {files}: {error}") from error
    return Broker(
        host,
        port,
        version=mqtt.version,
        username=mqtt.username,
        password=None if mqtt.password is None else read_secret(mqtt.password).get_secret_value(),
        tls=context,
        keepalive_s=mqtt.keepalive_s,
        max_unacknowledged=mqtt.max_unacknowledged,
    )


@contextlib.asynccontextmanager
async def _history(site: Site, store: Store) -> AsyncIterator[History]:
    """InfluxDB where the site names one, else the readings table beside the journal."""
    influx = site.influx
    if influx is None:
        yield History("sqlite", ReadingsSink(store.writer), ReadingsHistory(store.reader))
        return
    token = read_secret(influx.token).get_secret_value()
    async with open_sink(influx.url, influx.org, influx.bucket, token) as sink, ClientSession() as session:
        yield History("influxdb", sink, InfluxHistory(session, influx.url, influx.bucket, token))


async def _shipper(parts: HallParts, pipeline: Pipeline) -> Shipper:
    """The one history that this site has; the cursor of another would hold the journal back for ever."""
    for cursor in await parts.store.cursors.all(parts.hall.id):
        if cursor.name != parts.history.name:
            await parts.store.cursors.forget(parts.hall.id, cursor.name)

    def tell(behind: bool, why: str) -> None:
        pipeline.raised("history_behind", parts.history.name, holds=behind, detail=why)

    feed = Feed(
        hall=parts.hall.id,
        name=parts.history.name,
        read=pipeline.reads,
        salt=await parts.store.records.secret("badges"),
        batch=parts.site.influx.batch if parts.site.influx is not None else READINGS_AT_ONCE,
    )
    return Shipper(parts.store.journal, parts.store.cursors, parts.history.sink, feed, tell=tell)


async def _kept_sites(store: Store, known: str) -> dict[str, Site]:
    loaded = [read_site(text, "kept") for text in await store.sites.texts() if text != known]
    return {item.digest: item.site for item in loaded if item.site is not None}


def _wishes(settings: Settings) -> Wishes:
    return Wishes(settings.public_url, settings.demo, settings.clock_rate, settings.open_names)


def _load(settings: Settings) -> Loaded:
    return read_site(settings.site_text, settings.site_name)


def _site_of(loaded: Loaded) -> Site:
    if loaded.site is None:
        raise SiteRefusedError(format_problems(loaded.problems, loaded.name))
    return loaded.site


def _stop_on_signals() -> asyncio.Event:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping


def real_now() -> int:
    """The time, ms since the epoch."""
    return time.time_ns() // 1_000_000
