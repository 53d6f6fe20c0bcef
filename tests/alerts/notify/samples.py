"""A message and its text, as the tests of the channels send them."""

from dataclasses import replace
from typing import Any

from alerts.model import Lane, Message, Note
from alerts.notify.sender import Text

TEXT = Text(
    title_zh="火警：B区",
    title_en="Fire: zone B",
    body_zh="请立即核实。",
    body_en="Verify at once.",
    tail_zh="编号 A1 · 第1次",
    tail_en="A1 · attempt 1",
    link="http://127.0.0.1:8080/a/token-of-the-link",
)


def message(**changes: Any) -> Message:  # noqa: ANN401 (any field of a message)
    """A life-safety message to one person."""
    sample = Message(
        id="M1",
        hall="h1",
        lane=Lane.LIFE_SAFETY,
        about="A1",
        person="wang",
        channel="hook",
        address="wang@example.org",
        note=Note("fire", ()),
        created=1_760_000_000_000,
        not_before=1_760_000_000_000,
        attempts=1,
    )
    return replace(sample, **changes)
