"""What a person can do about a value that the model refuses: pydantic's errors in words of the site file."""

import re
import types
import typing
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from sensors.site import model, rules
from sensors.site.part import ID_PATTERN
from sensors.site.problem import Found, Path, Said, Severity, printable

Words = tuple[Said, Said]  # what is wrong, and the mend


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that somebody who wrote this one most probably meant."""
    names = {name.lower(): name for name in known}
    close = get_close_matches(word[:100].lower(), names, n=1, cutoff=0.55)
    return names[close[0]] if close else None


def choose(word: str, known: Iterable[str]) -> Said:
    """Mend by choosing among known words, the nearest first if there is one."""
    names = sorted(set(known))
    near = nearest(word, names)
    some = ", ".join(names[:14]) + (", …" if len(names) > 14 else "")  # noqa: PLR2004 — what a line can hold
    if not names:
        return Said("先在文件中定义它", "define it in the file first")
    if near is None:
        return Said(f"可用的有：{some}", f"one of: {some}")
    return Said(f"改为 {near}（可用的有：{some}）", f"write {near} (one of: {some})")


def explain(error: ErrorDetails, parent_line: int, keys: Iterable[str]) -> Found:
    """One of pydantic's errors in words. `keys` are the known keys of the part it stands in."""
    path: Path = tuple(error["loc"])
    context = {name: str(value) for name, value in error.get("ctx", {}).items()}
    written = error["input"] if isinstance(error["input"], str) else ""
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown(path, list(keys))
    if kind == "missing":
        return _missing(path, parent_line)
    words = _WORDS.get(kind)
    said = words(context, written) if words is not None else _other(error["msg"])
    if path and path[-1] == "[key]":
        return Found(path[:-1], kind, *said, value="")
    return Found(path, kind, *said, value=context.get("tag"))


def _unknown(path: Path, keys: list[str]) -> Found:
    name = str(path[-1])
    what = Said("不认识的键，已忽略", "unknown key, left out")
    return Found(path, "unknown_key", what, choose(name, keys), Severity.WARNING)


def _missing(path: Path, line: int) -> Found:
    name = path[-1]
    if isinstance(name, int):
        what = Said(f"少了第 {name + 1} 个值", f"value number {name + 1} is missing")
        return Found(path, "missing", what, Said("写 [x, y] 两个数，单位米", "write [x, y], two numbers in metres"))
    what = Said(f"缺少键 {name}", f"the key {name} is missing")
    mend = Said(f"在第 {line} 行这一块中加一行 {name}: …", f"add a line {name}: … to the part at line {line}")
    if len(path) == 1:
        mend = Said(f"在文件最外层加一行 {name}: …", f"add a line {name}: … at the outermost level")
    return Found(path, "missing", what, mend, value="")


def _other(message: str) -> Words:
    said = printable(message, 200)
    return Said(f"值不对：{said}", f"not a good value: {said}"), _SEE_DOCS


def _allowed(context: dict[str, str], written: str) -> Words:
    listed = context.get("expected", "") or context.get("expected_tags", "")
    names = re.findall(r"'([^']*)'", listed)
    return Said("不是可用的值", "not one of the allowed values"), choose(context.get("tag", written), names)


def _no_tag(_context: dict[str, str], _written: str) -> Words:
    types_ = "log, mqtt, webhook, email"
    return (
        Said("缺少键 type", "the key type is missing"),
        Said(f"加一行 type: …（可用的有：{types_}）", f"add a line type: … (one of: {types_})"),
    )


def _range(word: str, key: str) -> Callable[[dict[str, str], str], Words]:
    zh = {"≥": "不小于", "≤": "不大于", ">": "大于", "<": "小于"}[word]

    def words(context: dict[str, str], _written: str) -> Words:
        limit = context[key]
        what = Said("超出范围", "out of range")
        return what, Said(f"写一个{zh} {limit} 的数", f"write a number {word} {limit}")

    return words


