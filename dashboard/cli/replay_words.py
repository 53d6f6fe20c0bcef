"""What `hallwatch replay` says: a recording's outcome, and where two of them differ, in both languages."""

from collections.abc import Iterable, Iterator
from typing import Final

from alerts.outcome import PLAN, Difference, Differs
from dashboard.cli.moment import local_time
from dashboard.cli.terminal import plain
from gateway.replay import Replayed
from sensors.recording import Episode, Survey

WORDS: Final = {
    Differs.NEW: "+ 新增 · new",
    Differs.GONE: "− 消失 · gone",
    Differs.EARLIER: "~ 提前 · earlier",
    Differs.LATER: "~ 推迟 · later",
    Differs.ENDS: "~ 消除时间不同 · clears at another time",
    Differs.BECOMES: "~ 级别变化不同 · becomes otherwise",
}


def head_lines(name: str, found: Survey, played: Replayed) -> Iterator[str]:
    """What was played, and what became of its messages: all of them, or the reader is told which did not count."""
    account = played.account
    yield f"{name}: {found.count} 条消息 · messages"
    yield f"  {local_time(found.begin)} → {local_time(found.end)}"
    left_out = {
        "重复 · duplicate": account.duplicate,
        "无法解码 · unreadable": account.quarantined,
        "拒收 · refused": account.refused,
        "设备未批准 · device not approved": account.awaiting,
        "探测 · probes": account.probe,
        "此大厅不订阅的主题 · on topics that this hall does not hear": played.unheard,
    }
    for word, count in left_out.items():
        if count:
            yield f"  {count} {word}"
    for reason, count in sorted(account.reasons.items()):
        yield f"    {plain(reason)}: {count}"


def outcome_lines(outcome: Iterable[Episode]) -> Iterator[str]:
    """Every alarm and every plan, by when it began."""
    episodes = list(outcome)
    yield f"告警与预案 · alarms and plans: {len(episodes)}"
    for one in episodes:
        yield f"  {_said(one)}"


def differing_lines(name: str, differ: list[Difference]) -> Iterator[str]:
    """Where it is not as in `name`."""
    if not differ:
        yield f"与 {name} 相同 · the same as {name}"
        return
    yield f"与 {name} 有 {len(differ)} 处不同 · {len(differ)} differences from {name}"
    for one in differ:
        episode = one.after or one.before
        if episode is not None:
            yield f"  {WORDS[one.how]}{_by(one)}  {_said(episode)}"
        if one.after is not None and one.before is not None:
            yield f"      原为 · was  {_said(one.before)}"


def _by(one: Difference) -> str:
    if one.before is None or one.after is None or one.how not in {Differs.EARLIER, Differs.LATER}:
        return ""
    return f" {abs(one.after.since - one.before.since) / 1000:.0f} s"


def _said(one: Episode) -> str:
    until = "…" if one.until is None else local_time(one.until)[11:19]
    turns = "".join(f"  {local_time(at)[11:19]} {what}" for at, what in one.turns)
    name = f"预案 plan {one.of.removeprefix(PLAN)}" if one.of.startswith(PLAN) else one.of
    return plain(f"{local_time(one.since)[:19]}–{until}  {name}{turns}")
