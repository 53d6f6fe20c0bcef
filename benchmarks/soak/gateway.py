"""The gateway of a soak: the one composition of `hallwatch run`, in a process that can be killed, at the soak's clock.

`python -m benchmarks.soak.gateway SITE DATA SOCKET PORT ORIGIN RATE ANCHOR STEP`: ORIGIN, RATE and ANCHOR are the clock
(`sensors.clock`), STEP is a file that says by how many ms this machine's is wrong. The monotonic clock is the same in
all processes, so devices, people and a gateway that was killed and started anew all live in one hurried hall.
"""

import asyncio
import sys
import time
from pathlib import Path

from dashboard.cli.run import start_log
from dashboard.moment import SteadyClock
from dashboard.settings import Settings
from dashboard.system import run_system
from gateway.clockwork import Clockwork
from sensors.clock import Clock


def main(arguments: list[str]) -> None:
    """Run until SIGTERM."""
    site, data, socket, port, origin, rate, anchor, step = arguments
    clock = Clock(int(origin), float(rate), float(anchor))
    wrong = Path(step)

    def wall() -> int:
        return clock.at(time.monotonic()) + int(wrong.read_text(encoding="ascii"))

    def steady() -> int:
        return round(time.monotonic() * 1000 * clock.rate)

    settings = Settings(
        site_text=Path(site).read_text(encoding="utf-8"),
        site_name=site,
        data=Path(data),
        port=int(port),
        socket=Path(socket),
        clock_rate=clock.rate,
    )
    start_log("warning")
    asyncio.run(run_system(settings, clock=Clockwork(SteadyClock(wall, steady), lambda: clock.rate)))


if __name__ == "__main__":
    main(sys.argv[1:])
