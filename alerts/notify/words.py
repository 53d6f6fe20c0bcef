"""Puts what a message says, codes and parameters, into sentences of both languages.

Templates are ours and hold names only; what comes from devices and people is put in as plain text. Every text ends
with what it is about, which attempt it is, whether it is a drill or perhaps a second copy, and the local time with
its offset, so that a person can tell two messages apart.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from string import Template
from typing import Final
from zoneinfo import ZoneInfo

from alerts.model import EndReason, Message, Why
from alerts.notes import Code
from alerts.notify.links import Links
from alerts.notify.sender import Text
from alerts.summary import KIND
from sensors.facts import FactKind

Pair = tuple[str, str]

KINDS: Final[Mapping[FactKind, Pair]] = {
    FactKind.FIRE: ("火警", "Fire"),
    FactKind.FIRE_TEST: ("火灾探测器测试", "Fire detector test"),
    FactKind.EQUIPMENT_FAULT: ("设备故障", "Equipment fault"),
    FactKind.DEVICE_SILENT: ("设备失联", "Device silent"),
    FactKind.WINDOW_UNSTAFFED: ("窗口无人值守", "Window unstaffed"),
    FactKind.CROWD: ("人员聚集", "Crowd"),
    FactKind.QUEUE_LONG: ("排队过长", "Queue too long"),
    FactKind.HELP: ("求助按钮", "Help button"),
    FactKind.BROKER_LOST: ("消息服务器中断", "Broker lost"),
    FactKind.FAULT_BUTTON: ("报修按钮", "Fault button"),
    FactKind.TAMPER: ("设备被拆动", "Device tampered with"),
    FactKind.BATTERY_LOW: ("电池电量低", "Battery low"),
    FactKind.CLOCK_SKEW: ("设备时钟偏差", "Device clock is off"),
    FactKind.SEQUENCE_GAP: ("消息序号缺失", "Messages missing"),
    FactKind.SESSION_LOST: (
        "消息服务器丢失会话，可能有消息缺失",
        "The broker forgot our session: messages may be missing",
    ),
    FactKind.PUNCH: ("考勤提醒", "Attendance"),
    FactKind.GATEWAY: ("系统自身告警", "Hallwatch itself"),
}
LEVELS: Final[Mapping[str, Pair]] = {
    "none": ("无", "none"),
    "blue": ("蓝色", "blue"),
    "yellow": ("黄色", "yellow"),
    "orange": ("橙色", "orange"),
    "red": ("红色", "red"),
}
# A title and a sentence for each code, Chinese and English. A plan's own sentence replaces the second.
SENTENCES: Final[Mapping[Code, tuple[Pair, Pair]]] = {
    Code.ALARM_RAISED: (("$kind：$subject", "$kind: $subject"), ("请查看并确认。", "Please look and acknowledge.")),
    Code.ALARM_REPEATED: (
        ("仍无人确认 · $kind：$subject", "Still unanswered · $kind: $subject"),
        ("尚无人确认，请查看并确认。", "Nobody has answered yet. Please look and acknowledge."),
    ),
    Code.ALARM_WORSENED: (
        ("升级 · $kind：$subject", "Worse · $kind: $subject"),
        ("情况加重，请立即查看。", "It has become worse. Please look at once."),
    ),
    Code.SUMMARY: (
        ("$count 条告警通知", "$count notices of alarms"),
        ("短时间内告警很多，请打开页面查看。", "Many alarms at once. Please look at the page."),
    ),
    Code.RUN_VERIFY: (
        ("立即核实 · $plan", "Verify at once · $plan"),
        ("请立即到现场核实，并确认或解除。", "Go and look at once, then confirm or stand down."),
    ),
    Code.RUN_CONFIRM: (
        ("请确认或解除 · $plan", "Confirm or stand down · $plan"),
        (
            "您已应答。核实后请在页面上确认险情或解除。",
            "You have answered. When you have looked, confirm the danger or stand down on the page.",
        ),
    ),
    Code.RUN_ACTIVE: (
        ("预案启动 · $plan", "Plan active · $plan"),
        ("预案已启动，请按职责行动。", "The plan is active. Act in your role."),
    ),
    Code.RUN_BEGUN: (
        ("险情属实 · $plan", "It is real · $plan"),
        ("预案已启动，您无其他任务，请注意安全。", "The plan is active; you have no further task. Keep safe."),
    ),
    Code.RUN_VACANT: (
        ("岗位无人应答 · $plan", "A role is vacant · $plan"),
        ("该岗位所有人员均未应答，现通知全体。", "Nobody of this role has answered; everybody is told."),
    ),
    Code.RUN_SIGNAL: (
        ("又一告警 · $plan", "One more alarm · $plan"),
        ("预案进行中又收到一个告警。", "One more alarm has come into the plan that runs."),
    ),
    Code.RUN_STOOD_DOWN: (
        ("已解除 · $plan", "Stood down · $plan"),
        ("预案已结束。", "The plan has ended."),
    ),
    Code.RUN_DRILL_ENDED: (
        ("演练中止 · $plan", "Drill ended · $plan"),
        ("发生真实告警，演练立即中止。", "A real alarm has come: the drill ends at once."),
    ),
}
# What is said besides, where a parameter is given. The order is that of the text.
DETAILS: Final[tuple[tuple[str, Pair], ...]] = (
    ("tally", ("共计：$tally", "In all: $tally")),
    ("sample", ("其中有：$sample", "Among them: $sample")),
    ("role", ("岗位：$role", "Role: $role")),
    ("hall", ("大厅：$hall", "Hall: $hall")),
    ("zone", ("区域：$zone", "Zone: $zone")),
    ("window", ("窗口：$window", "Window: $window")),
    ("device", ("设备：$device", "Device: $device")),
    ("signal", ("新信号：$signal", "New signal: $signal")),
    ("level", ("级别：$level", "Level: $level")),
    ("value", ("数值：$value", "Value: $value")),
    ("threshold", ("阈值：$threshold", "Threshold: $threshold")),
    ("detail", ("说明：$detail", "Detail: $detail")),
    ("why", ("原因：$why", "Why: $why")),
    ("reason", ("结果：$reason", "Outcome: $reason")),
    (
        "unverified",
        (
            "尚未核实：来自保留消息、未批准的设备，或签名不符",
            "Not verified: a retained message, a device not approved, or not signed by it",
        ),
    ),
)
WHYS: Final[Mapping[str, Pair]] = {
    Why.ALARM: ("告警", "alarm"),
    Why.SECOND_SIGNAL: ("第二个信号", "a second signal"),
    Why.CALL_POINT: ("手动报警按钮", "a call point"),
    Why.HEAT: ("感温探测器", "a heat detector"),
    Why.PERSON: ("人工启动或确认", "started or confirmed by a person"),
    Why.NO_ANSWER: ("限时内无人应答", "nobody answered in time"),
    Why.NOT_CONFIRMED: ("已应答，但限时内未确认或解除", "answered, but neither confirmed nor stood down in time"),
}
END_REASONS: Final[Mapping[str, Pair]] = {
    EndReason.FALSE_ALARM: ("误报", "false alarm"),
    EndReason.ALL_CLEAR: ("险情解除", "all clear"),
    EndReason.DRILL_OVER: ("演练结束", "drill over"),
    EndReason.REAL_ALARM: ("发生真实告警", "a real alarm"),
    EndReason.REAL_START: ("预案已真实启动", "a plan was started for real"),
}
# Codes that stand where a device's own text may stand as well.
REMARKS: Final[Mapping[FactKind, Mapping[str, Pair]]] = {
    FactKind.FIRE: {
        "smoke": ("感烟", "smoke"),
        "heat": ("感温", "heat"),
        "co": ("一氧化碳", "carbon monoxide"),
        "gas": ("可燃气体", "gas"),
        "mcp": ("手动报警按钮", "a call point"),
        "panel": ("消防主机", "the fire panel"),
    },
    FactKind.DEVICE_SILENT: {
        "silent": ("长时间没有消息", "not heard for too long"),
        "said_offline": ("设备自报离线", "it said that it is offline"),
    },
    FactKind.QUEUE_LONG: {
        "length": ("排队人数", "people in the queue"),
        "wait": ("预计等候时间", "estimated wait"),
    },
    FactKind.BROKER_LOST: {
        "safety": ("生命安全会话", "the life-safety session"),
        "telemetry": ("遥测会话", "the telemetry session"),
        "safety,telemetry": ("全部会话", "both sessions"),
    },
    FactKind.GATEWAY: {
        "dead_letter": ("消息未能送达", "a message could not be delivered"),
        "channel_failing": ("通知渠道屡次失败", "the channel fails again and again"),
        "session_taken": ("另一客户端使用了本机的 MQTT 标识", "another client uses our MQTT client id"),
        "link_unsteady": (
            "与消息服务器的连接反复中断：网络不稳，或另有客户端使用本机标识",
            "the link to the broker breaks again and again: the network, or another client with our id",
        ),
        "nobody_told": ("对外通知全部失败，外部无人知晓", "nobody outside was told: every way out fails"),
        "store_busy": ("存储被占用，新消息暂未入库", "the store is held by another; new messages wait"),
        "store_full": ("磁盘已满，新消息暂未入库", "the disk is full; new messages wait"),
        "store_failed": ("存储写入失败，新消息暂未入库", "the store cannot be written; new messages wait"),
        "store_silent": ("存储无应答，新消息暂未入库", "the store does not answer; new messages wait"),
        "store_lost": ("存储缺失已确认的数据", "the store has lost what was acknowledged"),
        "store_damaged": ("存储曾损坏，已另存并修复", "the store was damaged; it was set aside and mended"),
        "over_rate": ("设备发送过快，多出的消息被拒收", "a device sends too much; the rest is refused"),
        "forged": ("有人冒用设备名义，或其密钥不符", "somebody speaks in a device's name, or its key is wrong"),
        "too_many_unknown": ("未登记的设备过多", "too many devices wait for approval"),
        "too_many_devices": ("设备总数已达上限", "there are as many devices as allowed"),
        "too_many_topics": ("主题数量已达上限", "there are as many topics as allowed"),
        "quarantine_full": ("隔离区暂时已满", "the quarantine has grown enough for now"),
        "too_many_connections": (
            "浏览器连接数已达上限，有人打不开页面",
            "browsers have as many connections as allowed: somebody cannot open the page",
        ),
        "too_many_pages": (
            "打开的页面已达上限，有人打不开页面",
            "as many pages are open as allowed: somebody cannot open the page",
        ),
        "journal_dropped": (
            "日志超出磁盘预算，历史库未取走即被丢弃的消息数",
            "the journal is over its disk budget; messages dropped before the history had them:",
        ),
        "journal_over": (
            "日志超出磁盘预算，且已无可删",
            "the journal is over its disk budget, and nothing more may go",
        ),
        "quarantine_dropped": (
            "隔离区已满，无人查看即被丢弃的消息数",
            "the quarantine is full; messages dropped before anybody had looked:",
        ),
        "history_behind": (
            "历史库落后于日志",
            "the history is behind the journal",
        ),
        "subscription_refused": (
            "消息服务器拒绝了订阅",
            "the broker refuses a subscription",
        ),
        "disk_low": ("磁盘剩余空间不足", "little space is left on the disk"),
        "path_silent": ("探测消息没有返回，通路可能已断", "the probe does not come back: the path may be broken"),
        "heartbeat_failed": ("对外心跳发送失败", "the heartbeat to the outside is not taken"),
        "clock_stepped": ("本机时钟被调整", "this machine's clock was stepped"),
    },
}
# In what a value and its threshold are measured, by the kind and, where it has several, by its code.
UNITS: Final[Mapping[tuple[FactKind, str], Pair]] = {
    (FactKind.CROWD, ""): ("人/m²", "people/m²"),
    (FactKind.QUEUE_LONG, "length"): ("人", "people"),
    (FactKind.QUEUE_LONG, "wait"): ("秒", "s"),
    (FactKind.BATTERY_LOW, ""): ("%", "%"),
}
PLACES: Final = ("kind", "subject", "plan", "count", *(name for name, _ in DETAILS))
_ZH, _EN = 0, 1


class Phrasebook:
    """Puts one hall's messages into words."""

    def __init__(self, zone: ZoneInfo, links: Links, now: Callable[[], int]) -> None:
        """`zone` is the hall's; `now` is the real time (ms since the epoch), by which links end."""
        self._zone = zone
        self._links = links
        self._now = now

    def __call__(self, message: Message) -> Text:
        """The message in both languages, with its one-time link where its reader may answer."""
        answerable = message.answerable and message.person is not None
        zh, en = _Params(_params(message, _ZH)), _Params(_params(message, _EN))
        return Text(
            title_zh=_title(message, _ZH, zh),
            title_en=_title(message, _EN, en),
            body_zh=_body(message, _ZH, zh),
            body_en=_body(message, _EN, en),
            tail_zh=self._tail(message, _ZH),
            tail_en=self._tail(message, _EN),
            link=self._links.url(message.hall, message.id, self._now()) if answerable else None,
        )

    def _tail(self, message: Message, language: int) -> str:
        moment = datetime.fromtimestamp(message.created / 1000, self._zone)
        marks = [
            ("编号 " if language == _ZH else "No. ") + f"{message.about}/{message.id}",
            (f"第{message.round}轮" if language == _ZH else f"round {message.round}"),
            (f"第{message.attempts}次发送" if language == _ZH else f"attempt {message.attempts}"),
        ]
        if message.drill:
            marks.append(("演练", "DRILL")[language])
        if message.duplicate:
            marks.append(("可能重复", "possible duplicate")[language])
        if message.unwritten:
            marks.append(("存储故障，尚未入库，可能重发", "store down: unwritten, may come again")[language])
        marks.append(moment.isoformat(" ", "seconds"))
        return " · ".join(marks)


