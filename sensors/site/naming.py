"""What a device's name says of where it stands and what it is: a suggestion for people, and never a decision.

Names on the wire are people's: `w3-badge`, `smoke/self-service`, `3号窗口烟感`. Nothing here knows the site;
`sensors.hall.suggest` holds what is found against it, and `hallwatch init` makes a first site of it.
"""

import re
from dataclasses import dataclass
from typing import Final

from sensors.readings import Kind
from sensors.site.model import Words

_NUMBER: Final = (
    re.compile(r"(?:^|[^a-z0-9])(?:w|win|window|counter|desk|gate)[-_ /.]?0*(\d{1,4})(?![\d])", re.IGNORECASE),
    re.compile(r"0*(\d{1,4})\s*号\s*(?:服务)?(?:窗口|柜台|窗|台席)"),
    re.compile(r"(?:窗口|柜台)\s*[-_]?\s*0*(\d{1,4})"),
)
_WORD: Final = re.compile(r"[a-z]+|\d+|[\u4e00-\u9fff]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Area:
    """A part of a hall that names often tell of."""

    id: str
    name: Words
    words: tuple[str, ...]


# Longer words first where one holds another: a "self-service" area is no "service" desk.
AREAS: Final = (
    Area("self-service", Words(zh="自助区", en="Self-service"), ("self-service", "selfservice", "kiosk", "自助")),
    Area(
        "waiting",
        Words(zh="等候区", en="Waiting area"),
        ("waiting", "wait", "seating", "queue", "等候", "排队", "叫号"),
    ),
    Area("staff", Words(zh="办公区", en="Staff area"), ("staff", "office", "back", "办公", "设备间", "机房")),
    Area("entrance", Words(zh="入口", en="Entrance"), ("entrance", "entry", "lobby", "main-door", "入口", "大门")),
    Area("corridor", Words(zh="走廊", en="Corridor"), ("corridor", "hallway", "aisle", "走廊", "通道")),
    Area("lounge", Words(zh="休息区", en="Lounge"), ("lounge", "rest", "休息")),
)
HALL_AREA: Final = Area("hall", Words(zh="大厅", en="Hall"), ())
_ASSETS: Final = (
    ("printer", ("printer", "打印")),
    ("kiosk", ("kiosk", "自助机", "自助终端")),
    ("display", ("display", "screen", "sign", "大屏", "显示", "公告屏")),
    ("ups", ("ups", "不间断")),
    ("network", ("switch", "router", "network", "交换机", "路由")),
    ("pc", ("pc", "computer", "电脑")),
)


def window_number(name: str) -> int | None:
    """The number of the window that a name tells of; several windows ("windows 1-4") are none."""
    for pattern in _NUMBER:
        found = pattern.search(name)
        if found is not None:
            return int(found[1])
    return None


def words_of(name: str) -> tuple[str, ...]:
    """A name's words, lower case: runs of letters, of digits, of Chinese."""
    return tuple(word.lower() for word in _WORD.findall(name))


def tells_of(name: str, what: str) -> bool:
    """Whether all words of `what` stand in a name one after the other; Chinese anywhere in it."""
    if any("\u4e00" <= letter <= "\u9fff" for letter in what):
        return what in name
    wanted, words = words_of(what), words_of(name)
    return bool(wanted) and any(words[at : at + len(wanted)] == wanted for at in range(len(words)))


def area_of(name: str) -> Area | None:
    """The part of the hall that a name tells of."""
    return next((area for area in AREAS if any(tells_of(name, word) for word in area.words)), None)


def asset_of(name: str) -> str | None:
    """What kind of equipment a name tells of, as the site file calls it."""
    return next((asset for asset, words in _ASSETS if any(tells_of(name, word) for word in words)), None)


def power_of(family: str, kinds: tuple[Kind, ...]) -> str:
    """How it is fed, by what it says: who reports a battery has one, and behind a Zigbee bridge it sleeps for long."""
    if Kind.BATTERY not in kinds:
        return "mains"
    return "sleeping" if family == "zigbee2mqtt" else "battery"
