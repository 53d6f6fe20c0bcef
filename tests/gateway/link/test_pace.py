"""When a session connects again, and when people hear that it never stays."""

from dataclasses import dataclass, field

from gateway.link.pace import LONGEST_S, TAKEN, UNSTEADY, Pace


@dataclass(slots=True)
class Trial:
    now: float = 100.0
    told: list[str] = field(default_factory=list)
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self.pace = Pace(self.told.append, lambda: self.now)

    def connection(self, seconds: float, *, taken: bool = False) -> float:
        self.pace.accepted()
        self.now += seconds
        if taken:
            self.pace.taken()
        return self.pace.pause_s()


def test_a_broker_that_cannot_be_reached_is_tried_less_often_but_never_seldom() -> None:
    pauses = [Trial().pace.pause_s() for _ in range(20)]
    assert all(0.25 <= pause <= 0.5 for pause in pauses)
    trial = Trial()
    last = [trial.pace.pause_s() for _ in range(20)][-1]
    assert LONGEST_S / 2 <= last <= LONGEST_S <= 5, "a broker that is back is heard within seconds"
    assert trial.told == []
    assert trial.connection(60) <= 0.5, "it was there: the next attempt comes soon"


def test_a_restart_or_two_is_nothing() -> None:
    trial = Trial()
    assert max(trial.connection(1) for _ in range(3)) <= 0.5
    assert trial.told == []


def test_a_session_that_never_stays_is_said_once_until_it_does() -> None:
    trial = Trial()
    pauses = [trial.connection(1) for _ in range(12)]
    assert LONGEST_S / 2 <= pauses[-1] <= LONGEST_S
    assert trial.told == [UNSTEADY]
    trial.pace.accepted()
    trial.now += 29
    trial.pace.tended()
    assert trial.told == [UNSTEADY]
    trial.now += 1
    trial.pace.tended()
    assert trial.told == [UNSTEADY, ""]


def test_what_a_process_before_has_said_is_taken_back_once_the_session_stays() -> None:
    trial = Trial()
    pace = Pace(trial.told.append, lambda: trial.now, stood=True)
    pace.accepted()
    trial.now += 29
    pace.tended()
    assert trial.told == []
    trial.now += 1
    pace.tended()
    pace.tended()
    assert trial.told == [""]


def test_a_broker_that_names_the_other_client_is_believed_the_second_time() -> None:
    trial = Trial()
    trial.connection(1, taken=True)
    assert trial.told == [], "a gateway that was moved is no intruder"
    trial.connection(1, taken=True)
    assert trial.told == [TAKEN]
