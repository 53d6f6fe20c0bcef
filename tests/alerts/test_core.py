"""Steps 3 and 4 together: what devices say, through the hall's own machines, to the plan, its messages and tickets."""

from collections.abc import Iterable

import pytest

from alerts.core import Core
from alerts.engine import Engine
from alerts.model import Alarm, Book, Run, Stage
from sensors.actions import Acknowledge, StandDown, write_action
from sensors.decode.reception import Arrival
from sensors.errors import RefusedError
from sensors.facts import FactKind
from sensors.hall.hall import Hall
from sensors.inputs import Acted, AnyInput, Started, Ticked
from sensors.readings import Equipment, EquipmentState, Fire, FireSensor, Flag
from sensors.site.model import Person, Site, Words
from tests.alerts.harness import FIRE_PLAN, Rows, plan, role
from tests.sensors.hall.harness import Speaking
from tests.sensors.hall.harness import site as hall_site

Heard = tuple[AnyInput, Arrival | None]


def the_site() -> Site:
    plans = [plan(FIRE_PLAN, roles=[role("lead", "ann", "bob"), role("guide", "bob")])]
    people = [Person(id=name, name=Words(zh=name), contacts={"log": name}) for name in ("ann", "bob")]
    base = hall_site(plans=plans, routing={"people": ["ann", "bob"]})
    return base.model_copy(update={"people": (*base.people, *people)})


def hall() -> Speaking:
    return Speaking(the_site()).open()


def play(inputs: Iterable[Heard], site: Site) -> tuple[Core, Rows]:
    core = Core(Hall(site, "main"), Engine(site, "main", Book()))
    rows = Rows()
    for item, arrival in inputs:
        core.step(item, arrival)
        rows.write(core.take())
    return core, rows


def ticked(inputs: Iterable[Heard], every_ms: int) -> Iterable[Heard]:
    """The same inputs with idle looks at the clock between them."""
    last: int | None = None
    for item, arrival in inputs:
        while last is not None and last + every_ms < item.at:
            last += every_ms
            yield Ticked(last), None
        last = item.at
        yield item, arrival


def test_smoke_then_smoke_elsewhere() -> None:
    speaking = hall()
    speaking.says("f1", Fire(alarm=True))
    speaking.forward(seconds=20)
    speaking.says("f1", Fire(alarm=True))
    _, rows = play(speaking.inputs, speaking.site)
    assert [run.stage for run in rows.runs.values()] == [Stage.VERIFY]
    speaking.says("f2", Fire(alarm=True))
    _, rows = play(speaking.inputs, speaking.site)
    assert [(run.stage, run.why, run.signals) for run in rows.runs.values()] == [
        (Stage.ACTIVE, "second_signal", ("f1", "f2"))
    ]
    assert [alarm.count for alarm in rows.alarms.values()] == [2, 1]


def test_what_would_have_been_repeated_while_nobody_was_there_is_repeated_once() -> None:
    """A month away with a fault and a fire that nobody has answered: some messages, and no hundred thousand turns."""
    speaking = hall()
    speaking.says("f1", Fire(alarm=True))
    speaking.says("p1", Equipment(EquipmentState.FAULT, "jam"))
    speaking.forward(minutes=10)
    core, _ = play(speaking.inputs, speaking.site)
    before, month = len(core.engine.book.messages), 30 * 86_400_000
    rounds = {one.id: one.round for one in repeated(core)}
    assert rounds
    began = speaking.now
    core.step(Started(began + month, core.hall.state.site))
    for one in repeated(core):
        assert one.round <= rounds.get(one.id, 0) + 3, one
        assert one.repeat_at is None or began + month <= one.repeat_at <= began + month + 3_600_000, one
    assert len(core.engine.book.messages) < before + 40
    # From then on it is said again as ever.
    again = min(one.repeat_at for one in repeated(core) if one.repeat_at is not None)
    core.step(Ticked(again))
    assert any(one.repeat_at is not None and one.repeat_at > again for one in repeated(core))


def repeated(core: Core) -> list[Alarm | Run]:
    """What is open and may be said again."""
    return [*core.engine.book.alarms.values(), *core.engine.book.runs.values()]


def test_a_call_point() -> None:
    speaking = hall()
    speaking.says("f1", Fire(alarm=True, sensor=FireSensor.MCP))
    _, rows = play(speaking.inputs, speaking.site)
    assert [(run.stage, run.why) for run in rows.runs.values()] == [(Stage.ACTIVE, "call_point")]


@pytest.mark.parametrize("flag", [Flag.TEST, Flag.DRILL, Flag.HISTORY, Flag.LEARN])
def test_flagged_starts_nothing(flag: Flag) -> None:
    speaking = hall()
    for detector in ("f1", "f2"):
        speaking.says(detector, Fire(alarm=True, sensor=FireSensor.MCP), flags=flag)
    speaking.forward(minutes=10)
    _, rows = play(speaking.inputs, speaking.site)
    assert not rows.runs
    assert not [alarm for alarm in rows.alarms.values() if alarm.kind is FactKind.FIRE]


def test_retained_tells_the_staff_and_waits_for_a_live_word() -> None:
    speaking = hall()
    for detector in ("f1", "f2"):
        speaking.says(detector, Fire(alarm=True), retained=True)
    speaking.forward(minutes=10)
    _, rows = play(speaking.inputs, speaking.site)
    assert not rows.runs
    assert {message.person for message in rows.messages.values()} == {"ann", "bob"}
    speaking.says("f1", Fire(alarm=True))
    _, rows = play(speaking.inputs, speaking.site)
    assert [run.stage for run in rows.runs.values()] == [Stage.VERIFY]


@pytest.mark.parametrize("every_ms", [250, 7_000])
def test_looking_at_the_clock_more_often_changes_nothing(every_ms: int) -> None:
    speaking = hall()
    speaking.says("f1", Fire(alarm=True))
    speaking.says("p1", Equipment(EquipmentState.FAULT, "jam"))
    speaking.forward(minutes=12)
    _, rows = play(speaking.inputs, speaking.site)
    _, again = play(ticked(speaking.inputs, every_ms), speaking.site)
    assert rows == again
    assert [run.why for run in rows.runs.values()] == ["no_answer"]
    assert [ticket.text for ticket in rows.tickets.values()] == ["jam"]


def test_people_act_through_the_core() -> None:
    speaking = hall()
    speaking.says("f1", Fire(alarm=True))
    core, _ = play(speaking.inputs, speaking.site)
    (alarm,) = (one for one in core.engine.book.alarms.values() if one.kind is FactKind.FIRE)
    (run,) = core.engine.book.runs

    def act(action: Acknowledge | StandDown) -> None:
        core.step(Acted(speaking.now + 1000, "ann", write_action(action)))

    act(Acknowledge(alarm.id))
    act(StandDown(run, "false_alarm"))
    core.take()
    with pytest.raises(RefusedError, match="run_ended"):
        act(StandDown(run, "all_clear"))
    assert not core.take()
    assert not core.engine.book.runs
