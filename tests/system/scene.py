"""A hall in which something is going on, so that a fault of broker or network has something to spoil.

Wang sits at window 1, the printer has a paper jam, and smoke-1 says fire: the alarms are acknowledged and the plan
has been stood down, so that from then on nobody is told anything but what the fault itself brings.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.system.hallwatch import Hallwatch
from tests.system.ledger import Kept, read_kept
from tests.system.small_site import Parts, small_site
from tests.system.talking import SAYS, Devices
from tests.system.witness import Witness

PATIENCE_S = 40.0
KEEPALIVE_S = 5
# Everything that silence might turn into a false fact passes in seconds; a busy machine may still be late by some.
QUICK = (
    "{equipment_raise_s: 0, equipment_clear_s: 0, broker_lost_s: 1, staffed_decay_s: 1, unstaffed_after_s: 1,"
    " start_grace_s: 8, mains: {stale_s: 8, offline_s: 16}}"
)
HERE_BEFORE = ("fire/smoke-1", "equipment_fault/printer-1")


@contextlib.asynccontextmanager
async def running(
    folder: Path, port: int, *, version: str = "5", thresholds: str = QUICK, speed: float = 1.0
) -> AsyncIterator[Hallwatch]:
    """A gateway on the small site while the block runs; the loop goes on meanwhile, and with it a proxy."""
    # Half the usual: only keep-alive tells of a broker that has vanished, and a test waits for it.
    site = small_site(Parts(port, version=version, thresholds=thresholds)).replace(
        "keepalive_s: 10", f"keepalive_s: {KEEPALIVE_S}"
    )
    gateway = Hallwatch(folder / "gateway", site, speed=speed)
    await asyncio.to_thread(gateway.start)
    try:
        yield gateway
    finally:
        await asyncio.to_thread(gateway.stop)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not await true():
            await asyncio.sleep(0.05)


async def page(gateway: Hallwatch) -> dict[str, Any]:
    """What a page is shown that is opened now: entities by `type/id`."""
    connector = aiohttp.UnixConnector(str(gateway.socket))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.ws_connect("http://localhost/api/v1/live") as live,
    ):
        entities: dict[str, Any] = (await live.receive_json(timeout=10))["entities"]
        return entities


async def page_of_now(gateway: Hallwatch) -> dict[str, Any]:
    """The page once it shows all that is stored: beside another page it may be a tick older than the API."""
    shown: dict[str, Any] = {}

    async def is_so() -> bool:
        nonlocal shown
        shown = await page(gateway)
        return bool(shown["hall/main"]["stored"] == (await gateway.account())["stored"])

    await until(is_so)
    return shown


async def links(gateway: Hallwatch) -> dict[str, bool]:
    """The two sessions as the hall has them."""
    found: dict[str, bool] = (await gateway.get("/api/v1/status"))["halls"][0]["links"]
    return found


async def down(gateway: Hallwatch) -> None:
    """Wait until no session is up."""

    async def away() -> bool:
        return not any((await links(gateway)).values())

    await until(away)


async def up(gateway: Hallwatch) -> None:
    """Wait until both are."""

    async def back() -> bool:
        return all((await links(gateway)).values())

    await until(back)


async def alarms(gateway: Hallwatch) -> list[dict[str, Any]]:
    """The alarms that are open."""
    items: list[dict[str, Any]] = (await gateway.get("/api/v1/alarms"))["items"]
    return items


async def said(gateway: Hallwatch, what: str) -> list[dict[str, Any]]:
    """The lines of the log of this kind."""
    items = (await gateway.get("/api/v1/events?limit=500"))["items"]
    return [item for item in items if item["what"] == what]


async def begin(gateway: Hallwatch, devices: Devices) -> None:
    """Bring the hall about, and answer its alarms."""
    await gateway.linked()
    await devices.badge("AA01")
    await devices.round()

    async def is_so() -> bool:
        shown = await page(gateway)
        kinds = {one["kind"] for one in await alarms(gateway)}
        return shown["window/w1"]["staffing"] == "staffed" and kinds == {"fire", "equipment_fault"}

    await until(is_so)
    for run in (await gateway.get("/api/v1/runs"))["items"]:
        await gateway.act(do="stand_down", run=run["id"], reason="false_alarm")
    await answer(gateway)
    await settled(gateway)


async def answer(gateway: Hallwatch) -> None:
    """Acknowledge what nobody has acknowledged."""
    for one in await alarms(gateway):
        if one.get("acknowledged") is None:
            await gateway.act(do="acknowledge", alarm=one["id"])


async def settled(gateway: Hallwatch) -> None:
    """Wait until what the broker holds for us has come."""
    before = -1
    while before != (before := sum((await gateway.account()).values())):
        await asyncio.sleep(0.3)


async def behind(gateway: Hallwatch, devices: Devices) -> int:
    """How many messages the broker has acknowledged and the gateway has not stored."""
    return devices.count - (await gateway.account())["stored"]


async def caught_up(gateway: Hallwatch, devices: Devices) -> None:
    """Wait until the gateway has stored everything: for a broker that has lost nothing."""

    async def is_so() -> bool:
        return await behind(gateway, devices) == 0

    await until(is_so)


async def staffed_again(gateway: Hallwatch) -> None:
    """Wait until everything is heard and window 1 is staffed again."""

    async def is_so() -> bool:
        shown = await page(gateway)
        heard = all(shown[f"device/{name}"]["liveness"] == "online" for name in SAYS)
        return heard and shown["window/w1"]["staffing"] == "staffed"

    await until(is_so)


@dataclass(frozen=True, slots=True)
class Ending:
    """What stands in the store once the gateway has ended, for the questions that every fault is asked."""

    kept: Kept
    gaps: dict[str, int]

    @property
    def raised(self) -> Counter[str]:
        """How often an alarm was raised, by key."""
        names = {alarm.id: alarm.key for alarm in self.kept.alarms}
        return Counter(names[event.about] for event in self.kept.events if event.what == "alarm.raised")

    def told(self, what: str) -> Counter[str]:
        """How often the log has this line, by what it is about."""
        return Counter(event.about for event in self.kept.events if event.what == what)

    def cleared(self) -> set[str]:
        """The keys of the alarms whose condition is over."""
        return {alarm.key for alarm in self.kept.alarms if not alarm.active}

    def lost(self, devices: Devices) -> dict[str, int]:
        """By device, how many messages the broker had acknowledged to it and no longer had for us."""
        return {
            name: missing
            for name, numbers in devices.sent.items()
            if (missing := len(set(numbers) - self.kept.sequences[name].keys()))
        }


async def end(gateway: Hallwatch) -> Ending:
    """Stop the gateway in good order, and read what it has kept."""
    shown = await page_of_now(gateway)
    await asyncio.to_thread(gateway.stop)
    gaps = {name: gaps for name in SAYS if (gaps := shown[f"device/{name}"].get("gaps", 0))}
    return Ending(await read_kept(gateway.store), gaps)


def unharmed(ending: Ending, devices: Devices, witness: Witness | None = None, also: str = "") -> None:
    """What no fault may do: lose or double what was acknowledged, make up a fact, raise more than its one alarm.

    And what it must do: show, device by device, just as many gaps as the broker has lost messages. `also` is the key of
    one more alarm that the fault may raise.
    """
    kept = ending.kept
    for name, count in kept.sequences.items():
        assert set(count.values()) == {1}, f"{name}: stored twice: {[n for n, times in count.items() if times > 1]}"
    if witness is not None:
        promised = [(name, number) for name, number in witness.acknowledged if number not in kept.sequences[name]]
        assert not promised, "acknowledged and not stored"
        assert witness.acknowledged
    assert ending.gaps == ending.lost(devices)
    assert ending.cleared() <= {"broker_lost", also}, "cleared by silence, or by coming back"
    assert not [event for event in kept.events if event.what == "ticket.done"]
    assert ending.raised - Counter({"broker_lost": 1, also: 1}) == Counter(HERE_BEFORE)
    assert kept.resumed == kept.from_empty
