"""A signature shows who speaks: what is changed, moved to another topic or not signed is not believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.decode.family import Packet
from sensors.decode.reception import Received, Reception, Verdict
from sensors.decode.sequence import BOOT_BYTES, PAST_BOOTS, WINDOW, record
from sensors.decode.signature import body_of, doubt, sign
from sensors.hall.hall import Hall
from sensors.hall.state import HallState
from sensors.inputs import Heard, Lane
from sensors.site.load import read_site
from sensors.site.model import Site

KEY = b"a key of the test"
TOPIC = "hallwatch/v1/h1/telemetry/seat-1/presence"
FIRE = "hallwatch/v1/h1/safety/smoke-1/fire"
SITE = """
site: s
name: {zh: 站}
mqtt: {host: localhost}
families: [{family: native}]
halls:
  - id: h1
    name: {zh: 厅}
    hours: {mon: ["09:00-17:00"]}
    zones: [{id: z1, name: {zh: 区}, area_m2: 10, capacity: 10}]
    devices:
      - {id: seat-1, kinds: [presence], zone: z1, key: {env: SEAT_KEY}}
      - {id: seat-2, kinds: [presence], zone: z1}
      - {id: smoke-1, kinds: [fire], zone: z1, key: {env: SMOKE_KEY}}
