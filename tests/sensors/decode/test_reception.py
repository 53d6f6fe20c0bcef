"""The door: every packet gets one verdict, and what is admitted reads the same again."""

import json

import pytest

from sensors.decode.families import UnknownFamilyError, families_of
from sensors.decode.family import Packet
from sensors.decode.reception import Arrival, Reception, Verdict
from sensors.decode.sequence import record
from sensors.hall.state import DeviceState, HallState, Origin
from sensors.inputs import Heard, Lane
from sensors.readings import Button, ButtonAction, Fire, Flag, Kind, Place
from sensors.site.limits import Limits
from sensors.site.model import FamilyUse, Hall, Site, Words

BASE = "hallwatch/v1/h1"


def site(*uses: FamilyUse) -> Site:
    families = uses or (FamilyUse(family="native"), FamilyUse(family="zigbee2mqtt"))
    hall = Hall(id="h1", name=Words(zh="厅"), hours={})
    return Site(site="s", name=Words(zh="站"), families=families, halls=(hall,))


class Door:
    """A reception, and the little of the fold that remembers what was admitted."""

    def __init__(self) -> None:
        self.state = HallState("h1")
        self.reception = Reception(site(), "h1", self.state)
        self.gaps = 0
        self.add("smoke-1", Kind.FIRE, zone="z1")
        self.add("reader-1", Kind.BADGE, window="w1")
        self.add("old-1", Kind.FIRE, origin=Origin.RETIRED)
        self.add("zb-smoke", Kind.FIRE, Kind.BATTERY, family="zigbee2mqtt", address="hall/smoke 1")
        self.add("zb-desk", Kind.PRESENCE, family="zigbee2mqtt", address="desk 3", origin=Origin.APPROVED)

    def add(
        self,
        name: str,
        *kinds: Kind,
        family: str = "native",
        address: str = "",
        origin: Origin = Origin.SITE,
        zone: str | None = None,
        window: str | None = None,
    ) -> None:
        self.state.devices[name] = DeviceState(name, family, address or name, origin, kinds, zone, window)

    def hear(
        self, topic: str, payload: object, *, dup: bool = False, retained: bool = False
    ) -> tuple[Verdict, str, Arrival | None]:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        packet = Packet(topic, body, Lane.SAFETY, at=1000, dup=dup, retained=retained)
        received = self.reception.receive(packet)
        assert (received.verdict in {Verdict.STORED, Verdict.AWAITING}) <= (received.arrival is not None)
        if received.arrival is not None:
            awaiting = received.verdict is Verdict.AWAITING
            heard = Heard(packet.at, topic, body, packet.lane, retained, awaiting=awaiting)
            assert self.reception.read(heard) == received.arrival
            device = self.state.devices.get(received.device)
            if device is not None:
                self.gaps += record(device, received.arrival, heard)
        return received.verdict, received.reason, received.arrival


def test_a_known_device_is_stored_with_its_place() -> None:
    body = {"boot": 1, "seq": 9, "time": 5, "clock": "synced", "flags": ["test"], "value": {"alarm": True}}
    verdict, _, arrival = Door().hear(f"{BASE}/safety/smoke-1/fire", body)
    assert verdict is Verdict.STORED
    assert arrival is not None
    (reading,) = arrival.readings
    assert (reading.device, reading.place, reading.value) == ("smoke-1", Place("z1"), Fire(alarm=True))
    assert (reading.boot, reading.sequence, reading.device_time, reading.received) == (1, 9, 5, 1000)
    assert reading.flags is Flag.TEST
    assert reading.approved
    assert not reading.live


def test_a_repeated_sequence_is_a_duplicate_and_a_leap_is_a_gap() -> None:
    door = Door()
    topic = f"{BASE}/telemetry/reader-1/badge"
    for sequence, verdict in ((1, Verdict.STORED), (1, Verdict.DUPLICATE), (4, Verdict.STORED)):
        assert door.hear(topic, {"boot": 1, "seq": sequence, "value": {"token": "04A1"}})[0] is verdict
    assert door.gaps == 2


