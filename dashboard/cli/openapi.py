"""`hallwatch openapi`: the API's description (OpenAPI 3.1) without a running server, for who generates a client."""

import argparse
import sys

from dashboard.cli.place import Commands
from dashboard.server.openapi import written
from dashboard.server.routes import ROUTES


def add_to(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("openapi", help="输出 API 的描述（OpenAPI 3.1）· print the API's description")
    command.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """0: printed, byte for byte what a server of this release serves."""
    sys.stdout.write(written(ROUTES).decode() + "\n")
    return 0
