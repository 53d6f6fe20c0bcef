"""Builds the whole application, read from top to bottom: store, history, senders, halls, server.

Every resource is a block and every long task a child of one group. SIGTERM closes the inlet, drains what has come
in and ends; a part that dies takes the process down with its real error.
"""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import ClientSession

from alerts.notify.links import Links
from alerts.notify.secret import read_secret
from alerts.notify.words import Phrasebook
from dashboard.browsers import browsers_watched
from dashboard.halls import HallParts, History, open_hall
from dashboard.keys import device_keys
from dashboard.moment import SteadyClock, following_wall, real_now
from dashboard.reload import Reloading, on_hangup
from dashboard.server.accounts import Doors
from dashboard.server.answer import Answering
from dashboard.server.app import Wishes, make_app
from dashboard.server.desk import HallDesk, House
from dashboard.server.serve import serving
from dashboard.server.stage import Stage
from dashboard.sessions import SiteRefusedError
from dashboard.settings import Settings
from dashboard.turning import turning
from dashboard.watching import beating
from gateway.batch import Siting
from gateway.clockwork import Clockwork
from gateway.history.readings import ReadingsHistory, ReadingsSink
from gateway.influx.query import InfluxHistory
from gateway.store.sql import Store, open_store
from gateway.watch.meters import Meters
from sensors.site.load import Loaded, read_site
from sensors.site.model import Site
from sensors.site.problem import format_problems

SWITCH_S: Final = 0.0005

Ready = Callable[[Doors], Awaitable[None]]


async def run_system(
    settings: Settings, *, clock: Clockwork | None = None, ready: Ready | None = None, stage: Stage | None = None
) -> None:
    """Run until SIGTERM or SIGINT. `ready` is called once everything answers. `stage`: the demo's."""
    loaded = _load(settings)
    site = _site_of(loaded)
    time_of = clock or Clockwork(SteadyClock())
    stopping = _stop_on_signals()
    async with (
        open_store(settings.store_address, [hall.id for hall in site.halls]) as store,
        _history(site, store) as history,
        asyncio.TaskGroup() as group,
    ):
        await store.sites.keep(loaded.digest, settings.site_text)
        sites = {loaded.digest: site} | await _kept_sites(store, settings.site_text)
        links = Links(await store.records.secret("links"), settings.public_url)
        words = {hall.id: Phrasebook(ZoneInfo(hall.timezone), links, real_now) for hall in site.halls}
        doors = Doors(store.accounts, real_now)
        meters = Meters()
        async with contextlib.AsyncExitStack() as halls:
            desks: dict[str, HallDesk] = {}
            sitings = {hall.id: Siting(loaded.digest, site, device_keys(hall)) for hall in site.halls}
            for hall in site.halls:
                parts = HallParts(
                    settings,
                    sitings[hall.id],
                    hall,
                    sites,
                    store,
                    history,
                    time_of,
                    words[hall.id],
                    meters,
                    {loaded.digest: sitings[hall.id]},
                )
                desks[hall.id] = await halls.enter_async_context(open_hall(parts, group))
            await halls.enter_async_context(following_wall(time_of, group))
            reloading = Reloading(settings.site_file, sitings, desks, store.sites, sites)
            reload = reloading if settings.site_file is not None else None
            house = House(desks, store.tokens, store.audit, meters, reload)
            watches = [desk.watch for desk in desks.values()]
            answering = Answering(links, lambda message: words[message.hall](message), real_now)
            app = make_app(house, doors, answering, _wishes(settings, site, stage))
            await halls.enter_async_context(beating(site.watch.heartbeat, watches, meters, group))
            async with serving(app, settings.host, settings.port, settings.socket, settings.exposure.tls):
                _settle_interpreter()
                if ready is not None:
                    await ready(doors)
                async with turning(group), on_hangup(house.reload, group), browsers_watched(house, group):
                    await stopping.wait()


def _settle_interpreter() -> None:
    """What stands now stands for good: the collector need not look through it each time, and hold an alarm for it.

    Nor may the event loop hold the store's threads for Python's 5 ms each time that they ask for the interpreter, which
    a commit does several times.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_S)


@contextlib.asynccontextmanager
async def _history(site: Site, store: Store) -> AsyncIterator[History]:
    """InfluxDB where the site names one, else the readings table beside the journal."""
    influx = site.influx
    if influx is None:
        yield History("readings", ReadingsSink(store.writer), ReadingsHistory(store.reader))
        return
    # InfluxDB's client takes a third of a second to load: only a site that names InfluxDB waits for it.
    from gateway.influx.ship import open_sink  # noqa: PLC0415

    token = read_secret(influx.token).get_secret_value()
    async with open_sink(influx.url, influx.org, influx.bucket, token) as sink, ClientSession() as session:
        yield History("influxdb", sink, InfluxHistory(session, influx.url, influx.bucket, token))


async def _kept_sites(store: Store, known: str) -> dict[str, Site]:
    loaded = [read_site(text, "kept") for text in await store.sites.texts() if text != known]
    return {item.digest: item.site for item in loaded if item.site is not None}


def _wishes(settings: Settings, site: Site, stage: Stage | None) -> Wishes:
    token = site.watch.metrics_token
    return Wishes(
        settings.public_url,
        settings.demo,
        settings.clock_rate,
        settings.exposure.open_view,
        settings.exposure.behind_proxy,
        settings.open_names,
        metrics_token=None if token is None else read_secret(token),
        stage=stage,
    )


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
