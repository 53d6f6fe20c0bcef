"""An outside service that breaks the rules: a TCP server that does what it is told with each connection."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Behaviour = Callable[["Rude", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Rude:
    """Counts the connections and keeps the requests that it has read to their end."""

    port: int = 0
    connections: int = 0
    written: int = 0
    requests: list[bytes] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, scheme: str = "http", host: str = "127.0.0.1") -> str:
        """Where it is reached."""
        return f"{scheme}://{host}:{self.port}/hook"

    async def read(self, reader: asyncio.StreamReader) -> None:
        """One whole request."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        self.requests.append(head + await reader.readexactly(int(length.split(b":")[1])))


@asynccontextmanager
async def rude(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[Rude]:
    """Run it on a free port."""
    service = Rude()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        service.connections += 1
        try:
            await behaviour(service, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the other side has had enough
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    service.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield service
        finally:
            service.closing.set()


async def hang_before_reading(service: Rude, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the connection and does nothing."""
    await service.closing.wait()


async def hang_after_reading(service: Rude, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Has the whole request and says nothing."""
    await service.read(reader)
    await service.closing.wait()


async def hang_in_headers(service: Rude, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begins an answer and does not end its head."""
    await service.read(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nX-More:")
    await service.closing.wait()


async def slow_loris(service: Rude, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers 200 and then a byte now and again."""
    await service.read(reader)
    writer.write(OK + b"Content-Length: 100000\r\n\r\n")
    while not service.closing.is_set():
        writer.write(b"[")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drop_after_reading(service: Rude, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Has the whole request and closes without a word."""
    await service.read(reader)


async def drop_in_body(service: Rude, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers 200 and closes before its body ends."""
    await service.read(reader)
    writer.write(OK + b'Content-Length: 100\r\n\r\n{"errcode"')
    await writer.drain()


async def reset(service: Rude, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Resets the connection at once."""
    writer.transport.abort()


async def garbage(service: Rude, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers with what is no HTTP."""
    await service.read(reader)
    writer.write(b"\x00\xff 220 mail.test ESMTP\r\n\r\n")
    await writer.drain()


async def huge_body(service: Rude, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers 200 with as much as is taken of 64 MiB."""
    await service.read(reader)
    writer.write(OK + b"Content-Length: 67108864\r\n\r\n")
    for _ in range(1024):
        writer.write(b" " * 65_536)
        await writer.drain()
        service.written += 65_536


async def huge_head(service: Rude, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers 200 with a head that does not end."""
    await service.read(reader)
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(1024):
        writer.write(b"X-More: " + b"x" * 60_000 + b"\r\n")
        await writer.drain()
        service.written += 60_000


async def greet_never(service: Rude, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A mail server that never says its 220."""
    await service.closing.wait()


async def greet_and_drop(service: Rude, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A mail server that closes after its greeting."""
    writer.write(b"220 mail.test ESMTP\r\n")
    await writer.drain()


async def too_busy(service: Rude, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A mail server that sends everybody away (RFC 5321 §3.8)."""
    writer.write(b"421 too busy\r\n")
    await writer.drain()
