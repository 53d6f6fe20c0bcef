"""The synthetic message: known by its topic, counted on a line of its own, and no device's word."""

import pytest

from alerts.core import Core
from alerts.engine import Engine
from alerts.model import Book
from gateway.batch import BatchMaker
from gateway.link.contract import Delivery
from sensors.decode.family import Packet
from sensors.decode.probe import Probe, probe_topics, read_probe, write_probe
from sensors.decode.reception import Reception, Verdict
from sensors.hall.hall import Hall
from sensors.hall.state import ProbeState
from sensors.inputs import Lane, Probed, unpack
from sensors.site.model import FamilyUse, Site, Words
from sensors.site.model import Hall as HallModel
from sensors.topics import probe_topic

NOW = 1_760_000_000_000
SITE = Site(
    site="s",
    name=Words(zh="站"),
    families=(FamilyUse(family="native"),),
    halls=(HallModel(id="h1", name=Words(zh="厅"), hours={}),),
)


def packet(payload: bytes, *, retained: bool = False) -> Packet:
    return Packet(probe_topic("h1", "safety"), payload, Lane.SAFETY, NOW, retained=retained)


def maker() -> BatchMaker:
    hall = Hall(SITE, "h1")
    return BatchMaker(Core(hall, Engine(SITE, "h1", Book())), Reception(SITE, "h1", hall.state), hall="h1", index=0)


def test_each_session_has_a_topic_of_its_own() -> None:
    assert probe_topics("h1") == {
        "hallwatch/v1/h1/gateway/probe/safety": Lane.SAFETY,
        "hallwatch/v1/h1/gateway/probe/telemetry": Lane.TELEMETRY,
    }


def test_it_reads_what_it_has_written() -> None:
    assert read_probe(write_probe(Probe("a1", NOW))) == Probe("a1", NOW)


def test_it_goes_through_the_hall_into_the_journal_and_is_no_device() -> None:
    path = maker()
    prepared = path.prepare([Delivery(packet(write_probe(Probe("a1", NOW - 5))), 1, 1)], NOW)
    assert prepared.batch is not None
    (probed,) = [item for item in unpack(prepared.batch.blob) if isinstance(item, Probed)]
    assert probed == Probed(NOW, Lane.SAFETY, "a1", NOW - 5)
    state = path.core.hall.state
    assert state.probes == {"safety": ProbeState("a1", NOW - 5, NOW)}
    assert state.devices == {}
    assert (state.stray.received, state.stray.probe, state.stray.awaiting) == (1, 1, 0)
    # Folded again from what was written, it is the same.
    again = Hall(SITE, "h1")
    for item in unpack(prepared.batch.blob):
        again.step(item)
    assert again.state.probes == state.probes
    assert again.state.stray == state.stray


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b'{"id": 3, "sent": 5}',
        b'{"id": "a", "sent": 5, "more": 1}',
        b'{"id": "a", "sent": -1}',
        b'{"id": "a", "sent": %d}' % 2**70,
        b'{"id": "", "sent": 5}',
        b'{"id": "%s", "sent": 5}' % (b"a" * 65),
        b"\xff",
        b"x" * 300,
    ],
)
def test_what_is_no_probe_of_ours_is_not_wanted(payload: bytes) -> None:
    received = maker().reception.receive(packet(payload))
    assert (received.verdict, received.reason) == (Verdict.REFUSED, "ignored")


def test_a_retained_one_proves_nothing_of_now() -> None:
    received = maker().reception.receive(packet(write_probe(Probe("a1", NOW)), retained=True))
    assert received.verdict is Verdict.REFUSED
