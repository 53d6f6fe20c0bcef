"""The part of the Compose specification that deploy/compose.yaml uses, as models: a key that is none is refused."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

# A published port: host address, host port, container port.
PORT = re.compile(r"(?P<host>[\d.]+):(?P<outer>\d+):(?P<inner>\d+)")
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
# Major, minor, patch: what is pulled tomorrow is what was pulled today.
PINNED = r"^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$"
DURATION = r"^\d+(ms|s|m|h)$"
Duration = Annotated[str, Field(pattern=DURATION)]


class Strict(BaseModel):
    """Nothing that is not named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Healthcheck(Strict):
    """How a service says that it lives: without a shell, so that what is written is what runs."""

    test: Annotated[list[str], Field(min_length=2)]
    interval: Duration
    timeout: Duration
    retries: int
    start_period: Duration


class Waits(Strict):
    """When another service is far enough."""

    condition: Literal["service_healthy", "service_started"]


class Build(Strict):
    """What an image is built of."""

    context: str
    dockerfile: str


class Logging(Strict):
    """Where its output goes, and how much of it stays."""

    driver: str
    options: dict[str, str]


class Service(Strict):
    """One service, with the merged `x-guarded`."""

    image: Annotated[str, Field(pattern=PINNED)]
    user: str
    read_only: Literal[True]
    cap_drop: list[str]
    security_opt: list[str]
    restart: Literal["unless-stopped"]
    init: bool
    logging: Logging
    healthcheck: Healthcheck
    networks: Annotated[list[str], Field(min_length=1)]
    build: Build | None = None
    command: list[str] = []
    environment: dict[str, str] = {}
    secrets: list[str] = []
    volumes: list[str] = []
    tmpfs: list[str] = []
    ports: list[str] = []
    depends_on: dict[str, Waits] = {}
    stop_grace_period: Duration = "10s"
    shm_size: str = ""

    def mounts(self) -> dict[str, tuple[str, bool]]:
        """Container path → (host path, whether it may be written)."""
        parts = [one.split(":") for one in self.volumes]
        return {part[1]: (part[0], part[2:] != ["ro"]) for part in parts}


class Network(Strict):
    """A network."""

    internal: bool = False


class SecretFile(Strict):
    """A secret in a file."""

    file: str


class Compose(Strict):
    """The whole file."""

    name: str
    services: dict[str, Service]
    networks: dict[str, Network]
    secrets: dict[str, SecretFile]

    @classmethod
    def read(cls, file: Path, variables: dict[str, str]) -> Self:
        """Parse, put variables in as Compose does, and check."""
        raw: dict[str, Any] = YAML(typ="safe").load(filled(file.read_text("utf-8"), variables))
        return cls.model_validate({key: value for key, value in raw.items() if not key.startswith("x-")})


def filled(text: str, variables: dict[str, str]) -> str:
    """`${NAME}`, `${NAME:-default}` and `${NAME:?error}`; raises `KeyError` for one that must be given."""

    def value(found: re.Match[str]) -> str:
        name, sort, rest = found.groups()
        if variables.get(name):
            return variables[name]
        if sort == "-":
            return str(rest)
        raise KeyError(name)

    return _VARIABLE.sub(value, text)
