"""Secrets of a test that can be found again, whatever was made of them on the way."""

import base64
from collections.abc import Iterator
from urllib.parse import quote

TAIL = "Xq7Zp9Kt4Wv2"


class Planted:
    """Distinctive secrets by the name of the environment variable that holds each."""

    def __init__(self, *names: str) -> None:
        self.values = {name: f"{name.lower()}-{TAIL}-{number:04d}" for number, name in enumerate(names)}
        self._marks = {name: set(_marks(value)) for name, value in self.values.items()}

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def within(self, said: bytes | str) -> set[str]:
        """The names of the secrets that stand in it: as they are, as in an address, or in base 64."""
        held = said.encode(errors="surrogatepass") if isinstance(said, str) else said
        return {name for name, marks in self._marks.items() if any(mark in held for mark in marks)}


def _marks(value: str) -> Iterator[bytes]:
    raw = value.encode()
    yield raw
    yield quote(value, safe="").encode()
    yield raw.hex().encode()
    # Three letters of base 64 depend on what stands before and after.
    for before in range(3):
        text = base64.b64encode(bytes(before) + raw)
        yield text[4:-4]
        yield text[4:-4].replace(b"+", b"-").replace(b"/", b"_")
