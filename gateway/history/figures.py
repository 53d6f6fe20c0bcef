"""Which fields of a reading are numbers, and in what unit: what can be drawn, and what a table says of its columns."""

from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter

from sensors.readings import VALUES, Kind

_NUMBERS: Final = frozenset({"number", "integer", "boolean"})


@cache
def units(kind: Kind) -> dict[str, str]:
    """The fields of a kind that are numbers, with their units ("" for none, and for what is true or false)."""
    properties: dict[str, Any] = TypeAdapter(VALUES[kind]).json_schema().get("properties", {})
    found = {name: [one, *one.get("anyOf", ())] for name, one in properties.items()}
    return {
        name: next((str(one["unit"]) for one in options if "unit" in one), "")
        for name, options in found.items()
        if any(one.get("type") in _NUMBERS for one in options)
    }
