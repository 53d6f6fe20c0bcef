"""Plays scenarios: through the path and a real store at the clock of the scenario, and reads how it ended."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from heapq import merge
from pathlib import Path

from alerts.core import Core
from alerts.engine import Engine
from alerts.model import Alarm, Book, Message, Run, Ticket
from gateway.batch import BatchMaker
from gateway.playback import FINE, Later, Played, Router, Slicing, play
from gateway.store.sql import Store, open_store, sqlite_url
from sensors.actions import write_action
from sensors.decode.family import Packet
from sensors.decode.reception import Reception
from sensors.facts import FactKind
from sensors.hall.hall import Hall
from sensors.inputs import Acted, AnyInput, Lane, Linked, Started
from sensors.site.load import read_site
from sensors.site.model import Site
from simulators.expect import Expect, ExpectedAlarm, ExpectedMessages, ExpectedRun, ExpectedTicket
from simulators.faults import Arriving, Fault, held_up, lay
from simulators.fleet import Fleet
from simulators.human import HumanAction, Reference, Thing
from simulators.scenario import Scenario

EXAMPLE = Path(__file__).parents[2] / "dashboard/sites/university.yaml"
HALL = "main"
# Where nothing is to happen nobody is to be told, and so it does not matter how soon a message counts as sent.
QUIET = Slicing(ms=60_000)


@cache
def example_site() -> tuple[Site, str]:
    """The shipped example and its digest."""
    loaded = read_site(EXAMPLE.read_text("utf-8"), EXAMPLE.name)
    assert loaded.site is not None, loaded.problems
    return loaded.site, loaded.digest


@dataclass(frozen=True, slots=True)
class Ending:
    """All rows at the end."""

    alarms: tuple[Alarm, ...]
    runs: tuple[Run, ...]
    messages: tuple[Message, ...]
    tickets: tuple[Ticket, ...]


async def perform(scenario: Scenario, folder: Path, fault: Fault | None = None, seed: int = 1) -> Ending:
    """Play a scenario to its end on a new store, with a fault between devices and broker, and read the store."""
    site, digest = example_site()
    hall = Hall(site, HALL)
    core = Core(hall, Engine(site, HALL, Book()))
    maker = BatchMaker(core, Reception(site, HALL, hall.state), hall=HALL, index=0)
    start = scenario.start_ms(site)
    begin: list[AnyInput] = [
        Started(start, digest),
        Linked(start, Lane.SAFETY, up=True),
        Linked(start, Lane.TELEMETRY, up=True),
    ]
    router = Router(maker.reception.subscriptions())
    heard = held_up(arriving(scenario, site, fault, seed), scenario.outages(start))
    said = (packet_of(one, router) for one in heard)
    done = (later(action, start) for action in scenario.actions)
    links = [
        Linked(at, lane, up=up)
        for down, back in scenario.outages(start)
        for at, up in ((down, False), (back, True))
        for lane in Lane
    ]
    items: Iterator[Played] = merge(begin, links, said, done, key=lambda item: item.at)
    async with open_store(sqlite_url(folder / "scenario.db")) as store:
        slicing = FINE if scenario.events else QUIET
        await play(maker, store.journal, items, until=start + scenario.duration_s * 1000, slicing=slicing)
        return await read_ending(store)


async def read_ending(store: Store) -> Ending:
    """All alarms, runs, messages and tickets of a store."""
    return Ending(
        tuple(await store.records.alarms(HALL, limit=10_000)),
        tuple(await store.records.runs(HALL, limit=10_000)),
        tuple(await store.records.messages(HALL, limit=10_000)),
        tuple(await store.records.tickets(HALL, limit=10_000)),
    )


def arriving(scenario: Scenario, site: Site, fault: Fault | None, seed: int) -> Iterator[Arriving]:
    """What arrives at the broker of what the scenario's devices say."""
    fleet, start = Fleet(site, scenario.hall, scenario.seed), scenario.start_ms(site)
    said = scenario.publications(site, start, fleet)
    return (Arriving(one.at, one) for one in said) if fault is None else lay(fault, said, fleet, start=start, seed=seed)


def packet_of(one: Arriving, router: Router) -> Packet:
    """A publication as the session that subscribes its topic would hand it over."""
    said = one.said
    return Packet(said.topic, said.payload, router.lane(said.topic), one.at, qos=said.qos, dup=one.dup)


