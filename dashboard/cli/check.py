"""`hallwatch check FILE`: every error of a site file by line, key, value and mend; its schema for editors."""

import argparse
import json
import sys
from pathlib import Path

from dashboard.cli.place import Commands
from dashboard.site_file import read_text
from sensors.decode.schema import native_schema
from sensors.site.load import read_site
from sensors.site.problem import format_problems
from sensors.site.schema import site_schema


def add_to(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("check", help="检查站点文件 · check a site file")
    command.add_argument("file", type=Path, metavar="FILE", nargs="?", help="站点文件 · the site file")
    command.add_argument(
        "--schema",
        choices=("site", "device"),
        nargs="?",
        const="site",
        help="输出 JSON Schema（站点文件，或设备消息）· print the JSON Schema: site file, or devices",
    )
    command.set_defaults(run=run, command=command)


def run(chosen: argparse.Namespace) -> int:
    """0: good (warnings are printed); 1: it would not load."""
    if chosen.schema:
        schema = site_schema() if chosen.schema == "site" else native_schema()
        print(json.dumps(schema, ensure_ascii=False, indent=2))
        return 0
    if chosen.file is None:
        chosen.command.error("FILE")
    loaded = read_site(read_text(chosen.file), str(chosen.file))
    if loaded.problems:
        print(format_problems(loaded.problems, loaded.name), file=sys.stderr)
    if loaded.site is None:
        return 1
    halls = loaded.site.halls
    devices = sum(len(hall.devices) for hall in halls)
    print(f"{chosen.file}: 可用 · good ({len(halls)} 大厅 halls, {devices} 设备 devices, {loaded.digest[:12]})")
    return 0
