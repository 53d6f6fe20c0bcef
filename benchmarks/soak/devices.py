"""The devices of a soak: what a patient device does when its broker is away, and a ledger of what was taken from it.

`simulators.link.play` ends when the broker is lost; these wait, connect again and say the same message again, as a
device with QoS 1 must. What the broker has acknowledged to a device stands in the ledger, and nowhere else.
"""

import asyncio
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import aiomqtt

from sensors.site.model import Site
from simulators.clock import SimClock
from simulators.fleet import Fleet
from simulators.link import Broker, connect
from simulators.overlay import Change, Overlay, Return, Vanish
from simulators.publication import Publication
from simulators.scenario import WILL_AFTER_S, Event

RETRY_S = 0.3
ANSWER_WITHIN_S = 20.0
MINUTE_MS = 60_000
# Between two things that go otherwise than usual, in the hall's minutes.
EVERY_MIN = (3.0, 20.0)
# How often that is a device that is gone for a while.
LOST_SHARE = 0.3
KINDS: dict[str, dict[str, object]] = {
    "fire": {"say": {"fire": {"alarm": True, "sensor": "smoke"}}},
    "equipment": {"say": {"equipment": {"state": "fault", "code": "paper_jam", "power_w": 9.0}}},
    "button": {"press": "help"},
    "queue": {"climb": {"kind": "queue", "to": 40, "over_s": 300}},
    "people_count": {"climb": {"kind": "people_count", "to": 120, "over_s": 300}},
}


@dataclass(frozen=True, slots=True)
class Numbered:
    """A message by the numbers that its device gave it."""

    device: str
    boot: int
    sequence: int


@dataclass(slots=True)
class Ledger:
    """What the broker has acknowledged: numbered messages with the real time of it (s, monotonic), and all by count.

    `loose` was numbered and sent at QoS 0, where nobody acknowledges anything.
    """

    taken: dict[Numbered, float] = field(default_factory=dict)
    loose: set[Numbered] = field(default_factory=set)
    published: int = 0
    repeated: int = 0
    fires: list[tuple[str, float]] = field(default_factory=list)

    def add(self, said: Publication) -> None:
        """Enter a message that was acknowledged just now."""
        self.published += 1
        body = json.loads(said.payload)
        if not isinstance(body, dict) or "seq" not in body:
            return
        numbers = Numbered(said.device, body["boot"], body["seq"])
        if said.qos == 0:
            self.loose.add(numbers)
            return
        at = time.monotonic()
        self.taken[numbers] = at
        if said.topic.endswith("/fire") and body["value"].get("alarm") and not body["value"].get("test"):
            self.fires.append((said.device, at))


@dataclass(slots=True)
class Devices:
    """A hall's devices for as long as the soak goes."""

    site: Site
    broker: Broker
    clock: SimClock
    seed: int
    ledger: Ledger = field(default_factory=Ledger)
    last: list[Publication] = field(default_factory=list)
    repeats: asyncio.Queue[int] = field(default_factory=asyncio.Queue)

    async def run(self, end: int) -> None:
        """Speak until `end` (ms of the hall's clock)."""
        left = self._publications(self.clock.now(), end)
        said: Publication | None = None
        while True:
            try:
                async with connect(self.broker) as wire:
                    while True:
                        said = next(left, None) if said is None else said
                        if said is None:
                            return
                        await self.clock.sleep_until(said.at)
                        async with asyncio.timeout(ANSWER_WITHIN_S):
                            await wire.publish(said)
                        self.ledger.add(said)
                        self._remember(said)
                        said = None
                        while not self.repeats.empty():
                            for again in self.last[-self.repeats.get_nowait() :]:
                                await wire.publish(again)
                                self.ledger.published += 1
                                self.ledger.repeated += 1
            except (aiomqtt.MqttError, TimeoutError):
                await asyncio.sleep(RETRY_S)

    def _remember(self, said: Publication) -> None:
        if b'"seq"' in said.payload and said.qos > 0:
            self.last.append(said)
            del self.last[:-200]

    def _publications(self, start: int, end: int) -> Iterator[Publication]:
        fleet = Fleet(self.site, None, self.seed)
        return Overlay(fleet, list(self._changes(fleet, start, end))).publications(start, end)

    def _changes(self, fleet: Fleet, start: int, end: int) -> Iterator[Change]:
        """What goes otherwise in this hall: every few minutes something, for some minutes."""
        dice = random.Random(self.seed)
        at = float(start)
        by_kind = {kind: [one.id for one in fleet.devices.values() if kind in one.kinds] for kind in KINDS}
        while (at := at + dice.uniform(*EVERY_MIN) * MINUTE_MS) < end:
            kind = dice.choice(sorted(kind for kind, devices in by_kind.items() if devices))
            device = dice.choice(by_kind[kind])
            begins, lasts = (at - start) / 1000, dice.uniform(60, 1200)
            if dice.random() < LOST_SHARE:
                yield Vanish(int(at), device, int(at + WILL_AFTER_S * 1000) if dice.random() < 0.5 else None)
                yield Return(int(at + lasts * 1000), device)
            else:
                event = Event.model_validate({"at": begins, "for_s": lasts, "device": device, **KINDS[kind]})
                yield from event.changes(start)
