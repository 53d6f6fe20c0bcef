"""Where a secret stands: the site file names the place and never holds the secret."""

from typing import Self

from pydantic import model_validator

from sensors.site import rules
from sensors.site.part import Part


class Secret(Part):
    """Where a secret stands: a file or an environment variable, never the site file itself."""

    file: str | None = None
    env: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        rules.one_of(self.file, self.env)
        return self
