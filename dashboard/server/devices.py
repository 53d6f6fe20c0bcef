"""One device, for who works on it: all that is known of it, what it sent last as it came, and what it says live."""

import asyncio
import base64
import contextlib
from typing import Any, Final

import msgspec
from aiohttp import web

from dashboard.server.answers import Boot, DeviceAnswer, Quiet, RawAnswer, RawListed, Reading, TailLine
from dashboard.server.ask import answer, the_hall, whole
from dashboard.server.audit import looked, seen
from dashboard.server.desk import HallDesk
from dashboard.server.entities import device_entity
from dashboard.server.guard import allowed
from dashboard.server.problem import ProblemError
from dashboard.server.rights import Right
from gateway.raw import Raw
from gateway.taps import Tap, Tapped, TooManyTapsError
from sensors.hall.state import DeviceState, Origin
from sensors.hall.suggest import suggest
from sensors.readings import Kind

SHOWN: Final = 4096
RAW_MOST: Final = 200
# A line without a message, so that both ends know that the other is there.
QUIET_S: Final = 5.0


async def device(request: web.Request) -> web.Response:
    """`GET /api/v1/devices/{id}`: a device with its account by reason, its sequences, and where it seems to belong."""
    allowed(request, Right.SEE)
    desk = the_hall(request)
    one = _known(desk, request)
    suggested = suggest(one, desk.site, desk.view.state.devices.values()) if one.origin is Origin.DISCOVERED else None
    planned = desk.site.device(one.id)
    return answer(
        DeviceAnswer(
            device_entity(desk, one),
            one.address,
            one.first_seen,
            one.account,
            tuple(Boot(boot.boot, boot.first, boot.highest) for boot in one.boots),
            str(one.clock),
            planned is not None and planned.key is not None,
            suggested,
        )
    )


async def messages(request: web.Request) -> web.Response:
    """`GET /api/v1/devices/{id}/messages`: the newest as they came, with what became of each; `?limit=`.

    `since`: everything from then on was looked through; null where all that is kept was.
    """
    allowed(request, Right.DEVICE)
    desk = the_hall(request)
    one = _known(desk, request)
    page = await desk.raw.of(one.id, whole(request, "limit", 30, 1, RAW_MOST))
    if of_persons(one) or any(kind is Kind.BADGE for raw in page.items for kind, _ in raw.values):
        seen(request, one.id)
    return answer(RawListed(tuple(RawAnswer(**_raw(raw)) for raw in page.items), page.since))


async def tail(request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/devices/{id}/tail`: what it says, line by line of JSON, until one of us goes.

    Each line is a message once it is committed; `{}` when nothing came for a while, `missed` what one was too slow for.
    """
    allowed(request, Right.DEVICE)
    desk = the_hall(request)
    name = request.match_info["id"]
    known = desk.view.state.devices.get(name)
    try:
        listening = desk.taps.listening(name, name if known is None else known.address)
        with listening as tap:
            if of_persons(known):
                # Before the first line: this answer ends when one of us goes.
                seen(request, name)
                await looked(request)
            response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
            await response.prepare(request)
            with contextlib.suppress(ConnectionError):
                await _feed(tap, response)
            return response
    except TooManyTapsError as error:
        raise ProblemError(429, error.code) from error


async def _feed(tap: Tap, response: web.StreamResponse) -> None:
    await response.write(b"{}\n")
    missed = 0
    while True:
        line: TailLine | Quiet = Quiet()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(QUIET_S):
                tapped = await tap.queue.get()
                if tapped is None:
                    return
                line = _tapped(tapped)
        if tap.missed != missed:
            line, missed = msgspec.structs.replace(line, missed=tap.missed - missed), tap.missed
        await response.write(msgspec.json.encode(line) + b"\n")


def _known(desk: HallDesk, request: web.Request) -> DeviceState:
    found = desk.view.state.devices.get(request.match_info["id"])
    if found is None:
        raise ProblemError(404, "no_such_device", device=request.match_info["id"])
    return found


def of_persons(one: DeviceState | None) -> bool:
    """Whether a device's messages tell of persons; those of one that nobody knows, or has approved yet, may."""
    return one is None or one.origin is Origin.DISCOVERED or Kind.BADGE in one.kinds


def _raw(raw: Raw) -> dict[str, Any]:
    values = tuple(Reading(str(kind), value) for kind, value in raw.values)
    return {
        "at": raw.at,
        "topic": raw.topic,
        "verdict": raw.verdict,
        "reason": raw.reason,
        "detail": raw.detail,
        "retained": raw.retained,
        "length": raw.length,
        "values": values,
        "row": raw.row,
        **shown(raw.payload),
    }


def _tapped(tapped: Tapped) -> TailLine:
    packet, received = tapped.packet, tapped.received
    decoded = () if received.arrival is None else received.arrival.decoded.values
    raw = Raw(
        packet.at,
        packet.topic,
        packet.payload,
        str(received.verdict),
        decoded,
        packet.retained,
        len(packet.payload),
        received.reason,
        received.detail,
    )
    return TailLine(**_raw(raw), device=received.device, qos=packet.qos, dup=packet.dup, lane=packet.lane.name.lower())


def shown(payload: bytes) -> dict[str, str]:
    """A payload's beginning, as text for people and as the bytes that it is."""
    cut = payload[:SHOWN]
    return {"text": cut.decode("utf-8", "replace"), "base64": base64.b64encode(cut).decode()}
