"""Proof 4: steps 3 and 4 as one, under duplicates, replays, reordering, extra ticks, retained and flagged messages."""

import json
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.core import Core
from alerts.engine import Engine
from alerts.model import Alarm, Book, Run
from gateway.batch import BatchMaker, Entry
from gateway.link.contract import Delivery
from sensors.decode.family import Packet
from sensors.decode.reception import Reception
from sensors.hall.hall import Hall
from sensors.hall.snapshot import encode_state
from sensors.inputs import Heard, Lane, Started, unpack
from sensors.site.load import read_site
from tests.system.small_site import Parts, small_site

START = 1_795_400_000_000
LOADED = read_site(small_site(Parts(1883)), "small")


@dataclass(frozen=True, slots=True)
class Said:
    """What a device says, `after` ms after the message before it; its sequence is its place among its own."""

    device: str
    kind: str
    value: str
    after: int


WORDS: list[tuple[str, str, list[dict[str, object]]]] = [
    ("queue-1", "queue", [{"length": 2}, {"length": 50}]),
    ("desk-1", "presence", [{"present": True}, {"present": False}]),
    ("reader-1", "badge", [{"token": "AA01", "result": "granted"}, {"token": "AA02", "result": "granted"}]),
    ("count-1", "people_count", [{"occupancy": 5}, {"occupancy": 230}]),
    ("printer-1", "equipment", [{"state": "ok"}, {"state": "fault", "code": "jam"}]),
    ("smoke-1", "fire", [{"alarm": True, "sensor": "smoke"}, {"alarm": False, "sensor": "smoke"}]),
    ("call-1", "fire", [{"alarm": True, "sensor": "mcp"}, {"alarm": False, "sensor": "mcp"}]),
    ("help-1", "button", [{"action": "help"}]),
]
SAFETY = {"fire", "button", "crowd"}


@st.composite
def said(draw: st.DrawFn) -> Said:
    device, kind, values = draw(st.sampled_from(WORDS))
    return Said(device, kind, json.dumps(draw(st.sampled_from(values))), draw(st.integers(0, 120_000)))


STORIES = st.lists(said(), min_size=1, max_size=25)


class Rig:
    """A hall and its engine, fed packet by packet."""

    def __init__(self) -> None:
        assert LOADED.site is not None, LOADED.problems
        hall = Hall(LOADED.site, "main")
        self.core = Core(hall, Engine(LOADED.site, "main", Book()))
        self.maker = BatchMaker(self.core, Reception(LOADED.site, "main", hall.state), hall="main", index=0)
        self.heard: list[Heard] = []
        self.core.step(Started(START, LOADED.digest))
        self.core.take()

    def take(self, packets: list[Packet]) -> None:
        entries: list[Entry] = [Delivery(packet, 0, 0) for packet in packets]
        prepared = self.maker.prepare(entries, packets[-1].at)
        if prepared.batch is not None:
            self.heard += [item for item in unpack(prepared.batch.blob) if isinstance(item, Heard)]

    def tick(self, now: int) -> None:
        self.maker.prepare([], now)

    def alarms(self) -> list[Alarm]:
        return list(self.core.engine.book.alarms.values())

    def runs(self) -> list[Run]:
        return list(self.core.engine.book.runs.values())

    def all(self) -> tuple[bytes, object]:
        """The whole state and book, but for how many messages were received."""
        for device in self.core.hall.state.devices.values():
            device.account.received = device.account.duplicate = 0
        book = self.core.engine.book
        return encode_state(self.core.hall.state), (book.alarms, book.runs, book.tickets, book.messages, book.counters)


def packets_of(story: list[Said], *, retained: bool = False, flags: tuple[str, ...] = ()) -> list[Packet]:
    at, numbers, packets = START + 1000, dict[str, int](), list[Packet]()
    for one in story:
        at += one.after
        numbers[one.device] = number = numbers.get(one.device, 0) + 1
        body = {"device": one.device, "boot": 1, "seq": number, "flags": list(flags), "value": json.loads(one.value)}
        lane = Lane.SAFETY if one.kind in SAFETY else Lane.TELEMETRY
        topic = f"hallwatch/v1/main/{lane.name.lower()}/{one.device}/{one.kind}"
        packets.append(Packet(topic, json.dumps(body).encode(), lane, at, retained=retained))
    return packets


def played(packets: list[Packet]) -> Rig:
    rig = Rig()
    for packet in packets:
        rig.take([packet])
    return rig


@settings(max_examples=60, deadline=None)
@given(STORIES, st.data())
def test_duplicates_and_replays_change_nothing(story: list[Said], data: st.DataObject) -> None:
    packets = packets_of(story)
    clean, doubled = played(packets), Rig()
    for place, packet in enumerate(packets):
        doubled.take([packet])
        again = data.draw(st.integers(0, place))
        old = packets[again]
        doubled.take([Packet(old.topic, old.payload, old.lane, packet.at, dup=True)])
    assert doubled.all() == clean.all()


@settings(max_examples=60, deadline=None)
@given(STORIES, st.lists(st.integers(0, 3_000_000), max_size=30))
def test_ticking_more_often_changes_nothing(story: list[Said], ticks: list[int]) -> None:
    packets = packets_of(story)
    clean, ticked = played(packets), Rig()
    waiting = sorted(START + 1000 + tick for tick in ticks)
    for packet in packets:
        while waiting and waiting[0] <= packet.at:
            ticked.tick(waiting.pop(0))
        ticked.take([packet])
    end = packets[-1].at + 3_600_000
    clean.tick(end)
    for step in range(packets[-1].at, end, 60_000):
        ticked.tick(step)
    ticked.tick(end)
    for rig in (clean, ticked):
        rig.core.hall.state.now = end
    assert ticked.all() == clean.all()


@settings(max_examples=60, deadline=None)
@given(STORIES, st.integers(1, 10))
def test_the_size_of_a_batch_changes_nothing(story: list[Said], size: int) -> None:
    packets = packets_of(story)
    one_by_one, batched = played(packets), Rig()
    for start in range(0, len(packets), size):
        batched.take(packets[start : start + size])
    assert batched.all() == one_by_one.all()


@settings(max_examples=60, deadline=None)
@given(STORIES)
def test_every_message_is_taken_once_and_in_its_order(story: list[Said]) -> None:
    rig = played(packets_of(story))
    numbers: dict[str, list[int]] = {}
    for heard in rig.heard:
        body = json.loads(heard.payload)
        numbers.setdefault(body["device"], []).append(body["seq"])
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
    assert sum(map(len, numbers.values())) == len(story)


@settings(max_examples=60, deadline=None)
@given(STORIES)
def test_a_retained_message_starts_no_plan(story: list[Said]) -> None:
    rig = played(packets_of(story, retained=True))
    rig.tick(START + 10_000_000)
    assert rig.runs() == []
    assert all(not alarm.verified for alarm in rig.alarms() if alarm.kind.value == "fire")


@settings(max_examples=60, deadline=None)
@given(STORIES, st.sampled_from(["test", "drill", "history", "learn"]))
def test_a_flagged_message_starts_no_plan_and_raises_no_alarm_of_its_own(story: list[Said], flag: str) -> None:
    rig = played(packets_of(story, flags=(flag,)))
    assert rig.runs() == []
    assert [alarm.kind.value for alarm in rig.alarms() if alarm.kind.value in {"fire", "help", "crowd"}] == []
