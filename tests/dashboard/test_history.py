"""The history as it is asked for: curves, gaps, marks, tables, and what is refused. Over a real store."""

import csv
import io
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerts.chronicle import AWAY, SITE, STAFFING
from alerts.model import Changes, Event, Priority
from dashboard.server.desk import HOUSE
from gateway.history.contract import MOST_SAMPLES
from gateway.history.points import Point
from gateway.history.readings import ReadingsHistory, ReadingsSink
from gateway.store.contract import Batch
from sensors.facts import FactKind, Subject
from sensors.hall.state import DeviceState, Liveness, Origin
from sensors.inputs import Ticked, pack
from sensors.readings import Kind
from sensors.site.index import SiteIndex
from sensors.site.model import Service, Words
from tests.dashboard import desk as house
from tests.dashboard.desk import NOW, Running, alarm, browser, running

HOUR = 3_600_000
START = NOW - 4 * HOUR
MINUTE = 60_000
PAGE = Path(__file__).parents[2] / "dashboard/web/src/lib/history.ts"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    """A server whose history is the readings table of its store."""
    async with running(tmp_path) as made:
        halls = made.app[HOUSE].halls
        desk = replace(halls["h1"], history=ReadingsHistory(made.store.reader))
        assert isinstance(halls, dict)
        halls["h1"] = desk
        hall = house.SITE.halls[0].model_copy(update={"services": (Service(id="s1", name=Words(zh="补卡")),)})
        made.view.site = SiteIndex(house.SITE.model_copy(update={"halls": (hall,)}), hall)
        made.view.state.devices |= {
            id_: DeviceState(
                id_, "native", id_, Origin.SITE, (Kind.QUEUE, Kind.PEOPLE_COUNT), "b", liveness=Liveness.ONLINE
            )
            for id_ in ("q1", "q2")
        }
        yield made


async def said(
    server: Running, kind: Kind, values: Mapping[int, float], field: str, device: str = "q1", zone: str = "b"
) -> None:
    """A device has said these numbers, each at ms after START."""
    points = [
        Point("h1", kind, device, zone, "w1", ((field, value),), (START + at) * 1_000_000, at)
        for at, value in values.items()
    ]
    await ReadingsSink(server.store.writer).write(points)


async def commit(server: Running, changes: Changes) -> None:
    """The alert engine has decided this."""
    index = await server.store.journal.end("h1")
    await server.store.journal.commit(Batch("h1", index, 1, NOW, pack([Ticked(NOW)]), changes, ()))


async def get(server: Running, path: str, *, login: bool = False) -> Any:  # noqa: ANN401 (JSON)
    async with browser(server, login=login) as page, page.get(f"/api/v1/{path}") as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


def asked(more: str, hours: float = 1, every: int = MINUTE) -> str:
    return f"start={START}&end={START + int(hours * HOUR)}&every={every}&{more}"


async def test_what_nobody_heard_has_no_value_and_a_long_silence_is_a_gap(server: Running) -> None:
    # Every other minute, then nothing for twenty, then again.
    values = {at * MINUTE + 1: float(at) for at in (0, 2, 4, 6, 26, 28)}
    await said(server, Kind.QUEUE, values, "length")
    await said(server, Kind.QUEUE, {2 * MINUTE + 30_000: 8.0}, "length")
    curve = await get(server, "history?" + asked("device=q1&kind=queue&field=length"))
    assert len(curve["times"]) == len(curve["values"]) == 60
    assert curve["times"][2] == START + 2 * MINUTE
    assert curve["values"][:7] == [0.0, None, 5.0, None, 4.0, None, 6.0]
    assert (curve["low"][2], curve["high"][2], curve["counts"][2]) == (2.0, 8.0, 2)
    assert curve["values"][7:26] == [None] * 19
    # Joined over three of its own pauses, and not over the twenty minutes.
    assert 2 * MINUTE < curve["hold"] < 20 * MINUTE
    assert curve["unit"] == "people"


async def test_a_queue_is_what_its_own_sensors_say(server: Running) -> None:
    server.view.state.devices["q1"].service = "s1"
    await said(server, Kind.QUEUE, {0: 4.0, 10_000: 6.0}, "length")
    await said(server, Kind.QUEUE, {0: 90.0}, "length", device="q2")
    path = "history?" + asked("queue=s1&kind=queue&field=length")
    assert (await get(server, path))["values"][:2] == [5.0, None]
    server.view.state.devices["q1"].service = None
    # Without a sensor nothing is known: it is not the whole hall that is asked then.
    assert set((await get(server, path))["values"]) == {None}


