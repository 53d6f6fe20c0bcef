"""Every recorded payload, of our own making, means what its file says."""

import json
from pathlib import Path

import pytest

from sensors.decode.families import FAMILIES
from sensors.decode.family import Packet
from sensors.decode.reasons import REASONS
from sensors.errors import UndecodableError
from sensors.inputs import Lane
from sensors.readings import VALUES, Button, Fire, Flag, Kind

FOLDER = Path(__file__).parent / "payloads"
CASES = sorted(FOLDER.glob("*/*.json"))
SUSPECTED = {"fire": Fire, "button": Button}


def raw(payload: object) -> bytes:
    if isinstance(payload, dict) and set(payload) == {"hex"}:
        return bytes.fromhex(payload["hex"])
    return payload.encode() if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False).encode()


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_recorded_payload(path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    family = FAMILIES[path.parent.name]("main-hall", None)
    packet = Packet(case["topic"], raw(case["payload"]), Lane.SAFETY, at=1)
    assert family.speaks(packet.topic)
    if "reason" in case:
        with pytest.raises(UndecodableError) as caught:
            family.decode(packet)
        assert caught.value.reason == case["reason"]
        assert caught.value.reason in REASONS
        assert caught.value.detail
        expected = SUSPECTED.get(case.get("suspected", ""), type(None))
        assert isinstance(caught.value.suspected, expected)
        assert caught.value.suspected_fire is (case.get("suspected") == "fire")
        return
    decoded = family.decode(packet)
    wanted = [(Kind(kind), VALUES[Kind(kind)](**fields)) for kind, fields in case["values"]]
    assert list(decoded.values) == wanted
    flags = [Flag[name.upper()] for name in case.get("flags", ())]
    assert decoded.flags == sum(flags, Flag.NONE)
    assert [[seen.address, list(seen.kinds), seen.model] for seen in decoded.seen] == case.get("seen", [])


def test_both_families_are_tried() -> None:
    assert {path.parent.name for path in CASES} == set(FAMILIES)
    assert len(CASES) > 40
