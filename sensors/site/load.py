"""Reads the site file: text in, the site and everything that is wrong with it out. Never raises, does no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sensors.site.check import check_site
from sensors.site.mend import explain, known_keys
from sensors.site.model import Site
from sensors.site.problem import Found, Path, Problem, Said, Severity, problem_at
from sensors.site.tree import Mark, Tree, read_tree

MAX_PROBLEMS: Final = 100


@dataclass(frozen=True, slots=True)
class Loaded:
    """A site file that was read. `site` is None if there is an error; `digest` names this version of the text."""

    name: str
    digest: str
    site: Site | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What keeps the site from loading."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)


def read_site(text: str, name: str) -> Loaded:
    """Read a site file's text. `name` is the file's, as the person calls it.

    Unknown keys are left out with a warning, so that a file for a newer version still starts.
    """
    digest = sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
    tree = read_tree(text)
    site = None if _wrong(tree.problems) else _validate(tree)
    if site is not None:
        for found in check_site(site):
            tree.put(found)
    problems = tuple(sorted(tree.problems, key=lambda problem: (problem.line, problem.column)))
    return Loaded(name, digest, None if _wrong(problems) else site, _cut(problems))


def _wrong(problems: Iterable[Problem]) -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems)


def _validate(tree: Tree) -> Site | None:
    """The site, or None with the problems in the tree. Unknown keys are taken out before a second look."""
    if not isinstance(tree.data, dict):
        what = Said("站点文件要由 键: 值 组成", "a site file is made of key: value")
        tree.put(Found((), "no_site", what, Said("以 site、name、halls 开始", "begin with site, name, halls")))
        return None
    for _ in range(3):  # a key in a part that was wrong itself is seen only afterwards
        try:
            return Site.model_validate(tree.data)
        except ValidationError as error:
            problems = _telling(error.errors(include_url=False))
        unknown = [problem for problem in problems if problem["type"] == "extra_forbidden"]
        for problem in problems:
            path = _written(problem["loc"])
            parent = tree.real(path[:-1])
            keys = known_keys(parent, _tag(problem["loc"])) if problem in unknown else ()
            tree.put(explain({**problem, "loc": path}, tree.marks[parent].line, keys))
        if len(unknown) < len(problems):
            return None
        for problem in unknown:
            tree.without(_written(problem["loc"]))
    what = Said("有去不掉的不认识的键", "there are unknown keys that cannot be left out")
    tree.put(Found((), "unknown_key", what, Said("删去上述各键", "take the keys named above out")))
    return None


def _telling(problems: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without "too few items" where the items are there, but wrong themselves."""
    within = {tuple(problem["loc"][:length]) for problem in problems for length in range(len(problem["loc"]))}
    return [problem for problem in problems if problem["type"] != "too_short" or problem["loc"] not in within]


def _tag(loc: Path) -> str:
    return str(loc[2]) if loc[:1] == ("channels",) and len(loc) > 2 else ""  # noqa: PLR2004


def _written(loc: Path) -> Path:
    """Pydantic's path as the file has it: a channel's type is no step of it."""
    return (*loc[:2], *loc[3:]) if loc[:1] == ("channels",) else loc


def _cut(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """A file that is wrong throughout is not answered with a line for each of its lines; errors stay first."""
    if len(problems) <= MAX_PROBLEMS:
        return problems
    ranked = sorted(problems, key=lambda problem: problem.severity)[:MAX_PROBLEMS]
    more = len(problems) - MAX_PROBLEMS
    what = Said(f"另有 {more} 处未列出", f"{more} more are not listed")
    found = Found((), "more", what, Said("先改正以上各处", "mend those above first"), ranked[0].severity)
    mark = Mark(ranked[-1].line, 1)
    return (*ranked, problem_at(found, mark.line, mark.column, ""))
