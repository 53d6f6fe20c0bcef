"""Actions: what people may do to a hall. The API's bodies and the journal's inputs are the same values."""

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from sensors.readings import Kind

BODY: Final = ConfigDict(extra="forbid")
Ref = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00]+$")]
Note = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True, slots=True, config=BODY)
class Acknowledge:
    """A person answers an alarm: its repeats and escalation stop."""

    alarm: Ref
    note: Note = ""
    do: Literal["acknowledge"] = "acknowledge"


@dataclass(frozen=True, slots=True, config=BODY)
class NoteAlarm:
    """A person writes something down beside an alarm, be it open or over."""

    alarm: Ref
    note: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")]
    do: Literal["note_alarm"] = "note_alarm"


@dataclass(frozen=True, slots=True, config=BODY)
class CloseAlarm:
    """A person says what an alarm was; one that still stands open, though nothing holds it up, is closed by it."""

    alarm: Ref
    disposition: Literal["real", "false", "drill", "test", "maintenance"]
    note: Note = ""
    do: Literal["close_alarm"] = "close_alarm"


@dataclass(frozen=True, slots=True, config=BODY)
class AnswerMessage:
    """A person answers a message by its signed one-time link; acknowledges what the message is about."""

    message: Ref
    do: Literal["answer_message"] = "answer_message"


@dataclass(frozen=True, slots=True, config=BODY)
class StartPlan:
    """A person starts a plan. `confirm` must be the plan's id, typed."""

    plan: Ref
    confirm: str
    drill: bool = False
    note: Note = ""
    do: Literal["start_plan"] = "start_plan"


@dataclass(frozen=True, slots=True, config=BODY)
class ConfirmRun:
    """A person has verified: the danger is real; the run goes from verify to active."""

    run: Ref
    note: Note = ""
    do: Literal["confirm_run"] = "confirm_run"


@dataclass(frozen=True, slots=True, config=BODY)
class StandDown:
    """A person ends a run: false alarm, or all clear."""

    run: Ref
    reason: Literal["false_alarm", "all_clear", "drill_over"]
    note: Note = ""
    do: Literal["stand_down"] = "stand_down"


@dataclass(frozen=True, slots=True, config=BODY)
class CompleteStep:
    """A person has done a step of a run."""

    run: Ref
    step: Ref
    note: Note = ""
    do: Literal["complete_step"] = "complete_step"


@dataclass(frozen=True, slots=True, config=BODY)
class TakeRole:
    """A person takes a role of a run: its escalation and repeats stop. While somebody still looks, it is an answer."""

    run: Ref
    role: Ref
    do: Literal["take_role"] = "take_role"


@dataclass(frozen=True, slots=True, config=BODY)
class ReportFault:
    """A person reports that something is broken: a device, or a thing of a zone or window."""

    text: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")]
    device: Ref | None = None
    window: Ref | None = None
    zone: Ref | None = None
    do: Literal["report_fault"] = "report_fault"


@dataclass(frozen=True, slots=True, config=BODY)
class AcceptTicket:
    """A person takes a ticket."""

    ticket: Ref
    do: Literal["accept_ticket"] = "accept_ticket"


@dataclass(frozen=True, slots=True, config=BODY)
class FinishTicket:
    """A person has mended what a ticket is about."""

    ticket: Ref
    note: Note = ""
    do: Literal["finish_ticket"] = "finish_ticket"


@dataclass(frozen=True, slots=True, config=BODY)
class PauseWindow:
    """A person says that a window is paused: until when (ms since the epoch), or covered by whom."""

    window: Ref
    until: Annotated[int | None, Field(ge=0, le=2**53)] = None
    covered_by: Ref | None = None
    reason: Note = ""
    do: Literal["pause_window"] = "pause_window"


@dataclass(frozen=True, slots=True, config=BODY)
class ResumeWindow:
    """A person ends a window's pause."""

    window: Ref
    do: Literal["resume_window"] = "resume_window"


@dataclass(frozen=True, slots=True, config=BODY)
class ApproveDevice:
    """A person approves a discovered device and says where it stands and what it measures."""

    device: Ref
    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)]
    zone: Ref | None = None
    window: Ref | None = None
    service: Ref | None = None
    power: Literal["mains", "battery", "sleeping"] = "mains"
    do: Literal["approve_device"] = "approve_device"


@dataclass(frozen=True, slots=True, config=BODY)
class RetireDevice:
    """A person takes a device out of service; a tombstone stays."""

    device: Ref
    do: Literal["retire_device"] = "retire_device"


Action = (
    Acknowledge
    | NoteAlarm
    | CloseAlarm
    | AnswerMessage
    | StartPlan
    | ConfirmRun
    | StandDown
    | CompleteStep
    | TakeRole
    | ReportFault
    | AcceptTicket
    | FinishTicket
    | PauseWindow
    | ResumeWindow
    | ApproveDevice
    | RetireDevice
)

ACTION: Final[TypeAdapter[Action]] = TypeAdapter(Annotated[Action, Field(discriminator="do")])


def read_action(body: bytes) -> Action:
    """Read an action from JSON; raises `pydantic.ValidationError`."""
    return ACTION.validate_json(body)


def write_action(action: Action) -> bytes:
    """Write an action as JSON, as the journal keeps it."""
    return ACTION.dump_json(action)
