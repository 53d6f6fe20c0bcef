import asyncio

import aiomqtt
import pytest

from gateway.broker import Address, demo_broker


def gateway(broker: Address) -> aiomqtt.Client:
    return aiomqtt.Client(broker.host, broker.port, username=broker.username, identifier="gateway", clean_session=False)


async def test_a_named_session_is_kept_while_away() -> None:
    async with demo_broker() as broker, asyncio.timeout(20):
        async with gateway(broker) as client:
            await client.subscribe("hall/#", qos=1)
        async with aiomqtt.Client(broker.host, broker.port, username="device") as device:
            for number in range(20):
                await device.publish("hall/x", str(number), qos=1)
        got: list[bytes] = []
        async with gateway(broker) as client:
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                got.append(message.payload)
                if len(got) == 20:
                    break
    assert got == [str(number).encode() for number in range(20)]


async def test_it_says_what_it_cannot_do(caplog: pytest.LogCaptureFixture) -> None:
    async with demo_broker() as broker:
        assert broker.host == "127.0.0.1"
    assert "for the demo only" in caplog.text
