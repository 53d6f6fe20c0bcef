"""A recording: what went over the wire of a hall, line by line, and what came of it; docs/recording.md says how.

A line of a message is `TIME QOS RETAIN PAYLOAD TOPIC`, just what `mosquitto_sub -F '%U %q %r %x %t'` writes, so that a
hall can be recorded where there is nothing of ours. Here are the words alone; files are opened elsewhere.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from sensors.errors import HallwatchError

VERSION: Final = 1
HEAD: Final = "#hallwatch-recording"
PUBLISHED: Final = "#published"
END: Final = "#end"
OUTCOME: Final = "#outcome"
# MQTT's longest message in hex would be half a gigabyte; the gateway reads no payload near to this.
LONGEST_LINE: Final = 8 * 1024 * 1024
PROBLEMS_TOLD: Final = 20
FIELDS: Final = 5
QOS: Final = ("0", "1", "2")
_TIME: Final = re.compile(r"(\d{1,11})(?:\.(\d{1,9}))?", re.ASCII)
_NUL: Final = "\x00"


class RecordingError(HallwatchError):
    """A recording that cannot be read, with each line that is wrong and why."""

    code = "recording"


class Sent(msgspec.Struct, frozen=True):
    """One message on the wire, at `at` (ms since the epoch, UTC); `retain` as it stood on the wire."""

    at: int
    topic: str
    payload: bytes
    qos: int
    retain: bool


class Episode(msgspec.Struct, frozen=True):
    """An alarm's condition, or a run of a plan, from when to when (ms; None: still at the end).

    `of` is the alarm's key (`queue_long/records`) or `plan/<id>`; `turns` are what it became meanwhile, and when.
    """

    of: str
    since: int
    until: int | None = None
    turns: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """What a recording holds, before it is played: how many messages, from when to when, and what came of them.

    `published`: recorded where it was sent, so that `retain` is what the sender asked for and not that it is old.
    `outcome` is None where the file says nothing of it; `end` is at least the last message's time.
    """

    count: int
    begin: int
    end: int
    published: bool
    outcome: tuple[Episode, ...] | None


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    """An episode as a file has it, its instants in seconds."""

    of: str
    since: float
    until: float | None = None
    turns: tuple[tuple[float, str], ...] = ()


def survey(lines: Iterable[str], name: str) -> Survey:
    """Read a whole recording, line by line; raises `RecordingError` with the first lines that are wrong."""
    reader = _Reader()
    problems: list[str] = []
    for number, line in enumerate(lines, 1):
        try:
            reader.take(line)
        except ValueError as error:
            problems.append(f"{name}:{number}: {error}")
            if len(problems) >= PROBLEMS_TOLD:
                problems.append("……")
                break
    if not problems and not reader.count and reader.outcome is None:
        problems.append(f"{name}: 没有一条消息 · there is no message in it")
    if problems:
        raise RecordingError("\n".join(problems))
    return reader.result()


def messages(lines: Iterable[str]) -> Iterator[Sent]:
    """The messages of a recording that was surveyed."""
    for line in lines:
        if (text := line.rstrip("\r\n")) and not text.startswith("#"):
            yield read_message(text)


def read_message(text: str) -> Sent:
    """One line's message; raises `ValueError` with the reason."""
    fields = text.split(" ", FIELDS - 1)
    if len(fields) < FIELDS:
        raise ValueError(
            f"应为“时间 QoS 保留 内容 主题” · TIME QOS RETAIN PAYLOAD TOPIC are needed, not {_short(text)}"
        )
    at, qos, retain, payload, topic = fields
    if qos not in QOS:
        raise ValueError(f"QoS 应为 0、1 或 2 · the QoS is 0, 1 or 2, not {_short(qos)}")
    if retain not in {"0", "1"}:
        raise ValueError(f"保留应为 0 或 1 · retain is 0 or 1, not {_short(retain)}")
    if not topic or _NUL in topic or "#" in topic or "+" in topic:
        raise ValueError(f"主题不可用于发布 · no topic that one can publish on: {_short(topic)}")
    try:
        body = bytes.fromhex(payload) if " " not in payload else b""
    except ValueError:
        raise ValueError(f"内容应为十六进制 · the payload is no hexadecimal: {_short(payload)}") from None
    return Sent(read_time(at), topic, body, int(qos), retain == "1")


