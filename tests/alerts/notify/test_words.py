from zoneinfo import ZoneInfo

import pytest

from alerts.model import Note
from alerts.notes import Code
from alerts.notify.links import Links
from alerts.notify.words import KINDS, SENTENCES, Phrasebook
from sensors.facts import FactKind
from tests.alerts.notify.samples import message

NOW = 1_760_000_000_000
BOOK = Phrasebook(ZoneInfo("Asia/Shanghai"), Links(b"secret", "http://h:1"), lambda: NOW)
PARAMS = (
    ("kind", "fire"), ("subject", "w3"), ("subject_zh", "3号窗口"), ("subject_en", "Window 3"), ("plan", "fire"),
    ("plan_zh", "火灾预案"), ("plan_en", "Fire plan"), ("zone", "b"), ("zone_zh", "B区"), ("zone_en", "Zone B"),
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


def test_an_old_code_still_goes_out() -> None:
    text = BOOK(message(note=Note("alarm.of_old", PARAMS)))
    assert text.title_en == "alarm.of_old"
