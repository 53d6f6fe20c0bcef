"""What a run of the benchmarks was asked for, and what each case is given."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from benchmarks.figures import Table


class NotMeasuredError(Exception):
    """A case could not be measured, or what it measured was wrong: the sentence says why."""


class StoreName(StrEnum):
    """Where the gateways that are measured keep their journal."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: rounds, messages of a flood, inputs of the journal that a start finds, and the stores.

    `folder` takes the servers' data; `profiles` is where each gateway of a flood leaves its profile, if asked for.
    """

    folder: Path
    quick: bool
    rounds: int
    messages: int
    journal: int
    stores: tuple[StoreName, ...] = tuple(StoreName)
    profiles: Path | None = None


# Says what is being done now, for the line beside the progress bar.
Say = Callable[[str], None]
Case = Callable[[Plan, Say], Awaitable[Table]]
