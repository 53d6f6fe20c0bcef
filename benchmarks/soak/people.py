"""The people of a soak: somebody answers alarms, confirms or ends plans and mends what is broken, most of the time."""

import asyncio
import random
from dataclasses import dataclass, field

from benchmarks.soak.hall import World
from dashboard.cli.client import AnswerError, Json, NotRunningError, request

LOOK_S = 1.0


@dataclass(slots=True)
class People:
    """They look about once a second (some minutes of the hall) and do half of what there is to do."""

    world: World
    dice: random.Random
    done: int = 0
    refused: int = 0
    away: int = 0
    codes: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._round()
            except NotRunningError:
                self.away += 1

    async def _round(self) -> None:
        for alarm in await self._list("alarms"):
            if "acknowledged" not in alarm and self.dice.random() < 0.5:
                await self._act(do="acknowledge", alarm=alarm["id"])
        for run in await self._list("runs"):
            chance = self.dice.random()
            if chance < 0.1:
                await self._act(do="confirm_run", run=run["id"])
            elif chance < 0.4:
                await self._act(do="stand_down", run=run["id"], reason="false_alarm")
        for ticket in await self._list("tickets"):
            if self.dice.random() < 0.3:
                await self._act(do="accept_ticket", ticket=ticket["id"])
                await self._act(do="finish_ticket", ticket=ticket["id"])

    async def _list(self, what: str) -> list[Json]:
        items: list[Json] = (await request(self.world.socket, "GET", f"/api/v1/{what}?open=1"))["items"]
        return items

    async def _act(self, **action: object) -> None:
        try:
            await request(self.world.socket, "POST", "/api/v1/actions", action)
        except AnswerError as error:
            self.refused += 1
            self.codes.add(error.code)
        else:
            self.done += 1
