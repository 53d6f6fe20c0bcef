"""Whatever text a site file holds, reading it answers with problems and never with an exception."""

from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sensors.site.load import Loaded, read_site
from sensors.site.model import Site
from sensors.site.problem import format_problems

EXAMPLE = (Path(__file__).parents[3] / "dashboard" / "sites" / "university.yaml").read_text("utf-8")
# A short site, so that thousands of changed copies can be read.
LINES = EXAMPLE.splitlines()
SHORT = """\
site: s
name: {zh: a}
channels: [{id: log, type: log}]
people: [{id: p, name: {zh: a}, badges: [AB12], contacts: {log: x}}]
halls:
  - id: main
    name: {zh: a}
    hours: {mon: ["08:30-12:00", "13:30-17:00"]}
    holidays: [2026-10-01]
    zones: [{id: z, name: {zh: a}, area_m2: 5, capacity: 3, outline: [[0, 0], [1, 0], [1, 1]]}]
    windows: [{id: w, number: 1, name: {zh: a}, zone: z, hours: {mon: ["00:00-24:00"]}}]
    devices: [{id: d, kinds: [badge], window: w, at: [1, 1]}]
    thresholds: {crowd: {red: 4}, mains: {stale_s: 1, offline_s: 2}}
"""

NAMES = st.sampled_from([
    *Site.model_fields, "id", "zh", "en", "type", "kinds", "hours", "mon", "at", "zone", "outline", "crowd", "file",
    "<<",
])  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=12), st.integers().map(str), st.floats().map(str),
    st.sampled_from(["~", "*a", "&a", "!!float 1", "2026-13-01", "24:00-00:00", "log", ".nan", "9" * 400, "\\ud800"]),
)  # fmt: skip
FLOW = st.recursive(
    VALUES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: "[" + ", ".join(items) + "]"),
        st.dictionaries(NAMES, inner, max_size=4).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"
        ),
    ),
    max_leaves=12,
)


def holds(loaded: Loaded) -> None:
    """Exactly one of: a site, or an error; and every problem can be shown and stored."""
    assert (loaded.site is None) == bool(loaded.errors)
    shown = format_problems(loaded.problems, loaded.name)
    shown.encode("utf-8")
    for problem in loaded.problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.mend.zh
        assert problem.mend.en
        assert "\n" not in problem.value + problem.key + problem.what.en + problem.mend.en


@given(st.text())
@example("\x00")
@example("\ud800")
@example("%YAML 1.1\n---\na: 1")
@example("%TAG ! tag:x,2000:\n--- !x\na: 1")
@example("a: !!timestamp x")
@example("? ? a\n: b")
@example("a: |9\n b")
@example("a: 1\n...\nb: 2")
@settings(max_examples=300)
def test_any_text(text: str) -> None:
    holds(read_site(text, "any.yaml"))


@given(st.dictionaries(NAMES, FLOW, max_size=6))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_keys_and_values(pairs: dict[str, str]) -> None:
    holds(read_site("\n".join(f"{key}: {value}" for key, value in pairs.items()), "any.yaml"))


@given(st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_site_with_a_piece_changed(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(SHORT)))
    length = data.draw(st.integers(0, 12))
    piece = data.draw(st.one_of(FLOW, st.text(alphabet=" \t\n:-[]{},#&*!|>'\"%@`?abz019", max_size=8)))
    holds(read_site(SHORT[:at] + piece + SHORT[at + length :], "changed.yaml"))


@given(st.integers(0, len(LINES) - 1), st.sampled_from(["drop", "twice", "deeper", "half"]))
@settings(max_examples=25, deadline=None)
def test_the_example_with_a_line_spoilt(number: int, how: str) -> None:
    line = LINES[number]
    spoilt = {"drop": [], "twice": [line, line], "deeper": ["   " + line], "half": [line[: len(line) // 2]]}[how]
    holds(read_site("\n".join([*LINES[:number], *spoilt, *LINES[number + 1 :]]), "spoilt.yaml"))
