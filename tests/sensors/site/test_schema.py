"""Every key of the site file is described, in the schema and in the documentation, and nothing else is."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from sensors.site import model, watch
from sensors.site.keys import KEYS
from sensors.site.mend import known_keys
from sensors.site.part import Part
from sensors.site.schema import TITLES, key_tables, site_schema

DOCS = Path(__file__).parents[3] / "docs" / "site.md"
PARTS = [
    one for one in (vars(model) | vars(watch)).values()
    if isinstance(one, type) and issubclass(one, Part) and one is not Part
]  # fmt: skip


def test_every_key_has_words_and_every_word_a_key() -> None:
    assert {f"{part.__name__}.{name}" for part in PARTS for name in part.model_fields} == set(KEYS)
    assert all(zh and en for zh, en in KEYS.values())
    assert set(TITLES) == set(PARTS)


def test_the_schema_describes_every_key() -> None:
    schema = site_schema()
    parts = {"Site": schema, **schema["$defs"]}
    described = {
        f"{name}.{key}"
        for name, part in parts.items()
        for key, field in part.get("properties", {}).items()
        if field["description"] == " · ".join(KEYS[f"{name}.{key}"])
    }
    assert described == set(KEYS)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["required"] == ["site", "name", "halls"]


def test_the_documentation_has_the_tables_that_the_model_makes() -> None:
    text = DOCS.read_text("utf-8")
    tables = key_tables()
    assert "PydanticUndefined" not in tables
    assert text.count(tables) == 1, "put what sensors.site.schema.key_tables() returns under the last heading"


def test_the_documentation_gives_the_defaults_of_the_thresholds() -> None:
    """The table of sources is written by hand: its plain numbers must be the model's."""
    rows = [line.split("|") for line in DOCS.read_text("utf-8").splitlines() if line.count("|") == 5]
    said = {row[1].strip().strip("`"): row[2].strip() for row in rows}
    thresholds, crowd = model.Thresholds(), model.CrowdThresholds()
    for name in ("late_grace_s", "absent_after_s", "unstaffed_after_s", "pause_max_s", "queue_wait_s"):
        assert said[name] == f"{getattr(thresholds, name)} s"
    assert said["queue_length"].startswith(f"{thresholds.queue_length} ")
    for power, limits in (
        ("mains", thresholds.mains),
        ("battery", thresholds.battery),
        ("sleeping", thresholds.sleeping),
    ):
        assert said[power] == f"{limits.stale_s} / {limits.offline_s} s"
    levels = f"{crowd.blue} / {crowd.yellow} / {crowd.orange} / {crowd.red} p/m²"
    assert said["crowd.blue` … `red"] == levels
    assert (
        said["crowd.raise_s`, `clear_s`, `clear_below"] == f"{crowd.raise_s} s, {crowd.clear_s} s, {crowd.clear_below}"
    )
    assert said["plans[].verify_s"] == f"{model.Plan.model_fields['verify_s'].default} s"
    assert said["roles[].answer_s"] == f"{model.Role.model_fields['answer_s'].default} s"


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ((), model.Site),
        (("mqtt", "tls"), model.Tls),
        (("halls", 0, "windows", 3), model.Window),
        (("halls", 0, "plans", 1, "roles", 2, "name"), model.Words),
        (("halls", 0, "thresholds", "crowd"), model.CrowdThresholds),
    ],
)
def test_known_keys_are_found_at_a_path(path: tuple[str | int, ...], part: type[BaseModel]) -> None:
    assert known_keys(path) == list(part.model_fields)


def test_a_channels_known_keys_are_those_of_its_type() -> None:
    assert known_keys(("channels", 0), "mqtt") == ["id", "type", "topic"]
    assert known_keys(("halls", 0, "hours", "mon")) == []
