"""The native scheme's JSON Schema, made from the very values that decode it."""

from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from sensors.decode.envelope import ENVELOPES, PAYLOAD_AT_MOST
from sensors.decode.native import EMPTY
from sensors.readings import VALUES, Kind

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def native_schema() -> dict[str, Any]:
    """One schema for all kinds: `$defs/message_<kind>` is the payload of a topic that ends in `<kind>`."""
    mode: JsonSchemaMode = "validation"
    inputs = [(kind, mode, adapter) for kind, adapter in ENVELOPES.items()]
    roots, shared = TypeAdapter.json_schemas(inputs)
    definitions: dict[str, Any] = dict(shared["$defs"])
    for kind in EMPTY:
        definitions[VALUES[kind].__name__]["minProperties"] = 1
    for (kind, _), root in roots.items():
        message = definitions.pop(root["$ref"].removeprefix("#/$defs/")) if "$ref" in root else root
        definitions[f"message_{kind}"] = {**message, "title": f"hallwatch/v1/<hall>/<class>/<device>/{kind}"}
    return {
        "$schema": DIALECT,
        "$id": "urn:hallwatch:native:v1",
        "title": "Hallwatch native messages, version 1",
        "description": f"UTF-8 JSON of at most {PAYLOAD_AT_MOST} bytes; the topic's last level names the kind.",
        "anyOf": [{"$ref": f"#/$defs/message_{kind}"} for kind in Kind],
        "$defs": dict(sorted(definitions.items())),
    }
