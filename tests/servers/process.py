"""One server process: started until it answers, ended by its id, shown with its last words when it fails."""

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

START_WITHIN_S = 30.0
STOP_WITHIN_S = 15.0


class Process:
    """A child process with a log file; `ready` is asked until it says that the server answers."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        ready: Callable[[], bool],
        *,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.command = [str(part) for part in command]
        self.log = log
        self.ready = ready
        self.stop_signal = stop_signal
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """True while the process lives, be it stopped by `pause`."""
        return self.child is not None and self.child.poll() is None

    @property
    def pid(self) -> int:
        """The id of the process; it must be running."""
        assert self.child is not None, f"{self.command[0]} was never started"
        return self.child.pid

    def start(self) -> None:
        """Start the process and wait until it answers; its log is kept over several starts."""
        assert not self.running, f"{self.command[0]} runs already"
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.log.parent,
            )
        until = time.monotonic() + START_WITHIN_S
        while not self.ready():
            if self.child.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError(f"{self.command[0]} did not start:\n{self.last_words()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ask it to end, and wait for the orderly end; one that does not come is an error, after a kill."""
        if self.child is None or not self.running:
            return
        self.child.send_signal(signal.SIGCONT)
        self.child.send_signal(self.stop_signal)
        try:
            self.child.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """SIGKILL: what a power cut looks like to the process."""
        if self.child is not None:
            self.child.kill()
            self.child.wait()

    def pause(self) -> None:
        """SIGSTOP: the server still holds its port and its connections, and answers nobody."""
        assert self.child is not None
        self.child.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Undo `pause`."""
        assert self.child is not None
        self.child.send_signal(signal.SIGCONT)

    def last_words(self) -> str:
        """The end of the log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:] if self.log.is_file() else ""
