"""Makes the dumps of a release: `python -m tests.gateway.store.releases.dump FOLDER NUMBER`.

FOLDER holds the release's own code (`git archive RELEASE | tar -x -C FOLDER`), NUMBER is its newest migration.
"""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.servers.find import postgres_program
from tests.servers.postgres import Postgres

HERE = Path(__file__).parent


def filled(folder: Path, url: str) -> None:
    """Fill a database with the release's own code."""
    # The address without its driver's name meant another driver then.
    named = url.replace("postgresql://", "postgresql+psycopg://")
    subprocess.run([sys.executable, HERE / "fill.py", named], cwd=folder, check=True)


def sqlite_dump(folder: Path, place: Path) -> str:
    """The words that make the SQLite file again."""
    filled(folder, f"sqlite:///{place}")
    with sqlite3.connect(place) as connection:
        words = "\n".join(connection.iterdump())
    connection.close()
    return words + "\n"


def postgres_dump(folder: Path, server: Postgres) -> str:
    """The words that make the PostgreSQL database again; nothing of the server they were made on."""
    database = server.create_database("release")
    filled(folder, database.url)
    # A restore makes its connection forget the schemas; ours goes on with it.
    command: list[str | Path] = [postgres_program("pg_dump"), "--inserts", "--no-owner", "--no-privileges"]
    command.append(database.url)
    made = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    lines = [line for line in made.stdout.splitlines() if not line.startswith(("--", "\\", "SET ")) and line]
    return "\n".join(line for line in lines if "set_config('search_path'" not in line) + "\n"


def main(folder: Path, number: int) -> None:
    """Write both files."""
    with TemporaryDirectory() as place:
        text = sqlite_dump(folder, Path(place) / "release.db")
        (HERE / f"{number:04}.sqlite.sql").write_text(text, encoding="utf-8")
    with Postgres() as server:
        (HERE / f"{number:04}.postgresql.sql").write_text(postgres_dump(folder, server), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), int(sys.argv[2]))
