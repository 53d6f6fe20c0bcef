"""The public display's wire: what it shows, that it holds nobody, that it comes and goes with the site file."""

import json
import typing
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alerts.model import Run, Stage, Why
from dashboard.server import public
from sensors.hall.state import Pause, ServiceState, Staffing, WindowState
from sensors.site.index import SiteIndex
from sensors.site.model import Display, Message, Person, Plan, Service, Window, Words
from tests.dashboard import desk as house
from tests.dashboard.desk import NOW, Running, alarm, browser, hall_state, message, running, ticket

ROLE = {"id": "lead", "name": {"zh": "总指挥"}, "holders": ["wang"]}
LI = Person(id="li.qiang", name=Words(zh="李强", en="Li Qiang"), badges=("04B2C3",))


def plan(hazard: str = "fire", *messages: Message) -> Plan:
    """A plan; without messages of its own it tells its roles."""
    told = messages or (Message(text=Words(zh="立即疏散", en="Evacuate")),)
    return Plan.model_validate(
        {"id": f"{hazard}-plan", "name": {"zh": "预案", "en": "Plan"}, "hazard": hazard, "roles": [ROLE],
         "messages": [one.model_dump() for one in told]}
    )  # fmt: skip


def run(of: Plan, stage: Stage = Stage.ACTIVE, **changes: Any) -> Run:  # noqa: ANN401 (any field of a run)
    """A run of a plan, started by Wang."""
    made = Run("R1", "h1", of, stage, drill=False, started=NOW, started_by="wang", why=Why.PERSON, stage_since=NOW)
    return replace(made, **{"answered": ("wang",), "told": ("wang", "li.qiang"), "signals": ("smoke-1",), **changes})


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    """A hall in which everything that names somebody is in use; who has no login sees nothing of it."""
    async with running(tmp_path, open_view=False) as made:
        site(made)
        made.view.state = hall_state()
        made.view.state.windows |= {
            "w2": WindowState("w2", Staffing.PAUSED, NOW, open=True, people={"li.qiang": NOW}),
            "w3": WindowState("w3", Staffing.UNSTAFFED, NOW, open=True),
        }
        made.view.state.windows["w2"].pause = Pause("li.qiang", NOW, NOW + 600_000, "wang", "李强去医院")
        made.view.state.services |= {
            "s1": ServiceState("s1", 7, 540.4, NOW, stale=False),
            "s2": ServiceState("s2", 3, 60.0, NOW, stale=True),
        }
        made.view.book.alarms["A000001"] = alarm(acknowledged=NOW, acknowledged_by="wang", device="smoke-1")
        made.view.book.tickets["T000001"] = ticket()
        made.view.book.messages["M000001"] = message()
        yield made


def site(server: Running, **display: Any) -> None:  # noqa: ANN401 (any key of the display)
    """The site file has two services, four windows and what is said of its display."""
    hall = house.SITE.halls[0].model_copy(
        update={
            "services": (Service(id="s1", name=Words(zh="补卡", en="Cards")), Service(id="s2", name=Words(zh="缴费"))),
            "windows": tuple(
                Window(id=f"w{n}", number=n, name=Words(zh=f"{n}号窗口", en=f"Window {n}"), zone="b", services=("s1",))
                for n in (4, 3, 2, 1)
            ),
            "display": Display(**display),
        }
    )
    whole = house.SITE.model_copy(update={"halls": (hall,), "people": (*house.SITE.people, LI)})
    server.view.site = SiteIndex(whole, hall)


async def shown(server: Running) -> Any:  # noqa: ANN401 (JSON)
    async with browser(server) as page, page.get("/api/v1/display/h1") as answer:
        assert answer.status == 200, await answer.text()
        return (await answer.json())["board"]


async def test_it_shows_windows_queues_pauses_and_notices(server: Running) -> None:
    site(server, notices=(Words(zh="周五闭馆", en="Closed on Friday"),))
    board = await shown(server)
    assert [(one["number"], one["state"], one["until"]) for one in board["windows"]] == [
        (1, "open", None), (2, "paused", NOW + 600_000), (3, "away", None), (4, "unknown", None),
    ]  # fmt: skip
    assert board["windows"][0]["services"] == [{"zh": "补卡", "en": "Cards"}]
    assert [(one["length"], one["wait_s"], one["windows"]) for one in board["queues"]] == [
        (7, 540, [1]),
        # A silent sensor's last word is no queue of now.
        (None, None, []),
    ]
    # Nobody is known to serve it: that is said only once it is known of each window.
    server.view.state.windows["w1"].staffing = Staffing.UNSTAFFED
    server.change()
    assert (await shown(server))["queues"][0]["windows"] is None
    server.view.state.windows["w4"] = WindowState("w4", Staffing.CLOSED, NOW)
    server.change()
    assert (await shown(server))["queues"][0]["windows"] == []
    assert board["notices"] == [{"zh": "周五闭馆", "en": "Closed on Friday"}]
    assert board["plan"] is None


