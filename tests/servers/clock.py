"""A wall's clock that a test can step, for one real process: see `clock.c`."""

import subprocess
import sys
from pathlib import Path

from tests.servers.find import program

SOURCE = Path(__file__).with_suffix(".c")


class SteppedClock:
    """Gives the environment under which a process starts, and steps its clock while it runs."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.library = folder / "clock.so"
        self._file = folder / "offset"
        compiler = program("gcc", "gcc")
        command: list[str | Path] = [compiler, "-O1", "-shared", "-fPIC", "-o", self.library, SOURCE, "-ldl"]
        subprocess.run(command, check=True, capture_output=True)
        self.step_to(0)

    @property
    def environment(self) -> dict[str, str]:
        """What the process must find."""
        return {"LD_PRELOAD": str(self.library), "STEPPED_CLOCK": str(self._file)}

    def step_to(self, seconds: int) -> None:
        """From now on the process's wall clock is so many seconds ahead of the true one."""
        # Written in place: the process has the file mapped.
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(seconds.to_bytes(8, sys.byteorder, signed=True))