def test_two_taps_are_two_and_a_redelivered_tap_is_one() -> None:
    door = Door()
    topic, body = f"{BASE}/telemetry/reader-1/badge", {"value": {"token": "04A1"}}
    assert door.hear(topic, body)[0] is Verdict.STORED
    assert door.hear(topic, body)[0] is Verdict.STORED
    assert door.hear(topic, body, dup=True)[0] is Verdict.DUPLICATE


def test_an_unknown_device_waits_for_approval() -> None:
    verdict, _, arrival = Door().hear(f"{BASE}/telemetry/reader-9/badge", {"value": {"token": "04A1"}})
    assert verdict is Verdict.AWAITING
    assert arrival is not None
    assert (arrival.device, arrival.approved, arrival.readings[0].approved) == ("reader-9", False, False)


def test_names_that_are_no_ids_get_one_each() -> None:
    door = Door()
    ids = set()
    for name in ("Smoke-1", "smoke 1", "烟感一"):
        arrival = door.hear(f"{BASE}/safety/{name}/fire", {"value": {"alarm": True}})[2]
        assert arrival is not None
        assert arrival.decoded.address == name
        ids.add(arrival.device)
    assert len(ids) == 3
    assert all(name.isascii() and name == name.lower() and " " not in name for name in ids)


def test_a_fire_on_a_misshapen_topic_is_heard() -> None:
    verdict, reason, arrival = Door().hear(f"{BASE}/safety/smoke-1/fire/extra", {"value": {"alarm": True}})
    assert (verdict, reason) == (Verdict.QUARANTINED, "topic_malformed")
    assert arrival is not None
    assert arrival.readings[0].kind is Kind.FIRE


def test_a_retired_device_is_refused_but_for_a_fire() -> None:
    door = Door()
    assert door.hear(f"{BASE}/safety/old-1/fire", {"value": {"alarm": False}})[:2] == (Verdict.REFUSED, "retired")
    verdict, _, arrival = door.hear(f"{BASE}/safety/old-1/fire", {"value": {"alarm": True}})
    assert verdict is Verdict.AWAITING
    assert arrival is not None
    assert not arrival.approved


@pytest.mark.parametrize("name", ["smoke-1", "nobody-knows-me", "old-1"])
def test_a_damaged_fire_is_quarantined_and_heard_unverified(name: str) -> None:
    verdict, reason, arrival = Door().hear(f"{BASE}/safety/{name}/fire", b'{"value":{"alarm":true,')
    assert (verdict, reason) == (Verdict.QUARANTINED, "invalid_json")
    assert arrival is not None
    assert arrival.device == name
    assert arrival.readings[0].value == Fire(alarm=True)
    assert not arrival.readings[0].approved


def test_a_fire_too_large_is_heard() -> None:
    body = {"value": {"alarm": True, "sensor": "heat"}, "picture": "x" * 20_000}
    verdict, reason, arrival = Door().hear(f"{BASE}/safety/smoke-1/fire", body)
    assert (verdict, reason) == (Verdict.QUARANTINED, "too_large")
    assert arrival is not None
    assert arrival.readings[0].kind is Kind.FIRE


def test_a_damaged_fire_keeps_its_flags_and_its_redelivery_is_one() -> None:
    door = Door()
    topic, body = f"{BASE}/safety/smoke-1/fire", b'{"flags":["drill"],"value":{"alarm":true'
    arrival = door.hear(topic, body)[2]
    assert arrival is not None
    assert arrival.readings[0].flags is Flag.DRILL
    assert door.hear(topic, body, dup=True)[0] is Verdict.DUPLICATE


def test_a_damaged_call_for_help_of_an_approved_device_counts() -> None:
    door = Door()
    door.add("help-1", Kind.BUTTON)
    arrival = door.hear(f"{BASE}/safety/help-1/button", b'{"value":{"action":"help"')[2]
    assert arrival is not None
    assert arrival.approved
    assert arrival.readings[0].value == Button(ButtonAction.HELP)


def test_what_no_family_knows_is_quarantined() -> None:
    verdict, reason, _ = Door().hear("somebody/else", b"1")
    assert (verdict, reason) == (Verdict.QUARANTINED, "topic_unknown")


def test_a_command_is_refused_and_not_quarantined() -> None:
    assert Door().hear("zigbee2mqtt/desk 3/set", {"state": "ON"})[:2] == (Verdict.REFUSED, "ignored")


