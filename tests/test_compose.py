"""The shipped deployment, looked over as far as it can be without pulling an image: each thing it names is there."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import aiomqtt
import pytest
from pydantic import ValidationError

from dashboard.cli.exposure import exposure_of
from dashboard.cli.main import parser
from dashboard.cli.place import listening
from sensors.site.load import read_site
from tests.compose_file import PORT, Compose, filled
from tests.servers.mosquitto import Mosquitto
from tests.servers.shipped import ShippedBroker
from tests.system.hallwatch import Hallwatch
from tests.system.small_site import Parts, small_site

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
FILE = DEPLOY / "compose.yaml"
PREPARE = DEPLOY / "prepare.py"
# What prepare.py writes beside compose.yaml.
VARIABLES = {"HALLWATCH_USER": "1000:1000", "HALLWATCH_BASE_URL": "https://hall.example.org"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as prepare.py leaves it."""
    folder = tmp_path_factory.mktemp("deploy")
    prepare(folder, "--device", "smoke-1", "--host", "hall.example.org")
    return folder


def prepare(folder: Path, *more: str) -> str:
    command = [sys.executable, str(PREPARE), "--into", str(folder), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def compose() -> Compose:
    """The file as Compose reads it."""
    return Compose.read(FILE, VARIABLES)


def test_the_parts_of_an_installation_are_there(compose: Compose) -> None:
    assert set(compose.services) == {"mosquitto", "postgres", "influxdb", "hallwatch", "grafana"}


def test_nothing_is_begun_without_what_only_a_person_knows() -> None:
    for missing in VARIABLES:
        given = {name: value for name, value in VARIABLES.items() if name != missing}
        with pytest.raises(KeyError, match=missing):
            Compose.read(FILE, given)


def test_a_key_that_is_none_would_be_seen(tmp_path: Path) -> None:
    for right, wrong in (("read_only: true", "readonly: true"), ("postgres:15.13-bookworm", "postgres:latest")):
        text = FILE.read_text("utf-8")
        assert right in text
        (tmp_path / "compose.yaml").write_text(text.replace(right, wrong), encoding="utf-8")
        with pytest.raises(ValidationError):
            Compose.read(tmp_path / "compose.yaml", VARIABLES)


def test_no_service_has_more_rights_than_it_needs(compose: Compose) -> None:
    for name, service in compose.services.items():
        assert service.cap_drop == ["ALL"], name
        assert service.security_opt == ["no-new-privileges:true"], name
        assert service.user == VARIABLES["HALLWATCH_USER"], name
        writable = [path for path, (_, may_write) in service.mounts().items() if may_write]
        assert all(path.startswith(("/var/lib/", "/etc/influxdb2")) for path in writable), name


def test_only_tls_for_devices_can_be_reached_from_outside(compose: Compose) -> None:
    published = {}
    for name, service in compose.services.items():
        for port in service.ports:
            found = PORT.fullmatch(port)
            assert found is not None, port
            published[name, int(found["inner"])] = found["host"]
            assert not all(compose.networks[network].internal for network in service.networks)
    assert published == {
        ("mosquitto", 8883): "127.0.0.1",
        ("hallwatch", 8080): "127.0.0.1",
        ("grafana", 3000): "127.0.0.1",
    }
    opened = Compose.read(FILE, {**VARIABLES, "HALLWATCH_DEVICES": "0.0.0.0"}).services  # noqa: S104
    assert [port for one in opened.values() for port in one.ports if port.startswith("0.")] == ["0.0.0.0:8883:8883"]
    for inner in ("postgres", "influxdb"):
        assert [compose.networks[one].internal for one in compose.services[inner].networks] == [True]


def test_no_password_stands_in_it_or_has_a_default(compose: Compose) -> None:
    secret = re.compile(r"password|token|secret", re.IGNORECASE)
    for name, service in compose.services.items():
        for variable, value in service.environment.items():
            if secret.search(variable):
                assert variable.endswith("_FILE"), (name, variable)
                assert value.removeprefix("/run/secrets/") in service.secrets
        assert set(service.secrets) <= set(compose.secrets)
        for word in service.command:
            if secret.search(word):
                assert word.partition("=")[2].removeprefix("/run/secrets/") in service.secrets
    used = {secret for service in compose.services.values() for secret in service.secrets}
    assert used == set(compose.secrets), "none is made for nobody"


def test_every_file_and_folder_that_it_mounts_is_there(compose: Compose, prepared: Path) -> None:
    mounted = [host for one in compose.services.values() for host, _ in one.mounts().values()]
    mounted += [one.file for one in compose.secrets.values()]
    for host in mounted:
        assert host.startswith("./"), host
        base = prepared if host.startswith("./data/") else DEPLOY
        assert (base / host).exists(), host
    build = compose.services["hallwatch"].build
    assert build is not None
    assert (DEPLOY / build.context).resolve() == ROOT
    assert (ROOT / build.dockerfile).is_file()


def test_who_is_waited_for_says_that_it_lives(compose: Compose) -> None:
    for service in compose.services.values():
        assert set(service.depends_on) <= set(compose.services)
    assert "influxdb" not in compose.services["hallwatch"].depends_on, "nothing waits for the history"


def test_hallwatch_understands_its_command_line(compose: Compose) -> None:
    service = compose.services["hallwatch"]
    chosen = parser("run").parse_args(service.command)
    mounts = service.mounts()
    assert mounts[str(chosen.site.parent)] == ("./data/site", False)
    assert mounts[str(chosen.data)] == ("./data/hallwatch", True)
    assert listening(chosen) == ("0.0.0.0", 8080)  # noqa: S104
    assert exposure_of(chosen).behind_proxy
    assert service.ports[0].endswith(f":{chosen.listen[1]}")


def test_the_site_to_begin_with_fits_what_is_around_it(compose: Compose) -> None:
    loaded = read_site((DEPLOY / "site.yaml").read_text("utf-8"), "site.yaml")
    assert loaded.problems == ()
    assert loaded.site is not None
    site, service = loaded.site, compose.services["hallwatch"]
    influx, mqtt = site.influx, site.mqtt
    assert influx is not None
    given = compose.services["influxdb"].environment
    assert (influx.org, influx.bucket) == (given["DOCKER_INFLUXDB_INIT_ORG"], given["DOCKER_INFLUXDB_INIT_BUCKET"])
    assert influx.url == "http://influxdb:8086"
    assert mqtt.host in compose.services
    assert set(compose.services["mosquitto"].networks) & set(service.networks)
    assert mqtt.password is not None
    assert mqtt.tls is not None
    for file in (influx.token.file, mqtt.password.file):
        assert str(file).removeprefix("/run/secrets/") in service.secrets
    assert mqtt.tls.ca in service.mounts()
    assert f"\nlistener {mqtt.port}\n" in (DEPLOY / "mosquitto" / "hallwatch.conf").read_text("utf-8")


def test_mosquitto_finds_what_its_configuration_names(compose: Compose, prepared: Path) -> None:
    service = compose.services["mosquitto"]
    mounts = service.mounts()
    assert service.command[-1] in mounts
    text = (DEPLOY / mounts[service.command[-1]][0]).read_text("utf-8")
    named = re.findall(r"^(?:password_file|acl_file|cafile|certfile|keyfile) (\S+)$", text, re.MULTILINE)
    assert len(named) == 12
    for file in named:
        folder = next(path for path in mounts if file.startswith(path + "/"))
        assert (prepared / mounts[folder][0] / file[len(folder) + 1 :]).is_file(), file
    place = re.search(r"^persistence_location (\S+)/$", text, re.MULTILINE)
    assert place is not None
    assert mounts[place[1]][1], "what it holds is written"


def test_what_is_prepared_is_its_owner_s_alone_and_stays_as_it_is(prepared: Path) -> None:
    files = [path for path in prepared.rglob("*") if path.is_file()]
    assert len(files) > 12
    assert all(path.stat().st_mode & 0o077 == 0 for path in (*files, prepared / "data", prepared / "data" / "secrets"))
    secrets = [path.read_text("utf-8") for path in (prepared / "data" / "secrets").iterdir() if path.suffix == ""
               and path.is_file()]  # fmt: skip
    assert len(set(secrets)) == len(secrets) == 5
    assert all(len(one) >= 40 for one in secrets)
    before = {path: path.read_bytes() for path in files}
    said = prepare(prepared, "--device", "smoke-1", "--device", "help-1")
    assert "help-1" in said
    assert "smoke-1" not in said
    after = {path: path.read_bytes() for path in before}
    changed = [path.name for path in before if after[path] != before[path]]
    assert changed == ["hallwatch.devices.passwd"]
    assert (prepared / ".env").read_text("utf-8").splitlines()[0] == f"HALLWATCH_USER={_owner()}"


def _owner() -> str:
    return "10001:10001" if os.geteuid() == 0 else f"{os.getuid()}:{os.getgid()}"


async def test_logins_and_certificates_of_prepare_open_the_shipped_broker(tmp_path: Path) -> None:
    """Real Mosquitto with the shipped configuration, over what prepare.py made."""
    folder = tmp_path / "prepared"
    folder.mkdir()
    prepare(folder, "--device", "smoke-1")
    access, secrets = folder / "data" / "mosquitto-access", folder / "data" / "secrets"
    with ShippedBroker(tmp_path / "broker", ()) as broker:
        for file in ("hallwatch.programs.passwd", "hallwatch.devices.passwd"):
            (broker.folder / file).write_bytes((access / file).read_bytes())
        for file in ("server.pem", "server.key", "ca.pem"):
            (broker.folder / file).write_bytes((access / "certs" / file).read_bytes())
        broker.process.stop()
        broker.process.start()
        words = {
            (broker.programs, "gateway"): (secrets / "mqtt-password").read_text("utf-8"),
            (broker.devices, "smoke-1"): (secrets / "devices" / "smoke-1").read_text("utf-8"),
        }
        for (port, user), password in words.items():
            tls = broker.trust if port == broker.devices else None
            async with asyncio.timeout(20), broker.client(port, user, user, password=password, tls=tls):
                pass
            with pytest.raises(aiomqtt.MqttError):
                async with broker.client(port, user, user, password=password + "x", tls=tls):
                    pass


# -- image --------------------------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, lines joined."""
    text = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text("utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def test_the_image_is_built_of_what_is_there_and_runs_as_nobody() -> None:
    found = instructions()
    known = {"FROM", "ARG", "ENV", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL",
             "ENTRYPOINT", "CMD"}  # fmt: skip
    assert {word for word, _ in found} <= known
    stages = [rest for word, rest in found if word == "FROM"]
    assert len(stages) == 2
    for stage in stages:
        assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-bookworm( AS build)?", stage)
    sources = []
    for word, rest in found:
        if word == "COPY" and not rest.startswith("--from"):
            sources += rest.split()[:-1]
    assert {"sensors/", "alerts/", "gateway/", "simulators/", "dashboard/", "requirements/"} <= set(sources)
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source.rstrip('/')}" in ignored, f"{source} would not reach the builder"
    last = found[max(place for place, (word, _) in enumerate(found) if word == "FROM") :]
    users = [rest for word, rest in last if word == "USER"]
    assert users == ["10001:10001"]
    assert not [rest for word, rest in last[last.index(("USER", users[0])) :] if word in {"RUN", "COPY"}]
    for word, rest in found:
        assert not (word in {"ENV", "ARG"} and re.search("password|token|secret", rest, re.IGNORECASE)), rest
        assert word != "ADD"
    assert ("ENTRYPOINT", '["hallwatch"]') in last


def test_every_package_in_the_image_is_named_by_its_hash() -> None:
    installs = re.findall(r"pip install ([^&]*)", " ".join(rest for word, rest in instructions() if word == "RUN"))
    assert len(installs) == 3
    for install in installs:
        assert "--require-hashes" in install or "--no-index" in install
        for lock in re.findall(r"-r (\S+)", install):
            assert (ROOT / lock).is_file()


def healthchecks(compose: Compose) -> list[list[str]]:
    image = next(rest for word, rest in instructions() if word == "HEALTHCHECK")
    return [json.loads(image[image.index("CMD ") + 4 :]), compose.services["hallwatch"].healthcheck.test[1:]]


async def test_the_health_of_the_image_is_that_of_the_gateway(
    compose: Compose, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    gateway = Hallwatch(tmp_path / "gateway", small_site(Parts(mosquitto.port)))
    image, service = healthchecks(compose)
    assert image == service
    with gateway:
        here = [word.replace("http://127.0.0.1:8080", gateway.url) for word in image]
        here[0] = sys.executable
        assert here != image
        done = await asyncio.to_thread(subprocess.run, here, capture_output=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
    done = await asyncio.to_thread(subprocess.run, here, capture_output=True, timeout=30, check=False)
    assert done.returncode != 0


def test_variables_are_put_in_as_compose_does() -> None:
    assert filled("${A:-x} ${B:?why} ${C}", {"B": "b", "C": "c"}) == "x b c"
