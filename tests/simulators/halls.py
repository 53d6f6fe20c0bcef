"""Small sites for the simulators' tests, and the example site."""

from collections.abc import Iterator
from pathlib import Path

from sensors.decode.family import Packet
from sensors.decode.reception import Reception, Verdict
from sensors.facts import Fact
from sensors.hall.hall import Hall
from sensors.inputs import AnyInput, Heard, Lane, Linked, Started, Ticked
from sensors.site.load import read_site
from sensors.site.model import Site
from simulators.publication import Publication

ROOT = Path(__file__).resolve().parents[2]


def university() -> Site:
    """The example site."""
    text = (ROOT / "dashboard" / "sites" / "university.yaml").read_text("utf-8")
    loaded = read_site(text, "university.yaml")
    assert loaded.site is not None, loaded.problems
    return loaded.site


class Listener:
    """Step 2 and 3 alone: what a hall makes of publications."""

    def __init__(self, site: Site, start: int) -> None:
        self.hall = Hall(site, site.halls[0].id)
        self.reception = Reception(site, site.halls[0].id, self.hall.state)
        self.facts: list[Fact] = []
        self.verdicts: dict[Verdict, int] = {}
        self._step(Started(start - 2, "site"))
        for lane in Lane:
            self._step(Linked(start - 1, lane, up=True))

    def hear(self, publications: Iterator[Publication], until: int) -> None:
        lanes = {it.filter: it.lane for it in self.reception.subscriptions()}
        for said in publications:
            lane = Lane.SAFETY if "/safety/" in said.topic else lanes.get(said.topic, Lane.TELEMETRY)
            packet = Packet(said.topic, said.payload, lane, said.at, said.qos)
            received = self.reception.receive(packet)
            self.verdicts[received.verdict] = self.verdicts.get(received.verdict, 0) + 1
            if received.arrival is not None:
                awaiting = received.verdict is Verdict.AWAITING
                heard = Heard(said.at, said.topic, said.payload, packet.lane, awaiting=awaiting)
                self._step(heard, arrival=True)
        self._step(Ticked(until))

    def _step(self, item: AnyInput, *, arrival: bool = False) -> None:
        self.hall.lapse(item)
        while (due := self.hall.next_due()) is not None and due <= item.at:
            self.facts += self.hall.fire_due(due)
        read = self.reception.read(item) if arrival and isinstance(item, Heard) else None
        self.facts += self.hall.step(item, read)
