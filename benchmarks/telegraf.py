"""The peer of `path`: Telegraf between the same broker and the same InfluxDB, as shipped and as tuned for a flood.

It keeps nothing itself: no journal, no duplicate check, no rule and no alarm; it acknowledges after InfluxDB has
written. Its program is looked for on PATH, in TELEGRAF, and where `install` below says that it may be built to.
"""

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Table
from benchmarks.hall import PREFIX
from benchmarks.load import Sent, load
from benchmarks.plan import NotMeasuredError
from benchmarks.servers import broker, cpu_s, memory_mb
from tests.servers.influx import InfluxBucket, Influxd
from tests.servers.mosquitto import Mosquitto
from tests.servers.process import Process

VERSION = "v1.37.2"
WITHIN_S = 300.0
SUBSCRIBES_WITHIN_S = 1.0
LOOK_S, MOST_LOOK_S = 0.1, 1.0
BUILT = Path.home() / ".cache" / "hallwatch" / "peers" / "telegraf"
INSTALL = (
    f"Telegraf is not on this machine: put it on PATH, name it in TELEGRAF, or build it with GOBIN={BUILT.parent} "
    "go install -tags custom,inputs.mqtt_consumer,outputs.influxdb_v2,parsers.json_v2 "
    f"github.com/influxdata/telegraf/cmd/telegraf@{VERSION}"
)


@dataclass(frozen=True, slots=True)
class Tuning:
    """How Telegraf is set: points in a write, unacknowledged messages, seconds between writes."""

    label: str
    batch: int
    undelivered: int
    flush: str


TUNINGS = (
    Tuning("Telegraf, its defaults", 1000, 1000, "10s"),
    Tuning("Telegraf, tuned", 5000, 20_000, "1s"),
)


def telegraf_program() -> Path:
    """The program. Raises `NotMeasuredError` that says how to get it."""
    found = os.environ.get("TELEGRAF") or shutil.which("telegraf") or (str(BUILT) if BUILT.is_file() else None)
    if found is None:
        raise NotMeasuredError(INSTALL)
    return Path(found)


def _configuration(tuning: Tuning, port: int, bucket: InfluxBucket) -> str:
    # The time of arrival is taken, not the device's: the load's times repeat, and points would fall together.
    return f"""
[agent]
  interval = "1s"
  flush_interval = "{tuning.flush}"
  metric_batch_size = {tuning.batch}
  metric_buffer_limit = 1000000
  omit_hostname = true
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{port}"]
  topics = ["{PREFIX}/telemetry/#"]
  qos = 1
  client_id = "telegraf"
  persistent_session = true
  max_undelivered_messages = {tuning.undelivered}
  topic_tag = ""
  data_format = "json_v2"
  [[inputs.mqtt_consumer.json_v2]]
    measurement_name = "reading"
    [[inputs.mqtt_consumer.json_v2.object]]
      path = "@this"
      tags = ["device"]
      excluded_keys = ["boot", "time", "clock"]
      disable_prepend_keys = true
[[outputs.influxdb_v2]]
  urls = ["{bucket.url}"]
  token = "{bucket.token}"
  organization = "{bucket.org}"
  bucket = "{bucket.name}"
"""


async def flood(table: Table, folder: Path, server: Influxd, bucket: InfluxBucket, tuning: Tuning, count: int) -> None:
    """The flood of `path`, with Telegraf in our place; adds its row."""
    program = telegraf_program()
    with broker(folder) as mosquitto:
        settings = folder / "telegraf.conf"
        settings.write_text(_configuration(tuning, mosquitto.port, bucket), encoding="utf-8")
        log = folder / "telegraf.log"
        # There is no port to ask. It subscribes right after this line; `_measure` leaves it a second.
        telegraf = Process([program, "--config", settings], log, lambda: "Connected" in log.read_text("utf-8"))
        await asyncio.to_thread(telegraf.start)
        try:
            await _measure(table, tuning.label, (telegraf, mosquitto, server), bucket, count)
        finally:
            await asyncio.to_thread(telegraf.stop)


async def _measure(
    table: Table, label: str, servers: tuple[Process, Mosquitto, Influxd], bucket: InfluxBucket, count: int
) -> None:
    telegraf, mosquitto, server = servers
    watched = {"gateway": telegraf.pid, "broker": mosquitto.process.pid, "influxd": server.process.pid}
    await asyncio.sleep(SUBSCRIBES_WITHIN_S)
    async with load(mosquitto.port, count) as running:
        before = {name: cpu_s(pid) for name, pid in watched.items()}
        running.begin()
        sent = await running.ended()
        shipped = await _shipped(lambda: _points(bucket), sent, telegraf)
    table.add(label, "in history", "messages/s", count / (shipped - sent.began))
    table.add(label, "taken by broker", "messages/s", count / (sent.ended - sent.began))
    for name, pid in watched.items():
        table.add(label, name, "µs a message", (cpu_s(pid) - before[name]) / count * 1e6)
    table.add(label, "memory", "MiB", memory_mb(telegraf.pid))


def _points(bucket: InfluxBucket) -> int:
    rows = bucket.influxql('SELECT count("seq") AS n FROM "reading"')
    return int(rows[0]["n"]) if rows else 0


async def _shipped(points: Callable[[], int], sent: Sent, telegraf: Process) -> float:
    """When all points are there. To count a hundred thousand takes InfluxDB 10 ms: until the end it is asked seldom."""
    end = time.monotonic() + WITHIN_S
    while (found := await asyncio.to_thread(points)) < sent.count:
        now = time.monotonic()
        if now > end:
            raise NotMeasuredError(f"Telegraf: {found} points were read back of {sent.count}\n{telegraf.last_words()}")
        left_s = (now - sent.began) * (sent.count - found) / max(found, 1)
        await asyncio.sleep(min(max(left_s / 2, LOOK_S), MOST_LOOK_S))
    return time.monotonic()
