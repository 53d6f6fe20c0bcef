"""What people do in a scenario: actions whose alarm, run, ticket or message is found when the time comes.

Ids are given while a scenario runs, so a file names things by what they are about: `alarm: {kind: fire}`.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field

from sensors.actions import ACTION, Action
from sensors.facts import FactKind
from sensors.site.part import Id, Part


class Reference(Part):
    """Something by what it is about; of several that fit, the newest is meant. What is not given fits all.

    `kind` and `subject` (a device, window, zone or service) for an alarm; `subject` for a ticket; `plan` for a run;
    `plan` or `kind`, `person` and `channel` for a message.
    """

    kind: FactKind | None = None
    subject: Id | None = None
    plan: Id | None = None
    person: Id | None = None
    channel: Id | None = None


Thing = Literal["alarm", "run", "ticket", "message"]
Find = Callable[[Thing, Reference], str | None]


class HumanAction(Part):
    """At `at` seconds `actor` does something. `with` holds the fields of `sensors.actions`, without ids.

    The one of `alarm`, `run`, `ticket` and `message` that the action needs is given as a reference.
    """

    at: Annotated[float, Field(ge=0)]
    actor: Id
    do: str
    alarm: Reference | None = None
    run: Reference | None = None
    ticket: Reference | None = None
    message: Reference | None = None
    fields: dict[str, Any] = Field(default_factory=dict, alias="with")

    def bind(self, find: Find) -> Action:
        """The action with its ids.

        Raises `LookupError` where there is no such thing, `pydantic.ValidationError` for what is no action.
        """
        body = {"do": self.do, **self.fields}
        things: tuple[tuple[Thing, Reference | None], ...] = (
            ("alarm", self.alarm),
            ("run", self.run),
            ("ticket", self.ticket),
            ("message", self.message),
        )
        for thing, reference in things:
            if reference is None:
                continue
            found = find(thing, reference)
            if found is None:
                raise LookupError(f"at {self.at} s: no {thing} for {reference.model_dump(exclude_none=True)}")
            body[thing] = found
        return ACTION.validate_python(body)
