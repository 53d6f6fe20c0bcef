"""The root of every error that a person may meet, each with a stable code."""


class HallwatchError(Exception):
    """An error with a stable `code` for machines and a sentence for people."""

    code = "hallwatch"


class UndecodableError(HallwatchError):
    """A message that no decoder can read; it goes to quarantine with `reason` and `detail`.

    `reason` is one of the stable codes of `sensors.decode.reasons`; `detail` is a sentence for people.
    """

    code = "undecodable"

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class RefusedError(HallwatchError):
    """An action that the hall does not accept now. `code` is stable, `params` fill the page's sentence."""

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code if not params else f"{code} {params}")
        self.code = code
        self.params = params
