"""What a public display is told, and nothing else: these types have no place for a person, a badge or a device.

Whatever stands in the hall's state, only what is named here goes out; a test holds the whole wire against the names,
badges and device ids of a site. Made from state and site in one go, without an await.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from alerts.model import Run, Stage
from dashboard.server.desk import HallDesk
from sensors.hall.state import Staffing
from sensors.site.model import Words

# Hazards from which people in the hall must get away, the gravest first; others are shown if the plan tells the public.
GRAVE: Final = ("fire", "earthquake", "crowd")
STATES: Final = {
    Staffing.STAFFED: "open",
    Staffing.PAUSED: "paused",
    Staffing.UNSTAFFED: "away",
    Staffing.CLOSED: "closed",
}


class Text(msgspec.Struct, frozen=True):
    """A text of the site file, in both languages."""

    zh: str
    en: str


class Counter(msgspec.Struct, frozen=True):
    """A window: open, paused (until when, ms, if that was said), away, closed or unknown."""

    number: int
    name: Text
    services: tuple[Text, ...]
    state: str
    until: int | None


class Line(msgspec.Struct, frozen=True):
    """A queue: how many wait and how long (s), None where that is not known now; the windows that serve it now.

    `windows` is None while none is known to serve it and one of them is not known at all.
    """

    name: Text
    length: int | None
    wait_s: int | None
    windows: tuple[int, ...] | None


class Takeover(msgspec.Struct, frozen=True):
    """A plan that runs: since when (ms), and what it tells the public; None where it has no words of its own."""

    hazard: str
    name: Text
    drill: bool
    since: int
    text: Text | None


class Board(msgspec.Struct, frozen=True):
    """All that a display shows. `heard`: the hall's devices reach us. `rate`: how fast a demo's clock goes."""

    name: Text
    timezone: str
    open: bool
    changes_at: int | None
    windows: tuple[Counter, ...]
    queues: tuple[Line, ...]
    notices: tuple[Text, ...]
    plan: Takeover | None
    heard: bool
    demo: bool
    rate: float


class Picture(msgspec.Struct, frozen=True, tag="snapshot", tag_field="t"):
    """A whole board, `seq` by `seq`; a display of another `build` loads itself anew."""

    seq: int
    now: int
    build: str
    board: Board


class Beat(msgspec.Struct, frozen=True, tag="delta", tag_field="t"):
    """Nothing has changed, and the link works."""

    seq: int
    now: int


def board_of(desk: HallDesk, *, demo: bool, rate: float) -> Board:
    """What stands now."""
    hall, now = desk.site.hall, desk.path.now()
    links = desk.view.state.links
    return Board(
        name=_text(hall.name),
        timezone=hall.timezone,
        open=desk.site.calendar.is_open(now),
        changes_at=desk.site.calendar.next_change(now),
        windows=tuple(_windows(desk)),
        queues=tuple(_queues(desk)),
        notices=tuple(_text(one) for one in hall.display.notices),
        plan=_plan(desk),
        heard=all(links.values()),
        demo=demo,
        rate=rate,
    )


def _text(words: Words) -> Text:
    return Text(words.zh, words.en or words.zh)


def _windows(desk: HallDesk) -> Iterator[Counter]:
    for window in sorted(desk.site.hall.windows, key=lambda one: one.number):
        state = desk.view.state.windows.get(window.id)
        known = "unknown" if state is None else STATES.get(state.staffing, "unknown")
        pause = None if state is None or known != "paused" else state.pause
        services = [service for id_ in window.services if (service := desk.site.service(id_)) is not None]
        yield Counter(
            window.number,
            _text(window.name),
            tuple(_text(service.name) for service in services),
            known,
            None if pause is None else pause.until,
        )


def _queues(desk: HallDesk) -> Iterator[Line]:
    windows = desk.view.state.windows
    for service in desk.site.hall.services:
        state = desk.view.state.services.get(service.id)
        # What a silent sensor said last is nobody's queue of now.
        live = None if state is None or state.stale else state
        mine = desk.site.windows_of_service(service.id)
        states = {one.number: windows[one.id].staffing if one.id in windows else Staffing.UNKNOWN for one in mine}
        serving = tuple(sorted(number for number, staffing in states.items() if staffing is Staffing.STAFFED))
        unsure = not serving and Staffing.UNKNOWN in states.values()
        wait = None if live is None or live.wait_s is None else round(live.wait_s)
        yield Line(_text(service.name), None if live is None else live.length, wait, None if unsure else serving)


def _plan(desk: HallDesk) -> Takeover | None:
    """The run that takes the display over: real before drill, the gravest hazard, the newest."""
    found = [(run, shown) for run in desk.view.book.runs.values() if (shown := _takeover(run)) is not None]
    if not found:
        return None
    return min(found, key=lambda one: (one[0].drill, _rank(one[0].plan.hazard), -one[0].started))[1]


def _rank(hazard: str) -> int:
    return GRAVE.index(hazard) if hazard in GRAVE else len(GRAVE)


def _takeover(run: Run) -> Takeover | None:
    if run.stage is Stage.ENDED:
        return None
    told = [one.text for one in run.plan.messages if one.audience == "public" and one.stage == str(run.stage)]
    # While somebody still looks whether it is true, the public hears only what the plan has for that.
    if not told and (run.stage is Stage.VERIFY or run.plan.hazard not in GRAVE):
        return None
    text = _text(told[0]) if told else None
    return Takeover(run.plan.hazard, _text(run.plan.name), run.drill, run.stage_since, text)