def write_message(sent: Sent) -> str:
    """Its line, without the line's end; raises `ValueError` for a topic that would not stay on one line."""
    if len(sent.topic.splitlines()) != 1:
        raise ValueError(f"a topic with an end of line in it: {sent.topic!r}")
    return f"{write_time(sent.at)} {sent.qos} {int(sent.retain)} {sent.payload.hex()} {sent.topic}"


def write_head(*, published: bool) -> list[str]:
    """The first lines of a recording that we make."""
    return [f"{HEAD} {VERSION}", *([PUBLISHED] if published else [])]


def write_end(at: int) -> str:
    """The line that says until when it was listened."""
    return f"{END} {write_time(at)}"


def write_outcome(outcome: Iterable[Episode]) -> list[str]:
    """The lines that say what came of a recording."""
    lines = [f"{OUTCOME} {msgspec.json.encode(_seconds(one)).decode()}" for one in outcome]
    return lines or [f"{OUTCOME} none"]


def read_time(text: str) -> int:
    """Seconds since the epoch with up to nine decimals, as ms; raises `ValueError`."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"时间应为自 1970 年起的秒数 · the time is seconds since 1970, not {_short(text)}")
    return int(found[1]) * 1000 + int((found[2] or "").ljust(3, "0")[:3])


def write_time(at: int) -> str:
    """An instant (ms) in seconds, as `read_time` reads it."""
    return f"{at // 1000}.{at % 1000:03}"


class _Reader:
    """What was read so far."""

    def __init__(self) -> None:
        self.count = 0
        self.outcome: list[Episode] | None = None
        self._begin: int | None = None
        self._last = 0
        self._end: int | None = None
        self._published = False

    def take(self, line: str) -> None:
        """One line; raises `ValueError` with what is wrong."""
        if len(line) > LONGEST_LINE:
            raise ValueError(f"行过长 · longer than {LONGEST_LINE} characters")
        text = line.rstrip("\r\n")
        if text.startswith("#"):
            self._directive(text)
        elif text:
            self._message(read_message(text))

    def result(self) -> Survey:
        """The whole."""
        begin = self._begin or 0
        end = max(self._last, self._end or 0)
        return Survey(self.count, begin, end, self._published, None if self.outcome is None else tuple(self.outcome))

    def _message(self, sent: Sent) -> None:
        if sent.at < self._last:
            raise ValueError(
                f"时间早于前一条消息（{write_time(self._last)}），请按时间排序 · earlier than the message before it, "
                f"{write_time(self._last)}: sort it by time (sort -n)"
            )
        self._begin = sent.at if self._begin is None else self._begin
        self._last = sent.at
        self.count += 1

    def _directive(self, text: str) -> None:
        word, _, rest = text.partition(" ")
        if word == "#":
            return
        if word == HEAD:
            if rest != str(VERSION):
                raise ValueError(f"版本 {_short(rest)} 不支持，可读 {VERSION} · this release reads version {VERSION}")
        elif word == PUBLISHED:
            self._published = True
        elif word == END:
            self._end = read_time(rest)
        elif word == OUTCOME:
            self.outcome = (self.outcome or []) + ([] if rest == "none" else [_episode(rest)])
        else:
            raise ValueError(
                f"未知的行 {_short(word)}；注释请写“# ” · unknown line; a comment begins with # and a space"
            )


def _episode(text: str) -> Episode:
    try:
        line = msgspec.json.decode(text, type=_Line)
    except msgspec.DecodeError as error:
        raise ValueError(f"结果无法读取 · an outcome that cannot be read: {error}") from None
    instants = [line.since, line.until or 0.0, *(at for at, _ in line.turns)]
    if not all(math.isfinite(at) and 0 <= at < 1e11 for at in instants):  # noqa: PLR2004 (the year 5138)
        raise ValueError("结果的时间无法使用 · an outcome whose time is none")
    turns = tuple((round(at * 1000), what) for at, what in line.turns)
    return Episode(line.of, round(line.since * 1000), None if line.until is None else round(line.until * 1000), turns)


def _seconds(one: Episode) -> _Line:
    until = None if one.until is None else one.until / 1000
    return _Line(one.of, one.since / 1000, until, tuple((at / 1000, what) for at, what in one.turns))


def _short(text: str) -> str:
    """Somebody's text in a sentence of ours: quoted, and not without end."""
    return repr(text if len(text) <= 40 else text[:37] + "…")  # noqa: PLR2004
