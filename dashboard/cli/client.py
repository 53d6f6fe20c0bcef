"""Asks a running system over its Unix socket. The command never touches the store beside it."""

import asyncio
import os
from pathlib import Path
from typing import Any, Final

import aiohttp

from sensors.errors import HallwatchError

LIMIT_S: Final = 30.0
Json = dict[str, Any]


class NotRunningError(HallwatchError):
    """Nobody listens on the socket."""

    code = "not_running"


class AnswerError(HallwatchError):
    """The running system has refused; `code` is its own."""

    def __init__(self, problem: Json) -> None:
        self.code = str(problem.get("code", "error"))
        params = " ".join(f"{name}={value}" for name, value in problem.get("params", {}).items())
        said = " ".join(part for part in (problem.get("detail", ""), params) if part)
        super().__init__(f"{self.code}: {said}" if said else self.code)


def ask(socket: Path, method: str, path: str, body: Json | None = None) -> Json:
    """One request; returns the answer. Raises `NotRunningError` and `AnswerError`."""
    return asyncio.run(request(socket, method, path, body))


async def request(socket: Path, method: str, path: str, body: Json | None = None) -> Json:
    """The same for who is asynchronous already."""
    connector = aiohttp.UnixConnector(os.fspath(socket))
    timeout = aiohttp.ClientTimeout(total=LIMIT_S)
    async with aiohttp.ClientSession("http://localhost", connector=connector, timeout=timeout) as session:
        try:
            async with session.request(method, path, json=body) as answer:
                value: Json = await answer.json(content_type=None)
        except (aiohttp.ClientConnectorError, FileNotFoundError) as error:
            raise NotRunningError(
                f"{socket} 无人应答，hallwatch 没有在运行？ · nobody answers there: is hallwatch running?"
            ) from error
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NotRunningError(f"{socket}: {type(error).__name__}") from error
        if answer.status >= 400:  # noqa: PLR2004
            raise AnswerError(value)
        return value