async def test_a_zone_has_the_sum_of_its_counters_unless_one_of_them_is_silent(server: Running) -> None:
    await said(server, Kind.PEOPLE_COUNT, {0: 3.0, 5 * MINUTE: 4.0, 20 * MINUTE: 5.0, 21 * MINUTE: 6.0}, "occupancy")
    await said(server, Kind.PEOPLE_COUNT, {0: 10.0, 21 * MINUTE: 20.0}, "occupancy", device="q2")
    values = (await get(server, "history?" + asked("zone=b&kind=people_count&field=occupancy")))["values"]
    assert (values[0], values[5], values[21]) == (13.0, 14.0, 26.0)
    # Three minutes is how long a mains device may be silent here; the median of q2's own pauses is longer.
    await said(server, Kind.ENVIRONMENT, {0: 20.0, MINUTE: 22.0}, "temperature_c")
    await said(server, Kind.ENVIRONMENT, {0: 24.0}, "temperature_c", device="q2")
    warm = (await get(server, "history?" + asked("zone=b&kind=environment&field=temperature_c")))["values"]
    assert warm[:3] == [22.0, 22.0, None]


async def test_a_window_shows_when_it_was_staffed_and_not_what_nobody_saw(server: Running) -> None:
    lines = [
        Event("h1", START - HOUR, "w1", STAFFING, "", "staffed"),
        Event("h1", START + 30 * MINUTE, "w1", STAFFING, "", "paused"),
        Event("h1", START + 45 * MINUTE, "w1", STAFFING, "", "staffed"),
        Event("h1", START + 2 * HOUR, "gateway", AWAY, "", "1800 s"),
        Event("h1", START + 3 * HOUR, "w1", STAFFING, "", "closed"),
    ]
    await commit(server, Changes(events=lines))
    curve = await get(server, "history?" + asked("window=w1&kind=staffing&field=staffed_pct", hours=8, every=HOUR // 2))
    assert curve["values"] == [100.0, 50.0, 100.0, None, 100.0, 100.0, *[None] * 10]
    assert curve["unit"] == "%"
    states = [(one["at"] - START, one["state"]) for one in curve["turns"]]
    assert states == [
        (0, "staffed"), (30 * MINUTE, "paused"), (45 * MINUTE, "staffed"), (90 * MINUTE, "unknown"),
        (2 * HOUR, "staffed"), (3 * HOUR, "closed"), (4 * HOUR, "unknown"),
    ]  # fmt: skip


async def test_alarms_and_changes_of_the_site_stand_beside_the_curve_that_they_concern(server: Running) -> None:
    raised = {
        "A1": alarm("A1", raised=START + MINUTE, priority=Priority.MEDIUM, kind=FactKind.DEVICE_SILENT,
                    subject=Subject("device", "q1"), zone=None),
        "A2": alarm("A2", raised=START + MINUTE, priority=Priority.MEDIUM, subject=Subject("device", "q2"), zone=None),
        "A3": alarm("A3", raised=START + MINUTE, cleared=START + 2 * MINUTE),
        "A4": alarm("A4", raised=START - HOUR, cleared=START - MINUTE),
        "A5": alarm("A5", raised=START + 2, priority=Priority.LOW, subject=Subject("person", "wang"), zone="b"),
    }  # fmt: skip
    lines = [
        Event("h1", START - MINUTE, "site", SITE, "wang", "before"),
        Event("h1", START + MINUTE, "site", SITE, "wang", "+1 device"),
        Event("h1", START + 3 * MINUTE, "gateway", AWAY, "", "120 s"),
        Event("h1", START + 65 * MINUTE, "gateway", AWAY, "", "600 s"),
    ]
    await commit(server, Changes(alarms=raised, events=lines))
    device = await get(server, "history/marks?" + asked("device=q1"), login=True)
    # A fire concerns everybody; another device's failure does not.
    assert {one["id"] for one in device["alarms"]} == {"A1", "A3"}
    assert device["sites"] == [{"at": START + MINUTE, "by": {"zh": "王芳", "en": "Wang Fang"}, "text": "+1 device"}]
    assert device["away"] == [
        {"start": START + MINUTE, "end": START + 3 * MINUTE},
        {"start": START + 55 * MINUTE, "end": START + HOUR},
    ]
    assert device["more"] is False
    # Who may not see names sees no alarm about a person, and not who changed the site or what was written of it.
    zone = await get(server, "history/marks?" + asked("zone=b"))
    assert {one["id"] for one in zone["alarms"]} == {"A3"}
    assert zone["sites"] == [{"at": START + MINUTE, "by": "", "text": ""}]


async def test_a_table_opens_in_a_spreadsheet_and_holds_no_formula(server: Running) -> None:
    await said(server, Kind.ENVIRONMENT, {0: -3.5, 1000: 4.5}, "temperature_c", device="=cmd|'/C calc'!A0")
    await said(server, Kind.ENVIRONMENT, {2000: 1.0}, "temperature_c", device='a",b')
    async with browser(server) as page:
        path = asked("zone=b&kind=environment&field=temperature_c")
        async with page.get(f"/api/v1/history.csv?{path}&raw=1&lang=en") as answer:
            assert answer.status == 200
            assert answer.content_type == "text/csv"
            assert answer.headers["Content-Disposition"].startswith(
                'attachment; filename="hallwatch-h1-b-temperature_c-'
            )
            body = await answer.read()
        assert body.startswith(b"\xef\xbb\xbf")
        rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
        assert rows[0] == ["time", "UTC", "device", "temperature_c (°C)"]
        assert [row[2:] for row in rows[1:]] == [
            ["'=cmd|'/C calc'!A0", "-3.5"],
            ["'=cmd|'/C calc'!A0", "4.5"],
            ['a",b', "1.0"],
        ]
        # The hall's own time beside UTC.
        assert rows[1][:2] == ["2025-10-09 12:53:20", "2025-10-09T04:53:20.000Z"]
        async with page.get(f"/api/v1/history.csv?{path}") as answer:
            rows = list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"), newline="")))
        async with page.get(f"/api/v1/history.csv?{path}&title=%3D温度") as answer:
            assert (await answer.text("utf-8-sig")).splitlines()[0].split(",")[2] == "'=温度 平均"
    assert len(rows) == 61
    assert rows[0][2:] == [f"temperature_c (°C) {one}" for one in ("平均", "最低", "最高")] + ["读数个数"]
    assert rows[1][2:] == ["0.667", "-3.5", "4.5", "3"]
    assert rows[2][2:] == ["", "", "", "0"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("kind=queue&field=length", 400, "history_one_subject"),
        ("device=d&zone=b&kind=queue&field=length", 400, "history_one_subject"),
        ("device=d&kind=smell&field=length", 400, "bad_query"),
        ("device=d&kind=queue&field=smell", 400, "history_unknown_field"),
        ("device=d&kind=equipment&field=state", 400, "history_no_number"),
        ("device=d&kind=badge&field=badge", 400, "history_no_number"),
        ("device=d&kind=staffing&field=staffed_pct", 400, "bad_query"),
        ("device=&kind=queue&field=length", 400, "bad_query"),
        ("zone=nowhere&kind=queue&field=length", 404, "no_such_place"),
        ("window=w9&kind=staffing&field=staffed_pct", 404, "no_such_place"),
        ("queue=s9&kind=queue&field=length", 404, "no_such_place"),
        ("device=d&kind=queue&field=length&start=5&end=5", 400, "bad_query"),
        ("device=d&kind=queue&field=length&start=0&end=99999999999", 400, "history_too_long"),
        ("device=d&kind=queue&field=length&start=0&end=9999999&every=1000", 400, "history_too_many_steps"),
        ("window=w1&kind=staffing&field=staffed_pct&raw=1", 400, "history_no_readings"),
    ],
)
async def test_what_cannot_be_answered_has_a_stable_code(server: Running, query: str, status: int, code: str) -> None:
    given = query if "start=" in query else f"start={START}&end={NOW}&{query}"
    async with browser(server) as page, page.get(f"/api/v1/history.csv?{given}") as answer:
        assert (answer.status, (await answer.json())["code"]) == (status, code)


async def test_a_table_of_too_many_readings_is_refused_and_a_curve_of_them_is_not(server: Running) -> None:
    await said(server, Kind.QUEUE, {at * 100: 1.0 for at in range(20_001)}, "length")
    path = f"start={START}&end={START + HOUR}&device=q1&kind=queue&field=length"
    async with browser(server) as page, page.get(f"/api/v1/history.csv?{path}&raw=1") as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, "history_too_many_rows")
    # Nobody said how wide a step is: a few hundred points whatever the range.
    curve = await get(server, f"history?{path}")
    assert 100 < len(curve["times"]) <= 400
    assert sum(curve["counts"]) == 20_001
    # The page offers no table that would be refused.
    told = re.search(r"RAW_MOST = ([\d_]+)", PAGE.read_text("utf-8"))
    assert told is not None
    assert int(told[1]) == MOST_SAMPLES


async def test_who_may_not_see_the_hall_sees_no_history(tmp_path: Path) -> None:
    async with running(tmp_path, open_view=False) as server, browser(server) as page:
        for path in ("history", "history/marks", "history.csv"):
            async with page.get(f"/api/v1/{path}?device=d") as answer:
                assert (answer.status, (await answer.json())["code"]) == (401, "login_needed")
