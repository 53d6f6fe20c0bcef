"""What a hall's store has lost or had mended at a start, said as conditions: never an empty hall that looks normal."""

from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.pipeline import Pipeline
from gateway.store.holes import Lost

LOST = "store_lost"
DAMAGED = "store_damaged"


def tell_losses(pipeline: Pipeline, hall: str, zone: ZoneInfo, losses: list[Lost], damage: str) -> None:
    """Raise what holds at this start, and end what an earlier one raised. `damage` names the file set aside."""
    _tell(pipeline, hall, DAMAGED, f"{DAMAGED} {damage}" if damage else "")
    if not losses:
        _tell(pipeline, hall, LOST, "")
        return
    inputs, begin, end = sum(one.inputs for one in losses), losses[0].from_at, losses[-1].to_at
    moments = [datetime.fromtimestamp(at / 1000, zone).isoformat(" ", "seconds") for at in (begin, end)]
    _tell(pipeline, hall, LOST, f"{LOST} {inputs}: {' - '.join(moments)}")


def _tell(pipeline: Pipeline, hall: str, condition: str, detail: str) -> None:
    if detail or f"gateway/{condition}/{hall}" in pipeline.core.hall.state.conditions:
        pipeline.raised(condition, hall, holds=bool(detail), detail=detail)
