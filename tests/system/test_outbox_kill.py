"""Killed before, during and after each send, on every channel: nothing is lost, and nothing comes twice unmarked.

The process kills itself at the named point (`dying.py`); what has arrived is read from the services' own ledgers.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiomqtt
import pytest

from tests.fakes.mail import FakeMail, fake_mail
from tests.fakes.webhook import FakeWebhook, fake_webhook
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.storm import Aftermath, Said, aftermath, calls, failures, storm_site

POINTS = ("unwritten", "written", "unanswered", "answered", "reported")
EACH_CHANNEL = ("written", "unanswered", "answered")
CONTACTS = {"hook": "wang", "mail": "wang@example.org", "pager": "8001"}


@dataclass(slots=True)
class Outside:
    """The services, and what each has in its ledger: for each message its copies, True for one that is marked."""

    hook: FakeWebhook
    mail: FakeMail
    notices: list[bytes] = field(default_factory=list)

    def hang(self, *, on: bool) -> None:
        """Take everything and answer nothing."""
        self.hook.hang = self.mail.hang = on

    def copies(self) -> dict[tuple[str, str], list[bool]]:
        """By channel and message."""
        found: dict[tuple[str, str], list[bool]] = {}
        for request in self.hook.received:
            said = json.loads(request.body)
            assert request.headers["Idempotency-Key"] == f"main/{said['id']}"
            assert ("可能重复" in said["text"]) is ("possible duplicate" in said["text"]) is said["possible_duplicate"]
            found.setdefault(("hook", said["id"]), []).append(said["possible_duplicate"])
        for mail in self.mail.mails:
            id_ = str(mail["Message-ID"]).removeprefix("<main.").partition("@")[0]
            found.setdefault(("mail", id_), []).append("possible duplicate" in mail.get_content())
        for notice in self.notices:
            said = json.loads(notice)
            found.setdefault(("pager", said["id"]), []).append(said["possible_duplicate"])
        return found


@asynccontextmanager
async def _outside(mosquitto: Mosquitto) -> AsyncIterator[Outside]:
    async with (
        fake_webhook() as hook,
        fake_mail() as mail,
        aiomqtt.Client(mosquitto.host, mosquitto.port) as pager,
        asyncio.TaskGroup() as group,
    ):
        outside = Outside(hook, mail)
        await pager.subscribe("pager/main", qos=1)

        async def listen() -> None:
            async for notice in pager.messages:
                assert isinstance(notice.payload, bytes)
                outside.notices.append(notice.payload)

        listening = group.create_task(listen())
        yield outside
        listening.cancel()


def _site(mosquitto: Mosquitto, outside: Outside) -> str:
    site = json.loads(storm_site(mosquitto.port, outside.hook.url, machines=5, buttons=5))
    sender = {"host": outside.mail.host, "port": outside.mail.port, "security": "none", "sender": "hall@example.org"}
    site["channels"] += [
        {"id": "mail", "type": "email", **sender},
        {"id": "pager", "type": "mqtt", "topic": "pager/{hall}"},
    ]
    site["people"] = [{"id": "wang", "name": {"zh": "王敏"}, "contacts": CONTACTS}]
    site["halls"][0]["routing"]["people"] = ["wang"]
    return json.dumps(site)


def _settled(store: Path, keys: list[str]) -> bool:
    after = aftermath(store)
    waits = {"queued", "retry", "attempting"}
    return set(keys) <= set(after.alarms) and not any(one.state in waits for one in after.messages.values())


async def _until_settled(gateway: Hallwatch, keys: list[str]) -> None:
    async with asyncio.timeout(60):
        while not _settled(gateway.store, keys):
            await asyncio.sleep(0.1)


async def _die_at(gateway: Hallwatch, die: Path, where: str, said: Said, mosquitto: Mosquitto) -> None:
    """Let the alarm come, and the process die of it."""
    await asyncio.to_thread(die.write_text, where, encoding="utf-8")
    await asyncio.to_thread(mosquitto.publish, said.topic, said.payload)
    async with asyncio.timeout(60):
        while gateway.process.running:
            await asyncio.sleep(0.05)
    await asyncio.to_thread(die.unlink)


@pytest.mark.parametrize(
    ("channel", "lane", "points"),
    [
        ("hook", "life_safety", POINTS),
        ("hook", "operational", POINTS),
        ("mail", "life_safety", EACH_CHANNEL),
        ("pager", "life_safety", EACH_CHANNEL),
    ],
)
async def test_nothing_is_lost_and_nothing_comes_twice_unmarked(
    tmp_path: Path, mosquitto: Mosquitto, channel: str, lane: str, points: tuple[str, ...]
) -> None:
    die = tmp_path / "die"
    alarms = list(calls(5) if lane == "life_safety" else failures(5))[: len(points)]
    async with _outside(mosquitto) as outside:
        gateway = Hallwatch(tmp_path / "gateway", _site(mosquitto, outside), {"DIE_AT": str(die)})
        command = gateway.process.command
        command[command.index("dashboard.cli.main")] = "tests.system.dying"
        with gateway:
            for number, point in enumerate(points):
                await _until_settled(gateway, [one.key for one in alarms[:number]])
                outside.hang(on=point == "unanswered")
                await _die_at(gateway, die, f"{point} {channel} {lane}", alarms[number], mosquitto)
                outside.hang(on=False)
                await asyncio.to_thread(gateway.start)
            await _until_settled(gateway, [one.key for one in alarms])
            await asyncio.sleep(0.3)  # what the broker still has for the pager
        after, copies = aftermath(gateway.store), outside.copies()
    _check_all(after, copies)
    expected = LIFE if lane == "life_safety" else ROUTINE
    for said, point in zip(alarms, points, strict=True):
        (message,) = [
            one for one in after.messages.values() if (one.about, one.channel) == (after.alarms[said.key], channel)
        ]
        assert (copies.get((channel, message.id), []), message.state) == expected[point], point


# The copies that have arrived (True: marked) and the state in the end, by the point of death.
LIFE = {
    "unwritten": ([False], "sent"),
    "written": ([True], "sent"),
    "unanswered": ([False, True], "sent"),
    "answered": ([False, True], "sent"),
    "reported": ([False], "sent"),
}
ROUTINE = {
    "unwritten": ([False], "sent"),
    "written": ([], "unknown"),
    "unanswered": ([False], "unknown"),
    "answered": ([False], "unknown"),
    "reported": ([False], "sent"),
}


def _check_all(after: Aftermath, copies: dict[tuple[str, str], list[bool]]) -> None:
    """Of every message on every channel, whatever it was doing when the process died."""
    for message in after.messages.values():
        if message.channel not in CONTACTS:
            continue
        arrived = copies.get((message.channel, message.id), [])
        assert all(arrived[1:]), f"{message}: a second copy without its mark"
        assert len(arrived) <= 2, f"{message}: one copy more for one death"
        if message.lane == "life_safety":
            assert arrived, f"{message} is lost"
        else:
            assert arrived or message.state == "unknown", f"{message} is lost, and nobody can see it"
