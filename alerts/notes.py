"""What messages say, as codes with parameters. The words of both languages are put in where they are sent.

Parameters name things of the site by id and in both languages; they never name a person, since a notice may be
read by all. A parameter without a value is left out.
"""

from collections.abc import Iterable
from enum import StrEnum

from alerts.model import Alarm, Note, Run
from sensors.site.model import Hall, Words


class Code(StrEnum):
    """The codes of messages.

    `alarm.raised`: the first to one person. `alarm.repeated`: nobody has answered yet. `alarm.worsened`: its level or
    its certainty rose. `run.verify`: go and look. `run.confirm`: you have answered, now confirm or stand down.
    `run.active`: the plan runs, with a role's or an audience's text. `run.begun`: who was sent to look, and has
    nothing else to do, hears that it is real. `run.vacant`: nobody has answered for a role, all are told.
    `run.signal`: one more alarm came into the run. `run.stood_down`: it is over. `run.drill_ended`: a drill is over
    because the real thing came. `alarm.summary`: many routine alarms at once.
    """

    ALARM_RAISED = "alarm.raised"
    ALARM_REPEATED = "alarm.repeated"
    ALARM_WORSENED = "alarm.worsened"
    SUMMARY = "alarm.summary"
    RUN_VERIFY = "run.verify"
    RUN_CONFIRM = "run.confirm"
    RUN_ACTIVE = "run.active"
    RUN_BEGUN = "run.begun"
    RUN_VACANT = "run.vacant"
    RUN_SIGNAL = "run.signal"
    RUN_STOOD_DOWN = "run.stood_down"
    RUN_DRILL_ENDED = "run.drill_ended"


# What is told although its run has ended.
LAST_WORDS = frozenset({Code.RUN_STOOD_DOWN, Code.RUN_DRILL_ENDED})

Param = tuple[str, object]


def note(code: Code, params: Iterable[Param], text: Words | None = None) -> Note:
    """A note; parameters that are None or empty are left out."""
    kept = tuple((name, str(value)) for name, value in params if value is not None and value != "")
    if text is None:
        return Note(code.value, kept)
    return Note(code.value, kept, text.zh, text.en or text.zh)


def alarm_note(code: Code, alarm: Alarm, hall: Hall) -> Note:
    """What is told of an alarm."""
    params: list[Param] = [
        ("kind", alarm.kind.value),
        ("priority", alarm.priority.value),
        ("subject_type", alarm.subject.type),
        ("subject", alarm.subject.id),
        *names("subject", subject_words(hall, alarm.subject.type, alarm.subject.id)),
        *place(alarm.zone, hall),
        ("window", alarm.window),
        *names("window", None if alarm.window is None else subject_words(hall, "window", alarm.window)),
        ("device", alarm.device),
        *named("device", hall, () if alarm.device is None else (alarm.device,)),
        ("level", alarm.level),
        ("detail", alarm.detail),
        ("value", None if alarm.value is None else f"{alarm.value:g}"),
        ("threshold", None if alarm.threshold is None else f"{alarm.threshold:g}"),
        ("verified", "yes" if alarm.verified else "no"),
        ("raised", alarm.raised),
        ("since", alarm.since),
    ]
    return note(code, params)


def run_note(code: Code, run: Run, hall: Hall, text: Words | None = None, extra: Iterable[Param] = ()) -> Note:
    """What is told of a run; `text` is the plan's own sentence."""
    params: list[Param] = [
        ("plan", run.plan.id),
        *names("plan", run.plan.name),
        ("hazard", run.plan.hazard),
        ("why", run.why),
        ("started", run.started),
        *place(run.zone, hall),
        ("device", ", ".join(run.signals)),
        *named("device", hall, run.signals),
        *extra,
    ]
    return note(code, params, text)


def names(prefix: str, words: Words | None) -> list[Param]:
    """A name in both languages as two parameters."""
    return [] if words is None else [(f"{prefix}_zh", words.zh), (f"{prefix}_en", words.en or words.zh)]


def named(prefix: str, hall: Hall, ids: Iterable[str]) -> list[Param]:
    """The names of devices (or of the zones that speak as a signal) in both languages; the id of what has none."""
    words = [subject_words(hall, "device", one) or subject_words(hall, "zone", one) or Words(zh=one) for one in ids]
    zh, en = "、".join(one.zh for one in words), ", ".join(one.en or one.zh for one in words)
    return [(f"{prefix}_zh", zh), (f"{prefix}_en", en)]


def place(zone: str | None, hall: Hall) -> list[Param]:
    """The hall and the zone, by id and name."""
    found = None if zone is None else next((one.name for one in hall.zones if one.id == zone), None)
    return [*names("hall", hall.name), ("zone", zone), *names("zone", found)]


def subject_words(hall: Hall, type: str, id: str) -> Words | None:
    """The name of what an alarm is about, where the site file gives one."""
    match type:
        case "window":
            return next((one.name for one in hall.windows if one.id == id), None)
        case "zone":
            return next((one.name for one in hall.zones if one.id == id), None)
        case "service":
            return next((one.name for one in hall.services if one.id == id), None)
        case "device":
            return next((one.name for one in hall.devices if one.id == id), None)
        case "hall":
            return hall.name
        case _:
            return None
