"""The people of a scenario act on a running system: by its API over the Unix socket, as every command does."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dashboard.cli.client import Json, request
from sensors.actions import write_action
from sensors.site.model import Site
from simulators.clock import SimClock
from simulators.human import HumanAction, Reference, Thing

ACTIONS: Final = "/api/v1/actions"


async def act_out(actions: Iterable[HumanAction], staff: "Staff", start: int, clock: SimClock) -> None:
    """Do each action at its time, counted from `start` (ms). Raises what `Staff.act` raises."""
    for action in actions:
        await clock.sleep_until(start + round(action.at * 1000))
        await staff.act(action)


@dataclass(frozen=True)
class Staff:
    """Whoever may use the socket of the system that watches the first hall of `site`."""

    socket: Path
    site: Site

    async def act(self, action: HumanAction) -> None:
        """Do one action on what is open now.

        Raises `LookupError` where it speaks of nothing that is open, `AnswerError` where it is refused.
        """
        found = _Open(
            self.site,
            alarms=await self._list("alarms"),
            runs=await self._list("runs"),
            tickets=await self._list("tickets"),
        )
        body: Json = json.loads(write_action(action.bind(found.find)))
        await self.post(action.actor, body)

    async def post(self, actor: str, body: Json) -> None:
        """Have it done: by whoever runs this process, since the socket knows nobody else."""
        del actor
        await request(self.socket, "POST", ACTIONS, body)

    async def _list(self, what: str) -> list[Json]:
        answer = await request(self.socket, "GET", f"/api/v1/{what}?open=1")
        items: list[Json] = answer["items"]
        return items


@dataclass(frozen=True, slots=True)
class _Open:
    """What is open, as the API tells it."""

    site: Site
    alarms: list[Json]
    runs: list[Json]
    tickets: list[Json]

    def find(self, thing: Thing, reference: Reference) -> str | None:
        """The id of the newest thing that is meant, or None."""
        items: list[Json]
        match thing:
            case "alarm":
                items = [it for it in self.alarms if reference.kind in {None, it["kind"]}]
                items = [it for it in items if reference.subject in {None, it["subject"]}]
            case "run":
                items = [it for it in self.runs if reference.plan in {None, it["plan"]}]
            case "ticket":
                items = [it for it in self.tickets if reference.subject in {None, it["subject"]}]
            case _:
                runs = [it for it in self.runs if reference.plan in {None, it["plan"]}]
                items = [one for it in runs for one in it.get("messages", ()) if self._is_for(one, reference)]
        return max((str(it["id"]) for it in items), default=None)

    def _is_for(self, message: dict[str, Any], reference: Reference) -> bool:
        names = {person.name.zh for person in self.site.people if reference.person in {None, person.id}}
        return reference.channel in {None, message["channel"]} and (message.get("to") or {}).get("zh") in names
