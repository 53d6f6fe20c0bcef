"""A publisher that no library keeps from sending what a broker must refuse: MQTT 3.1.1 by hand, one PUBLISH."""

import asyncio
import struct

CONNECT = bytes.fromhex("10 0f 0004 4d515454 04 02 003c 0003") + b"raw"
PUBACK, DISCONNECT = 4, 14


async def publish(port: int, topic: bytes, payload: bytes) -> bool:
    """Publish at QoS 1 by a connection of its own; False where the broker closes it instead of acknowledging."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(20):
            writer.write(CONNECT)
            assert (await reader.readexactly(4))[3] == 0, "the broker does not let us in"
            body = struct.pack(">H", len(topic)) + topic + struct.pack(">H", 1) + payload
            writer.write(b"\x32" + _length(len(body)) + body)
            await writer.drain()
            answer = await reader.read(4)
            return bool(answer) and answer[0] >> 4 == PUBACK
    except ConnectionError:
        return False
    finally:
        writer.close()


def _length(size: int) -> bytes:
    digits = bytearray()
    while True:
        size, digit = divmod(size, 128)
        digits.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(digits)
