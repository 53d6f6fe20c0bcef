"""The lines that wait, against the plain way: look at every message and sort."""

import random
from dataclasses import replace

from alerts.model import Lane, Message, MessageState, Note
from alerts.queue import WAITING, Queue, turn

STATES = (*WAITING, MessageState.ATTEMPTING, MessageState.SENT)


def _message(dice: random.Random, number: int) -> Message:
    return Message(
        id=f"M{number}", hall="h", lane=dice.choice(tuple(Lane)), about=dice.choice(("A1", "R1")), person="ann",
        channel=dice.choice(("mail", "hook")), address="", note=Note("x"), created=0, not_before=dice.randrange(50),
        drill=dice.random() < 0.2, round=dice.choice((1, 2)),
    )  # fmt: skip


def _plain(messages: dict[str, Message], now: int, lane: Lane, channel: str) -> list[str]:
    due = [one for one in messages.values() if one.state in WAITING and one.not_before <= now]
    return [one.id for one in sorted(due, key=turn) if (one.lane, one.channel) == (lane, channel)]


def test_what_goes_next_is_what_the_plain_way_would_say() -> None:
    looked = 0
    for seed in range(200):
        dice = random.Random(seed)
        messages: dict[str, Message] = {}
        queue = Queue(messages)
        for step in range(60):
            if messages and dice.random() < 0.5:
                old = messages[dice.choice(sorted(messages))]
                state, wait = dice.choice(STATES), dice.choice((0, 0, 20, -20))
                new = replace(old, state=state, not_before=max(0, old.not_before + wait))
            else:
                new = _message(dice, step)
            messages[new.id] = new
            if new.state is MessageState.SENT and dice.random() < 0.5:
                del messages[new.id]
            elif new.state in WAITING:
                queue.put(new)
            now, limit = step, dice.choice((1, 3, 100))
            found = queue.ready(now, lambda _lane, _channel, limit=limit: limit)  # type: ignore[misc]
            for lane in Lane:
                for channel in ("mail", "hook"):
                    mine = [one.id for one in found if (one.lane, one.channel) == (lane, channel)]
                    assert mine == _plain(messages, now, lane, channel)[:limit], seed
                    looked += bool(mine)
            lanes = [one.lane for one in found]
            assert lanes == sorted(lanes, key=list(Lane).index), "life safety first"
    assert looked > 1000
