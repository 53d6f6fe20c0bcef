import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType

from alerts.model import Changes, Event, TicketState
from dashboard.server import page_socket
from dashboard.server.accounts import NOBODY
from dashboard.server.desk import HOUSE
from dashboard.server.live import ENDED_MS, QUEUE, Client, Hub
from dashboard.server.page_socket import HUBS
from dashboard.server.rights import Right
from dashboard.server.turned_away import Bound
from gateway.store.contract import Batch
from sensors.hall.state import DeviceState, Liveness, Origin
from sensors.inputs import Ticked, pack
from sensors.readings import Kind
from sensors.site.limits import Limits
from tests.dashboard.desk import NOW, Running, alarm, browser, running, ticket


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as server:
        yield server


@asynccontextmanager
async def page(server: Running, *, login: bool = False) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with browser(server, login=login) as session, session.ws_connect("/api/v1/live") as socket:
        yield socket


async def frame(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    value = json.loads(await socket.receive_str(timeout=5))
    assert isinstance(value, dict)
    return value


async def until_set(socket: aiohttp.ClientWebSocketResponse, key: str) -> dict[str, Any]:
    while key not in (delta := await frame(socket))["set"]:
        pass
    entity = delta["set"][key]
    assert isinstance(entity, dict)
    return entity


async def test_a_page_gets_all_and_then_what_changes(server: Running) -> None:
    async with page(server) as socket:
        first = await frame(socket)
        assert first["t"] == "snapshot"
        assert {"hall/h1", "zone/b", "window/w1", "device/smoke-1"} <= set(first["entities"])
        assert first["entities"]["device/smoke-1"]["state"] == "ok"
        assert first["entities"]["hall/h1"]["history_behind"] == 3
        server.view.book.alarms["A000001"] = alarm()
        server.view.state.devices["smoke-1"].fire = True
        server.change()
        delta = await frame(socket)
        while not delta["set"]:
            delta = await frame(socket)
        assert set(delta["set"]) == {"alarm/A000001", "device/smoke-1"}
        assert delta["set"]["alarm/A000001"]["priority"] == "life_safety"
        assert delta["set"]["device/smoke-1"]["state"] == "alarm"
        del server.view.book.alarms["A000001"]
        server.change()
        delta = await frame(socket)
        while not delta.get("gone"):
            delta = await frame(socket)
        assert delta["gone"] == ["alarm/A000001"]


async def test_deltas_follow_their_snapshot_without_a_gap_and_come_when_nothing_happens(server: Running) -> None:
    async with page(server) as socket, asyncio.timeout(8):
        seq = (await frame(socket))["seq"]
        for expected in (seq + 1, seq + 2):
            delta = await frame(socket)
            assert (delta["t"], delta["seq"], delta["set"]) == ("delta", expected, {})


async def test_a_silent_detector_does_not_look_well(server: Running) -> None:
    server.view.state.devices["smoke-1"].liveness = Liveness.OFFLINE
    async with page(server) as socket:
        device = (await frame(socket))["entities"]["device/smoke-1"]
    assert "state" not in device
    assert device["liveness"] == "offline"


async def test_a_zone_that_nothing_counts_is_not_unknown(server: Running) -> None:
    async with page(server) as socket:
        zone = (await frame(socket))["entities"]["zone/b"]
        assert (zone["counted"], zone.get("stale", False)) == (False, False)
        counter = DeviceState("count-1", "native", "count-1", Origin.APPROVED, (Kind.PEOPLE_COUNT,), zone="b")
        server.view.state.devices["count-1"] = counter
        server.change()
        zone = await until_set(socket, "zone/b")
        assert (zone.get("counted", True), zone["stale"]) == (True, True)


async def test_names_go_to_whom_they_are_for_and_to_nobody_else(server: Running) -> None:
    changes = Changes(
        events=[
            Event("h1", NOW, "A000001", "alarm.acknowledged", "wang", "王芳已到"),
            Event("h1", NOW, "person/wang", "punch"),
        ]
    )
    await server.store.journal.commit(Batch("h1", 0, 1, NOW, pack([Ticked(NOW)]), changes))
    server.view.book.alarms["A000001"] = alarm(acknowledged=NOW, acknowledged_by="wang")
    server.view.book.tickets["T000001"] = ticket()
    server.change()
    async with page(server) as stranger, page(server, login=True) as known:
        seen = json.dumps([await frame(stranger), await frame(stranger)], ensure_ascii=False)
        for name in ("王芳", "wang", "Wang"):
            assert name not in seen
        first = await frame(known)
        assert first["user"] == "wang"
        assert first["csrf"]
        assert first["entities"]["window/w1"]["people"] == [{"zh": "王芳", "en": "Wang Fang"}]
        assert first["entities"]["alarm/A000001"]["acknowledged_by"] == {"zh": "王芳", "en": "Wang Fang"}
        assert first["entities"]["person/wang/w1/1"]["punch"] == "expected"
        assert "person/wang/w1/0" not in first["entities"], "the session of the day before is no news"


async def test_what_has_ended_stays_for_a_day(server: Running) -> None:
    done = replace(ticket(), state=TicketState.DONE, done=NOW, done_by="wang")
    old = replace(done, id="T000002", key="x", done=NOW - ENDED_MS - 1)
    changes = Changes(tickets={one.id: one for one in (done, old)})
    await server.store.journal.commit(Batch("h1", 0, 1, NOW, pack([Ticked(NOW)]), changes))
    server.change()
    entities: dict[str, Any] = {}
    async with asyncio.timeout(10):
        while "ticket/T000001" not in entities:
            async with page(server, login=True) as known:
                entities = (await frame(known))["entities"]
    shown = entities["ticket/T000001"]
    assert (shown["state"], shown["done"]) == ("done", NOW)
    assert "王芳" in str(shown["done_by"])
    assert "ticket/T000002" not in entities


async def test_a_demo_may_show_its_invented_names_to_all(tmp_path: Path) -> None:
    async with running(tmp_path, open_names=True) as server, page(server) as socket:
        assert (await frame(socket))["entities"]["window/w1"]["people"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", ""])
async def test_a_strangers_page_cannot_listen(server: Running, origin: str) -> None:
    async with browser(server, login=True) as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect("/api/v1/live", headers={"Origin": origin})
    assert refused.value.status == 403


async def test_stopping_tells_the_pages_to_go_and_does_not_wait(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        async with running(tmp_path) as server:
            socket = await session.ws_connect(f"{server.url}/api/v1/live", headers={"Origin": server.url})
            await socket.receive_str(timeout=5)
            began = asyncio.get_running_loop().time()
            ends = asyncio.timeout(5)
            async with ends, asyncio.TaskGroup() as group:
                listening = group.create_task(until_closed(socket))
                await server.app.shutdown()
            assert listening.result() == 1001
        assert asyncio.get_running_loop().time() - began < 3


async def until_closed(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    while (await socket.receive()).type is WSMsgType.TEXT:
        pass
    return socket.close_code


async def test_a_page_whose_login_ended_elsewhere_is_closed(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_socket, "CHECK_S", 0.05)
    async with browser(server, login=True) as session, session.ws_connect("/api/v1/live") as socket:
        await frame(socket)
        async with session.post("/api/v1/logout", json={}) as answer:
            assert answer.status == 200
        async with asyncio.timeout(5):
            assert await until_closed(socket) == 1008


async def test_a_page_that_does_not_keep_up_is_cut_off_alone(server: Running) -> None:
    hub = server.app[HUBS]["h1"]
    slow, quick = hub.join(NOBODY, frozenset({Right.SEE})), hub.join(NOBODY, frozenset({Right.SEE}))
    for _ in range(QUEUE + 2):
        hub.show()
        while not quick.queue.empty():
            quick.queue.get_nowait()
    assert slow.cut
    assert not quick.cut
    assert hub.clients == 1
    assert slow.queue.get_nowait() is None, "what waited is dropped"


async def test_what_waits_for_a_page_is_bounded_in_bytes(tmp_path: Path) -> None:
    async with running(tmp_path, limits=Limits(page_queue_kib=64)) as server:
        hub = server.app[HUBS]["h1"]
        slow, quick = hub.join(NOBODY, frozenset({Right.SEE})), hub.join(NOBODY, frozenset({Right.SEE}))
        assert slow.queue.qsize() == 1, "the first frame waits whatever its size"
        for number in range(4):
            while not quick.queue.empty():
                quick.taken(quick.queue.get_nowait() or b"")
            big = {f"A{one}": alarm(f"A{one}", detail=str(number) * 900) for one in range(25)}
            server.view.book.alarms = big
            hub.show()
        assert slow.cut
        assert (quick.cut, quick.waiting > 20_000) == (False, True)
        assert hub.clients == 1


async def test_pages_and_connections_are_bounded(tmp_path: Path) -> None:
    """And whoever is turned away is counted, by the bound's name in the site file."""
    async with running(tmp_path, limits=Limits(pages=2, connections=4)) as server, browser(server) as session:
        counts = server.app[HOUSE].turned_away.counts
        async with page(server) as first, page(server) as second:
            await frame(first)
            await frame(second)
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect("/api/v1/live")
            assert refused.value.status == 503
            assert counts == {Bound.CONNECTIONS: 0, Bound.PAGES: 1, Bound.PAGE_QUEUE: 0}
            _, idle = await asyncio.open_connection("127.0.0.1", server.served.port)
            fifth, writer = await asyncio.open_connection("127.0.0.1", server.served.port)
            async with asyncio.timeout(5):
                with contextlib.suppress(ConnectionError):
                    assert await fifth.read() == b"", "closed without a word"
            assert counts == {Bound.CONNECTIONS: 1, Bound.PAGES: 1, Bound.PAGE_QUEUE: 0}
            idle.close()
            writer.close()
        async with page(server) as third:
            await frame(third)


async def test_a_page_that_goes_is_forgotten(server: Running) -> None:
    async with page(server) as socket:
        await frame(socket)
        assert server.app[HUBS]["h1"].clients == 1
    async with asyncio.timeout(5):
        while server.app[HUBS]["h1"].clients:
            await asyncio.sleep(0.01)


async def test_deltas_on_the_snapshot_make_the_next_snapshot(server: Running) -> None:
    hub: Hub = server.app[HUBS]["h1"]
    client = hub.join(NOBODY, frozenset({Right.SEE, Right.NAMES}))
    shown: dict[str, Any] = json.loads(client.queue.get_nowait() or b"")["entities"]
    steps = [{"A1": alarm("A1")}, {"A1": alarm("A1", count=2), "A2": alarm("A2")}, {"A2": alarm("A2")}, {}]
    for step in steps:
        server.view.book.alarms = step
        server.view.state.windows["w1"].people.clear()
        hub.show()
        delta = json.loads(client.queue.get_nowait() or b"")
        shown |= delta["set"]
        for key in delta.get("gone", []):
            del shown[key]
        fresh = hub.join(NOBODY, frozenset({Right.SEE, Right.NAMES}))
        assert json.loads(fresh.queue.get_nowait() or b"")["entities"] == shown
        hub.leave(fresh)


class Way(asyncio.Transport):
    """A connection that takes what is written, or leaves it in its buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.stuck = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return self.stuck

    def is_closing(self) -> bool:
        return False


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_a_page_that_keeps_up_is_written_to_at_once_and_one_that_does_not_waits_in_its_own_queue(length: int) -> None:
    way, frame = Way(), b"x" * length
    client = Client(names=False, most=1 << 20)
    client.put(b"snapshot")
    client.transport = way
    client.put(frame)
    # What waits is first.
    assert way.written == []
    for waiting in (b"snapshot", frame):
        assert client.queue.get_nowait() == waiting
        client.taken(waiting)
    client.put(frame)
    (wire,) = way.written
    assert wire[0] == 0x81
    size = {126: wire[2:4], 127: wire[2:10]}.get(wire[1], wire[1:2])
    assert int.from_bytes(size, "big") == length
    assert wire.endswith(frame)
    assert len(wire) == length + 2 + (len(size) if wire[1] >= 126 else 0)
    way.stuck = 1
    client.put(b"later")
    assert len(way.written) == 1
    assert client.queue.get_nowait() == b"later"
    client.taken(b"later")
    way.stuck = 0
    client.end()
    client.put(b"too late")
    assert len(way.written) == 1
