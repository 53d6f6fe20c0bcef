"""`hallwatch replay FILE`: plays a recording through the path, and says where the alarms differ.

From what the file itself says came of it, from an earlier replay (`--against`), from a second site file (`--site` a
second time), or from what the running gateway made of those hours (`--running`). What a maintainer asks before a
threshold is changed. docs/recording.md has the form of the file.
"""

import argparse
import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from alerts.outcome import PLAN, Difference, Gatherer, compare
from dashboard.cli.client import Json, ask
from dashboard.cli.example import EXAMPLE, load_site
from dashboard.cli.place import Commands, add_data, socket_of
from dashboard.cli.replay_words import differing_lines, head_lines, outcome_lines
from dashboard.recording_file import lines_of, writing
from dashboard.site_file import read_text
from gateway.replay import Replayed, Span, replay
from sensors.errors import HallwatchError
from sensors.facts import FactKind
from sensors.recording import Episode, RecordingError, Survey, messages, survey, write_head, write_outcome
from sensors.site.model import Site

DIFFERENT: Final = 3
WITHIN_S: Final = 5.0
# What a gateway says of itself and of its broker is not in what devices said.
ITS_OWN: Final = {str(kind) for kind in (FactKind.GATEWAY, FactKind.BROKER_LOST, FactKind.SESSION_LOST, FactKind.PUNCH)}


class HallUnknownError(HallwatchError):
    """The site has no such hall."""

    code = "hall_unknown"


@dataclass(frozen=True, slots=True)
class Against:
    """What a replay is held against, and what that is called; None where there is nothing."""

    name: str
    outcome: tuple[Episode, ...]


def add_to(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser(
        "replay",
        help="重放录制并比较告警 · play a recording, and say where the alarms differ",
        epilog="退出码：0 相同或没有比较对象，3 不同 · exit status: 0 the same or nothing to compare with, 3 different",
    )
    command.add_argument("file", type=Path, metavar="FILE", help="录制文件，.gz 亦可 · the recording, .gz as well")
    command.add_argument(
        "--site", type=Path, action="append", metavar="FILE",
        help="站点文件，默认为示例；给两次则比较二者 · default: the example site; given twice, the two are compared",
    )  # fmt: skip
    command.add_argument("--hall", metavar="ID", help="大厅，默认为第一个 · the hall, default: the first")
    command.add_argument("--save", type=Path, metavar="FILE", help="保存本次结果 · keep what came of it")
    against = command.add_mutually_exclusive_group()
    against.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help="与以前保存的结果比较 · compare with what an earlier replay has kept",
    )
    against.add_argument(
        "--running", action="store_true", help="与正在运行的网关同一时段的告警比较 · with the running gateway's alarms"
    )
    command.add_argument(
        "--within", type=_seconds, default=WITHIN_S, metavar="S",
        help="相差多少秒以内视为相同 · so many seconds apart count as the same time (%(default)s)",
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="输出 JSON · print JSON")
    add_data(command)
    command.set_defaults(run=run, command=command)


def run(chosen: argparse.Namespace) -> int:
    """Replay, tell, compare; 3 where something differs."""
    files: list[Path] = chosen.site or []
    if len(files) > 2 or (len(files) == 2 and (chosen.against or chosen.running)):  # noqa: PLR2004
        chosen.command.error("--site 两次即比较二者，不能再与其他比较 · two --site are compared with each other alone")
    sites = [load_site(read_text(file), str(file)) for file in files] or [load_site(EXAMPLE.read_text("utf-8"), "")]
    for site in sites:
        _hall(site, chosen.hall)
    found = survey(lines_of(chosen.file), str(chosen.file))
    if not found.count:
        raise RecordingError(f"{chosen.file}: 没有一条消息 · there is no message in it")
    plays = [_play(chosen, found, site) for site in sites]
    if chosen.save:
        with writing(chosen.save) as writer:
            writer.write(*write_head(published=False), *write_outcome(plays[-1].outcome))
    against = _against(chosen, found, plays)
    return _tell(chosen, found, plays[-1], against)


def _play(chosen: argparse.Namespace, found: Survey, site: Site) -> Replayed:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f}%"),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("重放 · replaying", total=max(1, found.end - found.begin))
        return asyncio.run(
            replay(
                messages(lines_of(chosen.file)),
                Span(found.begin, found.end, found.published),
                site,
                _hall(site, chosen.hall),
                progress=lambda at: bar.update(task, completed=at - found.begin),
            )
        )


def _against(chosen: argparse.Namespace, found: Survey, plays: list[Replayed]) -> Against | None:
    if len(plays) > 1:
        return Against(str(chosen.site[0]), plays[0].outcome)
    if chosen.running:
        return Against("hallwatch run", _of_gateway(chosen, found))
    file: Path = chosen.against or chosen.file
    said = survey(lines_of(file), str(file)).outcome if chosen.against else found.outcome
    if said is None and chosen.against:
        raise RecordingError(f"{file}: 没有结果，请用 --save 保存 · says nothing of what came of it; --save keeps that")
    return None if said is None else Against(str(file), said)


def _of_gateway(chosen: argparse.Namespace, found: Survey) -> tuple[Episode, ...]:
    """What the running gateway's log has of those hours, of what it has from its devices."""
    rows: list[Json] = []
    query = "&".join(["limit=500", *([f"hall={chosen.hall}"] if chosen.hall else [])])
    page = ""
    while True:
        answer = ask(socket_of(chosen), "GET", f"/api/v1/events?{query}{page}")
        rows += answer["items"]
        page = f"&before={answer['next']}"
        if not answer["next"] or rows[-1]["at"] < found.begin:
            break
    gatherer = Gatherer()
    for row in reversed(rows):
        if found.begin <= row["at"] <= found.end:
            gatherer.hear(row["at"], row["about"], row["what"], row.get("detail", ""))
    return tuple(one for one in gatherer.outcome() if one.of.partition("/")[0] not in ITS_OWN)


def _tell(chosen: argparse.Namespace, found: Survey, played: Replayed, against: Against | None) -> int:
    outcome = played.outcome
    if chosen.running:  # which plan ran and how far is decided by people, and no recording has them
        outcome = tuple(one for one in outcome if not one.of.startswith(PLAN))
    differ = [] if against is None else compare(against.outcome, outcome, round(chosen.within * 1000))
    if chosen.json:
        print(json.dumps(_as_json(found, played, against, differ), ensure_ascii=False))
    else:
        lines = [*head_lines(str(chosen.file), found, played), *outcome_lines(outcome)]
        if against is not None:
            lines += differing_lines(against.name, differ)
        print("\n".join(lines))
    sys.stdout.flush()
    return DIFFERENT if differ else 0


def _as_json(found: Survey, played: Replayed, against: Against | None, differ: list[Difference]) -> Json:
    return {
        "messages": found.count,
        "begin": found.begin,
        "end": found.end,
        "unheard": played.unheard,
        "account": asdict(played.account),
        "outcome": msgspec.to_builtins(played.outcome),
        "against": None if against is None else against.name,
        "differences": [
            {"how": one.how, "before": msgspec.to_builtins(one.before), "after": msgspec.to_builtins(one.after)}
            for one in differ
        ],
    }


def _hall(site: Site, name: str | None) -> str:
    halls = [hall.id for hall in site.halls]
    if name is not None and name not in halls:
        raise HallUnknownError(f"{name}: 站点没有这个大厅 · the site has no such hall; {', '.join(halls)}")
    return name or halls[0]


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 86_400:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text!r}: 0 <= S <= 86400")
    return value