async def test_the_whole_wire_names_nobody_no_badge_and_no_device(server: Running) -> None:
    texts = (Words(zh="请撤离", en="Leave now"),)
    told = plan("fire", Message(audience="public", text=texts[0]))
    wire: list[str] = []
    async with browser(server) as page:
        for stage in (None, Stage.VERIFY, Stage.ACTIVE, Stage.ENDED):
            server.view.book.runs = {} if stage is None else {"R1": run(told, stage)}
            for path in ("/api/v1/display/h1", "/display", "/display/h1", "/display/wang", "/api/v1/display/04A1"):
                async with page.get(path) as answer:
                    wire.append(f"{answer.headers} {await answer.text()}".replace(str(answer.url), ""))
        server.view.book.runs = {}
        async with page.ws_connect("/api/v1/display/h1/live") as socket:
            wire.append(await socket.receive_str(timeout=30))
            server.view.book.runs = {"R1": run(told)}
            server.view.state.windows["w3"].people["wang"] = NOW
            server.change()
            while json.loads(wire[-1]).get("board", {}).get("plan") is None:
                wire.append(await socket.receive_str(timeout=30))
    everything = "\n".join(wire)
    assert "请撤离" in everything
    people = server.view.site.site.people
    names = {text for one in people for text in (one.id, one.name.zh, one.name.en, *one.badges) if text}
    devices = {one.id for one in server.view.site.hall.devices} | set(server.view.state.devices)
    ids = {"A000001", "T000001", "M000001", "R1", "wang/w1/1", "李强去医院", "王芳"}
    assert len(names) >= 8
    assert devices
    # An id that was asked for stands in no answer either.
    for word in names | devices | ids:
        assert word.lower() not in everything.lower(), word
    # What would be found is found: the staff's own snapshot has them.
    async with browser(server, login=True) as page, page.ws_connect("/api/v1/live") as socket:
        snapshot = await socket.receive_str(timeout=30)
    assert all(word in snapshot for word in ("王芳", "smoke-1"))


def test_no_type_of_the_wire_has_a_place_for_a_person_or_a_device() -> None:
    allowed = {
        "Text": {"zh", "en"},
        "Counter": {"number", "name", "services", "state", "until"},
        "Line": {"name", "length", "wait_s", "windows"},
        "Takeover": {"hazard", "name", "drill", "since", "text"},
        "Board": {"name", "timezone", "open", "changes_at", "windows", "queues", "notices", "plan", "heard", "demo",
                  "rate"},
        "Picture": {"seq", "now", "build", "board"},
        "Beat": {"seq", "now"},
    }  # fmt: skip
    found: dict[str, set[str]] = {}
    waiting: list[object] = [public.Picture, public.Beat]
    while waiting:
        one = waiting.pop()
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            found[one.__name__] = {field.name for field in msgspec.structs.fields(one)}
            waiting += typing.get_type_hints(one).values()
        waiting += typing.get_args(one)
    assert found == allowed


@pytest.mark.parametrize(
    ("runs", "hazard", "text"),
    [
        ([run(plan("fire"))], "fire", None),
        ([run(plan("fire", Message(audience="public", text=Words(zh="撤离"))))], "fire", {"zh": "撤离", "en": "撤离"}),
        ([run(plan("fire"), Stage.VERIFY)], None, None),
        ([run(plan("fire", Message(stage="verify", audience="public", text=Words(zh="请留意广播"))), Stage.VERIFY)],
         "fire", {"zh": "请留意广播", "en": "请留意广播"}),
        ([run(plan("network"))], None, None),
        ([run(plan("network", Message(audience="public", text=Words(zh="系统故障", en="Out of order"))))],
         "network", {"zh": "系统故障", "en": "Out of order"}),
        ([run(plan("fire"), Stage.ENDED, ended=NOW)], None, None),
        # Real before a drill, the gravest before the newest.
        ([run(plan("crowd"), started=NOW + 1), run(plan("fire"), drill=True), run(plan("earthquake"))],
         "earthquake", None),
    ],
)  # fmt: skip
async def test_a_plan_takes_it_over(server: Running, runs: list[Run], hazard: str | None, text: object) -> None:
    server.view.book.runs = {f"R{n}": replace(one, id=f"R{n}") for n, one in enumerate(runs)}
    shows = (await shown(server))["plan"]
    assert (shows or {}).get("hazard") == hazard
    assert (shows or {}).get("text") == text


async def test_a_change_is_told_at_once_and_silence_is_no_news(server: Running) -> None:
    async with browser(server) as page, page.ws_connect("/api/v1/display/h1/live") as socket:
        first = await socket.receive_json(timeout=30)
        assert (first["t"], first["seq"]) == ("snapshot", 1)
        second = await socket.receive_json(timeout=30)
        assert second == {"t": "delta", "seq": 2, "now": NOW}
        server.view.state.services["s1"].length = 9
        server.change()
        frame = second
        while frame["t"] == "delta":
            seq, frame = frame["seq"], await socket.receive_json(timeout=30)
            assert frame["seq"] == seq + 1
        assert frame["board"]["queues"][0]["length"] == 9


async def test_a_site_may_switch_it_off_and_another_page_may_not_listen(server: Running) -> None:
    async with browser(server) as page:
        async with page.get("/api/v1/display/h1/live") as answer:
            assert (answer.status, (await answer.json())["code"]) == (426, "websocket_needed")
        async with page.get("/api/v1/display/h1/live", headers={"Origin": "http://evil.example"}) as answer:
            assert (answer.status, (await answer.json())["code"]) == (403, "bad_origin")
        async with page.get("/display", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "display/h1")
        async with page.ws_connect("/api/v1/display/h1/live") as socket:
            await socket.receive_json(timeout=30)
            site(server, show=False)
            server.change()
            # An open display ends with it.
            while not socket.closed:
                await socket.receive(timeout=30)
        for path in ("/api/v1/display/h1", "/api/v1/display/h1/live", "/api/v1/display/h2"):
            async with page.get(path) as answer:
                assert (answer.status, (await answer.json())["code"]) == (404, "no_display")
