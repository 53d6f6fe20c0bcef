"""The sessions to the broker and what the gateway says of itself, as conditions.

A lost broker is one alarm and not one for each device behind it. A broker that comes back without our session has lost
what it held for us: that is a line in the log, and the sequences of the devices say how much it was.
"""

from typing import Final

from sensors.facts import Fact, FactKind, Subject
from sensors.hall.conditions import Evidence, Rule
from sensors.hall.floor import Floor
from sensors.hall.liveness import LivenessMachine, lane_name
from sensors.inputs import STORE, Lane, Linked, Raised

STEP_OVER_MS: Final = 600_000


class LinksMachine:
    """Keeps `links` and `link_since`; tells BROKER_LOST, SESSION_LOST and GATEWAY."""

    __slots__ = ("_floor", "_liveness")

    def __init__(self, floor: Floor, liveness: LivenessMachine) -> None:
        self._floor = floor
        self._liveness = liveness

    def lapse(self, now: int) -> None:
        """The gateway was not there: a loss that it only began to count has not been counted."""
        self._floor.conditions.observe(self._rule(), None, now)
        self._liveness.deafened(now)

    def started(self, now: int) -> None:
        """No session is up at a start; and the store answers, or there were none."""
        self._floor.conditions.end(f"gateway/{STORE}/{self._floor.state.hall}", now)
        for lane in Lane:
            self._set(lane, now, up=False)
        self._judge(now)

    def linked(self, item: Linked, now: int) -> None:
        """A session came up or went down."""
        if item.up and item.missed:
            self._forgotten(item.lane, now)
        self._set(item.lane, now, up=item.up)
        if item.up:
            self._liveness.listening(now)
        else:
            self._liveness.deafened(now, item.lane)
        self._judge(now)

    def _forgotten(self, lane: Lane, now: int) -> None:
        """The broker knew no session of ours. Where nobody was ever heard there was none to lose."""
        state, name = self._floor.state, lane_name(lane)
        if any(device.lanes & (1 << lane) for device in state.devices.values()):
            subject, since = Subject("gateway", name), state.link_since.get(name, now)
            key = f"{FactKind.SESSION_LOST.value}/{name}"
            self._floor.facts.append(
                Fact(key, FactKind.SESSION_LOST, subject, holds=True, at=now, since=since, edge=True)
            )

    def raised(self, item: Raised, now: int) -> None:
        """A part of the gateway says that something is wrong with it, or well again."""
        key = f"gateway/{item.condition}/{item.subject}"
        rule = Rule(key, FactKind.GATEWAY, Subject("gateway", item.subject or item.condition))
        seen = Evidence(detail=item.detail or item.condition)
        if item.holds and self._floor.conditions.active(key):
            self._floor.conditions.again(key, now, seen)
        else:
            self._floor.conditions.observe(rule, item.holds, now, seen)
        if item.condition.startswith(f"{STORE}_") and item.holds:
            self._floor.conditions.repeat(now)
        if item.condition == STORE and not item.holds:
            self._liveness.listening(now)

    def stepped(self, by: int, now: int) -> None:
        """The clock was stepped: people hear of it, and it is over when nothing follows."""
        key = f"gateway/clock/{self._floor.state.hall}"
        subject = Subject("gateway", self._floor.state.hall)
        rule = Rule(key, FactKind.GATEWAY, subject, clear_ms=STEP_OVER_MS)
        seen = Evidence(detail=f"clock_stepped {by / 1000:+.0f} s")
        if self._floor.conditions.active(key):
            self._floor.conditions.again(key, now, seen)
        self._floor.conditions.observe(rule, truth=True, now=now, seen=seen)
        self._floor.conditions.observe(rule, truth=False, now=now)

    def _set(self, lane: Lane, now: int, *, up: bool) -> None:
        state, name = self._floor.state, lane_name(lane)
        if state.links.get(name) is not up:
            state.links[name] = up
            state.link_since[name] = now

    def _judge(self, now: int) -> None:
        state = self._floor.state
        down = sorted(name for name, up in state.links.items() if not up)
        since = min((state.link_since[name] for name in down), default=now)
        self._floor.conditions.observe(self._rule(), bool(down), now, Evidence(detail=",".join(down)), since)

    def _rule(self) -> Rule:
        hold = self._floor.limits.broker_lost_s * 1000
        return Rule("broker_lost", FactKind.BROKER_LOST, Subject("hall", self._floor.state.hall), hold)
