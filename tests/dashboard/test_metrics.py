"""The figures and the health checks, over HTTP; `promtool` reads the figures as Prometheus would."""

import re
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from dashboard.server.desk import HOUSE, House
from dashboard.server.figures import HallFigures
from gateway.watch.watched import Probed, Session, Surveyed, Watched
from sensors.site.index import SiteIndex
from tests.dashboard.desk import NOW, SITE, FakeView, Running, alarm, browser, local, running
from tests.servers.find import program

UP = (
    Session("safety", up=True, subscribed=True, received=7),
    Session("telemetry", up=True, subscribed=True, received=1200),
)
# All names that a label may have: none of them is a device's or a person's.
LABELS = {
    *("hall", "lane", "outcome", "priority", "state", "stage", "store", "liveness", "reason"),
    *("version", "python", "le", "bound"),
}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, metrics_token="open sesame") as server:
        yield server


async def figures(server: Running) -> str:
    async with local(server) as client, client.get("/metrics") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        return await answer.text()


def value(text: str, name: str, **labels: str) -> float:
    """One sample; there must be exactly one."""
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    (found,) = [one for one in samples if one.name == name and labels.items() <= one.labels.items()]
    return float(found.value)


def promtool_says(text: str) -> tuple[int, str]:
    command = [str(program("promtool", "prometheus")), "check", "metrics"]
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    return done.returncode, done.stdout + done.stderr


async def test_prometheus_can_read_the_figures_and_finds_no_fault_in_their_names(server: Running) -> None:
    server.watched(Watched(sessions=UP, probes=(Probed("safety", NOW, 12.5, 3.0, fresh=True, late=False),)))
    text = await figures(server)
    assert promtool_says(text) == (0, "")
    # And it would find one.
    status, words = promtool_says(text.replace("hallwatch_link_received_total", "hallwatch_link_received_ms"))
    assert status != 0
    assert "hallwatch_link_received_ms" in words


async def test_the_figures_say_what_stands(server: Running) -> None:
    server.watched(Watched(sessions=UP, store=Surveyed(held=3, bytes=4096), waiting=5, index=99))
    server.view.state.stray.received = server.view.state.stray.refused = 4
    server.view.book.alarms["A000001"] = alarm()
    text = await figures(server)
    assert value(text, "hallwatch_link_up", hall="h1", lane="safety") == 1
    assert value(text, "hallwatch_link_received_total", lane="telemetry") == 1200
    assert value(text, "hallwatch_messages_total", outcome="refused") == 4
    assert value(text, "hallwatch_messages_total", outcome="stored") == 0
    assert value(text, "hallwatch_alarms_open", priority="life_safety") == 1
    assert value(text, "hallwatch_alarms_unacknowledged", priority="life_safety") == 1
    assert value(text, "hallwatch_alarms_open", priority="high") == 0
    assert value(text, "hallwatch_devices", liveness="online") == 1
    assert value(text, "hallwatch_quarantine_held_messages") == 3
    assert value(text, "hallwatch_store_size_bytes") == 4096
    assert value(text, "hallwatch_path_waiting_inputs") == 5
    assert value(text, "hallwatch_journal_next_index") == 99
    assert value(text, "process_resident_memory_bytes") > 1_000_000
    assert value(text, "process_open_fds") > 3


async def test_no_figure_names_a_device_or_a_person(server: Running) -> None:
    server.view.book.alarms["A000001"] = alarm()
    text = await figures(server)
    for word in ("smoke-1", "wang", "王", "w1"):
        assert word not in text
    labels = {name for family in text_string_to_metric_families(text) for one in family.samples for name in one.labels}
    assert labels <= LABELS


async def test_over_tcp_the_figures_want_the_sites_token(server: Running) -> None:
    async with aiohttp.ClientSession(server.url) as client:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "open sesame"}):
            async with client.get("/metrics", headers=headers) as answer:
                assert answer.status == 401
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert "hallwatch_" not in await answer.text()
        async with client.get("/metrics", headers={"Authorization": "Bearer open sesame"}) as answer:
            assert answer.status == 200


async def test_without_a_token_nobody_reads_the_figures_over_tcp(tmp_path: Path) -> None:
    async with running(tmp_path) as server, browser(server, login=True) as client, client.get("/metrics") as answer:
        assert (answer.status, (await answer.json())["code"]) == (403, "metrics_closed")


async def test_alive_is_not_ready(server: Running) -> None:
    async with aiohttp.ClientSession(server.url) as client:

        async def ask(path: str) -> tuple[int, object]:
            async with client.get(path) as answer:
                return answer.status, await answer.json()

        server.watched(Watched(sessions=UP))
        assert await ask("/readyz") == (200, {"ready": True, "reasons": []})
        server.watched(Watched(sessions=(replace(UP[0], up=False), replace(UP[1], subscribed=False))))
        reasons: list[dict[str, object]] = [
            {"hall": "h1", "code": "link_down", "lane": "safety"},
            {"hall": "h1", "code": "not_subscribed", "lane": "telemetry"},
        ]
        assert await ask("/readyz") == (503, {"ready": False, "reasons": reasons})
        server.watched(Watched(sessions=UP, store=Surveyed(answers=False)))
        server.path.stalled_since = NOW
        reasons = [{"hall": "h1", "code": "store_stalled", "since": NOW}, {"hall": "h1", "code": "store_silent"}]
        assert await ask("/readyz") == (503, {"ready": False, "reasons": reasons})
        assert await ask("/healthz") == (200, {"status": "ok"})


async def test_two_halls_are_samples_of_one_family(server: Running) -> None:
    desk = server.app[HOUSE].halls["h1"]
    other = replace(desk, view=FakeView(site=SiteIndex(SITE, SITE.halls[0].model_copy(update={"id": "h2"}))))
    families = list(
        HallFigures(House({"h1": desk, "h2": other}, server.store.tokens, server.store.audit), ()).collect()
    )
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    (devices,) = [family for family in families if family.name == "hallwatch_devices"]
    online = {one.labels["hall"]: one.value for one in devices.samples if one.labels["liveness"] == "online"}
    assert online == {"h1": 1, "h2": 1}


RULES = Path(__file__).parents[2] / "deploy" / "prometheus"


@pytest.mark.parametrize(
    "command", [("check", "rules", "hallwatch.rules.yml"), ("test", "rules", "hallwatch.rules.test.yml")]
)
def test_promtool_finds_no_fault_in_the_shipped_rules(command: tuple[str, ...]) -> None:
    tool = str(program("promtool", "prometheus"))
    done = subprocess.run([tool, *command], cwd=RULES, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


async def test_the_shipped_rules_ask_for_figures_that_exist(server: Running) -> None:
    server.watched(Watched(sessions=UP, probes=(Probed("safety", NOW, 12.5, 3.0, fresh=True, late=False),)))
    server.app[HOUSE].meters.commit_seconds.labels("h1").observe(0.01)
    families = text_string_to_metric_families(await figures(server))
    given = {sample.name for family in families for sample in family.samples}
    rules = (RULES / "hallwatch.rules.yml").read_text("utf-8")
    asked = set(re.findall(r"\b(?:hallwatch|process)_[a-z_]+\b", rules))
    assert len(asked) > 10
    assert asked <= given
