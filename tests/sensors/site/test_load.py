"""The site file's errors: each names its line, its key, its value and a mend that works."""

from pathlib import Path

import pytest

from sensors.site.load import Loaded, read_site
from sensors.site.problem import Problem, Severity, format_problems

EXAMPLE = Path(__file__).parents[3] / "dashboard" / "sites" / "university.yaml"

SMALL = """\
site: small
name: {zh: 小站}
channels:
  - {id: log, type: log}
  - {id: sign, type: mqtt}
people:
  - {id: ann, name: {zh: 安}, badges: [04112233], contacts: {log: "1"}}
  - {id: bob, name: {zh: 包}, badges: ["04:AA:BB:CC"], contacts: {log: "2"}}
halls:
  - id: main
    name: {zh: 大厅}
    hours: {mon: ["08:30-12:00", "13:30-17:00"]}
    holidays: [2026-10-01]
    zones:
      - {id: z1, name: {zh: 区}, area_m2: 50, capacity: 30}
    services:
      - {id: card, name: {zh: 卡}}
    windows:
      - {id: w1, number: 1, name: {zh: 一}, zone: z1, services: [card]}
    devices:
      - {id: d1, kinds: [badge], zone: z1, window: w1}
      - {id: d2, kinds: [fire], zone: z1}
    shifts:
      - {person: ann, window: w1}
    plans:
      - id: fire
        name: {zh: 火灾}
        hazard: fire
        roles: [{id: chief, name: {zh: 总}, holders: [ann, bob]}]
        steps: [{id: go, role: chief, text: {zh: 去}}]
        messages: [{text: {zh: 火}, channels: [log]}]
    routing: {people: [ann]}
"""


def read(text: str) -> Loaded:
    return read_site(text, "small.yaml")


def change(old: str, new: str) -> Loaded:
    assert SMALL.count(old) == 1, old
    return read(SMALL.replace(old, new))


def only(loaded: Loaded) -> Problem:
    assert len(loaded.problems) == 1, format_problems(loaded.problems, loaded.name)
    return loaded.problems[0]


def test_a_good_site_has_no_problem() -> None:
    loaded = read(SMALL)
    assert loaded.problems == ()
    assert loaded.site is not None
    assert loaded.site.people[0].badges == ("04112233",)
    assert loaded.site.halls[0].holidays == ("2026-10-01",)
    assert loaded.digest != read(SMALL + "\n").digest


