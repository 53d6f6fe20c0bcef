"""From the site file's text to plain data, remembering where everything stands.

ruamel's nodes carry lines and columns, so every later error can name them. Scalars stay the text that was written
(a badge 04112233 keeps its zero, a date stays a date's text); pydantic makes numbers of them. A key with nothing
after it counts as not written, and one without even a colon is warned of. Nothing here raises: what cannot be read is
a problem with its line.
"""

import warnings
from dataclasses import dataclass, field
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from sensors.site.problem import Found, Path, Problem, Said, Severity, key_of, printable, problem_at

Data = str | list["Data"] | dict[str, "Data"] | None

MAX_TEXT: Final = 2 * 1024 * 1024
MAX_NODES: Final = 200_000
MAX_DEPTH: Final = 30
_NULL: Final = "tag:yaml.org,2002:null"
_MERGE: Final = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something stands (from 1), and its text if it is a single value."""

    line: int
    column: int
    text: str = ""


@dataclass(slots=True)
class Tree:
    """The file as plain data, with the mark of every path in it."""

    data: Data = None
    marks: dict[Path, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def real(self, path: Path) -> Path:
        """The part of a path that stands in the file (pydantic's paths also name union tags and missing keys)."""
        found: Path = ()
        for part in path:
            if (*found, part) in self.marks:
                found = (*found, part)
        return found

    def put(self, found: Found) -> None:
        """Add a problem, at the line of the nearest thing that stands in the file."""
        real = self.real(found.path)
        mark = self.marks.get(real, Mark(1, 1))
        written = mark.text if real == found.path else ""
        self.problems.append(problem_at(found, mark.line, mark.column, written))

    def without(self, path: Path) -> None:
        """Leave a key out of the data."""
        data = self.data
        for part in path[:-1]:
            if isinstance(data, dict) and isinstance(part, str):
                data = data.get(part)
            elif isinstance(data, list) and isinstance(part, int):
                data = data[part]
        last = path[-1]
        if isinstance(data, dict) and isinstance(last, str):
            data.pop(last, None)


class _TooMuchError(Exception):
    """The file unfolds to more than any site needs."""


def read_tree(text: str) -> Tree:
    """Read YAML; what is wrong stands in the tree's problems."""
    tree = Tree()
    if len(text) > MAX_TEXT:
        tree.put(Found((), "too_large", _TOO_LARGE, Said("去掉多余内容", "take out what is no site")))
        return tree
    node = _compose(text.removeprefix("\ufeff"), tree)
    if tree.problems:
        return tree
    if node is None or (isinstance(node, ScalarNode) and node.tag == _NULL):
        tree.put(Found((), "empty", Said("文件是空的", "the file is empty"), _START))
        return tree
    try:
        tree.data = _Reader(tree).read(node, (), _mark(node))
    except _TooMuchError:
        tree.put(Found((), "too_much", _TOO_MUCH, _FEWER))
    return tree


def _compose(text: str, tree: Tree) -> Node | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor that is used twice is no business of ours
            node: Node | None = YAML(typ="safe", pure=True).compose(text)
            return node
    except MarkedYAMLError as error:
        _syntax(error, text, tree)
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        _complain(tree, Mark(line, column, printable(text[error.position : error.position + 1])), *_INVISIBLE)
    except RecursionError:
        _complain(tree, Mark(1, 1), _TOO_MUCH, _FEWER)
    except Exception as error:  # noqa: BLE001 — a parser's own slip on strange text is the file's problem too
        said = printable(str(error), 200)
        _complain(tree, Mark(1, 1), Said(f"无法读作 YAML：{said}", f"cannot be read as YAML: {said}"), _SYNTAX_MEND)
    return None


def _syntax(error: MarkedYAMLError, text: str, tree: Tree) -> None:
    place = error.problem_mark or error.context_mark
    line, column = (place.line + 1, place.column + 1) if place is not None else (1, 1)
    lines = text.split("\n")
    written = lines[line - 1].strip() if line <= len(lines) else ""
    said = printable(" ".join(filter(None, (error.context, error.problem))), 200)
    what = Said(f"YAML 语法不对：{said}", f"YAML syntax: {said}")
    mend = _SYNTAX_MEND
    if "\\t" in said or "\t" in said:
        mend = Said("缩进用空格，不用制表符（Tab）", "indent with spaces, not with tabs")
    elif "alias" in said:
        mend = Said("别名 *名 之前要有锚 &名", "an alias *name needs an anchor &name before it")
    elif "single document" in said:
        mend = Said("一个文件只放一个站点，去掉多余的 ---", "one site a file: take out the further ---")
    _complain(tree, Mark(line, column, written), what, mend)


def _complain(tree: Tree, mark: Mark, what: Said, mend: Said) -> None:
    found = Found((), "yaml", what, mend)
    tree.problems.append(problem_at(found, mark.line, mark.column, mark.text))


def _mark(node: Node, text: str = "") -> Mark:
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1, text)


