"""A real InfluxDB 2.7: one server for the whole test run, a bucket of its own for each test."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import urllib3

from tests.servers.find import free_port, influxd_program
from tests.servers.process import Process

ORG = "hallwatch"


@dataclass(frozen=True, slots=True)
class InfluxBucket:
    """What a client needs to write to one bucket, and the server behind it for tests that take it away."""

    server: "Influxd"
    name: str
    id: str

    @property
    def url(self) -> str:
        """The server's address."""
        return self.server.url

    @property
    def org(self) -> str:
        """The organisation that the bucket belongs to."""
        return ORG

    @property
    def token(self) -> str:
        """A token that may do everything."""
        return self.server.token

    def influxql(self, query: str) -> list[dict[str, Any]]:
        """The rows of an InfluxQL query, with times in ns; asked without the code that the product uses."""
        fields = {"db": self.name, "q": query, "epoch": "ns"}
        answer = self.server.ask("GET", "/query", fields=fields)
        series = [one for result in answer["results"] for one in result.get("series", [])]
        return [dict(zip(one["columns"], row, strict=True)) for one in series for row in one["values"]]


class Influxd:
    """One InfluxDB server with its own folder; set up with an organisation and a token at its first start."""

    def __init__(self, folder: Path) -> None:
        binary = influxd_program()
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = secrets.token_hex(16)
        self.org_id = ""
        self.pool = urllib3.PoolManager(retries=False, timeout=10.0)
        paths = ("--bolt-path", folder / "influxd.bolt", "--sqlite-path", folder / "influxd.sqlite")
        address = ("--engine-path", folder / "engine", "--http-bind-address", f"127.0.0.1:{self.port}")
        quiet = ("--reporting-disabled", "--log-level", "warn")
        self.process = Process([binary, *paths, *address, *quiet], folder / "influxd.log", self._answers)

    def ask(
        self, method: str, path: str, *, json: object = None, fields: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """One request with the token; the JSON of a success, an error for anything else."""
        headers = {"Authorization": f"Token {self.token}"}
        if json is None:
            answer = self.pool.request(method, self.url + path, fields=fields, headers=headers)
        else:
            answer = self.pool.request(method, self.url + path, json=json, headers=headers)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.data!r}")
        return dict(answer.json())

    def _answers(self) -> bool:
        try:
            return self.pool.request("GET", f"{self.url}/health").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def start(self) -> None:
        """Start, or start again on the same port and folder; returns when it answers and is set up."""
        self.process.start()
        if not self.org_id:
            login = {"username": "hallwatch", "password": secrets.token_hex(16)}
            made = self.ask("POST", "/api/v2/setup", json={**login, "org": ORG, "bucket": "setup", "token": self.token})
            self.org_id = str(made["org"]["id"])

    def stop(self) -> None:
        """An orderly end: from here on connections are refused."""
        self.process.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()

    def pause(self) -> None:
        """The server accepts connections and answers none: the outage that needs a time-out."""
        self.process.pause()

    def resume(self) -> None:
        """Undo `pause`."""
        self.process.resume()

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def create_bucket(self, name: str) -> InfluxBucket:
        """A new, empty bucket that keeps everything."""
        made = self.ask("POST", "/api/v2/buckets", json={"orgID": self.org_id, "name": name, "retentionRules": []})
        return InfluxBucket(self, name, str(made["id"]))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        self.pool.clear()