# what is changed, into what; then line, key, value, code, and what the mend says
ERRORS = [
    ("[badge]", "[bagde]", 21, "halls[0].devices[0].kinds[0]", "bagde", "enum", "write badge"),
    ("area_m2: 50", "area_m2: 0", 15, "halls[0].zones[0].area_m2", "0", "greater_than", "number > 0"),
    ("area_m2: 50", "area_m2: 5m2", 15, "halls[0].zones[0].area_m2", "5m2", "float_parsing", "no unit"),
    ("area_m2: 50", "area_m2: .inf", 15, "halls[0].zones[0].area_m2", ".inf", "float_parsing", "digits"),
    ("capacity: 30", "capacity: 3.5", 15, "halls[0].zones[0].capacity", "3.5", "int_parsing", "whole number"),
    (", capacity: 30", "", 15, "halls[0].zones[0].capacity", "", "missing", "capacity: … to the part at line 15"),
    ("site: small", "site: Small Site", 1, "site", "Small Site", "string_pattern_mismatch", "small-site"),
    ("08:30-12:00", "8:30-12:00", 12, "halls[0].hours.mon[0]", "8:30-12:00", "string_pattern_mismatch", "08:30-12:00"),
    ("08:30-12:00", "08:30-25:00", 12, "halls[0].hours.mon[0]", "08:30-25:00", "string_pattern_mismatch", "24 h"),
    ("08:30-12:00", "12:00-08:30", 12, "halls[0].hours.mon", "", "period_backwards", "24:00"),
    ("08:30-12:00", "08:30-14:00", 12, "halls[0].hours.mon", "", "periods_overlap", "in order"),
    ("{mon:", "{monday:", 12, "halls[0].hours.monday", "", "literal_error", "write mon"),
    ("2026-10-01", "2026-02-30", 13, "halls[0].holidays[0]", "2026-02-30", "date_unreal", "calendar"),
    ("2026-10-01", "2026/10/1", 13, "halls[0].holidays[0]", "2026/10/1", "string_pattern_mismatch", "2026-10-01"),
    ("hazard: fire", "hazard: fier", 28, "halls[0].plans[0].hazard", "fier", "literal_error", "write fire"),
    ("type: mqtt", "type: mqqt", 5, "channels[1]", "mqqt", "union_tag_invalid", "write mqtt"),
    ("type: mqtt", "topic: a", 5, "channels[1]", "", "union_tag_not_found", "type:"),
    ("type: mqtt", "type: mqtt, topic: a/#", 5, "channels[1].topic", "a/#", "string_pattern_mismatch", "without +"),
    ("name: {zh: 小站}", "name: 小站", 2, "name", "小站", "model_type", "{zh: …, en: …}"),
    ("[ann, bob]", "ann", 29, "halls[0].plans[0].roles[0].holders", "ann", "tuple_type", "[a, b]"),
    ("[ann, bob]", "[]", 29, "halls[0].plans[0].roles[0].holders", "", "too_short", "at least 1"),
    # between the parts
    ("zone: z1, services", "zone: z2, services", 19, "halls[0].windows[0].zone", "z2", "undefined", "one of: z1"),
    ("services: [card]", "services: [crad]", 19, "halls[0].windows[0].services[0]", "crad", "undefined", "write card"),
    ("zone: z1, window: w1", "zone: z9, window: w1", 21, "halls[0].devices[0].zone", "z9", "undefined", "one of: z1"),
    ("[badge], zone", "[badge], service: cart, zone", 21, "halls[0].devices[0].service", "cart", "undefined", "card"),
    ("{id: d2", "{id: d1", 22, "halls[0].devices[1].id", "d1", "not_unique", "another id"),
    ("{id: d2", "{id: d2, address: d1", 22, "halls[0].devices[1].address", "d1", "not_unique", "on the wire"),
    ("{id: d2", "{id: d2, family: zigbe", 22, "halls[0].devices[1].family", "zigbe", "undefined", "- family: zigbe"),
    ("person: ann", "person: anne", 24, "halls[0].shifts[0].person", "anne", "undefined", "write ann"),
    ("person: ann, window: w1", "person: ann, window: w2", 24, "halls[0].shifts[0].window", "w2", "undefined", "w1"),
    ("[ann, bob]", "[ann, rob]", 29, "halls[0].plans[0].roles[0].holders[1]", "rob", "undefined", "write bob"),
    ("role: chief", "role: chef", 30, "halls[0].plans[0].steps[0].role", "chef", "undefined", "write chief"),
    ("channels: [log]", "channels: [lok]", 31, "halls[0].plans[0].messages[0].channels[0]", "lok", "undefined", "log"),
    ("channels: [log]", "channels: [log], audience: public", 31, "halls[0].plans[0].messages[0].channels[0]", "log",
     "not_public", "sign"),
    ("{people: [ann]}", "{people: [amn]}", 32, "halls[0].routing.people[0]", "amn", "undefined", "write ann"),
    ("{people: [ann]}", "{channels: [mail]}", 32, "halls[0].routing.channels[0]", "mail", "undefined", "log"),
    ("04:AA:BB:CC", "0411-2233", 8, "people[1].badges[0]", "0411-2233", "not_unique", "one person"),
    ("04:AA:BB:CC", "-", 8, "people[1].badges[0]", "-", "badge", "04A1B2C3"),
    ('contacts: {log: "2"}', 'contacts: {lgo: "2"}', 8, "people[1].contacts.lgo", "2", "undefined", "write log"),
    ("{id: sign", "{id: log", 5, "channels[1].id", "log", "not_unique", "another id"),
    ("name: {zh: 大厅}", "timezone: Asia/Shanghia\n    name: {zh: 大厅}", 11, "halls[0].timezone", "Asia/Shanghia",
     "timezone_unknown", "Asia/Shanghai"),
    ("routing:", "thresholds: {crowd: {red: 2}}\n    routing:", 32, "halls[0].thresholds.crowd", "", "not_rising",
     "raise red"),
    ("site: small", "site: small\nmqtt: {password: {}}", 2, "mqtt.password", "", "secret_source", "file: PATH"),
    ("site: small", "site: small\nmqtt: {password: hunter2}", 2, "mqtt.password", "•••", "model_type", "key: value"),
    ("holidays:", "makeup_days: [{date: 2026-10-10, like: mon}, {date: 2026-10-10, like: tue}]\n    holidays:", 13,
     "halls[0].makeup_days[1].date", "2026-10-10", "not_unique", "one of them"),
    # the text itself
    ("name: {zh: 小站}", "name: {zh: 小站}\nname: {zh: 二}", 3, "name", "", "twice", "one of them"),
    ("name: {zh: 小站}", "\tname: {zh: 小站}", 2, "", "name: {zh: 小站}", "yaml", "spaces"),
    ("name: {zh: 小站}", "name: {zh: 小站", 3, "", "channels:", "yaml", "one before"),
    ("name: {zh: 小站}", 'name: {zh: "小\\0站"}', 2, "name.zh", r"小\x00站", "invisible", "delete"),
    ("name: {zh: 小站}", "name: *nobody", 2, "", "name: *nobody", "yaml", "&name"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "key", "value", "code", "mend"), ERRORS)