def _has_no_colon(key: ScalarNode, value: Node) -> bool:
    """Whether a comma has cut it off: {zh: 休息区, en: Help, lounge} is a name "Help" and a key "lounge"."""
    return bool(value.tag == _NULL and value.start_mark.index == key.end_mark.index)


class _Reader:
    """Turns nodes into data; counts what aliases unfold to, so that a small file cannot grow without end."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._left = MAX_NODES

    def read(self, node: Node, path: Path, mark: Mark) -> Data:
        """The data of one node; `mark` is where its key or list item stands."""
        self._left -= 1
        if self._left < 0 or len(path) > MAX_DEPTH:
            raise _TooMuchError
        if isinstance(node, MappingNode):
            self._tree.marks[path] = mark
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            self._tree.marks[path] = mark
            return [self.read(item, (*path, i), _mark(item)) for i, item in enumerate(node.value)]
        text = str(node.value)
        self._tree.marks[path] = _mark(node, text)
        if "\0" in text:
            self._tree.put(Found(path, "invisible", *_INVISIBLE))
        return None if node.tag == _NULL else text

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Data]:
        data: dict[str, Data] = {}
        merged: list[Node] = []
        for key, value in node.value:
            if key.tag == _MERGE:
                merged += value.value if isinstance(value, SequenceNode) else [value]
                continue
            if not isinstance(key, ScalarNode):
                where = _mark(key)
                _complain(self._tree, where, Said("键必须是一个词", "a key must be one word"), _SYNTAX_MEND)
                continue
            name = str(key.value)
            if name in data or (*path, name) in self._tree.marks:
                self._twice(key, (*path, name))
                continue
            self._tree.marks[(*path, name)] = _mark(key)
            if _has_no_colon(key, value):
                self._tree.put(Found((*path, name), "no_colon", *_NO_COLON, Severity.WARNING))
            read = self.read(value, (*path, name), _mark(key))
            if read is not None:
                data[name] = read
        for other in merged:
            self._merge(other, path, data)
        return data

    def _merge(self, other: Node, path: Path, data: dict[str, Data]) -> None:
        """`<<`: the keys of another block, where this one has none of its own."""
        if not isinstance(other, MappingNode):
            mend = Said("写 <<: *名，名指向一个块", "write <<: *name of a block")
            _complain(self._tree, _mark(other), Said("<< 之后要有一个块", "<< needs a block of keys"), mend)
            return
        own = [pair for pair in other.value if (*path, str(pair[0].value)) not in self._tree.marks]
        rest = MappingNode(other.tag, own, other.start_mark, other.end_mark)
        for name, value in self._inherited(rest, path).items():
            data.setdefault(name, value)

    def _inherited(self, node: MappingNode, path: Path) -> dict[str, Data]:
        if len(path) > MAX_DEPTH:
            raise _TooMuchError
        self._left -= 1
        if self._left < 0:
            raise _TooMuchError
        return self._mapping(node, path)

    def _twice(self, key: ScalarNode, path: Path) -> None:
        first = self._tree.marks[path].line
        what = Said(f"这个键写了两次，第一次在第 {first} 行", f"this key is written twice, first on line {first}")
        found = Found(path, "twice", what, Said("删去其中一个", "take one of them out"), value="")
        mark = _mark(key)
        self._tree.problems.append(problem_at(found, mark.line, mark.column, key_of(path)))


_TOO_LARGE: Final = Said("文件超过 2 MiB", "the file is larger than 2 MiB")
_TOO_MUCH: Final = Said(
    "文件展开后太大或太深（别名套别名？）", "the file unfolds too large or too deep (aliases of aliases?)"
)
_FEWER: Final = Said("减少别名 *名 与嵌套", "use fewer aliases *name and levels")
_START: Final = Said("以 site、name、halls 开始，或复制示例", "begin with site, name, halls, or copy the example")
_SYNTAX_MEND: Final = Said(
    "看这一行和上一行：冒号后要有空格，缩进要对齐，含 : # { [ 的文字加引号",
    "look at this line and the one before: a space after each colon, indents aligned, quotes around text with : # { [",
)
_NO_COLON: Final = (
    Said("没有冒号，已忽略：前面的逗号把文字切断了", "no colon, so left out: the comma before it cut a text in two"),
    Said("含逗号的文字加引号", "put quotes around a text with a comma"),
)
_INVISIBLE: Final = (
    Said("含有看不见的控制字符", "an invisible control character"),
    Said("删去该字符，重新输入这一行", "delete it; type the line again"),
)
