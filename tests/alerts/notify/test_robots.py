"""Robots of WeCom, DingTalk and Feishu: their signatures, what their answers mean, what a message looks like."""

import asyncio
import json
import logging
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerts.model import Lane
from alerts.notify import dingtalk, feishu
from alerts.notify.open import open_senders
from alerts.notify.robot import Pace, mentioned
from alerts.notify.secret import SecretMissingError
from alerts.notify.sender import Answer, Never, Sent, Text, TryAgain, Unknown
from sensors.site.model import Site
from tests.alerts.notify.samples import TEXT, message
from tests.fakes import rude as fake
from tests.fakes.robots import KEY, fake_robots
from tests.fakes.rude import Behaviour, rude

SERVICES = ("wecom", "dingtalk", "feishu")
SIGNED = ("dingtalk", "feishu")
LINK = str(TEXT.link)
OLD_S = 1_760_000_000


async def nowhere(topic: str, payload: bytes) -> None:
    """No broker here."""


def settings(folder: Path, service: str, url: str, key: str | None = KEY, **more: object) -> dict[str, Any]:
    """A channel, its address and key in files as a site would have them."""
    (folder / "url").write_text(url + "\n", encoding="utf-8")
    secret = {}
    if key is not None and service in SIGNED:
        (folder / "key").write_text(key + "\n", encoding="utf-8")
        secret = {"secret": {"file": str(folder / "key")}}
    file = {"url": {"file": str(folder / "url")}}
    return {"id": "robot", "type": service, "allow_private": True, "timeout_s": 2, **file, **secret, **more}