def _says(what_zh: str, what_en: str, mend_zh: str, mend_en: str) -> Callable[[dict[str, str], str], Words]:
    """Fixed words, in which {names} of the error's context are filled in."""

    def words(context: dict[str, str], _written: str) -> Words:
        filled = [text.format_map(context) for text in (what_zh, what_en, mend_zh, mend_en)]
        return Said(filled[0], filled[1]), Said(filled[2], filled[3])

    return words


def _pattern(context: dict[str, str], written: str) -> Words:
    zh, en = _PATTERNS.get(context["pattern"], ("", ""))
    if not zh:
        return _other(f"pattern {context['pattern']}")
    better = _suggest(context["pattern"], written)
    mend = Said(f"例如 {better}" if better else zh, f"such as {better}" if better else en)
    return Said(f"写法不对，应为{zh}", f"not written as it should be: {en}"), mend


def _suggest(pattern: str, written: str) -> str:
    """The value as it was probably meant, if it can be told."""
    if pattern == ID_PATTERN:
        better = re.sub(r"[^a-z0-9_.-]+", "-", written.lower()).strip("-_.")[:64]
    elif pattern == model.PERIOD_PATTERN:
        found = re.fullmatch(r"\D*(\d{1,2})[:：.](\d\d)\D+(\d{1,2})[:：.](\d\d)\D*", written[:40])
        better = "{:0>2}:{}-{:0>2}:{}".format(*found.groups()) if found else "08:30-12:00"
    elif pattern == model.DATE_PATTERN:
        found = re.fullmatch(r"(\d{4})\D(\d{1,2})\D(\d{1,2})\D?", written[:40])
        better = "{}-{:0>2}-{:0>2}".format(*found.groups()) if found else ""
    else:
        return ""
    return better if re.search(pattern, better) else ""


def _timezone(_context: dict[str, str], written: str) -> Words:
    near = nearest(written, rules.timezones()) or "Asia/Shanghai"
    return Said("没有这个时区", "no such time zone"), Said(f"例如 {near}", f"such as {near}")