class _Params(dict[str, str]):
    """The parameters of a message as they stand in a text; what is missing is a question mark."""

    def __init__(self, params: Mapping[str, str]) -> None:
        super().__init__({name: _clean(params[name]) for name in PLACES if params.get(name)})

    def __missing__(self, name: str) -> str:
        return "?"


def _title(message: Message, language: int, params: _Params) -> str:
    code = _code(message)
    title = message.note.code if code is None else Template(SENTENCES[code][0][language]).substitute(params)
    return ("【演练】", "[DRILL] ")[language] + title if message.drill else title


def _body(message: Message, language: int, params: _Params) -> str:
    own = (message.note.text_zh, message.note.text_en or message.note.text_zh)[language]
    code = _code(message)
    sentence = own or ("" if code is None else SENTENCES[code][1][language])
    details = [Template(template[language]).substitute(params) for name, template in DETAILS if name in params]
    return "\n".join(part for part in (sentence, *details) if part)


def _code(message: Message) -> Code | None:
    # A message of an older release may have a code that is gone: it still goes out, with what it holds.
    return Code(message.note.code) if message.note.code in set(Code) else None


def _params(message: Message, language: int) -> dict[str, str]:
    """The parameters in one language: names instead of ids, words instead of codes."""
    given = dict(message.note.params)
    made = dict(given)
    for name in ("subject", "plan", "hall", "zone", "window", "role", "device", "signal", "sample"):
        made[name] = given.get(f"{name}_{('zh', 'en')[language]}") or given.get(name, "")
    made["tally"] = _tally(given, language)
    kind = given.get("kind", "")
    if kind in set(FactKind):
        made["kind"] = KINDS[FactKind(kind)][language]
        made["detail"] = _remark(FactKind(kind), given.get("detail", ""), language)
        unit = _unit(FactKind(kind), given.get("detail", ""), language)
        made |= {name: f"{given[name]} {unit}".strip() for name in ("value", "threshold") if name in given}
    else:
        made["kind"] = kind
    made["subject"] = made["subject"] or made["zone"] or made["hall"]
    for name, words in (("level", LEVELS), ("why", WHYS), ("reason", END_REASONS)):
        made[name] = words.get(given.get(name, ""), (given.get(name, ""),) * 2)[language]
    if given.get("verified") == "no":
        made["unverified"] = "yes"
    return made


def _tally(given: Mapping[str, str], language: int) -> str:
    """How many of each kind a summary holds."""
    kinds = {name.removeprefix(KIND): number for name, number in given.items() if name.startswith(KIND)}
    words = (f"{KINDS[FactKind(kind)][language] if kind in set(FactKind) else kind} {kinds[kind]}" for kind in kinds)
    return ("、", ", ")[language].join(words)


def _remark(kind: FactKind, detail: str, language: int) -> str:
    """A code in words; what follows it (an error's stable code) stays as it is, for who mends it."""
    code, blank, rest = detail.partition(" ")
    words = REMARKS.get(kind, {}).get(code)
    return detail if words is None else words[language] + blank + rest


def _unit(kind: FactKind, detail: str, language: int) -> str:
    unit = UNITS.get((kind, detail)) or UNITS.get((kind, ""))
    return "" if unit is None else unit[language]


def _clean(value: str) -> str:
    """A value on one line: device text is text, whatever is in it."""
    if value.isprintable():
        return value[:300]
    return "".join(letter if letter.isprintable() else " " for letter in value[:300])
