"""The site file's JSON Schema, for editors, and its table of keys, for docs/site.md. Both come from the model."""

from typing import Any, Final

from pydantic import BaseModel

from sensors.site import model
from sensors.site.keys import KEYS
from sensors.site.limits import Limits
from sensors.site.part import Part
from sensors.site.robots import DingtalkChannel, FeishuChannel, WecomChannel
from sensors.site.secret import Secret
from sensors.site.watch import Heartbeat, Watch

TITLES: Final[dict[type[Part], str]] = {
    model.Site: "整个文件 · the whole file",
    model.Mqtt: "mqtt",
    model.Tls: "mqtt.tls",
    Secret: "password、token、secret · where a secret stands",
    model.Influx: "influx",
    Limits: "limits",
    Watch: "watch",
    Heartbeat: "watch.heartbeat",
    model.FamilyUse: "families[]",
    model.LogChannel: "channels[] (type: log)",
    model.MqttChannel: "channels[] (type: mqtt)",
    model.WebhookChannel: "channels[] (type: webhook)",
    model.Accept: "channels[].accept",
    model.EmailChannel: "channels[] (type: email)",
    WecomChannel: "channels[] (type: wecom)",
    DingtalkChannel: "channels[] (type: dingtalk)",
    FeishuChannel: "channels[] (type: feishu)",
    model.Person: "people[]",
    model.Hall: "halls[]",
    model.MakeupDay: "halls[].makeup_days[]",
    model.Zone: "halls[].zones[]",
    model.Service: "halls[].services[]",
    model.Window: "halls[].windows[]",
    model.Device: "halls[].devices[]",
    model.Shift: "halls[].shifts[]",
    model.Plan: "halls[].plans[]",
    model.Role: "halls[].plans[].roles[]",
    model.Step: "halls[].plans[].steps[]",
    model.Message: "halls[].plans[].messages[]",
    model.Routing: "halls[].routing",
    model.Display: "halls[].display",
    model.Thresholds: "halls[].thresholds",
    model.CrowdThresholds: "halls[].thresholds.crowd",
    model.DeviceClass: "thresholds.mains/battery/sleeping, devices[].silent",
    model.Words: "name、text · words in both languages",
}


def site_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the site file; every key is described in both languages."""
    schema = model.Site.model_json_schema()
    definitions = schema["$defs"]
    for name, part in [("Site", schema), *definitions.items()]:
        for key, field in part.get("properties", {}).items():
            if f"{name}.{key}" in KEYS:
                field["description"] = " · ".join(KEYS[f"{name}.{key}"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Hallwatch site file"}


def key_tables() -> str:
    """All keys with default, allowed values and meaning as Markdown tables, one for each part of the file."""
    return "\n".join(_table(part, title) for part, title in TITLES.items())


def _table(part: type[Part], title: str) -> str:
    head = ["| 键 key | 默认 default | 可用 allowed | 含义 | meaning |", "|---|---|---|---|---|"]
    schema = part.model_json_schema()
    rows = []
    for name, field in part.model_fields.items():
        default = "**必填 required**" if field.is_required() else _shown(field.get_default(call_default_factory=True))
        allowed = _allowed(schema["properties"][name], schema.get("$defs", {}))
        rows.append(f"| `{name}` | {default} | {allowed} | {' | '.join(KEYS[f'{part.__name__}.{name}'])} |")
    return "\n".join([f"### {title}", "", *head, *rows, ""])


def _shown(default: object) -> str:
    if isinstance(default, model.DeviceClass):
        return f"`{default.stale_s}` / `{default.offline_s}`"
    if isinstance(default, BaseModel):
        return "见下 below"
    if isinstance(default, tuple):
        named = [
            str(one.model_dump(exclude_defaults=True)) if isinstance(one, BaseModel) else str(one) for one in default
        ]
        return f"`[{', '.join(named)}]`" if named else "–"
    if default is None or default == {}:
        return "–"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _allowed(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Enumerated values or the range, as the schema has them."""
    options = [field, *field.get("anyOf", ())]
    options = [definitions.get(one.get("$ref", "").rpartition("/")[2], one) for one in options]
    values = [f"`{value}`" for one in options for value in [*one.get("enum", ()), *filter(None, [one.get("const")])]]
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    ranges = [f"{sign} {one[key]}" for one in options for key, sign in signs.items() if key in one]
    return ", ".join([*values, *ranges]) or "–"
