import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from alerts.model import Lane, Message, MessageState, Note
from alerts.notify.sender import Answer, Never, Sender, Sent, Text, TryAgain, Unknown
from alerts.queue import Queue, Room
from gateway import sending
from gateway.sending import SendingLoop

NOW = 1_760_000_000_000


def message(id: str, *, channel: str = "hook", lane: Lane = Lane.OPERATIONAL) -> Message:
    return Message(
        id=id, hall="h1", lane=lane, about="A1", person="wang", channel=channel, address="", note=Note("x"),
        created=NOW, not_before=NOW,
    )  # fmt: skip


def words(one: Message) -> Text:
    return Text(one.id, one.id, "", "", "", "")


class Desk:
    """A path and its outbox in memory: what a pipeline does with attempts and reports, and nothing else."""

    def __init__(self, *messages: Message) -> None:
        self.messages = {one.id: one for one in messages}
        self.reports: list[tuple[str, str, str, float]] = []
        self.log: list[str] = []
        self.version = 0
        self.news = asyncio.Event()
        self.store_answers = asyncio.Event()
        self.store_answers.set()

    def now(self) -> int:
        return NOW

    async def wait_changed(self, version: int) -> int:
        while self.version <= version:
            await self.news.wait()
        return self.version

    def change(self) -> None:
        self.version += 1
        self.news.set()
        self.news = asyncio.Event()

    def put(self, *messages: Message) -> None:
        self.messages |= {one.id: one for one in messages}
        self.change()

    def next(self, now: int, room: Room) -> Sequence[Message]:
        queue = Queue(self.messages)
        for one in self.messages.values():
            queue.put(one)
        return queue.ready(now, room)

    def message(self, id: str) -> Message | None:
        return self.messages.get(id)

    async def attempting(self, messages: tuple[str, ...]) -> None:
        await self.store_answers.wait()
        for one in [self.messages[name] for name in messages]:
            if one.state is not MessageState.ANSWERED:
                self.messages[one.id] = replace(one, state=MessageState.ATTEMPTING, attempts=one.attempts + 1)
        self.log.append("written " + ",".join(messages))
        self.change()

    async def report(self, message: str, outcome: str, error: str = "", retry_after_s: float = 0.0) -> None:
        await self.store_answers.wait()
        self.reports.append((message, outcome, error, retry_after_s))
        states = {"sent": MessageState.SENT, "retry": MessageState.RETRY, "never": MessageState.DEAD}
        state = states.get(outcome, MessageState.UNKNOWN)
        self.messages[message] = replace(self.messages[message], state=state, not_before=NOW + 1)
        self.change()


class Recorder:
    """A channel that answers as told and tells the desk's log that bytes left."""

    def __init__(self, desk: Desk, answer: Answer) -> None:
        self.desk = desk
        self.answer = answer
        self.sent: list[Message] = []

    async def send(self, message: Message, text: Text) -> Answer:
        self.sent.append(message)
        self.desk.log.append(f"left {message.id}")
        return self.answer


class Hanging:
    """A channel that never answers."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    async def send(self, message: Message, text: Text) -> Answer:
        self.begun.append(message.id)
        await asyncio.Event().wait()
        return Sent()


async def until(holds: Callable[[], bool]) -> None:
    """Look until something holds; the time limit is the caller's."""
    while not holds():
        await asyncio.sleep(0.005)


async def run_until(desk: Desk, senders: dict[str, Sender], reports: int) -> None:
    """Run the loop until so many outcomes are reported; then end it."""
    loop = SendingLoop(desk, desk, senders, words)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(loop.run())
        await until(lambda: len(desk.reports) >= reports)
        running.cancel()


async def test_the_attempt_is_written_before_the_first_byte_leaves() -> None:
    desk = Desk(message("M1"))
    recorder = Recorder(desk, Sent())
    await run_until(desk, {"hook": recorder}, 1)
    assert desk.log == ["written M1", "left M1"]
    assert desk.reports == [("M1", "sent", "", 0.0)]
    assert recorder.sent[0].attempts == 1


async def test_what_a_sender_answers_is_reported() -> None:
    desk = Desk(
        message("M1", channel="a"),
        message("M2", channel="b"),
        message("M3", channel="gone"),
        message("M4", channel="c"),
    )
    answers: dict[str, Answer] = {"a": TryAgain("http_429", 7), "b": Never("http_404"), "c": Unknown("network")}
    await run_until(desk, {name: Recorder(desk, answer) for name, answer in answers.items()}, 4)
    assert sorted(desk.reports) == [
        ("M1", "retry", "http_429", 7),
        ("M2", "never", "http_404", 0.0),
        ("M3", "never", "no_channel", 0.0),
        ("M4", "unknown", "network", 0.0),
    ]


