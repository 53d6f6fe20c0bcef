"""Another server on InfluxDB's port answers 200 to everything: nothing may count as kept."""

import pytest

from gateway.history.contract import HistoryDownError
from gateway.history.points import Point
from gateway.influx.ship import open_sink
from sensors.readings import Kind
from tests.fakes.webhook import fake_webhook

POINT = Point(
    hall="main",
    kind=Kind.QUEUE,
    device="q",
    zone="",
    window="",
    fields=(("length", 1.0),),
    ns=1_795_400_000_000_000_000,
    index=0,
)


@pytest.mark.parametrize(("status", "kept"), [(200, False), (202, False), (204, True)])
async def test_only_created_or_no_content_says_that_points_are_kept(status: int, kept: bool) -> None:
    async with fake_webhook() as stranger:
        stranger.status = status
        async with open_sink(stranger.url.removesuffix("/hook"), "org", "bucket", "token") as sink:
            if kept:
                await sink.write([POINT])
            else:
                with pytest.raises(HistoryDownError):
                    await sink.write([POINT])
        assert b"queue" in stranger.received[0].body
