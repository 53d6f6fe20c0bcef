from zoneinfo import ZoneInfo

import pytest

from alerts.model import EndReason, Note, Why
from alerts.notes import Code
from alerts.notify.links import Links
from alerts.notify.words import KINDS, REMARKS, SENTENCES, Phrasebook
from sensors.facts import FactKind
from sensors.readings import FireSensor, Kind
from tests.alerts.harness import Scene, site
from tests.alerts.notify.samples import message

NOW = 1_760_000_000_000
BOOK = Phrasebook(ZoneInfo("Asia/Shanghai"), Links(b"secret", "http://h:1"), lambda: NOW)
PARAMS = (
    ("kind", "fire"), ("subject", "w3"), ("subject_zh", "3号窗口"), ("subject_en", "Window 3"), ("plan", "fire"),
    ("plan_zh", "火灾预案"), ("plan_en", "Fire plan"), ("zone", "b"), ("zone_zh", "B区"), ("zone_en", "Zone B"),
    ("count", "7"),
)  # fmt: skip


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_words_in_both_languages(code: Code) -> None:
    text = BOOK(message(note=Note(code.value, PARAMS)))
    for title, body in ((text.title_zh, text.body_zh), (text.title_en, text.body_en)):
        assert title
        assert body
        assert "$" not in title + body
        assert "?" not in title
    assert "B区" in text.body_zh
    assert "Zone B" in text.body_en
    assert not any("一" <= letter <= "鿿" for letter in text.title_en + text.body_en)


@pytest.mark.parametrize("kind", list(FactKind))
def test_every_condition_has_a_name(kind: FactKind) -> None:
    text = BOOK(message(note=Note("alarm.raised", (("kind", kind.value), ("subject", "x1")))))
    assert text.title_zh == f"{KINDS[kind][0]}：x1"
    assert text.title_en == f"{KINDS[kind][1]}: x1"


def test_no_words_are_kept_for_what_is_not_said() -> None:
    assert set(SENTENCES) == set(Code)


def test_the_end_tells_two_messages_apart() -> None:
    note = Note("alarm.raised", PARAMS)
    text = BOOK(message(note=note, attempts=3, round=2, drill=True, duplicate=True))
    assert text.tail_zh == "编号 A1/M1 · 第2轮 · 第3次发送 · 演练 · 可能重复 · 2025-10-09 16:53:20+08:00"
    assert text.tail_en == "No. A1/M1 · round 2 · attempt 3 · DRILL · possible duplicate · 2025-10-09 16:53:20+08:00"
    assert text.title_zh.startswith("【演练】")
    assert text.title_en.startswith("[DRILL]")
    plain = BOOK(message(note=note))
    assert "演练" not in plain.title_zh + plain.tail_zh
    assert "DRILL" not in plain.title_en + plain.tail_en


def test_a_plan_speaks_for_itself() -> None:
    text = BOOK(message(note=Note("run.active", PARAMS, "请疏散B区。", "Clear zone B.")))
    assert text.body_zh.startswith("请疏散B区。\n")
    assert text.body_en.startswith("Clear zone B.\n")


def test_only_who_may_answer_gets_a_link() -> None:
    note = Note("alarm.raised", PARAMS)
    assert (BOOK(message(note=note)).link or "").startswith("http://h:1/a/")
    assert BOOK(message(note=note, person=None)).link is None
    assert BOOK(message(note=note, answerable=False)).link is None


def test_what_a_device_says_is_text_and_nothing_else() -> None:
    params = (("kind", "equipment_fault"), ("subject", "$plan"), ("detail", "a\r\nb{0.__class__}$kind\x1b"))
    text = BOOK(message(note=Note("alarm.raised", params)))
    assert text.title_en == "Equipment fault: $plan"
    assert text.body_en.endswith("Detail: a  b{0.__class__}$kind ")


@pytest.mark.parametrize(
    ("name", "code"), [*(("why", one.value) for one in Why), *(("reason", one.value) for one in EndReason)]
)
def test_no_code_of_a_run_reaches_people_as_a_code(name: str, code: str) -> None:
    text = BOOK(message(note=Note("run.stood_down", (*PARAMS, (name, code)))))
    assert "_" not in text.body_zh + text.body_en
    assert code not in text.body_zh
    assert {"why": "原因：", "reason": "结果："}[name] in text.body_zh


@pytest.mark.parametrize("sensor", list(FireSensor))
def test_what_felt_the_fire_is_said_in_words(sensor: FireSensor) -> None:
    text = BOOK(message(note=Note("alarm.raised", (*PARAMS, ("detail", sensor.value)))))
    assert sensor.value not in text.body_zh
    assert f"Detail: {REMARKS[FactKind.FIRE][sensor.value][1]}" in text.body_en