_SEE_DOCS: Final = Said("见 docs/site.md 中这个键", "see this key in docs/site.md")
_PATTERNS: Final[dict[str, tuple[str, str]]] = {
    ID_PATTERN: ("小写字母、数字、- _ .，至多 64 个", "lower-case letters, digits, - _ . (at most 64)"),
    model.PERIOD_PATTERN: ("HH:MM-HH:MM（24 小时制）", "HH:MM-HH:MM on a 24 h clock"),
    model.DATE_PATTERN: ("YYYY-MM-DD", "YYYY-MM-DD"),
    model.TOPIC_PATTERN: ("不含 + # 、不以 / 或 $ 开头的主题", "a topic without + or #, not beginning with / or $"),
    model.URL_PATTERN: ("以 http:// 或 https:// 开头的地址", "an address beginning with http:// or https://"),
}
_NUMBER: Final = _says("要写一个数", "a number is needed", "写数字，不带单位", "write digits, no unit")
_WHOLE: Final = _says("要写一个整数", "a whole number is needed", "写整数，不带单位", "write a whole number, no unit")
_YES_NO: Final = _says("要写是或否", "yes or no is needed", "写 true 或 false", "write true or false")
_LIST: Final = _says(
    "要写一个列表", "a list is needed", "每项一行，以 '- ' 开头，或写 [a, b]", "one item a line after '- ', or [a, b]"
)
_BLOCK: Final = _says(
    "要写一块键，不是单个值", "a block of keys is needed, not one value",
    "写成 键: 值 的几行；名称与文字写 {{zh: …, en: …}}",
    "write lines of key: value; names and texts as {{zh: …, en: …}}",
)  # fmt: skip
_TEXT: Final = _says("要写一段文字", "text is needed", "写一个词或一句话", "write a word or a sentence")
_WORDS: Final[dict[str, Callable[[dict[str, str], str], Words]]] = {
    "literal_error": _allowed,
    "enum": _allowed,
    "union_tag_invalid": _allowed,
    "union_tag_not_found": _no_tag,
    "greater_than_equal": _range("≥", "ge"),
    "less_than_equal": _range("≤", "le"),
    "greater_than": _range(">", "gt"),
    "less_than": _range("<", "lt"),
    "string_pattern_mismatch": _pattern,
    "string_type": _TEXT,
    "string_too_short": _says("文字太短", "too short", "至少 {min_length} 个字", "at least {min_length} characters"),
    "string_too_long": _says("文字太长", "too long", "至多 {max_length} 个字", "at most {max_length} characters"),
    "too_short": _says("项目太少", "too few items", "至少写 {min_length} 项", "write at least {min_length}"),
    "too_long": _says("项目太多", "too many items", "至多写 {max_length} 项", "write at most {max_length}"),
    "int_parsing": _WHOLE, "int_type": _WHOLE, "int_from_float": _WHOLE, "int_parsing_size": _WHOLE,
    "float_parsing": _NUMBER, "float_type": _NUMBER, "finite_number": _NUMBER,
    "bool_parsing": _YES_NO, "bool_type": _YES_NO,
    "tuple_type": _LIST, "list_type": _LIST,
    "dict_type": _BLOCK, "model_type": _BLOCK, "model_attributes_type": _BLOCK,
    "timezone_unknown": _timezone,
    "date_unreal": _says("没有这一天", "no such date", "改为日历上有的日期", "write a date of the calendar"),
    "period_backwards": _says(
        "{period} 结束不晚于开始", "{period} ends before it starts",
        "跨午夜的写成两段：当天到 24:00，次日从 00:00", "over midnight: until 24:00, and from 00:00 on the next day",
    ),
    "periods_overlap": _says(
        "{after} 在 {before} 结束之前开始", "{after} begins before {before} ends",
        "按时间先后写，互不重叠", "write them in order, none overlapping",
    ),
    "outline_short": _says(
        "区域轮廓至少三个角", "an outline has at least three corners",
        "写 [[x, y], [x, y], [x, y], …]，单位米", "write [[x, y], [x, y], [x, y], …] in metres",
    ),
    "not_rising": _says(
        "{high} ({high_value}) 必须大于 {low} ({low_value})", "{high} ({high_value}) must be above {low} ({low_value})",
        "提高 {high} 或降低 {low}", "raise {high} or lower {low}",
    ),
    "secret_source": _says(
        "密钥来源要写一个", "one source of the secret is needed",
        "写 file: 路径 或 env: 变量名，只写其一", "write file: PATH or env: NAME, one of the two",
    ),
}  # fmt: skip


def known_keys(path: Path, tag: str = "") -> list[str]:
    """The keys that the model knows at a path of the file; `tag` is the type where a part has several."""
    annotations: list[Any] = [model.Site]
    for part in path:
        annotations = [inner for one in annotations for inner in _inside(one, part)]
    parts = [one for one in annotations if isinstance(one, type) and issubclass(one, BaseModel)]
    parts = [one for one in parts if not tag or tag in typing.get_args(one.model_fields["type"].annotation)]
    return [name for one in parts for name in one.model_fields]


def _inside(annotation: Any, part: str | int) -> list[Any]:  # noqa: ANN401 — an annotation may be anything
    """What stands under one step of a path in a type, with unions and annotations taken apart."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        return _bare(field.annotation) if field is not None else []
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin is tuple and isinstance(part, int) and arguments:
        return _bare(arguments[0])
    if origin is dict and isinstance(part, str):
        return _bare(arguments[1])
    return []


def _bare(annotation: Any) -> list[Any]:  # noqa: ANN401
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _bare(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [inner for one in typing.get_args(annotation) for inner in _bare(one)]
    return [annotation]
