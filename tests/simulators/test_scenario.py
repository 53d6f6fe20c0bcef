"""Scenarios: each file is sound, tells the same twice, and makes the hall see what it says it will."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from sensors.actions import AcceptTicket, Acknowledge, PauseWindow
from sensors.facts import FactKind
from simulators.faults import Arriving, held_up
from simulators.human import HumanAction, Reference
from simulators.publication import Publication
from simulators.scenario import Scenario, load_scenario, scenario_names, shipped_scenario
from tests.simulators.halls import Listener, university

SITE = university()
NAMES = scenario_names()
SHORT = [name for name in NAMES if name != "normal_day"]
# Where a person's word or the network decides what the hall sees, and not the devices alone.
BY_PEOPLE = {"window_covered", "network_failure"}
HEAD = "{id: x, title: {zh: 题}, watch: {zh: 看}, duration_s: 300, start: {time: '10:00'}, events: [%s]}"


def play(scenario: Scenario) -> tuple[Listener, int]:
    start = scenario.start_ms(SITE)
    listener = Listener(SITE, start)
    listener.hear(scenario.publications(SITE), start + scenario.duration_s * 1000)
    return listener, start


def with_events(*events: str) -> list[Publication]:
    return list(load_scenario(HEAD % ", ".join(events)).publications(SITE))


def of(said: list[Publication], device: str, kind: str) -> list[tuple[float, dict[str, Any]]]:
    begin = said[0].at
    return [
        ((it.at - begin) / 1000, json.loads(it.payload)["value"])
        for it in said
        if it.device == device and it.topic.endswith(f"/{kind}")
    ]


def test_the_scenarios_are_there() -> None:
    assert set(NAMES) >= {
        "normal_day",
        "morning_rush",
        "lunch_gap",
        "call_point",
        "network_failure",
        "help_button",
        "window_covered",
        "plan_by_hand",
        "printer_fault",
        "reader_silent",
        "queue_surge",
        "smoke_test",
        "real_fire",
        "crowd_rising",
    }
    with pytest.raises(KeyError):
        shipped_scenario("../secrets")


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_names_what_the_site_has(name: str) -> None:
    scenario = shipped_scenario(name)
    assert scenario.id == name
    assert scenario.title.en
    assert scenario.watch.en
    hall = SITE.halls[0]
    known = {f"device/{it.id}" for it in hall.devices} | {f"zone/{it.id}" for it in hall.zones}
    known |= (
        {f"service/{it.id}" for it in hall.services} | {f"window/{it.id}" for it in hall.windows} | {f"hall/{hall.id}"}
    )
    expected = scenario.expect
    assert {alarm.subject for alarm in expected.alarms} | {ticket.subject for ticket in expected.tickets} <= known
    assert {run.plan for run in expected.runs} <= {plan.id for plan in hall.plans}
    people = {person.id for person in SITE.people}
    assert {action.actor for action in scenario.actions} <= people
    assert all(action.at < scenario.duration_s for action in scenario.actions)


@pytest.mark.parametrize("name", NAMES)
def test_every_action_is_one(name: str) -> None:
    for action in shipped_scenario(name).actions:
        assert action.bind(lambda thing, _: f"{thing}-1").do == action.do
        if any((action.alarm, action.run, action.ticket, action.message)):
            with pytest.raises(LookupError):
                action.bind(lambda *_: None)


@pytest.mark.parametrize("name", SHORT)
def test_the_same_twice(name: str) -> None:
    scenario = shipped_scenario(name)
    assert list(scenario.publications(SITE)) == list(scenario.publications(SITE))


@pytest.mark.parametrize("name", [name for name in SHORT if name not in BY_PEOPLE])
def test_the_hall_sees_the_conditions_of_the_expected_alarms_and_no_others(name: str) -> None:
    scenario = shipped_scenario(name)
    listener, _ = play(scenario)
    seen: dict[tuple[str, str], bool] = {}
    for fact in listener.facts:
        if not fact.edge:
            seen[fact.kind, f"{fact.subject.type}/{fact.subject.id}"] = fact.holds
    assert seen == {(alarm.kind, alarm.subject): alarm.active for alarm in scenario.expect.alarms}


def test_a_smoke_test_is_told_as_one() -> None:
    listener, _ = play(shipped_scenario("smoke_test"))
    tests = {fact.subject.id for fact in listener.facts if fact.kind is FactKind.FIRE_TEST}
    assert tests == {"smoke-corridor", "smoke-waiting-west"}


def test_it_starts_at_its_time_of_day() -> None:
    start = shipped_scenario("real_fire").start_ms(SITE)
    assert datetime.fromtimestamp(start / 1000, UTC).isoformat() == "2026-03-10T02:20:00+00:00"


def test_what_is_said_lasts_and_then_the_usual_comes_back() -> None:
    said = with_events("{at: 30, device: w3-printer, say: {equipment: {state: fault}}, for_s: 130}")
    words = [(at, value["state"]) for at, value in of(said, "w3-printer", "equipment")]
    assert (30.0, "fault") in words
    assert all((state == "fault") is (30 <= at < 160) for at, state in words)
    assert (160.0, "ok") in words


def test_a_climb_goes_up_in_a_line_and_stays() -> None:
    said = with_events("{at: 60, device: queue-card, climb: {kind: queue, to: 30, over_s: 100}}")
    lengths = [(at, value["length"]) for at, value in of(said, "queue-card", "queue")]
    before = [length for at, length in lengths if at < 60]
    after = [length for at, length in lengths if at >= 60]
    assert max(before) < 10
    assert after == sorted(after)
    assert after[-1] == 30


def test_a_lost_device_is_silent_until_it_is_back_and_its_will_is_published_between() -> None:
    said = with_events(
        "{at: 20, device: smoke-staff, vanish: lost}", "{at: 250, device: smoke-staff, comes_back: true}"
    )
    begin = said[0].at
    own = [((it.at - begin) / 1000, it) for it in said if it.device == "smoke-staff"]
    between = [(at, it) for at, it in own if 20 <= at < 250]
    assert [at for at, _ in between] == [110.0]
    assert json.loads(between[0][1].payload)["value"]["online"] is False
    boots = {json.loads(it.payload)["boot"] for _, it in own if b"boot" in it.payload}
    assert len(boots) == 2


def test_a_hung_device_says_nothing_and_nobody_says_it_for_it() -> None:
    said = with_events("{at: 20, device: w1-badge, vanish: hung}")
    assert not [it for it in said if it.device == "w1-badge" and it.at >= said[0].at + 20_000]


def test_a_press_is_said_once() -> None:
    said = with_events("{at: 20, device: help-lounge, press: help}")
    assert of(said, "help-lounge", "button") == [(20.0, {"action": "help"})]


@pytest.mark.parametrize(
    "event",
    [
        "{at: 1, device: w1-badge}",
        "{at: 1, device: w1-badge, press: help, vanish: hung}",
        "{at: 1, device: w1-badge, say: {fire: {alarm: perhaps}}}",
        "{at: 1, away: true}",
        "{at: 1, person: xu-wenbo, press: help}",
        "{at: 1, network: down}",
        "{at: 1, device: w1-badge, network: down, for_s: 5}",
        "{at: -1, device: w1-badge, press: help}",
        "{at: 1, device: w1-badge, pres: help}",
    ],
)
def test_a_wrong_event_is_refused(event: str) -> None:
    with pytest.raises(ValidationError):
        load_scenario(HEAD % event)


def test_a_device_that_the_hall_has_not_is_named() -> None:
    with pytest.raises(ValueError, match="nobody-7"):
        with_events("{at: 1, device: nobody-7, press: help}")


def test_who_is_away_neither_badges_nor_sits_until_they_are_back() -> None:
    said = with_events("{at: 60, person: xu-wenbo, away: true, for_s: 120}")
    seats = of(said, "w3-presence", "presence")
    assert (60.0, {"present": False}) in seats
    assert (180.0, {"present": True}) in seats
    assert {value["present"] for at, value in seats if 60 <= at < 180} == {False}
    assert [at for at, _ in of(said, "w3-badge", "badge") if at > 60] == [180.0]
    others = [value["present"] for at, value in of(said, "w1-presence", "presence") if 60 <= at < 180]
    assert True in others
    with pytest.raises(ValueError, match="ma-teng has no shift"):
        with_events("{at: 1, person: ma-teng, away: true}")


def test_while_the_network_is_down_nothing_arrives_then_qos_1_in_its_order() -> None:
    scenario = load_scenario(HEAD % "{at: 100, network: down, for_s: 60}")
    start = scenario.start_ms(SITE)
    assert scenario.outages(start) == ((start + 100_000, start + 160_000),)
    said = list(scenario.publications(SITE))
    meanwhile = [one for one in said if 100_000 <= one.at - start < 160_000]
    heard = list(held_up([Arriving(one.at, one) for one in said], scenario.outages(start)))
    assert [one.at for one in heard] == sorted(one.at for one in heard)
    late = [one.said for one in heard if one.at != one.said.at]
    assert late == [one for one in meanwhile if one.qos > 0]
    assert late
    assert {one.at - start for one in heard if one.at != one.said.at} == {160_000}
    assert len(said) - len(heard) == len([one for one in meanwhile if one.qos == 0]) > 0


def test_actions_are_bound_late() -> None:
    def find(thing: str, reference: Reference) -> str:
        assert reference.subject == "w3-printer"
        return f"{thing}-9"

    accept = HumanAction.model_validate(
        {"at": 1, "actor": "a", "do": "accept_ticket", "ticket": {"subject": "w3-printer"}}
    )
    assert accept.bind(find) == AcceptTicket("ticket-9")
    seen = {"at": 1, "actor": "a", "do": "acknowledge", "alarm": {"subject": "w3-printer"}, "with": {"note": "ok"}}
    assert HumanAction.model_validate(seen).bind(find) == Acknowledge("alarm-9", "ok")
    pause = {"at": 1, "actor": "a", "do": "pause_window", "with": {"window": "w1", "covered_by": "b"}}
    assert HumanAction.model_validate(pause).bind(find) == PauseWindow("w1", covered_by="b")
