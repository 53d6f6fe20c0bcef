"""Line protocol: a point as one line of InfluxDB's write format.

Whoever names a device chooses the bytes of a tag, so nothing in a name may end the tag or the line. The format
has an escape for comma, equals sign and space alone, and none for a newline or a backslash at the end; these, all
other control characters and the percent sign that marks them are written as %XX. Two names never become one.
Source of the format: docs.influxdata.com, "Line protocol reference" (InfluxDB v2).
"""

import re
from functools import lru_cache
from typing import Final

from gateway.history.points import Point
from sensors.readings import Kind

_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\\%]")
_MARKED: Final = re.compile("%([0-9A-F]{2})")
_TAG_ESCAPES: Final = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_TEXT_ESCAPES: Final = str.maketrans({'"': '\\"', "\\": "\\\\"})


def tag_text(name: str) -> str:
    """A name in the form in which it stands in a tag, and in which a query must ask for it."""
    return name if name.isalnum() else _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", name)


def untagged(text: str) -> str:
    """The name that `tag_text` has written."""
    return _MARKED.sub(lambda found: chr(int(found[1], 16)), text) if "%" in text else text


def line(point: Point) -> str:
    """A point as a line, without the newline."""
    head = _head(point.kind, point.device, point.hall, point.window, point.zone)
    body = ",".join([f"{name}={_field(value)}" for name, value in point.fields])
    return f"{head} {body} {point.ns}"


@lru_cache(maxsize=8192)
def _head(kind: Kind, device: str, hall: str, window: str, zone: str) -> str:
    """Measurement and tags of a series. Tags without a value are left out, as the format demands."""
    tags = (("device", device), ("hall", hall), ("window", window), ("zone", zone))
    return kind + "".join(f",{name}={tag_text(value).translate(_TAG_ESCAPES)}" for name, value in tags if value)


def _field(value: float | str) -> str:
    return f'"{value.translate(_TEXT_ESCAPES)}"' if isinstance(value, str) else repr(value)