async def test_a_channel_that_hangs_delays_no_other_and_not_its_own_life_safety() -> None:
    routine = [message(f"M{n}", channel="stuck") for n in range(20)]
    desk = Desk(*routine)
    stuck = Hanging()
    recorder = Recorder(desk, Sent())
    loop = SendingLoop(desk, desk, {"stuck": stuck, "hook": recorder}, words)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(loop.run())
        await until(lambda: len(stuck.begun) >= 2)
        desk.put(message("M90"), message("M91", channel="stuck", lane=Lane.LIFE_SAFETY))
        await until(lambda: bool(desk.reports) and "M91" in stuck.begun)
        running.cancel()
    assert desk.reports == [("M90", "sent", "", 0.0)]
    assert stuck.begun[:2] == ["M0", "M1"], "two workers for a routine channel"
    assert set(stuck.begun[2:]) == {"M91"}, "and its own for life safety"


async def test_a_fire_finds_a_worker_though_drills_and_calls_for_help_hold_all_theirs() -> None:
    life = [message(f"M{n}", channel="stuck", lane=Lane.LIFE_SAFETY) for n in range(10, 40)]
    drills = [replace(one, about="R1", drill=True) for one in life[:15]]
    desk = Desk(*drills, *life[15:])
    stuck = Hanging()
    loop = SendingLoop(desk, desk, {"stuck": stuck}, words)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(loop.run())
        await until(lambda: len(stuck.begun) == 8)
        desk.put(replace(message("M90", channel="stuck", lane=Lane.LIFE_SAFETY), about="R2"))
        await until(lambda: len(stuck.begun) == 9)
        running.cancel()
    assert stuck.begun[-1] == "M90"
    assert not {one.id for one in drills} & set(stuck.begun), "what is real goes before a drill"


async def test_a_send_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SEND_LIMIT_S", 0.05)
    desk = Desk(message("M1"))
    await run_until(desk, {"hook": Hanging()}, 1)
    assert desk.reports == [("M1", "unknown", "timeout", 0.0)], "what it has sent by then nobody knows"


async def test_a_sender_that_breaks_stops_nothing() -> None:
    class Broken:
        async def send(self, message: Message, text: Text) -> Answer:
            raise ZeroDivisionError

    desk = Desk(message("M1", channel="broken"), message("M2"))
    await run_until(desk, {"broken": Broken(), "hook": Recorder(desk, Sent())}, 2)
    assert sorted(desk.reports) == [("M1", "unknown", "internal", 0.0), ("M2", "sent", "", 0.0)]


async def test_life_safety_does_not_wait_for_a_store_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "STORE_LIMIT_S", 0.05)
    desk = Desk(message("M1"), message("M2", lane=Lane.LIFE_SAFETY))
    desk.store_answers.clear()
    recorder = Recorder(desk, Sent())
    loop = SendingLoop(desk, desk, {"hook": recorder}, words)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(loop.run())
        await until(lambda: bool(recorder.sent))
        assert [one.id for one in recorder.sent] == ["M2"]
        assert recorder.sent[0].attempts == 1
        assert not desk.reports
        desk.store_answers.set()
        await until(lambda: len(desk.reports) == 2)
        running.cancel()
    assert sorted(recorded[0] for recorded in desk.reports) == ["M1", "M2"]
    assert [one.id for one in recorder.sent] == ["M2", "M1"], "and each is sent once"


async def test_a_message_answered_before_its_turn_is_not_sent() -> None:
    desk = Desk(message("M1"))
    desk.store_answers.clear()
    recorder = Recorder(desk, Sent())
    loop = SendingLoop(desk, desk, {"hook": recorder}, words)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(loop.run())
        await asyncio.sleep(0.02)
        desk.put(replace(message("M1"), state=MessageState.ANSWERED))
        desk.store_answers.set()
        desk.put(message("M2"))
        await until(lambda: bool(desk.reports))
        running.cancel()
    assert [one.id for one in recorder.sent] == ["M2"]


async def test_close_ends_the_loop_after_what_is_under_way() -> None:
    desk = Desk(message("M1"))
    go_on = asyncio.Event()

    class Slow:
        async def send(self, message: Message, text: Text) -> Answer:
            await go_on.wait()
            return Sent()

    loop = SendingLoop(desk, desk, {"hook": Slow()}, words)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(loop.run())
        await until(lambda: bool(desk.log))
        loop.close()
        desk.put(message("M2"))
        await asyncio.wait({running}, timeout=0.05)
        assert not running.done()
        go_on.set()
    assert desk.reports == [("M1", "sent", "", 0.0)]
