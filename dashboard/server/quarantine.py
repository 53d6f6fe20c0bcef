"""The quarantine, as people work on it: look, mend and replay, discard. The message itself is kept as it came."""

import base64
from typing import Annotated, Final, Self

from aiohttp import web
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, model_validator

from dashboard.server.answers import Listed, Mended, Quarantined, Settling
from dashboard.server.ask import answer, body_of, flag, limit_of, one_of, people_of, the_hall, whole
from dashboard.server.audit import note, seen
from dashboard.server.desk import HallDesk
from dashboard.server.devices import of_persons
from dashboard.server.guard import allowed
from dashboard.server.names import People
from dashboard.server.problem import ProblemError
from dashboard.server.rights import Right
from gateway.store.contract import QuarantineRow, Settled
from sensors.errors import UndecodableError

STATES: Final = ("held", "replayed", "discarded", "all")
PAYLOAD_SHOWN: Final = 2048
# All that is kept of one; so many rows of it are an answer.
PAYLOAD_WHOLE: Final = 16_384
WHOLE_AT_MOST: Final = 20
PAYLOAD_MOST: Final = 128 * 1024
# A message has a topic and no filter.
TOPIC_PATTERN: Final = r"^[^+#\x00]+$"


class MendBody(BaseModel):
    """What a person has mended: the topic, the payload (as text or as bytes), both, or nothing."""

    model_config = ConfigDict(extra="forbid")
    topic: Annotated[str, Field(max_length=1024, pattern=TOPIC_PATTERN)] | None = None
    text: Annotated[str, Field(max_length=PAYLOAD_MOST)] | None = None
    base64: Annotated[Base64Bytes, Field(max_length=PAYLOAD_MOST)] | None = None

    @model_validator(mode="after")
    def _one_payload(self) -> Self:
        if self.text is not None and self.base64 is not None:
            raise ValueError("text or base64, not both")
        return self

    @property
    def payload(self) -> bytes | None:
        """The mended payload."""
        return self.base64 if self.text is None else self.text.encode("utf-8", "surrogatepass")


async def page(request: web.Request) -> web.Response:
    """`GET /api/v1/quarantine`: newest first. What a device sent is raw, so it is for maintainers.

    `state` is held (without it), replayed, discarded or all. `whole`: payloads with all that is kept of them, to be
    mended; of at most so many rows.
    """
    allowed(request, Right.DEVICE)
    desk, limit, entire = the_hall(request), limit_of(request), flag(request, "whole")
    if entire:
        limit = min(limit, WHOLE_AT_MOST)
    before = whole(request, "before", 2**53, 0, 2**53)
    state = one_of(request, "state", STATES)
    wanted = None if state == "all" else state
    rows = await desk.quarantine.page(desk.id, state=wanted, before=before, limit=limit)
    people = people_of(request, desk)
    if any(of_persons(desk.view.state.devices.get(row.message.device or "")) for row in rows):
        seen(request)
    items = tuple(_row_of(row, people, PAYLOAD_WHOLE if entire else PAYLOAD_SHOWN) for row in rows)
    return answer(Listed(items, str(rows[-1].id) if len(rows) == limit else None))


def _row_of(row: QuarantineRow, people: People, shown: int) -> Quarantined:
    message, settled = row.message, row.settled
    text, bytes_ = _shown(message.payload, shown)
    return Quarantined(
        row.id,
        row.state,
        message.at,
        message.device,
        message.topic,
        message.reason,
        message.detail,
        message.retained,
        message.length,
        message.digest,
        text,
        bytes_,
        None if settled is None else _settled(settled, people, shown),
    )


def _settled(settled: Settled, people: People, shown: int) -> Mended:
    text, bytes_ = (None, None) if settled.payload is None else _shown(settled.payload, shown)
    return Mended(people.actor(settled.by), settled.at, settled.topic, text, bytes_)


def _shown(payload: bytes, most: int) -> tuple[str, str]:
    shown = payload[:most]
    return shown.decode("utf-8", "replace"), base64.b64encode(shown).decode()


async def replay(request: web.Request) -> web.Response:
    """`POST /api/v1/quarantine/{id}/replay`: give it, mended by the body, to the decoders as history.

    409 with the reason while they cannot read it. Who did it, when, and what was mended is kept beside it.
    """
    note(request, "quarantine.replay", request.match_info["id"])
    desk, row = await _row(request)
    mend = MendBody.model_validate_json(await body_of(request)) if request.can_read_body else MendBody()
    settled = Settled(row.id, allowed(request, Right.DEVICE).actor, desk.path.now(), mend.topic, mend.payload)
    try:
        await desk.replay(row, settled)
    except UndecodableError as error:
        raise ProblemError(409, error.reason, error.detail) from error
    return answer(Settling(row.id, "replayed"))


async def discard(request: web.Request) -> web.Response:
    """`POST /api/v1/quarantine/{id}/discard`: a person has looked; it is rubbish."""
    note(request, "quarantine.discard", request.match_info["id"])
    desk, row = await _row(request)
    if not await desk.quarantine.discard(
        desk.id, Settled(row.id, allowed(request, Right.DEVICE).actor, desk.path.now())
    ):
        raise ProblemError(409, "not_held")
    return answer(Settling(row.id, "discarded"))


async def _row(request: web.Request) -> tuple[HallDesk, QuarantineRow]:
    allowed(request, Right.DEVICE)
    desk = the_hall(request)
    row = await desk.quarantine.get(desk.id, int(request.match_info["id"]))
    if row is None:
        raise ProblemError(404, "not_found")
    if row.state != "held":
        raise ProblemError(409, "not_held")
    return desk, row
