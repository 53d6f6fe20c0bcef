"""The rules of the house that no linter knows: who imports whom, how long files are, what is not written."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("alerts", "dashboard", "gateway", "sensors", "simulators")
LINES_AT_MOST = 400
# Names that say nothing of what is inside, so that everything ends up there.
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc", "base", "const", "constants"}
# Words of the ordinary package registries' hosts, and the options by which a file would choose one.
REGISTRY = re.compile(
    r"https?://[\w.-]*(pypi|pythonhosted|npmjs|npmmirror|golang|crates|debian|maven)[\w.-]*\.\w+"
    r"|--(extra-)?index-url|--find-links|--trusted-host|GOPROXY *=",
    re.IGNORECASE,
)
# Folders of the machines that this was written on.
MACHINE_PATH = re.compile(r"(?<![\w./-])/(work|root)(/|(?=[\s\"'`),;:]|$))|\.\./shared\b")


def modules(*folders: str) -> list[Path]:
    """The Python files of these folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def outside_node_modules(paths: list[Path]) -> list[Path]:
    """Without what npm has installed."""
    return [path for path in paths if "node_modules" not in path.parts]


def tracked() -> Iterator[tuple[str, str]]:
    """Name and text of every tracked text file."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        path = ROOT / name
        if not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            yield name, content.decode("utf-8", errors="replace")


def calls(tree: ast.AST, *names: str) -> list[int]:
    """The lines on which something of one of these names is called as asyncio's or a loop's own."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
            owner = ast.unparse(node.func.value)
            if owner == "asyncio" or owner.endswith(("loop", "loop()")):
                found.append(node.lineno)
        if isinstance(node, ast.ImportFrom) and node.module == "asyncio":
            found += [node.lineno for alias in node.names if alias.name in names]
    return found


def test_imports_run_one_way() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Contracts: [4-9] kept, 0 broken", done.stdout), done.stdout


def test_a_wrong_import_would_be_seen(tmp_path: Path) -> None:
    """The contracts are run over a small house in which sensors imports the floor above, and a socket."""
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "sensors" / "wrong.py").write_text("import socket\nimport alerts\n", encoding="utf-8")
    (tmp_path / "simulators" / "wrong.py").write_text("import alerts\n", encoding="utf-8")
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    config = ["--config", str(ROOT / "pyproject.toml")]
    done = subprocess.run([*command, *config], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    for broken in ("then sensors BROKEN", "nothing of alarms BROKEN", "starts no task BROKEN"):
        assert broken in done.stdout.replace("\n", " "), done.stdout


@pytest.mark.parametrize("folder", PACKAGES)
def test_a_module_is_named_for_what_it_holds(folder: str) -> None:
    nameless = [path for path in modules(folder) if {path.stem.strip("_"), path.parent.name} & NAMELESS]
    assert not nameless


def test_files_stay_short() -> None:
    files = modules(*PACKAGES, "tests", "benchmarks")
    files += [path for kind in ("*.ts", "*.svelte") for path in (ROOT / "dashboard" / "web").rglob(kind)]
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in outside_node_modules(files)}
    assert not {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > LINES_AT_MOST}


@pytest.mark.parametrize("folder", PACKAGES)
def test_a_package_file_holds_a_docstring_and_nothing_more(folder: str) -> None:
    for path in (ROOT / folder).rglob("__init__.py"):
        tree = ast.parse(path.read_text("utf-8"))
        assert ast.get_docstring(tree), f"{path} says nothing about the package"
        assert len(tree.body) == 1, f"{path} holds more than a docstring"


@pytest.mark.parametrize("folder", PACKAGES)
def test_every_task_belongs_to_a_group(folder: str) -> None:
    """A bare task keeps its failure to itself; a TaskGroup's task takes the block down with it."""
    for path in modules(folder):
        bare = calls(ast.parse(path.read_text("utf-8")), "create_task", "ensure_future")
        assert not bare, f"{path}, lines {bare}"


@pytest.mark.parametrize("folder", PACKAGES)
def test_a_package_says_that_it_is_typed(folder: str) -> None:
    assert (ROOT / folder / "py.typed").is_file()


def test_no_tracked_file_names_a_registry_or_a_folder_of_one_machine() -> None:
    found = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in tracked()
        for number, line in enumerate(text.splitlines(), 1)
        if name != "tests/test_house.py" and (REGISTRY.search(line) or MACHINE_PATH.search(line))
    ]
    assert not found, "\n".join(found)


def test_what_would_be_found_is_found() -> None:
    assert REGISTRY.search("see https://" + "pypi" + ".org/simple")
    assert REGISTRY.search('"resolved": "https://registry.' + "npmjs" + '.org/a/-/a-1.tgz"')
    assert MACHINE_PATH.search("/" + "work/main/x.py")
    assert MACHINE_PATH.search("HOME=" + "x /" + "root")
    assert not MACHINE_PATH.search("api/" + "work/orders and /workers and /rooted")


def test_every_pinned_dependency_has_its_hash() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        text = lock.read_text("utf-8").replace("\\\n", " ")
        pins = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        assert pins
        assert all(re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", pin) for pin in pins), lock


@pytest.mark.parametrize(("variable", "status"), [("HALLWATCH_NO_SKIP", 1), ("CI", 1), ("NEITHER", 0)])
@pytest.mark.parametrize("where", ["inside", "whole file", "mark"])
def test_ci_takes_a_skip_for_a_failure(tmp_path: Path, variable: str, status: int, where: str) -> None:
    skipping = {
        "inside": "import pytest\ndef test_x():\n    pytest.skip('no broker here')\n",
        "whole file": "import pytest\npytest.skip('no broker here', allow_module_level=True)\n",
        "mark": "import pytest\n@pytest.mark.skip(reason='no broker here')\ndef test_x(): pass\n",
    }
    ran = "\ndef test_y(): pass\n"
    (tmp_path / "test_skipping.py").write_text(skipping[where], encoding="utf-8")
    (tmp_path / "test_running.py").write_text(ran, encoding="utf-8")
    plain = {name: value for name, value in os.environ.items() if name not in {"CI", "HALLWATCH_NO_SKIP"}}
    environment = {**plain, variable: "true", "PYTHONPATH": str(ROOT)}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "-rA",
        "-c",
        os.devnull,
    ]
    done = subprocess.run([*command, tmp_path], env=environment, capture_output=True, text=True, check=False)
    assert min(done.returncode, 2) == (2 if status and where == "whole file" else status), done.stdout + done.stderr
    assert ("no skip is allowed here" in done.stdout) == bool(status)
    assert "no broker here" in done.stdout
