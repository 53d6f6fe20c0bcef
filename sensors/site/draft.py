"""A first site file from the devices that were heard: what is known stands in it, what only people know is marked.

Written as a person would write it, with comments in both languages, and made so that it passes `check`. `hallwatch
init` listens and writes it.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sensors.readings import Kind
from sensors.site.naming import AREAS, HALL_AREA, Area, area_of, asset_of, power_of, window_number, words_of
from sensors.site.part import ID_PATTERN

_ID: Final = re.compile(ID_PATTERN)
_OTHER: Final = re.compile(r"[^a-z0-9_.-]+")
_YAML_WORDS: Final = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})
# These say how a device itself is; a device that says more is listed by the more.
_OWN: Final = frozenset({Kind.AVAILABILITY, Kind.BATTERY})


@dataclass(frozen=True, slots=True)
class Met:
    """A device that was heard, or that a bridge's list names."""

    hall: str
    family: str
    address: str
    kinds: frozenset[Kind] = frozenset()
    model: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """The broker as the file will name it, and how long was listened to it."""

    host: str
    port: int
    version: str = "5"
    username: str | None = None
    seconds: int = 0
    zigbee: str | None = None


@dataclass(slots=True)
class _Hall:
    """What one hall's part of the file is made of."""

    id: str
    areas: dict[str, Area] = field(default_factory=dict)
    windows: dict[int, str] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


def draft(met: Sequence[Met], source: Source) -> str:
    """The site file's text."""
    halls: dict[str, list[Met]] = {}
    # The hall stands in every native topic: what cannot be an id there can never be heard.
    usable = [one for one in met if not one.hall or _ID.match(one.hall)]
    first = next((one.hall for one in usable if one.hall), "main")
    for one in usable:
        halls.setdefault(one.hall or first, []).append(one)
    parts = [_hall(name, devices) for name, devices in (halls or {"main": []}).items()]
    lost = sorted({one.hall for one in met if one not in usable})
    return _head(source, len(met)) + _lost(lost) + "".join(_hall_text(part) for part in parts)


def _lost(halls: list[str]) -> str:
    return "".join(
        f"  # 主题中的大厅 {_comment(json.dumps(hall, ensure_ascii=False))} 不能用作编号，请改设备的主题 · "
        "no id for a hall: change its devices' topics   TODO\n"
        for hall in halls
    )


def _hall(name: str, met: list[Met]) -> _Hall:
    hall, taken = _Hall(name), set[str]()
    for one in sorted(met, key=lambda each: (each.family, each.address)):
        # Every device may say that it is there; the site file names what it measures.
        said = one.kinds - {Kind.AVAILABILITY} or one.kinds
        kinds = tuple(kind for kind in Kind if kind in said)
        bridge = one.family != "native" and one.address == "bridge"
        known_as = _id(f"{one.family}-bridge" if bridge else one.address, kinds[0] if kinds else one.family, taken)
        taken.add(known_as)
        hall.lines.append(_device(hall, one, known_as, kinds))
    if not hall.areas:
        hall.areas[HALL_AREA.id] = HALL_AREA
    return hall


def _device(hall: _Hall, one: Met, id: str, kinds: tuple[Kind, ...]) -> str:
    number = window_number(one.address)
    area = _area(one.address, kinds, number)
    hall.areas.setdefault(area.id, area)
    fields = [("id", id)]
    if one.family != "native":
        fields.append(("family", one.family))
    if one.address != id:
        fields.append(("address", one.address))
    fields.append(("kinds", f"[{', '.join(kinds or (Kind.AVAILABILITY,))}]"))
    fields.append(("zone", area.id))
    if number is not None:
        fields.append(("window", hall.windows.setdefault(number, f"w{number}")))
    if Kind.QUEUE in kinds:
        service = _service(one.address)
        hall.services.setdefault(service, service)
        fields.append(("service", service))
    if (power := power_of(one.family, kinds)) != "mains":
        fields.append(("power", power))
    if Kind.EQUIPMENT in kinds:
        fields.append(("asset", asset_of(one.address) or "other"))
    written = ", ".join(f"{key}: {value if key == 'kinds' else _quoted(value)}" for key, value in fields)
    heard = "" if kinds and one.kinds - _OWN else "没有听到读数，请补 kinds · it measured nothing yet: complete kinds"
    note = "; ".join(filter(None, (one.model, heard)))
    return f"      - {{{written}}}" + (f"  # {_comment(note)}" if note else "")


def _area(name: str, kinds: tuple[Kind, ...], window: int | None) -> Area:
    """Where it stands: behind the counter with its window, at the entrance where badges are read, or by its name."""
    if window is not None and Kind.QUEUE not in kinds:
        return next(area for area in AREAS if area.id == "staff")
    return area_of(name) or HALL_AREA


def _service(name: str) -> str:
    """What the queue is for: its name without the words that only say that it is a queue."""
    rest = [word for word in words_of(name) if word not in {"queue", "sensor", "line", "q"} and word.isascii()]
    service = "-".join(rest)[:48]
    return service if _ID.match(service) else "general"


