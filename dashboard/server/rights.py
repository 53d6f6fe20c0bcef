"""Who may do what: six roles, and one table. Every write asks it, and so does every look at names.

A role is what a login has; the roles of a plan's run (who closes the doors, who counts) are the site file's.
"""

from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Final

from sensors import actions


class Role(StrEnum):
    """What a login is for."""

    VIEWER = "viewer"
    STAFF = "staff"
    MAINTAINER = "maintainer"
    COORDINATOR = "coordinator"
    MANAGER = "manager"
    ADMIN = "admin"


class Right(StrEnum):
    """One thing that one may do or may not."""

    SEE = "see"
    """The hall, its figures and its history, without names."""
    NAMES = "names"
    """Who is at which window, who has which role, who answered."""
    ANSWER = "answer"
    """Acknowledge an alarm, write a note beside it, take a role of a run, do a step."""
    WINDOW = "window"
    """Pause, cover and resume a window."""
    REPORT = "report"
    """Report a fault."""
    TICKET = "ticket"
    """Take a ticket and say that it is mended."""
    PLAN = "plan"
    """Start a plan, confirm it, stand it down; close an alarm with its disposition."""
    DEVICE = "device"
    """Approve and retire devices, read their raw messages; mend, replay and discard quarantine; load the site anew."""
    AUDIT = "audit"
    """Who wrote what, who looked at names, and what was refused."""
    USERS = "users"
    """Logins and tokens."""


_LOOK: Final = frozenset({Right.SEE})
_STAFF: Final = _LOOK | {Right.NAMES, Right.ANSWER, Right.WINDOW, Right.REPORT}
_COORDINATOR: Final = _STAFF | {Right.PLAN}

RIGHTS: Final[dict[Role, frozenset[Right]]] = {
    Role.VIEWER: _LOOK,
    Role.STAFF: _STAFF,
    Role.MAINTAINER: _LOOK | {Right.ANSWER, Right.REPORT, Right.TICKET, Right.DEVICE},
    Role.COORDINATOR: _COORDINATOR,
    Role.MANAGER: _COORDINATOR | {Right.TICKET, Right.AUDIT},
    Role.ADMIN: frozenset(Right),
}

# What each action of the hall asks for; a test holds that none is missing.
NEEDED: Final[dict[type[actions.Action], Right]] = {
    actions.Acknowledge: Right.ANSWER,
    actions.NoteAlarm: Right.ANSWER,
    actions.CloseAlarm: Right.PLAN,
    actions.AnswerMessage: Right.ANSWER,
    actions.StartPlan: Right.PLAN,
    actions.ConfirmRun: Right.PLAN,
    actions.StandDown: Right.PLAN,
    actions.CompleteStep: Right.ANSWER,
    actions.TakeRole: Right.ANSWER,
    actions.ReportFault: Right.REPORT,
    actions.AcceptTicket: Right.TICKET,
    actions.FinishTicket: Right.TICKET,
    actions.PauseWindow: Right.WINDOW,
    actions.ResumeWindow: Right.WINDOW,
    actions.ApproveDevice: Right.DEVICE,
    actions.RetireDevice: Right.DEVICE,
}


def role_of(word: str) -> Role | None:
    """The role that the store has written; a word that is none of ours (a newer release's) gives no right."""
    return Role(word) if word in set(Role) else None


def may(role: Role | None, right: Right) -> bool:
    """Whether a role has a right; who has no role has none."""
    return role is not None and right in RIGHTS[role]


def actions_of(rights: AbstractSet[Right]) -> tuple[str, ...]:
    """The actions, by their `do`, that are within these rights."""
    words = (str(action.__dataclass_fields__["do"].default) for action, right in NEEDED.items() if right in rights)
    return tuple(sorted(words))


def about(action: actions.Action) -> str:
    """The ids that an action names, for the audit: never what somebody has typed."""
    named = (getattr(action, word, None) for word in ("alarm", "message", "plan", "run", "ticket", "window", "device"))
    return " ".join(one for one in named if one is not None)
