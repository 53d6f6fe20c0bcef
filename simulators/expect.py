"""How a scenario must end: exactly these alarms, runs, messages and tickets, and none beside them."""

from typing import Literal

from pydantic import Field

from sensors.facts import FactKind
from sensors.readings import CrowdLevel
from sensors.site.model import Words
from sensors.site.part import Id, Part


class ExpectedAlarm(Part):
    """One alarm, open or closed, as it stands at the end."""

    kind: FactKind
    subject: str = Field(description="type/id, such as device/w3-printer")
    active: bool
    acknowledged: bool = False
    verified: bool = True
    level: CrowdLevel | None = None


class ExpectedRun(Part):
    """One run of a plan: why it went the way it went, and the stage it reached."""

    plan: Id
    why: Literal["alarm", "second_signal", "call_point", "person", "no_answer"]
    stage: Literal["verify", "active", "ended"]
    drill: bool = False


class ExpectedMessages(Part):
    """How many messages there are about one thing; what is not given is not asked of them.

    `about` is `plan/<id>` or `alarm/<kind>`: a run's own messages, or those of alarms that no run takes care of.
    """

    about: str = Field(pattern=r"^(plan|alarm)/")
    channel: Id | None = None
    person: Id | None = None
    round: int | None = None
    count: int = Field(ge=0)


class ExpectedTicket(Part):
    """One ticket as it stands at the end."""

    subject: str = Field(description="type/id")
    state: Literal["open", "accepted", "done"]


class Expect(Part):
    """The whole outcome. An empty list means that there is none, not that it does not matter.

    Each entry of `messages` is a count of its own; a message whose `about` no entry names must not be there.
    """

    alarms: tuple[ExpectedAlarm, ...] = ()
    runs: tuple[ExpectedRun, ...] = ()
    messages: tuple[ExpectedMessages, ...] = ()
    tickets: tuple[ExpectedTicket, ...] = ()
    perhaps: tuple[FactKind, ...] = Field(
        default=(), description="alarms, with their messages, that may be there too: they hang on real services"
    )


class Otherwise(Part):
    """How a scenario ends under a fault between the devices and us, where that is not as without it; and why.

    A list that is given stands for the whole list; of `messages` only the entries that are given have another count.
    """

    why: Words
    alarms: tuple[ExpectedAlarm, ...] | None = None
    runs: tuple[ExpectedRun, ...] | None = None
    tickets: tuple[ExpectedTicket, ...] | None = None
    messages: tuple[ExpectedMessages, ...] = ()

    def instead_of(self, usual: Expect) -> Expect:
        """The whole outcome under the fault."""
        other = {_about(entry): entry for entry in self.messages}
        given = {name: value for name in ("alarms", "runs", "tickets") if (value := getattr(self, name)) is not None}
        messages = tuple(other.pop(_about(entry), entry) for entry in usual.messages)
        return usual.model_copy(update={**given, "messages": (*messages, *other.values())})


def _about(entry: ExpectedMessages) -> tuple[str, str | None, str | None, int | None]:
    return entry.about, entry.channel, entry.person, entry.round
