"""The line of turns: what is written together, and how a turn at fault is found."""

from gateway.batch import Prepared
from gateway.link.contract import Delivery
from gateway.turns import TOGETHER, Line, Turn, parts
from sensors.decode.family import Packet
from sensors.inputs import Lane


def said(number: int, lane: Lane = Lane.TELEMETRY) -> Delivery:
    return Delivery(Packet("hall/x", b"", lane, 0), number, 1)


def line_of(*turns: Turn) -> Line:
    line = Line()
    for turn in turns:
        line.put(turn)
    return line


def decided(*numbers: int) -> Turn:
    return Turn([said(number) for number in numbers], Prepared())


def heads(line: Line) -> list[Turn]:
    return [turn for turn, _ in line.ready()]


def test_what_is_decided_at_the_head_is_written_together_and_no_more() -> None:
    turns = [decided(1), decided(2), Turn([said(3)]), decided(4)]
    line = line_of(*turns)
    assert heads(line) == turns[:2]
    assert line.undecided is turns[2]
    line.written(2)
    assert heads(line) == []
    turns[2].prepared = Prepared()
    assert heads(line) == turns[2:]
    many = line_of(*(decided(number) for number in range(TOGETHER + 1)))
    assert len(heads(many)) == TOGETHER


def test_turns_that_fail_together_are_written_one_by_one_until_all_of_them_are() -> None:
    turns = [decided(number) for number in range(5)]
    line = line_of(*turns)
    line.write_singly(2)
    for turn in turns[:2]:
        assert heads(line) == [turn]
        line.written(1)
    assert heads(line) == turns[2:]


def test_a_turn_at_fault_is_halved_and_what_was_decided_after_it_is_forgotten() -> None:
    first, second = decided(1, 2, 3), decided(4)
    line = line_of(first, second)
    line.write_singly(2)
    assert line.head is first
    halves = parts(first, ValueError("at fault"))
    line.divide(halves)
    assert [turn.entries for turn in line] == [[], [said(1)], [said(2), said(3)], [said(4)]]
    assert [turn.prepared for turn in line] == [None] * 4
    for turn in line:
        turn.prepared = Prepared()
    assert heads(line) == halves[:1]
    line.written(3)
    assert heads(line) == [second]


def test_a_message_at_fault_alone_is_set_aside() -> None:
    error = ValueError("at fault")
    assert [(turn.entries, turn.fault) for turn in parts(decided(7), error)] == [([], None), ([said(7)], error)]


def test_a_turn_that_could_not_be_decided_stops_the_line() -> None:
    line = line_of(decided(1), Turn([said(2)], broken=ValueError()))
    assert line.broken
    line.written(1)
    line.divide([Turn([said(2)])])
    assert not line.broken


def test_what_takes_the_place_of_telemetry_makes_a_turn_urgent() -> None:
    turn = Turn([said(1), said(2), said(3)])
    fire = said(9, Lane.SAFETY)
    before = turn.urgent
    assert turn.take_in(1, [fire]) == [said(2), said(3)]
    assert turn.entries == [said(1), fire]
    assert (before, turn.urgent) == (False, True)
    assert Turn([fire]).urgent
    assert line_of(decided(1), turn).urgent
    assert not line_of(decided(1)).urgent


def test_the_line_knows_how_far_telemetry_is_ahead_whatever_is_urgent_beside_it() -> None:
    fire = said(9, Lane.SAFETY)
    line = line_of(decided(1), Turn([fire]), Turn([]), Turn([fire, said(2)]))
    assert line.telemetry == 2
    line.written(1)
    assert line.telemetry == 1