def test_one_zigbee_message_makes_several_readings_under_the_sites_id() -> None:
    verdict, _, arrival = Door().hear("zigbee2mqtt/hall/smoke 1", {"smoke": True, "battery": 9}, retained=True)
    assert verdict is Verdict.STORED
    assert arrival is not None
    assert [(reading.device, reading.kind) for reading in arrival.readings] == [
        ("zb-smoke", Kind.FIRE),
        ("zb-smoke", Kind.BATTERY),
    ]
    assert all(reading.retained and not reading.live for reading in arrival.readings)


def test_too_many_unknown_devices_are_refused_but_for_a_fire() -> None:
    door = Door()
    for number in range(Limits().unknown_devices):
        door.add(f"new-{number}", Kind.BADGE, origin=Origin.DISCOVERED)
    body = {"value": {"token": "04A1"}}
    assert door.hear(f"{BASE}/telemetry/more/badge", body)[:2] == (Verdict.REFUSED, "too_many_unknown")
    assert door.hear(f"{BASE}/safety/more/fire", {"value": {"alarm": True}})[0] is Verdict.AWAITING


def test_a_replayed_message_is_history() -> None:
    door = Door()
    heard = Heard(5, f"{BASE}/safety/smoke-1/fire", b'{"value":{"alarm":true}}', replayed=True)
    arrival = door.reception.read(heard)
    assert arrival is not None
    assert arrival.readings[0].flags is Flag.HISTORY


def test_what_can_no_longer_be_read_is_nothing() -> None:
    assert Door().reception.read(Heard(5, f"{BASE}/telemetry/reader-1/badge", b"{")) is None
    assert Door().reception.read(Heard(5, "somebody/else", b"{}")) is None


def test_where_two_entries_are_one_device_the_site_wins() -> None:
    door = Door()
    door.add("approved-name", Kind.FIRE, address="smoke-1", origin=Origin.APPROVED)
    arrival = door.hear(f"{BASE}/safety/smoke-1/fire", {"value": {"alarm": False}})[2]
    assert arrival is not None
    assert arrival.device == "smoke-1"


def test_every_device_is_subscribed_in_exactly_one_lane() -> None:
    subscriptions = Door().reception.subscriptions()
    lanes = {subscription.filter: subscription.lane for subscription in subscriptions}
    assert len(lanes) == len(subscriptions)
    assert lanes == {
        f"{BASE}/safety/#": Lane.SAFETY,
        f"{BASE}/telemetry/#": Lane.TELEMETRY,
        "zigbee2mqtt/bridge/state": Lane.TELEMETRY,
        "zigbee2mqtt/bridge/devices": Lane.TELEMETRY,
        "zigbee2mqtt/hall/smoke 1": Lane.SAFETY,
        "zigbee2mqtt/hall/smoke 1/availability": Lane.TELEMETRY,
        "zigbee2mqtt/desk 3": Lane.TELEMETRY,
        "zigbee2mqtt/desk 3/availability": Lane.TELEMETRY,
        f"{BASE}/gateway/probe/safety": Lane.SAFETY,
        f"{BASE}/gateway/probe/telemetry": Lane.TELEMETRY,
    }


def test_a_wildcard_in_a_name_is_no_filter() -> None:
    door = Door()
    door.add("evil", Kind.FIRE, family="zigbee2mqtt", address="#")
    door.add("bridge", Kind.AVAILABILITY, family="zigbee2mqtt", address="bridge")
    filters = {found.filter for found in door.reception.subscriptions()}
    assert all("#" not in heard or heard.startswith("hallwatch/") for heard in filters)
    assert "zigbee2mqtt/bridge" not in filters


def test_a_family_may_be_one_halls_only_and_must_exist() -> None:
    other = site(FamilyUse(family="zigbee2mqtt", hall="h2"), FamilyUse(family="native", base="acme"))
    (family,) = families_of(other, "h1")
    assert family.speaks("acme/h1/safety/x/fire")
    with pytest.raises(UnknownFamilyError):
        families_of(site(FamilyUse(family="carrier-pigeon")), "h1")
