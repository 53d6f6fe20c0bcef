"""The root of every error that a person may meet, each with a stable code."""

from sensors.readings import Fire, Flag, Value


class HallwatchError(Exception):
    """An error with a stable `code` for machines and a sentence for people."""

    code = "hallwatch"


class UndecodableError(HallwatchError):
    """A message that no decoder can read; it goes to quarantine with `reason` and `detail`.

    `reason` is one of the stable codes of `sensors.decode.reasons`; `detail` is a sentence for people.
    `address` names the device where the topic says so. `suspected` is what a message too damaged to be read
    nevertheless says for life safety (a fire, a call for help), with the `flags` that can be made out in it:
    such a message is never simply lost. `evidence` are the words that say so: too damaged to be read as well, they
    say the same when they are looked at in the message's place.
    """

    code = "undecodable"

    def __init__(self, reason: str, detail: str, *, address: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.address = address
        self.suspected: Value | None = None
        self.flags = Flag.NONE
        self.evidence = b""

    @property
    def suspected_fire(self) -> bool:
        """Whether the damaged message seems to report a fire."""
        return isinstance(self.suspected, Fire) and self.suspected.alarm


class RefusedError(HallwatchError):
    """An action that the hall does not accept now. `code` is stable, `params` fill the page's sentence."""

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code if not params else f"{code} {params}")
        self.code = code
        self.params = params
