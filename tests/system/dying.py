"""`hallwatch run` that kills itself at a named point of a send, as a power cut would.

The file that `DIE_AT` names holds a point, a channel and a lane; without the file nothing happens. Points:
`unwritten` the attempt is not in the journal yet; `written` it is, no byte has left; `unanswered` the bytes have left;
`answered` the service has answered, the outcome is not in the journal; `reported` it is.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from alerts.model import Message
from alerts.notify.sender import Answer
from dashboard.cli.main import main
from gateway.pipeline import Pipeline
from gateway.sending import SendingLoop

WHERE = Path(os.environ["DIE_AT"])
ATTEMPTING, REPORT, TRY = Pipeline.attempting, Pipeline.report, SendingLoop._try
LEFT_AFTER_S = 0.5


def _is_meant(point: str, message: Message | None) -> bool:
    if message is None or not WHERE.is_file():
        return False
    return WHERE.read_text(encoding="utf-8").split() == [point, message.channel, message.lane.value]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _attempting(self: Pipeline, messages: tuple[str, ...]) -> None:
    meant = [self.core.engine.message(id_) for id_ in messages]
    if any(_is_meant("unwritten", one) for one in meant):
        _die()
    await ATTEMPTING(self, messages)
    if any(_is_meant("written", one) for one in meant):
        _die()


async def _try(self: SendingLoop, message: Message) -> Answer:
    if _is_meant("unanswered", message):
        asyncio.get_running_loop().call_later(LEFT_AFTER_S, _die)
        await TRY(self, message)
        await asyncio.Event().wait()
    answer = await TRY(self, message)
    if _is_meant("answered", message):
        _die()
    return answer


async def _report(self: Pipeline, message: str, outcome: str, error: str = "", retry_after_s: float = 0.0) -> None:
    meant = self.core.engine.message(message)
    await REPORT(self, message, outcome, error, retry_after_s)
    if _is_meant("reported", meant):
        _die()


if __name__ == "__main__":
    Pipeline.attempting = _attempting  # type: ignore[method-assign]
    Pipeline.report = _report  # type: ignore[method-assign]
    SendingLoop._try = _try  # type: ignore[method-assign]
    sys.exit(main())
