"""Who opens a connection and says nothing, or too slowly, or too much in little: others are let in all the same."""

import asyncio
import contextlib
import gzip
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp import WSCloseCode, WSMsgType

from dashboard.server import ask, doorstep, one_way
from sensors.site.limits import Limits
from tests.dashboard.desk import Running, browser, running
from tests.dashboard.doors import code_of

FEW = 4
HALF = b"GET / HTTP/1.1\r\nHost: "
JSON = {"Content-Type": "application/json"}


async def strangers(server: Running, crowd: AsyncExitStack) -> None:
    """As many as may come, each with half a request or none."""
    for number in range(FEW):
        _, writer = await asyncio.open_connection("127.0.0.1", server.served.port)
        crowd.callback(writer.close)
        writer.write(HALF if number % 2 else b"")
        await writer.drain()


async def until_let_in(page: aiohttp.ClientSession) -> int:
    """Knock until somebody answers; how often nobody did."""
    for refused in range(1000):
        try:
            async with page.get("/healthz") as answer:
                assert answer.status == 200
            return refused
        except aiohttp.ClientConnectionError:
            await asyncio.sleep(0.05)
    raise AssertionError("nobody is let in any more")


@pytest.mark.parametrize("secured", [False, True], ids=["in the clear", "before a handshake"])
async def test_who_says_nothing_keeps_nobody_out_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secured: bool
) -> None:
    monkeypatch.setattr(doorstep, "HEAD_S", 2.0)
    authority, tls = trustme.CA(), None
    if secured:
        tls = (tmp_path / "cert.pem", tmp_path / "key.pem")
        issued = authority.issue_cert("127.0.0.1")
        issued.cert_chain_pems[0].write_to_path(str(tls[0]))
        issued.private_key_pem.write_to_path(str(tls[1]))
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with running(tmp_path, limits=Limits(connections=FEW, pages=2), tls=tls) as server, AsyncExitStack() as crowd:
        await strangers(server, crowd)
        connector = aiohttp.TCPConnector(ssl=trusting)
        url = server.url.replace("http:", "https:") if secured else server.url
        async with aiohttp.ClientSession(url, connector=connector) as page:
            assert await until_let_in(page) > 0, "as many as may come are there"


async def test_who_has_spoken_may_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorstep, "HEAD_S", 0.5)
    async with running(tmp_path) as server:
        asked = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{server.served.port}\r\n\r\n".encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.served.port)
        writer.write(asked)
        assert b"200 OK" in await reader.readuntil(b"}")
        # One that came later is sent away, so the time of the first is over too.
        silent, other = await asyncio.open_connection("127.0.0.1", server.served.port)
        with contextlib.suppress(ConnectionError):
            assert await silent.read() == b""
        writer.write(asked)
        assert b"200 OK" in await reader.readuntil(b"}")
        writer.close()
        other.close()


async def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask, "BODY_S", 0.2)

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"user":'
        await asyncio.sleep(3600)

    async with (
        running(tmp_path) as server,
        browser(server) as page,
        page.post("/api/v1/login", data=slowly(), headers=JSON) as answer,
    ):
        assert (answer.status, await code_of(answer)) == (408, "too_slow")


async def test_what_is_packed_is_not_unpacked(tmp_path: Path) -> None:
    body = gzip.compress(json.dumps({"user": "wang", "password": "guess"}).encode())
    async with running(tmp_path) as server, browser(server) as page:
        headers = {**JSON, "Content-Encoding": "gzip"}
        async with page.post("/api/v1/login", data=body, headers=headers) as answer:
            assert (answer.status, await code_of(answer)) == (400, "bad_json")


async def test_no_answer_says_what_answers(tmp_path: Path) -> None:
    async with running(tmp_path) as server, browser(server) as page:
        for path in ("/", "/healthz", "/api/v1/nothing"):
            async with page.get(path) as answer:
                assert answer.headers["Server"] == "hallwatch"


@pytest.mark.parametrize("path", ["/api/v1/live", "/api/v1/display/h1/live"])
async def test_who_talks_where_only_we_speak_is_sent_away(tmp_path: Path, path: str) -> None:
    async with running(tmp_path) as server, browser(server) as page:
        async with page.ws_connect(path) as socket:
            await socket.send_str("")
            assert await ended(socket) == WSCloseCode.POLICY_VIOLATION
        # A ping is a good question, and is answered; it is not asked without end.
        async with page.ws_connect(path, autoping=False) as socket:
            await socket.ping(b"there?")
            while (message := await socket.receive(timeout=30)).type is not WSMsgType.PONG:
                assert message.type is WSMsgType.TEXT
            assert message.data == b"there?"
            for _ in range(one_way.SIGNS_MOST):
                await socket.ping()
            assert await ended(socket) == WSCloseCode.POLICY_VIOLATION


async def ended(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """The code with which the server has ended it."""
    while not socket.closed:
        await socket.receive(timeout=30)
    return socket.close_code
