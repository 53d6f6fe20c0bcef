"""This machine's clock against the clocks of the services that answered. Signatures, links and shifts rest on it."""

import asyncio
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp

from gateway.store.check import Finding, State

# A `Date` header is cut to the second, and an answer takes its time.
OFF_S: Final = 5.0
# Beyond it shifts and escalations are wrong; an hour is where robots refuse a signature.
WRONG_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What a service's clock said, and ours when we heard it (s since the epoch)."""

    who: str
    said: float
    ours: float


def hear(who: str, answer: aiohttp.ClientResponse) -> Iterator[Heard]:
    """The `Date` of an answer (RFC 9110 §6.6.1), if it has one."""
    try:
        # Half a second: what the header has cut off, on average.
        said = parsedate_to_datetime(answer.headers["Date"]).timestamp() + 0.5
    except (KeyError, ValueError, OverflowError):
        return
    yield Heard(who, said, time.time())


def clock_findings(clocks: Sequence[Heard]) -> list[Finding]:
    """The clock by each of them. One that is off alone may be their fault: the median decides."""
    if not clocks:
        return [Finding("clock", State.NOTE, "no service's clock was heard")]
    skews = sorted(one.ours - one.said for one in clocks)
    middle = skews[len(skews) // 2]
    state = State.OK if abs(middle) <= OFF_S else State.WARN if abs(middle) <= WRONG_S else State.WRONG
    by = ", ".join(f"{one.who} {one.ours - one.said:+.0f} s" for one in clocks)
    return [Finding("clock", state, by)]


async def synchronised() -> list[Finding]:
    """What the system says of its own clock, where it says anything (systemd)."""
    program = shutil.which("timedatectl")
    if program is None:
        return []
    pipe = asyncio.subprocess.PIPE
    asked = await asyncio.create_subprocess_exec(
        program, "show", "--property=NTPSynchronized", "--value", stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    said = (await asked.communicate())[0].decode().strip()
    if said not in {"yes", "no"}:
        return []
    return [Finding("clock_sync", State.OK if said == "yes" else State.WARN, f"NTPSynchronized {said}")]