def _id(name: str, kind: str, taken: set[str]) -> str:
    """An id for the file: the name itself, a readable form of it, or the kind with a digest of it."""
    slug = _OTHER.sub("-", name.lower()).strip("-._")[:48]
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    for wanted in (name, slug, f"{slug}-{digest}" if slug else f"{kind}-{digest}"):
        if _ID.match(wanted) and wanted not in taken:
            return wanted
    return f"{kind}-{digest}"


# -- the text ---------------------------------------------------------------------------------------------------


def _quoted(text: str) -> str:
    """A value as YAML takes it, quoted where it is not a plain word."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_./-]*", text) and text.lower() not in _YAML_WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)


def _comment(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _head(source: Source, devices: int) -> str:
    secret = (
        f"  username: {_quoted(source.username)}\n  password: {{env: HALLWATCH_MQTT_PASSWORD}}\n"
        if source.username
        else "  # username: hallwatch\n  # password: {file: /etc/hallwatch/mqtt-password}\n"
    )
    zigbee = (
        f"  - {{family: zigbee2mqtt, base: {_quoted(source.zigbee)}}}\n"
        if source.zigbee
        else "  # - {family: zigbee2mqtt, base: zigbee2mqtt}\n"
    )
    return f"""\
# 由 hallwatch init 生成：在 MQTT 服务器上听了 {source.seconds} 秒，见到 {devices} 台设备。
# Written by hallwatch init: {source.seconds} s on the broker, {devices} devices seen.
#
# 标有 TODO 的只有人知道；其余是从设备名称和消息推测的，请核对。改完后：
# What is marked TODO only people know; the rest is guessed from names and messages: look it over. Then:
#     hallwatch check 本文件 THIS-FILE
#     hallwatch run --site 本文件 THIS-FILE
# 每个键见 docs/site.md；运行中改动后用 hallwatch reload 生效。
# Every key stands in docs/site.md; after a change on a running system: hallwatch reload.

site: my-site                                        # TODO
name: {{zh: 我的站点, en: My site}}                      # TODO

mqtt:
  host: {_quoted(source.host)}
  port: {source.port}
  version: "{source.version}"
{secret}
families:
  - family: native
{zigbee}
channels:
  - {{id: log, type: log}}
  # - {{id: mail, type: email, host: smtp.example.org, sender: hallwatch@example.org}}   # TODO

# 人员：名字、工卡、联系方式 · people: names, badges, how to reach them   TODO
people: []
#  - {{id: wang, name: {{zh: 王敏, en: Wang Min}}, badges: ["04A1B20101"], contacts: {{log: 内线 8001}}}}

halls:
"""


def _hall_text(hall: _Hall) -> str:
    services = [
        f"      - {{id: {_quoted(service)}, name: {{zh: {_quoted(name)}, en: {_quoted(name)}}}}}   # TODO"
        for service, name in sorted(hall.services.items())
    ]
    offered = ", ".join(sorted(hall.services))
    staff = "staff" if "staff" in hall.areas else next(iter(hall.areas))
    windows = [
        f"      - {{id: {window}, number: {number}, name: {{zh: 综合, en: General}}, "
        f"zone: {staff}, services: [{offered}]}}   # TODO"
        for number, window in sorted(hall.windows.items())
    ]
    zones = [
        f"      - {{id: {area.id}, name: {{zh: {area.name.zh}, en: {area.name.en}}}, area_m2: 100, capacity: 100}}"
        "   # TODO"
        for area in hall.areas.values()
    ]
    return f"""\
  - id: {_quoted(hall.id)}
    name: {{zh: 服务大厅, en: Service hall}}             # TODO
    timezone: Asia/Shanghai                          # TODO
    size: [40, 24]                                   # TODO 米 · metres
    hours:                                           # TODO 开放时间 · opening hours
      mon: ["08:30-12:00", "14:00-17:30"]
      tue: ["08:30-12:00", "14:00-17:30"]
      wed: ["08:30-12:00", "14:00-17:30"]
      thu: ["08:30-12:00", "14:00-17:30"]
      fri: ["08:30-12:00", "14:00-17:30"]

    # 区域：可用面积（平方米）和消防核定人数 · zones: usable area (m²) and the fire plan's capacity
    zones:
{_lines(zones)}
    # 业务：人们为什么排队 · services: what people queue for
    services:{_list(services)}
    # 窗口：从设备名称推测 · windows: guessed from the devices' names
    windows:{_list(windows)}
    # 设备：加上 at: [x, y]（米）即画在平面图上 · devices: with at: [x, y] (metres) they stand on the plan
    devices:{_list(hall.lines)}
    # 预案、告警通知次序：见 docs/site.md 和示例 · plans and who is told: see docs/site.md and the example   TODO
    plans: []
    # routing: {{people: [wang]}}
"""


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def _list(lines: list[str]) -> str:
    return "\n" + _lines(lines) if lines else " []"