def test_an_error_names_line_key_value_and_mend(
    old: str, new: str, line: int, key: str, value: str, code: str, mend: str
) -> None:
    loaded = change(old, new)
    assert loaded.site is None
    problem = next(one for one in loaded.problems if one.severity is Severity.ERROR)
    assert (problem.line, problem.key, problem.value, problem.code) == (line, key, value, code)
    assert mend in problem.mend.en
    assert problem.what.zh
    assert problem.mend.zh
    assert len(loaded.errors) == 1


WARNINGS = [
    ("area_m2: 50", "area_m2: 50, at the door", 15, "halls[0].zones[0].at the door", "no_colon", "quotes"),
    ("area_m2: 50", "area_m2: 50, colour: red", 15, "halls[0].zones[0].colour", "unknown_key", "area_m2"),
    ("routing:", "routin: {}\n    routing:", 32, "halls[0].routin", "unknown_key", "write routing"),
    ("type: mqtt", "type: mqtt, topik: x", 5, "channels[1].topik", "unknown_key", "write topic"),
    (", badges: [04112233]", "", 24, "halls[0].shifts[0].person", "no_badge", "badges"),
    (', contacts: {log: "2"}', "", 29, "halls[0].plans[0].roles[0].holders[1]", "no_contact", "contacts"),
    ("[badge], zone: z1, window: w1", "[badge], zone: z1", 19, "halls[0].windows[0]", "unseen_window", "window: w1"),
    ("kinds: [fire], zone: z1", "kinds: [fire]", 22, "halls[0].devices[1]", "no_zone", "zone"),
    ("kinds: [fire]", "at: [41, 3], kinds: [fire]", 22, "halls[0].devices[1].at", "outside", "size"),
    ("kinds: [fire]", "kinds: [fire, queue]", 22, "halls[0].devices[1]", "no_service", "service"),
    ("hazard: fire", "hazard: other", 10, "halls[0]", "no_fire_plan", "hazard: fire"),
    ("holidays:", "makeup_days: [{date: 2026-10-01, like: mon}]\n    holidays:", 13, "halls[0].makeup_days[0].date",
     "holiday_worked", "one of the two"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "key", "code", "mend"), WARNINGS)
def test_a_warning_leaves_the_site_loaded(old: str, new: str, line: int, key: str, code: str, mend: str) -> None:
    loaded = change(old, new)
    problem = only(loaded)
    assert loaded.site is not None
    assert problem.severity is Severity.WARNING
    assert (problem.line, problem.key, problem.code) == (line, key, code)
    assert mend in problem.mend.en


def test_unknown_keys_are_named_together_with_errors_and_within_unknown_parts() -> None:
    loaded = read(SMALL.replace("area_m2: 50", "area_m2: x, hue: {a: {b: c}}").replace("site: small", "sit: small"))
    assert [(one.code, one.key) for one in loaded.problems] == [
        ("missing", "site"), ("unknown_key", "sit"), ("float_parsing", "halls[0].zones[0].area_m2"),
        ("unknown_key", "halls[0].zones[0].hue"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "  \n# nothing\n", "~", "--- \n"])
