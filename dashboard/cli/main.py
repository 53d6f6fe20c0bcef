"""`hallwatch`: one word for each thing that a person at a terminal does. Each command is a file beside this one."""

import argparse
import sys
from collections.abc import Sequence

from dashboard.cli import ack, backup, check, demo, quarantine, run, simulate, status, user
from sensors.errors import HallwatchError

COMMANDS = (demo, run, check, simulate, status, ack, quarantine, user, backup)


def parser() -> argparse.ArgumentParser:
    """The command line with all its commands."""
    whole = argparse.ArgumentParser(prog="hallwatch", description="服务大厅值守 · Watches service halls")
    commands = whole.add_subparsers(title="命令 · commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_to(commands)
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status: 0 done, 1 refused or failed, 2 wrong usage."""
    chosen = parser().parse_args(arguments)
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
