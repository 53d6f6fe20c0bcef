"""Bounds for what strangers try: logins that fail, and lines that they would fill the audit with."""

import ipaddress
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

# By a name at an address few suffice: guessing. By a name alone there must be many, or anybody could lock a known
# person out from afar; by an address more than one person may have, such as behind a proxy.
FAILURES: Final = 5
FAILURES_OF_NAME: Final = 50
FAILURES_OF_ADDRESS: Final = 20
FAILURES_WITHIN_MS: Final = 5 * 60 * 1000
PLACES: Final = 10_000
MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Place:
    """What failures are counted by: a name, an address, or both together; and how many are heard."""

    limit: int
    name: str | None = None
    address: str | None = None


def places(name: str, address: str) -> tuple[Place, ...]:
    """By what the failures of one login are counted."""
    address = _network(address)
    return (
        Place(FAILURES, name, address),
        Place(FAILURES_OF_NAME, name=name),
        Place(FAILURES_OF_ADDRESS, address=address),
    )


def _network(address: str) -> str:
    """An IPv6 address' network: whoever has one address of a /64 has all of them. Any other stays as it is."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4 or known.is_loopback:  # noqa: PLR2004
        return address
    return str(known.ipv4_mapped or ipaddress.ip_network((int(known), 64), strict=False))


class Throttle:
    """Counts failed logins by name and address; too many within five minutes are refused unheard."""

    def __init__(self) -> None:
        self._failures: OrderedDict[Place, deque[int]] = OrderedDict()

    def wait_ms(self, place: Place, now: int) -> int:
        """How long this place has to wait; 0 is not at all."""
        failures = self._failures.get(place, deque())
        while failures and failures[0] <= now - FAILURES_WITHIN_MS:
            failures.popleft()
        return failures[0] + FAILURES_WITHIN_MS - now if len(failures) >= place.limit else 0

    def failed(self, place: Place, now: int) -> None:
        """Note a failure. The places are bounded: the longest forgotten goes first."""
        self._failures.setdefault(place, deque(maxlen=place.limit)).append(now)
        self._failures.move_to_end(place)
        if len(self._failures) > PLACES:
            self._failures.popitem(last=False)

    def succeeded(self, place: Place) -> None:
        """The right password forgives this try, not those before: who guesses gains nothing by an own account."""
        failures = self._failures.get(place)
        if failures:
            failures.pop()


class Once:
    """Whether something was not heard for a while: it is noted once, however often it comes."""

    def __init__(self, within_ms: int, most: int = PLACES) -> None:
        """`most` is how many things are remembered; the one longest unheard goes first."""
        self._within = within_ms
        self._most = most
        self._heard: OrderedDict[Hashable, int] = OrderedDict()

    def first(self, thing: Hashable, now: int) -> bool:
        """True the first time within so many ms, counted from when it was true last."""
        if now - self._heard.get(thing, now - self._within) < self._within:
            return False
        self._heard[thing] = now
        self._heard.move_to_end(thing)
        if len(self._heard) > self._most:
            self._heard.popitem(last=False)
        return True


class Few:
    """At most so many within a minute."""

    def __init__(self, most: int) -> None:
        self._times: deque[int] = deque(maxlen=most)

    def another(self, now: int) -> bool:
        """Whether one more is within the bound; it counts if it is."""
        if len(self._times) == self._times.maxlen and now - self._times[0] < MINUTE_MS:
            return False
        self._times.append(now)
        return True
