"""The root of every part of the site file, and the form of an id."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

ID_PATTERN: Final = r"^[a-z0-9][a-z0-9_.-]{0,63}$"

Id = Annotated[str, Field(pattern=ID_PATTERN)]


class Part(BaseModel):
    """A part of the site file: frozen, unknown keys refused, nothing that a store could not hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_max_length=1000)
