"""Beyond this machine nothing is served in the clear, and nothing is shown without a login, unless somebody says so."""

import argparse
import logging
from pathlib import Path

import pytest

from dashboard.cli.example import EXAMPLE
from dashboard.cli.exposure import ExposedError, TlsError, exposure_of
from dashboard.cli.first import FILE_NAME, invite
from dashboard.cli.main import main, parser
from dashboard.server.rights import Role
from dashboard.settings import Exposure
from tests.dashboard.desk import PASSWORD, running

FAR = ["0.0.0.0:8080", "192.168.1.5:8080", "[::]:8080", "[2001:db8::1]:8080", "hall.example.org:8080", "0:8080"]
NEAR = ["127.0.0.1:8080", "127.8.9.1:80", "[::1]:8080", "localhost:8080", ":8080"]
URL = ["--base-url", "https://hall.example.org"]
TLS = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"]


def chosen(*words: str) -> argparse.Namespace:
    return parser().parse_args(["run", "--site", "x", *words])


@pytest.mark.parametrize("place", FAR)
@pytest.mark.parametrize("words", [["run", "--site", str(EXAMPLE)], ["demo"]])
def test_nothing_listens_beyond_this_machine_in_the_clear(
    place: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(tmp_path / "data")] if words[0] == "run" else []
    assert main([*words, *data, "--listen", place, *URL]) == 1
    said = capsys.readouterr().err
    for mend in ("--tls-cert", "--tls-key", "--behind-proxy"):
        assert mend in said
    assert not (tmp_path / "data" / "hallwatch.db").exists()


@pytest.mark.parametrize("place", FAR)
@pytest.mark.parametrize("how", [TLS, ["--behind-proxy"]])
def test_with_tls_or_behind_a_proxy_it_does_and_asks_for_a_login(place: str, how: list[str]) -> None:
    assert not exposure_of(chosen("--listen", place, *URL, *how)).open_view
    assert exposure_of(chosen("--listen", place, *URL, *how, "--open-view")).open_view


@pytest.mark.parametrize("place", NEAR)
def test_on_this_machine_the_hall_is_open(place: str) -> None:
    assert exposure_of(chosen("--listen", place)) == Exposure(open_view=True)
    # But a proxy on the same machine lets the whole world in.
    assert not exposure_of(chosen("--listen", place, "--behind-proxy")).open_view
    assert not exposure_of(chosen("--listen", place, *URL)).open_view
    assert exposure_of(chosen("--listen", place, "--base-url", "http://127.0.0.1:9000")).open_view


def test_a_certificate_has_two_halves() -> None:
    for half in (TLS[:2], TLS[2:]):
        with pytest.raises(TlsError):
            exposure_of(chosen(*half))
    with pytest.raises(ExposedError):
        exposure_of(chosen("--listen", FAR[0]))
    assert exposure_of(chosen(*TLS)).tls == (Path("cert.pem"), Path("key.pem"))


# -- the first admin


async def test_the_first_link_is_kept_from_every_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(tmp_path, user=False) as server:
        await invite(server.doors, "http://127.0.0.1:1", tmp_path)
        file = tmp_path / FILE_NAME
        assert file.stat().st_mode & 0o777 == 0o600
        link = file.read_text("utf-8").strip()
        assert link.startswith("http://127.0.0.1:1/#/first/")
        said = capsys.readouterr()
        assert link.rpartition("/")[2] not in caplog.text + said.out + said.err
        assert str(file) in caplog.text, "but where it is, is said"
        await invite(server.doors, "http://127.0.0.1:1", tmp_path)
        assert file.read_text("utf-8").strip() != link, "another start, another link"
        await server.doors.add("wang", PASSWORD, Role.ADMIN)
        await invite(server.doors, "http://127.0.0.1:1", tmp_path)
        assert not file.exists()


async def test_at_a_terminal_the_first_link_is_printed_and_nowhere_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    async with running(tmp_path, user=False) as server:
        await invite(server.doors, "http://127.0.0.1:1", tmp_path)
    assert "http://127.0.0.1:1/#/first/" in capsys.readouterr().out
    assert not (tmp_path / FILE_NAME).exists()