def test_an_empty_file_says_how_to_begin(text: str) -> None:
    assert only(read(text)).code == "empty"


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words", "3"])
def test_what_is_no_site_says_so(text: str) -> None:
    assert only(read(text)).code == "no_site"


def test_a_bomb_of_aliases_is_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    assert only(read("\n".join(lines))).code == "too_much"


@pytest.mark.parametrize("text", ["[" * 3000, "a: &x {b: *x}", "{a: " * 40 + "1" + "}" * 40])
def test_what_is_too_deep_is_refused(text: str) -> None:
    assert "too deep" in only(read(text)).what.en


def test_what_is_too_large_is_refused() -> None:
    assert only(read("#" * (2 * 1024 * 1024 + 1))).code == "too_large"


def test_a_file_wrong_throughout_is_not_answered_with_a_line_for_each_line() -> None:
    loaded = read(SMALL.replace("people:\n", "people:\n" + "  - {idd: 1}\n" * 200))
    assert len(loaded.problems) == 101
    assert loaded.problems[-1].code == "more"


def test_a_block_can_be_shared_by_anchor_and_merge() -> None:
    text = SMALL.replace("{id: d1, kinds: [badge], zone: z1, window: w1}", "&d {id: d1, kinds: [badge], window: w1}")
    text = text.replace("{id: d2, kinds: [fire], zone: z1}", "{<<: *d, id: d2}")
    site = read(text.replace("hazard: fire", "hazard: other")).site
    assert site is not None
    assert (site.halls[0].devices[1].id, site.halls[0].devices[1].window) == ("d2", "w1")


def test_a_key_with_nothing_after_it_counts_as_not_written() -> None:
    loaded = change("    holidays: [2026-10-01]", "    holidays:\n      # - 2026-10-01")
    assert loaded.problems == ()
    assert loaded.site is not None
    assert loaded.site.halls[0].holidays == ()


def test_the_text_for_a_terminal_has_line_key_value_and_mend_in_both_languages() -> None:
    shown = format_problems(change("[badge]", "[bagde]").problems, "small.yaml")
    assert shown.startswith("small.yaml:21:26  ✗ 错误 error  halls[0].devices[0].kinds[0] = bagde\n")
    assert "改为 badge" in shown
    assert "write badge" in shown
    assert format_problems((), "small.yaml") == ""


def test_the_shipped_example_has_no_problem_and_is_complete() -> None:
    loaded = read_site(EXAMPLE.read_text("utf-8"), EXAMPLE.name)
    assert format_problems(loaded.problems, loaded.name) == ""
    assert loaded.site is not None
    (hall,) = loaded.site.halls
    assert len(hall.windows) == 8
    assert 55 <= len(hall.devices) <= 65
    assert {plan.hazard for plan in hall.plans} == {"fire", "crowd", "earthquake", "network", "other"}
    assert {use.family for use in loaded.site.families} == {device.family for device in hall.devices}
    assert {channel.type for channel in loaded.site.channels} == {"log", "mqtt"}
    assert all(person.badges and person.contacts for person in loaded.site.people)


def test_the_examples_devices_stand_in_their_zones_and_the_zones_tile_the_plan() -> None:
    site = read_site(EXAMPLE.read_text("utf-8"), EXAMPLE.name).site
    assert site is not None
    hall = site.halls[0]
    boxes = {
        zone.id: (
            min(x for x, _ in zone.outline), min(y for _, y in zone.outline),
            max(x for x, _ in zone.outline), max(y for _, y in zone.outline),
        )
        for zone in hall.zones
    }  # fmt: skip
    assert sum((right - left) * (low - top) for left, top, right, low in boxes.values()) == hall.size[0] * hall.size[1]
    for zone in hall.zones:
        left, top, right, low = boxes[zone.id]
        assert zone.area_m2 <= (right - left) * (low - top)
    for device in hall.devices:
        assert device.zone is not None
        assert device.at is not None
        left, top, right, low = boxes[device.zone]
        assert left <= device.at[0] <= right, device.id
        assert top <= device.at[1] <= low, device.id
    assert len({device.at for device in hall.devices}) == len(hall.devices)
