"""When the account and the sessions differ, and for how long."""

from dataclasses import dataclass, field

from gateway.watch.balance import LOOKS, Balancer
from sensors.hall.state import DeviceState, HallState, Origin
from sensors.inputs import Lane
from sensors.readings import Kind


@dataclass(slots=True)
class OneLink:
    received: int = 0
    lane: Lane = Lane.TELEMETRY


@dataclass(slots=True)
class OnePath:
    in_hand: int = 0
    stalled_since: int | None = None


@dataclass(slots=True)
class Scene:
    """A balancer over a session, a path and a state that a test moves."""

    link: OneLink = field(default_factory=OneLink)
    path: OnePath = field(default_factory=OnePath)
    state: HallState = field(default_factory=lambda: HallState("h1"))
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state.stray.received = self.state.stray.stored = 100
        self.balancer = Balancer(self.path, [self.link], lambda: self.state, self.told.append)

    balancer: Balancer = field(init=False)

    def count(self, messages: int) -> None:
        self.state.stray.received += messages
        self.state.stray.stored += messages

    def look(self, times: int = LOOKS) -> None:
        for _ in range(times):
            self.balancer.check()


def test_what_is_counted_or_in_hand_balances() -> None:
    scene = Scene()
    scene.link.received, scene.path.in_hand = 10, 4
    scene.count(6)
    scene.look()
    assert scene.told == []
    assert scene.balancer.look().even


def test_a_difference_is_told_once_it_stands_and_cleared_when_it_is_gone() -> None:
    scene = Scene()
    scene.link.received = 3
    scene.count(2)
    scene.look(LOOKS - 1)
    assert scene.told == []
    scene.look(3)
    assert scene.told == ["3 ≠ 2 + 0"]
    scene.count(1)
    scene.look(1)
    assert scene.told == ["3 ≠ 2 + 0", ""]


def test_what_a_process_before_has_told_is_taken_back_when_this_one_finds_it_even() -> None:
    scene = Scene()
    scene.balancer = Balancer(scene.path, [scene.link], lambda: scene.state, scene.told.append, told=True)
    scene.look()
    assert scene.told == [""]


def test_more_counted_than_received_is_as_wrong() -> None:
    scene = Scene()
    scene.count(1)
    scene.look()
    assert scene.told == ["0 ≠ 1 + 0"]


def test_a_difference_that_moves_is_work_under_way() -> None:
    scene = Scene()
    for received in range(1, 20):
        scene.link.received = received
        scene.look(1)
    assert scene.told == []


def test_while_the_store_takes_nothing_nothing_is_judged() -> None:
    scene = Scene()
    scene.link.received, scene.path.stalled_since = 3, 5
    scene.look(20)
    assert scene.told == []


def test_what_was_missing_when_the_session_was_cut_comes_again() -> None:
    scene = Scene()
    scene.link.received = 1
    scene.look()
    assert scene.balancer.look().unexplained == 1
    scene.state.link_since["telemetry"] = 99
    scene.look(1)
    assert scene.told == ["1 ≠ 0 + 0", ""]
    assert (scene.balancer.look().unexplained, scene.balancer.look().lost) == (0, 1)
    scene.link.received = 2
    scene.count(1)
    scene.look()
    assert scene.told == ["1 ≠ 0 + 0", ""]


def test_a_device_whose_outcomes_do_not_add_up_is_named() -> None:
    scene = Scene()
    device = scene.state.devices["d1"] = DeviceState("d1", "native", "d1", Origin.SITE, (Kind.QUEUE,))
    scene.link.received = 1
    device.account.received = 1
    scene.look()
    assert scene.told == ["d1"]
    device.account.refused = 1
    scene.look()
    assert scene.told == ["d1", ""]
