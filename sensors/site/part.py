"""The root of every part of the site file."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of the site file: frozen, unknown keys refused, nothing that a store could not hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_max_length=1000)
