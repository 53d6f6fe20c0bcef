"""The page's types and the server's are two files that must say the same."""

import inspect
import re
import types
import typing
from pathlib import Path

import msgspec
import pytest

from dashboard.server import wire

TYPESCRIPT = Path(wire.__file__).parent.parent / "web" / "src" / "lib" / "wire.ts"
PLAIN = {int: "number", float: "number", str: "string", bool: "boolean", type(None): "null"}
STRUCTS = {
    name: struct
    for name, struct in inspect.getmembers(wire, inspect.isclass)
    if issubclass(struct, msgspec.Struct) and struct.__module__ == wire.__name__ and name != "Entity"
}


def interfaces() -> dict[str, dict[str, str]]:
    """Each interface of wire.ts: its fields as written, `name?` where it may be left out."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", TYPESCRIPT.read_text("utf-8"), flags=re.DOTALL)
    found = re.findall(r"export interface (\w+)(?: extends \w+)? \{(.*?)\n\}", text, flags=re.DOTALL)
    return {name: dict(re.findall(r"^\s*(\w+\??):\s*(.+?);?\s*$", body, flags=re.MULTILINE)) for name, body in found}


def in_typescript(hint: object) -> str:
    """A Python type as the page would write it."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        if set(inner) == set(typing.get_args(wire.AnyEntity)):
            return "AnyEntity"
        return " | ".join(in_typescript(one) for one in inner)
    if origin is tuple and inner[-1] is Ellipsis:
        return f"{in_typescript(inner[0])}[]"
    if origin is tuple:
        return "[" + ", ".join(in_typescript(one) for one in inner) + "]"
    if origin is dict:
        return f"Record<{in_typescript(inner[0])}, {in_typescript(inner[1])}>"
    assert isinstance(hint, type)
    return PLAIN.get(hint, hint.__name__)


def expected(struct: type[msgspec.Struct]) -> dict[str, str]:
    """The interface that the page needs for a struct."""
    config, hints = struct.__struct_config__, typing.get_type_hints(struct)
    tag = {config.tag_field: f"'{config.tag}'"} if config.tag_field else {}
    fields = {}
    for field in msgspec.structs.fields(struct):
        left_out = config.omit_defaults and not field.required
        fields[field.encode_name + ("?" if left_out else "")] = in_typescript(hints[field.name])
    return {**tag, **fields}


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_the_page_expects_what_the_server_sends(name: str) -> None:
    assert interfaces()[name] == expected(STRUCTS[name])


def test_the_page_expects_nothing_else() -> None:
    assert set(interfaces()) - {"Entity"} == set(STRUCTS)


def test_a_difference_would_be_seen() -> None:
    """The reading of the file itself is tried: a field without its mark, and one of another type."""
    told = expected(wire.ServiceEntity)
    assert told["type"] == "'service'"
    assert told["wait_s?"] == "number | null"
    assert interfaces()["ServiceEntity"]["wait_s?"] == "number | null"
    assert len(STRUCTS) == 18
