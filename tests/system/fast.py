"""`hallwatch run` with a faster clock, as a child process: the same system, in which an hour takes a minute.

Only the gateway's clock is faster. The broker, the sockets, keep-alive and the pauses between attempts live in real
time, so a minute without broker at `--speed 60` is an hour for every rule of the hall, and one for the link.
"""

import argparse
import asyncio
from pathlib import Path

from dashboard.cli.place import address
from dashboard.cli.run import start_log
from dashboard.moment import real_now
from dashboard.settings import Settings
from dashboard.system import run_system
from gateway.clockwork import Clockwork
from simulators.clock import SimClock


def main() -> None:
    """Take the options of `hallwatch run` that the tests give, and `--speed`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--speed", type=float, required=True)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--listen", type=address, required=True)
    parser.add_argument("--socket", type=Path, required=True)
    chosen = parser.parse_args()
    start_log("info")
    chosen.data.mkdir(exist_ok=True)
    host, port = chosen.listen
    settings = Settings(
        site_text=chosen.site.read_text("utf-8"),
        site_name=str(chosen.site),
        data=chosen.data,
        host=host,
        port=port,
        socket=chosen.socket,
        clock_rate=chosen.speed,
    )
    clock = SimClock.start(real_now(), chosen.speed)
    asyncio.run(run_system(settings, clock=Clockwork(clock.now, lambda: clock.rate)))


if __name__ == "__main__":
    main()
