"""What is wrong in a site file, in a form that a person can act on: line, key, value and the mend, 中文 and English."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

Path = tuple[str | int, ...]

SHOWN: Final = 60
# What somebody may have written into the file although it belongs into a file or variable of its own.
_SECRET: Final = frozenset({"password", "token", "secret"})


class Severity(StrEnum):
    """An error keeps the site from loading; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Found:
    """Something wrong at a path of the file, before the line is known. `value` None: as it stands in the file."""

    path: Path
    code: str
    what: Said
    mend: Said
    severity: Severity = Severity.ERROR
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in the site file. `line` and `column` count from 1; `key` is like halls[0].devices[3].kinds.

    `code` is stable, for machines; `value` is what stands there, cut, and hidden where a secret belongs.
    """

    severity: Severity
    line: int
    column: int
    key: str
    value: str
    code: str
    what: Said
    mend: Said


def key_of(path: Path) -> str:
    """A path as people write it: halls[0].devices[3].kinds."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return printable(text.removeprefix("."), 200)


def printable(text: str, length: int = SHOWN) -> str:
    """Text that can be shown on one line of any terminal and stored anywhere: cut, nothing invisible in it."""
    cut = text if len(text) <= length else text[: length - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def problem_at(found: Found, line: int, column: int, written: str) -> Problem:
    """Put what was found at its place; `written` is the value as it stands in the file."""
    value = printable(written if found.value is None else found.value)
    if value and any(part in _SECRET for part in found.path):
        value = "•••"
    return Problem(found.severity, line, column, key_of(found.path), value, found.code, found.what, found.mend)


def format_problems(problems: Iterable[Problem], name: str) -> str:
    """All problems as text for a terminal, errors first and in the order of the file; "" if there are none."""
    ordered = sorted(problems, key=lambda problem: (problem.severity, problem.line, problem.column))
    return "\n".join(_lines(problem, name) for problem in ordered)


def _lines(problem: Problem, name: str) -> str:
    sign = "✗ 错误 error" if problem.severity is Severity.ERROR else "! 警告 warning"
    where = f"{name}:{problem.line}:{problem.column}"
    about = " = ".join(filter(None, (problem.key, problem.value)))
    return (
        f"{where}  {sign}  {about}\n"
        f"    {problem.what.zh} → {problem.mend.zh}\n"
        f"    {problem.what.en} → {problem.mend.en}\n"
    )
