"""docs/devices.md is what firmware is written from: its examples decode, its tables are the code's."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sensors.decode.envelope import COUNTER_AT_MOST, PAYLOAD_AT_MOST
from sensors.decode.families import FAMILIES
from sensors.decode.family import Packet
from sensors.decode.reasons import REASONS
from sensors.decode.schema import native_schema
from sensors.decode.signature import HEX, body_of, doubt, sign
from sensors.inputs import Lane
from sensors.readings import Kind
from sensors.topics import class_of, device_topic, qos_of

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "devices.md").read_text("utf-8")
EXAMPLE = re.compile(r"^`((?:hallwatch|zigbee2mqtt)/[^`\n]+)`[^\n]*\n+```json\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
EXAMPLES = EXAMPLE.findall(TEXT)
SCHEMA = native_schema()


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """A field's schema without `null` and without references."""
    for option in schema.get("anyOf", []):
        if option.get("type") != "null":
            return resolve({**option, **{key: value for key, value in schema.items() if key != "anyOf"}})
    if "$ref" in schema:
        return {**SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], **schema}
    return schema


def bounds(field: dict[str, Any]) -> str:
    """Range and unit as the document writes them."""
    if "enum" in field:
        return " ".join(f"`{value}`" for value in field["enum"])
    low, high = field.get("minimum"), field.get("maximum")
    if high is not None:
        return " ".join(
            filter(None, (f"{low:.12g} … {high:.12g}" if high < 2**53 else f"{low} … 2^53", field.get("unit")))
        )
    if "maxLength" in field:
        return f"{field.get('minLength', 0)} … {field['maxLength']} characters"
    return ""


def rows(kind: Kind) -> list[str]:
    """The table of a kind's fields, made from the schema."""
    message = SCHEMA["$defs"][f"message_{kind}"]
    value = resolve(message["properties"]["value"])
    found = []
    for name, schema in value["properties"].items():
        field = resolve(schema)
        default = schema.get("default")
        needed = "" if default is None else f"默认 default `{json.dumps(default).strip(chr(34))}`"
        needed = "必填 required" if name in value.get("required", []) else needed
        found.append(f"| `{name}` | {field['type']} | {bounds(field)} | {needed} |")
    return found


@pytest.mark.parametrize("kind", Kind)
def test_the_table_of_each_kind_is_the_codes(kind: Kind) -> None:
    section = re.search(rf"^### {kind}\b.*?\n(.*?)(?=^###? )", TEXT, re.MULTILINE | re.DOTALL)
    assert section is not None
    table = [line for line in section[1].splitlines() if line.startswith("| `")]
    assert table == rows(kind)
    topic = device_topic("{hall}", "{device}", kind)
    assert f"`{topic}`" in section[1]
    assert f"QoS {qos_of(kind)}" in section[1]


def test_every_kind_has_an_example_and_every_example_decodes() -> None:
    families = [make("main", None) for make in FAMILIES.values()]
    seen: set[Kind] = set()
    for topic, payload in EXAMPLES:
        (family,) = [family for family in families if family.speaks(topic)]
        decoded = family.decode(Packet(topic, payload.encode(), Lane.TELEMETRY, at=0))
        assert decoded.values or decoded.seen, topic
        if family.name == "native":
            assert topic == device_topic("main", decoded.address, decoded.values[0][0])
            seen.update(kind for kind, _ in decoded.values)
    assert seen == set(Kind)
    assert len(EXAMPLES) >= 15


def test_no_example_is_overlooked() -> None:
    assert TEXT.count("```json") == len(EXAMPLES)


def test_every_reason_is_explained() -> None:
    table = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", TEXT, re.MULTILINE)
    told = {code: (zh, en, what) for code, zh, en, what in table if code in REASONS}
    wanted = {
        reason.code: (reason.zh, reason.en, "拒收 refused" if reason.refused else "隔离 quarantine")
        for reason in REASONS.values()
    }
    assert told == wanted


def test_limits_and_classes_are_the_codes() -> None:
    assert f"{PAYLOAD_AT_MOST} " in TEXT
    assert COUNTER_AT_MOST == 2**53
    for kind in Kind:
        assert re.search(rf"^\| `{kind}` \| `{class_of(kind)}` \| {qos_of(kind)} \|", TEXT, re.MULTILINE)


def test_the_signed_example_is_signed() -> None:
    found = re.search(r"key `(\S+)`, topic `(\S+)`\n\n```\n(\{.*\}\n#\w+)\n```", TEXT)
    assert found is not None
    key, topic, message = (part.encode() for part in found.groups())
    assert doubt(topic.decode(), message, key) == ""
    assert sign(topic.decode(), body_of(message), key) == message
    # And by a program that shares no code with ours, as the page says it.
    command = re.search(r"^printf .*?openssl dgst .*?$", TEXT, re.MULTILINE | re.DOTALL)
    assert command is not None
    said = subprocess.run(["/bin/sh", "-c", command[0]], capture_output=True, check=True, text=True).stdout
    assert said.split()[-1] == message[-HEX:].decode()
    (family,) = [made for make in FAMILIES.values() if (made := make("main", None)).speaks(topic.decode())]
    assert family.decode(Packet(topic.decode(), message, Lane.SAFETY, at=0)).sequence == 3


def test_the_schema_refuses_what_the_decoder_refuses() -> None:
    assert set(SCHEMA["$defs"]) >= {f"message_{kind}" for kind in Kind}
    fire = SCHEMA["$defs"]["message_fire"]
    assert fire["additionalProperties"] is False
    assert fire["required"] == ["value"]
    assert fire["dependentRequired"] == {"seq": ["boot"]}
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    references = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(SCHEMA)))
    assert references <= set(SCHEMA["$defs"])
