"""A curve, or the readings behind it, as a table for a spreadsheet.

UTF-8 with a byte order mark, since Excel takes a file without one for something else; comma, CRLF, quotes as in
RFC 4180. A cell that begins like a formula would be one in a spreadsheet, and whoever names a device chooses the
bytes: such text is given a quote before it (OWASP, "CSV Injection").
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from dashboard.server.ask import flag, one_of, word_of
from dashboard.server.guard import allowed
from dashboard.server.history import Wanted, question_of, shown, wanted
from dashboard.server.problem import ProblemError
from dashboard.server.rights import Right
from gateway.history.contract import MOST_SAMPLES

Cell = str | float | None
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_HEADS: Final = {
    "zh": {"time": "时间", "utc": "UTC", "device": "设备", "mean": "平均", "low": "最低", "high": "最高",
           "count": "读数个数", "value": "数值"},
    "en": {"time": "time", "utc": "UTC", "device": "device", "mean": "mean", "low": "lowest", "high": "highest",
           "count": "readings", "value": "value"},
}  # fmt: skip


async def download(request: web.Request) -> web.Response:
    """`GET /api/v1/history.csv`: as `history`; `?raw=1` for each reading as it came, `?lang=en` for English heads.

    `?title=` is what the figure is called in the heads, in words of whoever asks.
    """
    allowed(request, Right.SEE)
    asked = wanted(request)
    heads = _HEADS[one_of(request, "lang", ("zh", "en"))]
    unit = f" ({asked.unit})" if asked.unit else ""
    title = word_of(request, "title") or f"{asked.field}{unit}"
    made = _readings if flag(request, "raw") else _stretches
    rows = await made(asked, heads, title)
    zone = ZoneInfo(asked.desk.site.hall.timezone)
    day = datetime.fromtimestamp(asked.times.start / 1000, zone).strftime("%Y%m%d")
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", f"hallwatch-{asked.desk.id}-{asked.id}-{asked.field}-{day}")[:120]
    return web.Response(
        body=table(rows).encode("utf-8-sig"),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def table(rows: Iterable[Sequence[Cell]]) -> str:
    """Rows as CSV; nothing in it is a formula."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _cell(cell: Cell) -> Cell:
    # Numbers are ours, and a minus before one is no formula.
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


async def _stretches(asked: Wanted, heads: dict[str, str], title: str) -> list[list[Cell]]:
    made = await shown(asked)
    head: list[Cell] = [heads["time"], heads["utc"], *(f"{title} {heads[one]}" for one in ("mean", "low", "high"))]
    rows: list[list[Cell]] = [[*head, heads["count"]]]
    values = zip(made.times, made.values, made.low, made.high, made.counts, strict=True)
    return rows + [[*_times(asked, at), *rest] for at, *rest in values]


async def _readings(asked: Wanted, heads: dict[str, str], title: str) -> list[list[Cell]]:
    question = question_of(asked)
    if question is None:
        raise ProblemError(400, "history_no_readings", "how a window is staffed is no reading")
    times = asked.times
    found = await asked.desk.history.range(question, times.start, times.stop, MOST_SAMPLES)
    if len(found) == MOST_SAMPLES:
        raise ProblemError(400, "history_too_many_rows", "ask for a shorter time", most=str(MOST_SAMPLES))
    rows: list[list[Cell]] = [[heads["time"], heads["utc"], heads["device"], title]]
    return rows + [[*_times(asked, one.at), one.device, one.value] for one in found]


def _times(asked: Wanted, at: int) -> tuple[str, str]:
    """An instant in the hall's time, as spreadsheets read it, and in UTC."""
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(asked.desk.site.hall.timezone))
    utc = datetime.fromtimestamp(at / 1000, UTC)
    return f"{local:%Y-%m-%d %H:%M:%S}", f"{utc:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"