"""


def site() -> Site:
    loaded = read_site(SITE, "s.yaml")
    assert loaded.site is not None, loaded.problems
    return loaded.site


def told(state: HallState, topic: str, payload: bytes, *, believed: bool = False) -> Received:
    door = Reception(site(), "h1", state, {"seat-1": KEY, "smoke-1": KEY})
    return door.receive(Packet(topic, payload, Lane.TELEMETRY, 1_000_000), believed=believed)


@pytest.fixture
def state() -> HallState:
    return Hall(site(), "h1").state


def seat(sequence: int = 1) -> bytes:
    return b'{"boot":1,"seq":%d,"value":{"present":true}}' % sequence


def test_what_a_device_signs_is_believed(state: HallState) -> None:
    received = told(state, TOPIC, sign(TOPIC, seat(), KEY))
    assert (received.verdict, received.device) == (Verdict.STORED, "seat-1")
    assert received.arrival is not None
    assert received.arrival.decoded.sequence == 1


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (seat(), "signature_missing"),
        (sign(TOPIC, seat(), b"the key of somebody else"), "signature_wrong"),
        (sign(TOPIC.replace("seat-1", "seat-2"), seat(), KEY), "signature_wrong"),
        (sign(TOPIC, seat(), KEY).replace(b"true", b"null").replace(b"null", b"false"), "signature_wrong"),
    ],
)
def test_what_it_did_not_sign_goes_to_quarantine_with_the_reason(state: HallState, payload: bytes, reason: str) -> None:
    received = told(state, TOPIC, payload)
    assert (received.verdict, received.device, received.reason) == (Verdict.QUARANTINED, "seat-1", reason)
    assert received.arrival is None


def test_a_device_without_a_key_may_sign_already(state: HallState) -> None:
    """So keys are given to the devices first, and to the site when all have theirs."""
    topic = TOPIC.replace("seat-1", "seat-2")
    assert told(state, topic, sign(topic, seat(), KEY)).verdict is Verdict.STORED
    assert told(state, topic, seat()).verdict is Verdict.STORED


def test_a_forged_fire_asks_people_to_look_and_spoils_no_number(state: HallState) -> None:
    forged = b'{"boot":1,"seq":7,"value":{"alarm":true,"sensor":"smoke"}}'
    received = told(state, FIRE, forged)
    assert (received.verdict, received.reason, received.unproven) == (Verdict.QUARANTINED, "signature_missing", True)
    assert received.arrival is not None
    assert not received.arrival.approved
    assert received.arrival.decoded.sequence is None
    # What the journal says of it is folded to the same.
    heard = Heard(1_000_000, FIRE, forged, Lane.SAFETY, awaiting=True)
    assert Reception(site(), "h1", state).read(heard) == received.arrival


def test_a_person_who_mends_a_message_vouches_for_it(state: HallState) -> None:
    assert told(state, TOPIC, seat(), believed=True).verdict is Verdict.STORED


def folded(state: HallState, topic: str, payload: bytes, at: int = 1_000_000) -> Received:
    """What becomes of a message, and the state after it."""
    received = told(state, topic, payload)
    if received.arrival is not None and received.verdict is Verdict.STORED:
        heard = Heard(at, topic, payload, Lane.TELEMETRY)
        record(state.devices[received.device], received.arrival, heard)
    return received


def numbered(boot: int, sequence: int, *, alarm: bool) -> bytes:
    body = b'{"boot":%d,"seq":%d,"value":{"alarm":%s,"sensor":"smoke"}}'
    return sign(FIRE, body % (boot, sequence, b"true" if alarm else b"false"), KEY)


def test_an_old_all_clear_that_somebody_says_again_is_not_believed_however_many_starts_later(state: HallState) -> None:
    clear = numbered(7, 3, alarm=False)
    assert folded(state, FIRE, clear).verdict is Verdict.STORED
    assert folded(state, FIRE, clear).verdict is Verdict.DUPLICATE
    # Boots are drawn, and in no order.
    for boot in (99, 4, 50, *range(1000, 1000 + PAST_BOOTS - 2)):
        assert folded(state, FIRE, numbered(boot, 1, alarm=True)).verdict is Verdict.STORED
        replayed = folded(state, FIRE, clear)
        assert replayed.verdict is Verdict.DUPLICATE or replayed.reason == "signature_old"
        assert replayed.arrival is None
    assert folded(state, FIRE, clear).reason == "signature_old"
    # The memory has an end, and it is where it is said to be.
    for boot in (5000, 5001):
        folded(state, FIRE, numbered(boot, 1, alarm=True))
    assert len(state.devices["smoke-1"].past_boots) == PAST_BOOTS * BOOT_BYTES
    assert folded(state, FIRE, clear).verdict is Verdict.STORED


def test_what_lies_further_back_than_the_window_is_not_believed_of_a_device_that_signs(state: HallState) -> None:
    clear = numbered(7, 3, alarm=False)
    folded(state, FIRE, clear)
    folded(state, FIRE, numbered(7, 2 + WINDOW, alarm=True))
    assert told(state, FIRE, clear).verdict is Verdict.DUPLICATE
    folded(state, FIRE, numbered(7, 3 + WINDOW, alarm=True))
    assert told(state, FIRE, clear).reason == "signature_old"
    # What is late and was never heard is taken as ever.
    assert told(state, FIRE, numbered(7, 4, alarm=True)).verdict is Verdict.STORED


def test_an_old_fire_asks_people_to_look(state: HallState) -> None:
    fire = numbered(7, 3, alarm=True)
    for payload in (fire, numbered(8, 1, alarm=False), numbered(9, 1, alarm=False)):
        folded(state, FIRE, payload)
    received = told(state, FIRE, fire)
    assert (received.verdict, received.reason, received.unproven) == (Verdict.QUARANTINED, "signature_old", True)
    assert received.arrival is not None
    assert not received.arrival.approved


def test_what_the_broker_itself_has_kept_since_long_ago_is_no_forgery(state: HallState) -> None:
    clear = numbered(7, 3, alarm=False)
    for payload in (clear, numbered(8, 1, alarm=False), numbered(9, 1, alarm=False)):
        folded(state, FIRE, payload)
    door = Reception(site(), "h1", state, {"smoke-1": KEY})
    received = door.receive(Packet(FIRE, clear, Lane.SAFETY, 1_000_000, retained=True))
    assert (received.verdict, received.arrival) == (Verdict.DUPLICATE, None)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"value":{"online":false,"reason":"last_will"}}', ""),
        (b'{"value":{"online":true}}', "signature_unnumbered"),
        (b'{"boot":1,"value":{"online":true}}', "signature_unnumbered"),
        (b'{"boot":1,"seq":1,"value":{"online":true}}', ""),
    ],
)
def test_only_a_last_will_needs_no_numbers(state: HallState, body: bytes, reason: str) -> None:
    topic = TOPIC.replace("presence", "availability")
    received = told(state, topic, sign(topic, body, KEY))
    assert (received.reason, received.verdict) == (reason, Verdict.QUARANTINED if reason else Verdict.STORED)
    other = topic.replace("seat-1", "seat-2")
    assert told(state, other, body).verdict is Verdict.STORED, "who does not sign need not count"


@given(body=st.binary(max_size=200), topic=st.text(max_size=40), other=st.binary(max_size=200))
def test_a_signature_fits_its_message_alone(body: bytes, topic: str, other: bytes) -> None:
    topic = topic.encode("utf-8", "ignore").decode()
    signed = sign(topic, body, KEY)
    assert body_of(signed) == body
    assert doubt(topic, signed, KEY) == ""
    assert doubt(topic + "x", signed, KEY) == "signature_wrong"
    if other != body:
        assert doubt(topic, other + signed[len(body) :], KEY) == "signature_wrong"
