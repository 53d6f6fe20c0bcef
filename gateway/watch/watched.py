"""How the watcher itself is: one value for the page, the API, the figures and the readiness check."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """One MQTT session. `received` counts its PUBLISHes since the process began."""

    lane: str
    up: bool
    subscribed: bool
    received: int


@dataclass(frozen=True, slots=True)
class Probed:
    """The synthetic messages of one session.

    `at` is when the newest one that came back was sent (ms since the epoch, the gateway's clock) and `took_ms` how
    long it was under way until it was committed; None before the first. `age_s` is real time since `at`, or since
    the watch began. `fresh`: the path works, as far as one probe in its time can tell. `late`: people must look.
    """

    lane: str
    at: int | None
    took_ms: float | None
    age_s: float
    fresh: bool
    late: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """The account against what the sessions received.

    `unexplained` messages were received and are neither counted nor in hand; `lost` were so when their session was
    cut (the broker delivers them again). `devices`: whose outcomes do not add up to what was received.
    """

    unexplained: int = 0
    lost: int = 0
    devices: tuple[str, ...] = ()

    @property
    def even(self) -> bool:
        """True when every message is accounted for."""
        return not self.unexplained and not self.devices


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What the store was asked last. `answers`: it did, lately."""

    answers: bool = True
    held: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Watched:
    """A hall's path as it is watched. `waiting` messages and inputs are in hand; `index` is the journal's end."""

    sessions: tuple[Session, ...] = ()
    probes: tuple[Probed, ...] = ()
    balance: Balance = Balance()
    store: Surveyed = Surveyed()
    waiting: int = 0
    index: int = 0
