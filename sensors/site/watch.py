"""How the watcher itself is watched: its synthetic messages, its figures, and its heartbeat to the outside."""

from typing import Literal

from pydantic import Field

from sensors.site.part import Part
from sensors.site.secret import Secret


class Heartbeat(Part):
    """A request to an outside service that tells people when it ceases to come. Its address is a secret."""

    url: Secret
    every_s: int = Field(default=60, ge=1, le=3600)
    method: Literal["GET", "POST"] = "GET"
    timeout_s: float = Field(default=10, gt=0, le=30)


class Watch(Part):
    """Every `probe_s` a synthetic message goes through the whole path of each session."""

    probe_s: int = Field(default=60, ge=1, le=3600)
    metrics_token: Secret | None = None
    heartbeat: Heartbeat | None = None