@pytest.mark.parametrize(
    ("kind", "detail", "zh", "en"),
    [
        (FactKind.QUEUE_LONG, "wait", "预计等候时间", "estimated wait"),
        (FactKind.BROKER_LOST, "safety,telemetry", "全部会话", "both sessions"),
        (
            FactKind.GATEWAY,
            "dead_letter http_302",
            "消息未能送达 http_302",
            "a message could not be delivered http_302",
        ),
        (FactKind.DEVICE_SILENT, "silent", "长时间没有消息", "not heard for too long"),
        (FactKind.EQUIPMENT_FAULT, "wait", "wait", "wait"),
    ],
)
def test_a_code_of_ours_is_said_in_words_and_a_devices_own_text_stays(
    kind: FactKind, detail: str, zh: str, en: str
) -> None:
    text = BOOK(message(note=Note("alarm.raised", (("kind", kind.value), ("subject", "x"), ("detail", detail)))))
    assert text.body_zh.endswith(f"说明：{zh}")
    assert text.body_en.endswith(f"Detail: {en}")


def test_devices_have_their_names() -> None:
    site_ = site(devices=[{"id": "s1", "name": {"zh": "东烟感", "en": "East smoke"}, "kinds": ["fire"]}])
    scene = Scene(site_)
    scene.smoke("s1")
    text = BOOK(scene.posted()[0])
    assert "设备：东烟感" in text.body_zh
    assert "Device: East smoke" in text.body_en
    scene.smoke("s2")
    scene.posted()
    scene.smoke("s1x")
    text = BOOK(scene.posted()[0])
    assert "设备：东烟感、s2、s1x" in text.body_zh
    assert "New signal: s1x" in text.body_en


def test_a_help_button_names_its_window() -> None:
    window = {"id": "w3", "number": 3, "name": {"zh": "三号窗口", "en": "Window 3"}, "zone": "z1"}
    scene = Scene(site(windows=[window]))
    for device, stands in (("b1", "w3"), ("b2", None)):
        scene.device(device, Kind.BUTTON)
        scene.state.devices[device].window = stands
        scene.raised(FactKind.HELP, device)
    at_window, elsewhere = BOOK(scene.message_to("ann", "A000001")), BOOK(scene.message_to("ann", "A000002"))
    assert "窗口：三号窗口" in at_window.body_zh
    assert "Window: Window 3" in at_window.body_en
    assert "窗口" not in elsewhere.body_zh
    assert "Zone: zone one" in elsewhere.body_en


@pytest.mark.parametrize(
    ("kind", "detail", "zh", "en"),
    [
        (FactKind.CROWD, "", "数值：12.5 人/m²\n阈值：10 人/m²", "Value: 12.5 people/m²\nThreshold: 10 people/m²"),
        (FactKind.QUEUE_LONG, "length", "数值：12.5 人\n阈值：10 人", "Value: 12.5 people\nThreshold: 10 people"),
        (FactKind.QUEUE_LONG, "wait", "数值：12.5 秒\n阈值：10 秒", "Value: 12.5 s\nThreshold: 10 s"),
        (FactKind.BATTERY_LOW, "", "数值：12.5 %\n阈值：10 %", "Value: 12.5 %\nThreshold: 10 %"),
        (FactKind.GATEWAY, "", "数值：12.5\n阈值：10", "Value: 12.5\nThreshold: 10"),
    ],
)
def test_a_value_has_its_unit(kind: FactKind, detail: str, zh: str, en: str) -> None:
    scene = Scene()
    scene.raised(kind, "d1", detail=detail, value=12.5, threshold=10.0)
    text = BOOK(scene.posted()[0])
    assert zh in text.body_zh
    assert en in text.body_en


def test_an_old_code_still_goes_out() -> None:
    text = BOOK(message(note=Note("alarm.of_old", PARAMS)))
    assert text.title_en == "alarm.of_old"


def test_a_summary_says_how_many_of_what_and_names_the_first() -> None:
    params = (
        ("count", "31"), ("kind.equipment_fault", "30"), ("kind.window_unstaffed", "1"),
        ("sample_zh", "打印机、叫号机"), ("sample_en", "Printer, Kiosk"),
    )  # fmt: skip
    text = BOOK(message(note=Note(Code.SUMMARY.value, params)))
    assert text.title == "31 条告警通知 / 31 notices of alarms"
    assert "设备故障 30、窗口无人值守 1" in text.body_zh
    assert "Equipment fault 30, Window unstaffed 1" in text.body_en
    assert "Among them: Printer, Kiosk" in text.body_en
