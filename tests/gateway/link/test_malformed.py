"""Whatever bytes come, reading them ends in packets, in a wait for more, or in one kind of error."""

import asyncio

import mqtt5
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.link.contract import Broker, Delivery
from gateway.link.malformed import MalformedError, frame_length, mend
from gateway.link.wire import Answer, Wire
from sensors.inputs import Lane

BROKER = Broker("127.0.0.1", 1883, max_packet_bytes=1000)
GOOD: list[mqtt5.Packet] = [
    mqtt5.PublishPacket("hall/x", b"1" * 30, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=3, user_properties=[("a", "b")]),
    mqtt5.PublishPacket("hall/y", b""),
    mqtt5.PubAckPacket(4, reason_str="why"),
    mqtt5.SubAckPacket(3, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE]),
    mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER),
    mqtt5.PingRespPacket(),
]


class Record(asyncio.Transport):
    """A transport that only notes how it ends."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert data

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        assert not self.closed

    def resume_reading(self) -> None:
        assert not self.closed


class Ear:
    """Hears everything but PUBLISHes."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def answered(self, packet: Answer) -> None:
        self.answers.append(packet)

    def ended(self, number: int, why: Exception | None) -> None:
        raise AssertionError(number, why)


def wire_to(taken: list[Delivery], ear: Ear) -> tuple[Wire, Record]:
    wire, transport = Wire(BROKER, Lane.SAFETY, 1, now=lambda: 0, deliver=taken.append, listener=ear), Record()
    wire.connection_made(transport)
    return wire, transport


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    data = bytearray(b"".join(packet.write() for packet in draw(st.lists(st.sampled_from(GOOD), min_size=1))))
    for place in draw(st.lists(st.integers(0, len(data) - 1), max_size=5)):
        data[place] = draw(st.integers(0, 255))
    return bytes(data)


# The codec panics at a string that is not UTF-8: its own trace is on stderr, and Python calls the cause unraisable.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.one_of(st.binary(max_size=60), spoiled()), st.integers(1, 20))
def test_any_bytes_in_any_pieces(data: bytes, piece: int) -> None:
    async def run() -> None:
        taken: list[Delivery] = []
        wire, transport = wire_to(taken, Ear())
        for begin in range(0, len(data), piece):
            wire.data_received(data[begin : begin + piece])
        assert transport.closed or wire.received == len(taken)

    asyncio.run(run())


@given(st.lists(st.sampled_from(GOOD), max_size=600), st.integers(1, 5000))
def test_good_packets_in_any_pieces_are_all_read(packets: list[mqtt5.Packet], piece: int) -> None:
    async def run() -> None:
        taken: list[Delivery] = []
        ear = Ear()
        wire, _ = wire_to(taken, ear)
        data = b"".join(packet.write() for packet in packets)
        for begin in range(0, len(data), piece):
            wire.data_received(data[begin : begin + piece])
        for _ in range(10):
            await asyncio.sleep(0)
        expected = [packet.topic for packet in packets if isinstance(packet, mqtt5.PublishPacket)]
        assert [one.packet.topic for one in taken] == expected
        assert len(ear.answers) == len(packets) - len(expected)

    asyncio.run(run())


def test_a_length_is_told_as_soon_as_it_can_be() -> None:
    frame = mqtt5.PublishPacket("hall/x", b"1" * 500).write()
    lengths = [frame_length(memoryview(frame[:size]), 1000) for size in (1, 2, 3, 100)]
    assert lengths == [None, None, len(frame), len(frame)]


def test_what_is_mended_is_what_was_sent() -> None:
    for packet in GOOD[:2]:
        assert isinstance(packet, mqtt5.PublishPacket)
        mended = mend(memoryview(packet.write()), ValueError())
        assert (mended.topic, mended.payload, mended.packet_id) == (packet.topic, packet.payload, packet.packet_id)
        assert (mended.retain, mended.duplicate) == (packet.retain, packet.duplicate)
        assert mended.qos == packet.qos


def test_what_is_no_publish_is_not_mended() -> None:
    with pytest.raises(MalformedError, match="type 9"):
        mend(memoryview(GOOD[3].write()), ValueError("why"))


def test_a_wire_that_is_full_does_not_spin() -> None:
    async def run() -> None:
        taken: list[Delivery] = []
        wire, _ = wire_to(taken, Ear())
        packet = mqtt5.PublishPacket("hall/x", b"1", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=3).write()
        wire.data_received(packet * (BROKER.max_unacknowledged + 10))
        loop = asyncio.get_running_loop()
        for _ in range(100):
            await asyncio.sleep(0)
        assert (len(taken), wire.full) == (BROKER.max_unacknowledged, True)
        assert not loop._ready  # type: ignore[attr-defined]  # nothing that asks again and again
        wire.acknowledge(taken[:10])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(taken) == BROKER.max_unacknowledged + 10

    asyncio.run(run())
