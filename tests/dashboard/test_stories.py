"""One alarm and one run, whole: what happened to it, who was told, what it was; and what strangers do not see of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.model import Changes, Event
from gateway.store.contract import Batch
from sensors.facts import Subject
from sensors.inputs import Ticked, pack
from tests.dashboard.desk import NOW, Running, alarm, browser, running

ID = "A000001"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as server:
        row = replace(alarm(), id=ID)
        lines = [
            Event("h1", NOW, ID, "alarm.raised", "", "key"),
            Event("h1", NOW + 1, ID, "alarm.noted", "wang", "王敏 knows"),
            Event("h1", NOW + 2, ID, "alarm.was.real", "wang"),
            Event("h1", NOW + 3, ID, "alarm.was.false", "wang", "a hot soup"),
            Event("h1", NOW + 4, "A000002", "alarm.raised"),
        ]
        blob = pack([Ticked(NOW)])
        changes = Changes(alarms={ID: row}, events=lines)
        await server.store.journal.commit(Batch("h1", await server.store.journal.end("h1"), 1, NOW, blob, changes, ()))
        yield server


async def test_an_alarm_is_told_whole(server: Running) -> None:
    async with browser(server, login=True) as page, page.get(f"/api/v1/alarms/{ID}") as answer:
        assert answer.status == 200
        story = await answer.json()
    assert story["alarm"]["id"] == ID
    assert story["disposition"] == "false"
    assert [one["what"] for one in story["events"]] == [
        "alarm.was.false",
        "alarm.was.real",
        "alarm.noted",
        "alarm.raised",
    ]
    assert story["events"][0]["detail"] == "a hot soup"
    assert (story["run"], story["signals"], story["messages"]) == (None, [], [])


async def test_who_may_not_see_names_sees_neither_who_nor_what_was_typed(server: Running) -> None:
    async with browser(server) as page, page.get(f"/api/v1/alarms/{ID}") as answer:
        text = await answer.text()
    assert answer.status == 200
    for word in ("王敏", "wang", "soup"):
        assert word not in text


@pytest.mark.parametrize(("path", "code"), [("alarms/A000009", "no_such_alarm"), ("runs/R000009", "no_such_run")])
async def test_what_never_was_is_not_found(server: Running, path: str, code: str) -> None:
    async with browser(server, login=True) as page, page.get(f"/api/v1/{path}") as answer:
        assert (answer.status, (await answer.json())["code"]) == (404, code)


@pytest.mark.parametrize("login", [True, False])
async def test_an_event_brings_what_it_is_about_though_that_is_over(server: Running, login: bool) -> None:
    async with browser(server, login=login) as page, page.get(f"/api/v1/events?about={ID}") as answer:
        told = (await answer.json())["items"]
    # None of these rows is in the book: the alarm is read from the store.
    assert ID not in server.view.book.alarms
    assert [(one["kind"], one["subject_type"], one["subject"]) for one in told] == [("fire", "device", "smoke-1")] * 4


async def test_an_event_of_an_alarm_about_a_person_is_for_who_may_see_names(server: Running) -> None:
    row = replace(alarm("A000003"), subject=Subject("person", "wang"))
    changes = Changes(alarms={row.id: row}, events=[Event("h1", NOW, row.id, "alarm.raised")])
    end = await server.store.journal.end("h1")
    await server.store.journal.commit(Batch("h1", end, 1, NOW, pack([Ticked(NOW)]), changes, ()))
    for login, seen in ((True, ["wang"]), (False, [])):
        async with browser(server, login=login) as page, page.get(f"/api/v1/events?about={row.id}") as answer:
            assert [one["subject"] for one in (await answer.json())["items"]] == seen
