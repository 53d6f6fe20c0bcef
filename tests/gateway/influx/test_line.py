"""Line protocol against a real InfluxDB: whatever a device is called, its point comes back and no other."""

import asyncio
from urllib.parse import unquote

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.history.contract import Asked, PointsRefusedError
from gateway.history.points import Point
from gateway.influx.line import line, tag_text
from gateway.influx.query import InfluxHistory
from gateway.influx.ship import open_sink
from sensors.readings import Kind
from tests.gateway.history.build import HALL, T0, point
from tests.servers.influx import InfluxBucket

# Letters that mean something to one of the formats on the way, among any others.
NASTY = st.text(st.sampled_from(" ,=\"'\\\n\r\t%#;$*/\x00\x7f\x85\u2028") | st.characters(), min_size=1, max_size=12)
STORABLE = NASTY.map(lambda text: text.encode("utf-8", "replace").decode().replace("\0", "?"))


@given(NASTY, NASTY)
def test_two_names_never_become_one(one: str, other: str) -> None:
    assert (tag_text(one) == tag_text(other)) == (one == other)


@given(STORABLE, STORABLE, STORABLE)
def test_a_line_is_one_line(device: str, zone: str, text: str) -> None:
    made = line(point(0, ("temperature_c", 1.0), device=device, zone=zone))
    assert len(made.splitlines()) == 1 or "\u2028" in made or "\u2029" in made
    assert "\n" not in made


async def back(bucket: InfluxBucket, points: list[Point]) -> list[list[float | str]]:
    """Write points and ask for each by the names it was given."""
    async with (
        open_sink(bucket.url, bucket.org, bucket.name, bucket.token) as sink,
        aiohttp.ClientSession() as session,
    ):
        await sink.write(points)
        history = InfluxHistory(session, bucket.url, bucket.name, bucket.token)
        return [
            [
                sample.value
                for sample in await history.range(
                    Asked(one.hall, one.kind, one.fields[0][0], one.device, one.zone, one.window), T0, T0 + 1000
                )
            ]
            for one in points
        ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(STORABLE, STORABLE, STORABLE, STORABLE, STORABLE), min_size=1, max_size=8))
def test_names_and_texts_come_back_from_influxdb(
    influx_bucket: InfluxBucket, names: list[tuple[str, str, str, str, str]]
) -> None:
    kind = Kind.EQUIPMENT
    points = [
        Point(f"{number}{hall}", kind, device, zone, window, (("code", text),), (T0 + number) * 1_000_000, number)
        for number, (hall, device, zone, window, text) in enumerate(names)
    ]
    assert asyncio.run(back(influx_bucket, points)) == [[text] for *_, text in names]


async def test_what_the_server_keeps_can_be_read_without_our_code(influx_bucket: InfluxBucket) -> None:
    device = "读卡器 a,b=c\\"
    await back(influx_bucket, [point(3, ("temperature_c", 20.5), device=device, zone="z\n1", index=9)])
    (row,) = influx_bucket.influxql("SELECT * FROM environment")
    assert row == {
        "time": (T0 + 3) * 1_000_000 + 9,
        "device": "读卡器 a,b=c%5C",
        "hall": HALL,
        "temperature_c": 20.5,
        "zone": "z%0A1",
    }
    assert unquote(row["device"]) == device


async def test_a_type_that_has_changed_is_refused_with_the_servers_reason(influx_bucket: InfluxBucket) -> None:
    await back(influx_bucket, [point(1, ("temperature_c", 20.5))])
    with pytest.raises(PointsRefusedError, match="field type conflict"):
        await back(influx_bucket, [point(2, ("temperature_c", "warm"))])