async def tell(
    channel: dict[str, Any], *texts: Text, now_s: float | None = None, to: str = "wang", lane: Lane = Lane.LIFE_SAFETY
) -> list[Answer]:
    """Send texts one after the other by one channel."""
    hours = {"mon": ["08:00-18:00"]}
    site = Site.model_validate(
        {
            "site": "s",
            "name": {"zh": "站"},
            "channels": [channel],
            "halls": [{"id": "h1", "name": {"zh": "厅"}, "hours": hours}],
        }
    )
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        senders = open_senders(site.channels, nowhere, lambda: int((now_s or time.time()) * 1000))
        sender = (await stack.enter_async_context(senders))["robot"]
        return [await sender.send(message(address=to, lane=lane), text) for text in texts or (TEXT,)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.mark.parametrize("service", SERVICES)
async def test_a_message_is_taken_and_says_what_it_is_in_chinese_first(folder: Path, service: str) -> None:
    async with fake_robots() as robots:
        assert await tell(settings(folder, service, robots.url(service))) == [Sent()]
        (taken,) = robots.taken
    said = json.dumps(taken, ensure_ascii=False)
    shown = (TEXT.title_zh, TEXT.body_zh, TEXT.title_en, TEXT.body_en)
    places = [said.index(one) for one in shown]
    assert places == sorted(places), "Chinese first"
    assert LINK in said
    assert "编号 A1" in said
    assert "Hallwatch" in said, "the keyword that a robot may ask for"


@pytest.mark.parametrize(("service", "code"), [("dingtalk", 310000), ("feishu", 19021)])
async def test_a_signature_holds_for_its_key_and_its_hour(folder: Path, service: str, code: int) -> None:
    async with fake_robots() as robots:
        good = settings(folder, service, robots.url(service))
        robots.now_s = OLD_S
        for at in (OLD_S, OLD_S + 0.999, OLD_S - 3599, OLD_S + 3599):
            assert await tell(good, now_s=at) == [Sent()], at
        for at in (OLD_S - 3602, OLD_S + 3602):
            assert await tell(good, now_s=at) == [Never(f"answer_{code}")], "a clock that is off is told"
        wrong = settings(folder, service, robots.url(service), key="SECanother")
        unsigned = settings(folder, service, robots.url(service), key=None)
        for channel in (wrong, unsigned):
            assert await tell(channel, now_s=OLD_S) == [Never(f"answer_{code}")]
        assert len(robots.taken) == 4


@pytest.mark.parametrize(("service", "code"), [("wecom", 93000), ("dingtalk", 300005), ("feishu", 19001)])
async def test_a_robot_that_is_gone_is_never(folder: Path, service: str, code: int) -> None:
    async with fake_robots() as robots:
        url = robots.url(service, "another-token")
        assert await tell(settings(folder, service, url)) == [Never(f"answer_{code}")]


@pytest.mark.parametrize(
    ("service", "status", "said", "answer"),
    [
        ("wecom", 200, {"errcode": -1, "errmsg": "system busy"}, TryAgain("answer_-1", 30)),
        ("wecom", 200, {"errcode": 45009, "errmsg": "api freq out of limit"}, TryAgain("answer_45009", 30)),
        ("wecom", 200, {"errcode": 40058, "errmsg": "invalid Request Parameter"}, Never("answer_40058")),
        ("wecom", 200, {"errcode": "0"}, Unknown("answer_unreadable")),
        ("wecom", 200, {"errcode": False}, Unknown("answer_unreadable")),
        ("wecom", 200, {"errcode": 10**30}, Never("answer_refused")),
        ("wecom", 200, {"code": 0}, Unknown("answer_unreadable")),
        ("dingtalk", 200, {"errcode": 130101, "errmsg": "send too fast"}, TryAgain("answer_130101", 60)),
        ("dingtalk", 200, {"errcode": 410100, "errmsg": "发送速度太快而限流"}, TryAgain("answer_410100", 60)),
        ("dingtalk", 200, {"errcode": 4242, "errmsg": "请求过于频繁"}, TryAgain("answer_4242", 60)),
        ("dingtalk", 200, {"errcode": 310000, "errmsg": "keywords not in content"}, Never("answer_310000")),
        ("dingtalk", 200, {"errcode": 400102, "errmsg": "机器人已停用"}, Never("answer_400102")),
        ("feishu", 200, {"code": 11232, "msg": "frequency limited psm[x]"}, TryAgain("answer_11232", 5)),
        ("feishu", 400, {"code": 9499, "msg": "too many request"}, TryAgain("answer_9499", 5)),
        ("feishu", 400, {"code": 9499, "msg": "Bad Request"}, Never("answer_9499")),
        ("feishu", 429, {"code": 99991400, "msg": "request trigger frequency limit"}, TryAgain("http_429")),
        ("feishu", 400, {"code": 99991400, "msg": "request trigger frequency limit"}, TryAgain("answer_99991400", 5)),
        ("feishu", 200, {"code": 19024, "msg": "Key Words Not Found"}, Never("answer_19024")),
        ("feishu", 200, {"StatusCode": 0}, Unknown("answer_unreadable")),
        ("feishu", 500, {"code": 0}, TryAgain("http_500")),
        ("feishu", 504, {"code": 0}, Unknown("http_504")),
        ("feishu", 404, {"code": 0, "msg": "success"}, Never("http_404")),
        ("dingtalk", 302, {"errcode": 0}, Never("http_302")),
        ("wecom", 403, None, Never("http_403")),
    ],
)
async def test_the_body_is_what_counts(folder: Path, service: str, status: int, said: object, answer: Answer) -> None:
    async with fake_robots() as robots:
        robots.refuse.append((status, b"<html>" if said is None else json.dumps(said).encode()))
        assert await tell(settings(folder, service, robots.url(service)), TEXT, TEXT) == [answer, Sent()]


@pytest.mark.parametrize(
    "body", [b"", b"<html>please log in</html>", b"[]", b"\xff\xfe", b" " * 100_000, b"[" * 60_000]
)
async def test_a_body_that_is_no_service_s_own_says_nothing(folder: Path, body: bytes) -> None:
    async with fake_robots() as robots:
        robots.refuse.append((200, body))
        assert await tell(settings(folder, "feishu", robots.url("feishu"))) == [Unknown("answer_unreadable")]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("behaviour", "answer"),
    [
        (fake.hang_after_reading, Unknown("timeout")),
        (fake.drop_after_reading, Unknown("network")),
        (fake.drop_in_body, Unknown("network")),
        (fake.slow_loris, Unknown("timeout")),
        (fake.huge_body, Unknown("answer_unreadable")),
    ],
)
async def test_what_left_and_was_not_answered_is_unknown(
    folder: Path, service: str, behaviour: Behaviour, answer: Answer
) -> None:
    async with rude(behaviour) as broken:
        assert await tell(settings(folder, service, broken.url(), timeout_s=0.4)) == [answer]
        assert broken.connections == 1


