"""A validation error as one sentence that a firmware author can act on."""

from typing import Final

from pydantic import ValidationError

from sensors.errors import UndecodableError

_WORDS: Final = {
    "missing": "is missing",
    "unexpected_keyword_argument": "is no field of this message",
    "json_invalid": "cannot be read as JSON",
}


def undecodable(error: ValidationError, *, address: str = "") -> UndecodableError:
    """The first thing that is wrong, as a reason and a sentence; never quotes the payload."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return UndecodableError("invalid_json", first["msg"][:200], address=address)
    # The name of an unknown field is the device's own text: no store and no terminal takes all of it.
    field = "".join(letter if letter.isprintable() else "�" for letter in ".".join(map(str, first["loc"]))[:100])
    field = field or "the message"
    problem = _WORDS.get(first["type"], first["msg"].replace("Input should", "should")[:200])
    return UndecodableError("invalid_value", f"`{field}` {problem}", address=address)
