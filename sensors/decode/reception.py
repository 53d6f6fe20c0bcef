"""Step 2 of a message's way: which family, which device, is it new, and what does it say.

Reads the hall's state (devices, sequences heard), changes nothing: the fold records what was admitted.
"""

from dataclasses import dataclass
from enum import StrEnum

from sensors.decode.family import Decoded
from sensors.readings import Reading


class Verdict(StrEnum):
    """What becomes of a message; the account adds up to what was received."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    REFUSED = "refused"
    AWAITING = "awaiting"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A decoded message and the device that sent it. `readings` is empty for availability lists and the like."""

    family: str
    device: str
    decoded: Decoded
    readings: tuple[Reading, ...]
    approved: bool


@dataclass(frozen=True, slots=True)
class Received:
    """The verdict on one packet; `arrival` for what is admitted, `reason` and `detail` for what is not."""

    verdict: Verdict
    device: str
    arrival: Arrival | None = None
    reason: str = ""
    detail: str = ""
