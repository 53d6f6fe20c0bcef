"""The board that Grafana is given: what it names is there, and each panel shows what our shipper wrote."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from gateway.history.points import Point
from gateway.influx.ship import open_sink
from sensors.readings import Kind
from sensors.site.load import read_site
from tests.compose_file import Compose
from tests.servers.influx import InfluxBucket

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
BOARD = DEPLOY / "grafana" / "boards" / "hall.json"


def yaml(file: Path) -> Any:  # noqa: ANN401 (a file of Grafana's)
    return YAML(typ="safe").load(file)


def test_the_board_and_its_datasource_belong_together() -> None:
    compose = Compose.read(
        DEPLOY / "compose.yaml", {"HALLWATCH_USER": "1:1", "HALLWATCH_BASE_URL": "https://hall.example.org"}
    )
    service = compose.services["grafana"]
    mounts = service.mounts()
    (source,) = yaml(DEPLOY / "grafana/provisioning/datasources/hallwatch.yaml")["datasources"]
    site = read_site((DEPLOY / "site.yaml").read_text("utf-8"), "site.yaml").site
    assert site is not None
    assert site.influx is not None
    assert (source["url"], source["jsonData"]["dbName"]) == (site.influx.url, site.influx.bucket)
    token = re.fullmatch(r"Token \$__file\{/run/secrets/([\w-]+)\}", source["secureJsonData"]["httpHeaderValue1"])
    assert token is not None
    assert token[1] in service.secrets
    (provider,) = yaml(DEPLOY / "grafana/provisioning/dashboards/hallwatch.yaml")["providers"]
    assert mounts[provider["options"]["path"]][0] == "./grafana/boards"
    assert (
        service.environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == f"{provider['options']['path']}/hall.json"
    )
    board = json.loads(BOARD.read_text("utf-8"))
    (hall,) = board["templating"]["list"]
    things = [*board["panels"], *(one for panel in board["panels"] for one in panel["targets"]), hall]
    assert {one["datasource"]["uid"] for one in things} == {source["uid"]}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert " · " in panel["title"], "中文 first, and English"


# What a hall's devices would have said a moment ago: kind, device, zone, window, fields as the histories keep them.
SAID: list[tuple[Kind, str, str, str, tuple[tuple[str, float | str], ...]]] = [
    (Kind.PEOPLE_COUNT, "count-1", "waiting", "", (("occupancy", 12.0),)),
    (Kind.QUEUE, "queue-1", "waiting", "", (("length", 5.0), ("wait_s", 300.0))),
    (Kind.PRESENCE, "desk-1", "counter", "w1", (("present", 1.0),)),
    (Kind.FIRE, "smoke-1", "waiting", "", (("alarm", 0.0), ("sensor", "smoke"))),
    (Kind.BUTTON, "help-1", "counter", "w1", (("action", "help"),)),
    (Kind.ENVIRONMENT, "air-1", "waiting", "", (("temperature_c", 21.5), ("co2_ppm", 700.0))),
    (Kind.EQUIPMENT, "printer-1", "counter", "w1", (("state", "ok"), ("power_w", 40.0))),
    (Kind.BATTERY, "help-1", "counter", "w1", (("pct", 80.0),)),
]


@pytest.fixture
async def filled_bucket(influx_bucket: InfluxBucket) -> InfluxBucket:
    """A bucket with what our own shipper wrote."""
    now = time.time_ns()
    points = [
        Point("main", kind, device, zone, window, fields, now - 60_000_000_000 + number, number)
        for number, (kind, device, zone, window, fields) in enumerate(SAID)
    ]
    async with open_sink(influx_bucket.url, influx_bucket.org, influx_bucket.name, influx_bucket.token) as sink:
        await sink.write(points)
    return influx_bucket


def targets() -> Iterator[tuple[str, str]]:
    for panel in json.loads(BOARD.read_text("utf-8"))["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["query"]


async def test_every_panel_shows_what_the_shipper_wrote(filled_bucket: InfluxBucket) -> None:
    """Grafana's own words are put in as Grafana does; each query then runs on a real InfluxDB."""
    board = json.loads(BOARD.read_text("utf-8"))
    (hall,) = board["templating"]["list"]
    assert [row["value"] for row in filled_bucket.influxql(hall["query"])][:1] == ["main"]
    asked = dict(targets())
    assert len(asked) == len(board["panels"]) == 10
    for title, query in asked.items():
        text = query.replace("$timeFilter", "time > now() - 1h").replace("$__interval", "1m").replace("$hall", "main")
        assert not re.search(r"\$\w", text), text
        assert filled_bucket.influxql(text), title
        assert not filled_bucket.influxql(text.replace("/^main$/", "/^other$/")), f"{title} mixes halls"
        kind = re.search(r'FROM "(\w+)"', text)
        assert kind is not None
        assert kind[1] in set(Kind)
