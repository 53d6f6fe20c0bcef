"""What is to be told and where a person is reached: what the deciding parts hand to the outbox."""

from dataclasses import dataclass

from alerts.model import Lane, Note


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a person is reached: a channel and the address on it. `person` is None for the hall's public notice."""

    person: str | None
    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be told, to be addressed yet."""

    about: str
    note: Note
    lane: Lane
    round: int = 1
    drill: bool = False
    answerable: bool = True
