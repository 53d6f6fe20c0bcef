"""What the API answers, as types: the code builds these, and `openapi.py` describes them. Instants are ms (UTC).

What the live page and the API share stands in `wire.py`; curves, marks, stories and boards stand where they are made.
"""

from typing import Any, Generic, TypeVar

import msgspec

from dashboard.server.wire import DeviceEntity, Name
from gateway.watch.watched import Balance, Probed
from sensors.hall.state import Account
from sensors.hall.suggest import Suggestion

Item = TypeVar("Item")


class Nothing(msgspec.Struct, frozen=True):
    """It is done, and there is nothing to say of it."""


class Listed(msgspec.Struct, Generic[Item], frozen=True):
    """A page of a list, newest first. `next` is the `before` of the page after, null on the last."""

    items: tuple[Item, ...]
    next: str | None


class Session(msgspec.Struct, frozen=True):
    """A login: `csrf` is the `X-CSRF-Token` of every write that comes with its cookie."""

    user: str
    csrf: str


class Refs(msgspec.Struct, frozen=True):
    """An action is committed: the ids of what it made or changed."""

    refs: tuple[str, ...]


class AccountAnswer(msgspec.Struct, frozen=True):
    """Messages by what became of them: in total, of no listed device, and of each; `balance` against what came."""

    hall: str
    total: Account
    none: Account
    devices: dict[str, Account]
    balance: Balance


class HallStatus(msgspec.Struct, frozen=True):
    """A hall in a few figures: links by lane, devices by liveness, counts of what is open."""

    hall: str
    now: int
    links: dict[str, bool]
    devices: dict[str, int]
    unsigned: int
    alarms: int
    unacknowledged: int
    runs: int
    tickets: int
    stalled_since: int | None
    history_behind: int
    history_store: str
    history_refused: int
    account: Account
    balance: Balance
    probes: tuple[Probed, ...]


class Status(msgspec.Struct, frozen=True):
    """All halls."""

    halls: tuple[HallStatus, ...]


class Boot(msgspec.Struct, frozen=True):
    """The numbers that a device used since one of its starts: first and highest."""

    boot: int
    first: int
    highest: int


class DeviceAnswer(msgspec.Struct, frozen=True):
    """A device, whole. `signs`: only its own key speaks for it. `suggested`: while it waits for approval."""

    device: DeviceEntity
    address: str
    first_seen: int | None
    account: Account
    boots: tuple[Boot, ...]
    clock: str
    signs: bool
    suggested: Suggestion | None


class Reading(msgspec.Struct, frozen=True):
    """One value as it was read, by its kind; `value` has that kind's fields."""

    kind: str
    value: Any


class RawAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it came, with what became of it. `text` and `base64` are its beginning, of `length` bytes."""

    at: int
    topic: str
    verdict: str
    reason: str
    detail: str
    retained: bool
    length: int
    values: tuple[Reading, ...]
    row: int | None
    text: str
    base64: str


class RawListed(msgspec.Struct, frozen=True):
    """The newest messages of a device. `since`: all from then on was looked through; null where all that is kept is."""

    items: tuple[RawAnswer, ...]
    since: int | None


class TailLine(RawAnswer, frozen=True, kw_only=True, omit_defaults=True):
    """One message once it is committed; `missed`: how many before it the listener was too slow for."""

    device: str
    qos: int
    dup: bool
    lane: str
    missed: int = 0


class Quiet(msgspec.Struct, frozen=True, omit_defaults=True):
    """Nothing came for a while, and the link stands."""

    missed: int = 0


class Mended(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who settled a message of the quarantine, when, and what was mended; what is left out is as it came."""

    by: Name | str | None
    at: int
    topic: str | None
    text: str | None = None
    base64: str | None = None


class Quarantined(msgspec.Struct, frozen=True):
    """A message that could not be read, as it came, and why; held, replayed or discarded."""

    id: int
    state: str
    at: int
    device: str | None
    topic: str
    reason: str
    detail: str
    retained: bool
    length: int
    digest: str
    text: str
    base64: str
    settled: Mended | None


class Settling(msgspec.Struct, frozen=True):
    """What has become of a message of the quarantine."""

    id: int
    state: str


class UserAnswer(msgspec.Struct, frozen=True):
    """A login. `password`: it has one; `link_until`: the end of the link by which one may be chosen."""

    user: str
    role: str
    person: str | None
    disabled: bool
    created: int
    password: bool
    link_until: int | None


class Made(msgspec.Struct, frozen=True, omit_defaults=True):
    """A new login; `link` is where its user chooses a password, if it has none yet."""

    user: str
    role: str
    link: str | None = None


class Linked(msgspec.Struct, frozen=True):
    """Where a user chooses a password, once."""

    user: str
    link: str


class Named(msgspec.Struct, frozen=True):
    """Whose logins have ended."""

    user: str


class TokenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A program's token; `used`: when it came last."""

    id: str
    name: str
    role: str
    created: int
    created_by: str
    expires: int | None
    used: int | None
    revoked: int | None


class NewToken(TokenAnswer, frozen=True, kw_only=True):
    """A new token, with its secret, which nobody is told again."""

    secret: str


class Revoked(msgspec.Struct, frozen=True):
    """A token that opens nothing any more."""

    id: str


class AuditLine(msgspec.Struct, frozen=True):
    """Who ("" is nobody known) did what about what, from where; `outcome` is done, look, or a refusal's code."""

    id: int
    at: int
    who: str
    address: str
    what: str
    about: str
    outcome: str


class SiteChange(msgspec.Struct, frozen=True):
    """One difference of the site file: added, removed or changed."""

    what: str
    key: str
    before: str
    after: str
    text: str


class Reloaded(msgspec.Struct, frozen=True):
    """The site file is in force, with these changes."""

    brief: str
    changes: tuple[SiteChange, ...]


class Alive(msgspec.Struct, frozen=True):
    """The event loop turns."""

    status: str


class Unready(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a hall is not ready: `link_down`, `not_subscribed` (each by lane), `store_stalled`, `store_silent`."""

    hall: str
    code: str
    lane: str | None = None
    since: int | None = None


class Ready(msgspec.Struct, frozen=True):
    """Whether every hall hears its broker and can write down what it hears."""

    ready: bool
    reasons: tuple[Unready, ...]
