"""`hallwatch`: one word for each thing that a person at a terminal does. Each command is a file beside this one.

Only the command that is meant is imported: what the others need (a broker, three clients) takes a second to load.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from sensors.errors import HallwatchError

# Each word, and the file that knows it, in the order of the help.
COMMANDS = {
    "demo": "demo",
    "run": "run",
    "init": "init",
    "check": "check",
    "reload": "reload",
    "simulate": "simulate",
    "replay": "replay",
    "tail": "tail",
    "send": "send",
    "status": "status",
    "ack": "ack",
    "quarantine": "quarantine",
    "user": "user",
    "backup": "backup",
    "restore": "backup",
    "doctor": "doctor",
    "openapi": "openapi",
}


def parser(word: str = "") -> argparse.ArgumentParser:
    """The command line: with the one command that is meant, else with all of them."""
    whole = argparse.ArgumentParser(prog="hallwatch", description="服务大厅值守 · Watches service halls")
    commands = whole.add_subparsers(title="命令 · commands", metavar="COMMAND", required=True)
    files = [COMMANDS[word]] if word in COMMANDS else dict.fromkeys(COMMANDS.values())
    for file in files:
        import_module(f"dashboard.cli.{file}").add_to(commands)
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status: 0 done, 1 refused or failed, 2 wrong usage."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    chosen = parser(words[0] if words else "").parse_args(words)
    try:
        status_: int = chosen.run(chosen)
    except HallwatchError as error:
        print(f"hallwatch: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status_


if __name__ == "__main__":
    sys.exit(main())