def later(action: HumanAction, start: int) -> Later:
    """A person's action, bound to what is there when its time comes."""
    at = start + round(action.at * 1000)
    return Later(at, lambda core: Acted(at, action.actor, write_action(action.bind(Finder(core.engine.book).find))))


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds what an action speaks of; of several, the newest."""

    book: Book

    def find(self, thing: Thing, reference: Reference) -> str | None:
        """The id, or None."""
        found = {
            "alarm": [one.id for one in self.book.alarms.values() if _alarm_fits(one, reference)],
            "run": [one.id for one in self.book.runs.values() if reference.plan in {None, one.plan.id}],
            "ticket": [one.id for one in self.book.tickets.values() if reference.subject in {None, one.subject.id}],
            "message": [one.id for one in self.book.messages.values() if self._message_fits(one, reference)],
        }[thing]
        return max(found, default=None)

    def _message_fits(self, message: Message, reference: Reference) -> bool:
        run, alarm = self.book.runs.get(message.about), self.book.alarms.get(message.about)
        return (
            reference.person in {None, message.person}
            and reference.channel in {None, message.channel}
            and (reference.plan is None or (run is not None and run.plan.id == reference.plan))
            and (reference.kind is None or (alarm is not None and alarm.kind == reference.kind))
        )


def _alarm_fits(alarm: Alarm, reference: Reference) -> bool:
    return reference.kind in {None, alarm.kind} and reference.subject in {None, alarm.subject.id}


def differences(expect: Expect, ending: Ending) -> list[str]:
    """Where an ending is not what a scenario's file says; empty if it is just that."""
    found: list[str] = []
    ending = _without(expect.perhaps, ending)
    found += _compare("alarm", expect.alarms, [_alarm(one) for one in ending.alarms])
    found += _compare("run", expect.runs, [_run(one) for one in ending.runs])
    found += _compare("ticket", expect.tickets, [_ticket(one) for one in ending.tickets])
    found += _messages(expect.messages, ending)
    return found


def _without(kinds: Collection[FactKind], ending: Ending) -> Ending:
    """What is not asked of alarms that may be there or not."""
    left_out = {alarm.id for alarm in ending.alarms if alarm.kind in kinds}
    return replace(
        ending,
        alarms=tuple(alarm for alarm in ending.alarms if alarm.id not in left_out),
        messages=tuple(message for message in ending.messages if message.about not in left_out),
    )


def _compare(what: str, expected: Iterable[object], actual: Iterable[object]) -> list[str]:
    wanted, had = Counter(map(str, expected)), Counter(map(str, actual))
    missing = [f"missing {what}: {one}" for one in (wanted - had).elements()]
    return missing + [f"unexpected {what}: {one}" for one in (had - wanted).elements()]


def _alarm(one: Alarm) -> ExpectedAlarm:
    return ExpectedAlarm(
        kind=one.kind,
        subject=f"{one.subject.type}/{one.subject.id}",
        active=one.active,
        acknowledged=one.acknowledged is not None,
        verified=one.verified,
        level=one.level,
    )


def _run(one: Run) -> ExpectedRun:
    return ExpectedRun.model_validate(
        {"plan": one.plan.id, "why": one.why, "stage": one.stage.value, "drill": one.drill}
    )


def _ticket(one: Ticket) -> ExpectedTicket:
    return ExpectedTicket.model_validate({"subject": f"{one.subject.type}/{one.subject.id}", "state": one.state.value})


def _messages(expected: Iterable[ExpectedMessages], ending: Ending) -> list[str]:
    about = {run.id: f"plan/{run.plan.id}" for run in ending.runs}
    about |= {alarm.id: f"alarm/{alarm.kind}" for alarm in ending.alarms}
    found: list[str] = []
    named = {entry.about for entry in expected}
    for entry in expected:
        fits = [one for one in ending.messages if about.get(one.about) == entry.about and _fits(one, entry)]
        if len(fits) != entry.count:
            found.append(f"messages {entry.model_dump(exclude_none=True)}: there are {len(fits)}")
    strangers = Counter(about.get(one.about, one.about) for one in ending.messages)
    return found + [f"unexpected messages: {strangers[name]} about {name}" for name in strangers if name not in named]


def _fits(message: Message, entry: ExpectedMessages) -> bool:
    return (
        entry.channel in {None, message.channel}
        and entry.person in {None, message.person}
        and entry.round in {None, message.round}
    )