@pytest.mark.parametrize("service", SERVICES)
async def test_an_address_inside_or_without_tls_is_refused(folder: Path, service: str) -> None:
    async with rude(fake.hang_after_reading) as inside:
        for url in (inside.url(), inside.url("ftp"), "robot-7"):
            with pytest.raises(SecretMissingError, match="channel robot does not begin with https://") as raised:
                await tell(settings(folder, service, url, allow_private=False))
            assert url not in str(raised.value), "an address is a secret"
        channel = settings(folder, service, inside.url("https"), allow_private=False)
        assert await tell(channel) == [Never("private_address")]
        assert inside.connections == 0


@pytest.mark.parametrize("service", SERVICES)
async def test_no_key_and_no_address_stands_in_a_log(
    folder: Path, service: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with fake_robots() as robots:
        robots.refuse.append((500, b""))
        await tell(settings(folder, service, robots.url(service)), TEXT, TEXT)
    async with rude(fake.reset) as broken:
        await tell(settings(folder, service, broken.url() + "?key=the-token-in-the-address"))
    ours = [one.getMessage() for one in caplog.records if one.name.startswith(("alerts", "gateway", "hallwatch"))]
    assert not [one for one in ours if "the-token" in one or KEY in one or LINK in one]


async def test_whom_a_message_mentions(folder: Path) -> None:
    async with fake_robots() as robots:
        for service in SERVICES:
            channel = settings(folder, service, robots.url(service))
            for to in ("wang", "13800138000", "group", "all", ""):
                assert await tell(channel, to=to) == [Sent()]
        wecom, dingtalk, feishu = (robots.taken[start : start + 5] for start in (0, 5, 10))
    assert "<@wang>" in wecom[0]["markdown"]["content"]
    assert wecom[1]["text"]["mentioned_mobile_list"] == ["13800138000"], "markdown cannot mention a number"
    assert [one["at"] for one in dingtalk] == [
        {"atUserIds": ["wang"], "isAtAll": False},
        {"atMobiles": ["13800138000"], "isAtAll": False},
        *[{"isAtAll": False}] * 3,
    ]
    assert "@13800138000" in dingtalk[1]["markdown"]["text"], "only who stands in the text as well is mentioned"
    assert "<at id=wang></at>" in json.dumps(feishu[0], ensure_ascii=False)
    for one in (*wecom[2:], *feishu[2:]):
        said = json.dumps(one, ensure_ascii=False)
        assert "<@" not in said
        assert "<at" not in said
    assert mentioned("x>y") == mentioned("a b") == mentioned("王") == ""


@pytest.mark.parametrize("service", SERVICES)
async def test_a_site_may_keep_the_link_out_of_the_group(folder: Path, service: str) -> None:
    async with fake_robots() as robots:
        assert await tell(settings(folder, service, robots.url(service), link=False)) == [Sent()]
        assert "http" not in json.dumps(robots.taken)


@pytest.mark.parametrize("service", SERVICES)
async def test_what_a_device_says_mentions_nobody_and_links_nowhere(folder: Path, service: str) -> None:
    evil = '<@all><at id=all></at> [click](http://evil.example) **big** `x` <font color="info">'
    text = replace(TEXT, title_zh=evil, title_en=evil, body_zh=evil, body_en=evil, tail_zh=evil, link=None)
    async with fake_robots() as robots:
        assert await tell(settings(folder, service, robots.url(service)), text, to="group") == [Sent()]
        said = json.dumps(robots.taken, ensure_ascii=False)
    for markup in ("<@", "<at", "](", "`", "**big"):
        assert markup not in said


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("letter", ["火", "a", "🔥", "\\", "<"])
@pytest.mark.parametrize("to", ["wang", "13800138000"])
async def test_a_long_text_is_cut_to_what_the_service_takes(folder: Path, service: str, letter: str, to: str) -> None:
    long = replace(TEXT, body_zh=letter * 6000, body_en=letter * 6000, title_en=letter * 300)
    endless = replace(long, title_zh=letter * 6000, tail_zh=letter * 6000)
    async with fake_robots() as robots:
        assert await tell(settings(folder, service, robots.url(service)), long, endless, to=to) == [Sent(), Sent()]
        said = json.dumps(robots.taken[0], ensure_ascii=False)
    assert "…" in said
    assert TEXT.title_zh in said
    assert LINK in said, "the way to answer is never what is cut"
    assert "A1 · attempt 1" in said


async def test_nothing_routine_is_sent_faster_than_the_service_bears_and_life_safety_never_waits(folder: Path) -> None:
    async with fake_robots() as robots:
        channel = settings(folder, "dingtalk", robots.url("dingtalk"))
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await tell(channel, *[TEXT] * 20, lane=Lane.OPERATIONAL)
        assert len(robots.taken) == 5
        assert await tell(channel, *[TEXT] * 15) == [Sent()] * 15, "what is left of the minute is life safety's"
        assert await tell(channel) == [TryAgain("answer_130101", 60)]
        assert time.monotonic() - begun < 10


def test_the_pace_leaves_a_quarter_of_the_minute_to_life_safety() -> None:
    for per_minute in (20, 100):
        pace = Pace(per_minute)
        now, sent = 1000.0, []
        while now < 1300:
            now += pace.take(now, urgent=False)
            sent.append(now)
        for start in range(len(sent)):
            assert sum(sent[start] <= at < sent[start] + 60 for at in sent) <= per_minute * 3 // 4
        assert len(sent) >= 300 / 60 * per_minute / 2
    pace = Pace(20)
    assert [pace.take(5.0, urgent=True) for _ in range(1000)] == [0.0] * 1000
    assert pace.take(5.0, urgent=False) <= 12, "below what a sender may take"


async def test_a_channel_whose_key_is_missing_is_told_at_the_start(folder: Path) -> None:
    for file in ("url", "key"):
        channel = settings(folder, "feishu", "https://example.org/")
        (folder / file).unlink()
        with pytest.raises(SecretMissingError, match=file):
            await tell(channel)


def test_the_signatures_are_those_that_openssl_makes() -> None:
    """Worked out with `openssl dgst -sha256 -hmac` by each service's document."""
    url, content = dingtalk.sign("https://robot.example/send?access_token=t", {}, KEY, OLD_S * 1000)
    assert (
        url
        == "https://robot.example/send?access_token=t&timestamp=1760000000000&sign=JeZJjDGi%2FC0a0UN0bT23gqh%2FH6%2BTMXhbw8ny1wmdLCA%3D"
    )
    assert content == {}
    url, content = feishu.sign("https://robot.example/t", {"msg_type": "x"}, KEY, OLD_S * 1000 + 999)
    assert url == "https://robot.example/t"
    signature = "fuk2m6DE8LyWB3Us/N5xdwVz8+RwKG/pRG1pZfSaRFU="
    assert content == {"timestamp": "1760000000", "sign": signature, "msg_type": "x"}
