"""Figures that must be taken while things happen: how long a commit took, how much was written, what was probed.

What merely stands somewhere (alarms, links, the account) is read when somebody asks, and is not kept here.
Names and units are by Prometheus' conventions: base units, `_total` for what only grows.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

# A commit is a sync of the disk: a millisecond on a good one, and an alarm waits for it.
COMMIT_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
PROBE_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
INPUT_BUCKETS: Final = (1, 2, 5, 10, 25, 50, 100, 200, 400)


class Meters:
    """One process's figures, in a registry of their own: nothing that a library registers gets in unasked."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.commit_seconds = Histogram(
            "hallwatch_commit_seconds",
            "Time from handing a batch to the store until it was on the disk.",
            ("hall",),
            buckets=COMMIT_BUCKETS,
            registry=self.registry,
        )
        self.batch_inputs = Histogram(
            "hallwatch_batch_inputs",
            "Inputs in one committed batch.",
            ("hall",),
            buckets=INPUT_BUCKETS,
            registry=self.registry,
        )
        self.commit_failures = Counter(
            "hallwatch_commit_failures",
            "Commits that the store refused, by its reason; what is only busy is tried again.",
            ("hall", "reason"),
            registry=self.registry,
        )
        self.journal_bytes = Counter(
            "hallwatch_journal_written_bytes",
            "Bytes of inputs written to the journal.",
            ("hall",),
            registry=self.registry,
        )
        self.probe_seconds = Histogram(
            "hallwatch_probe_seconds",
            "Time from publishing a synthetic message until it was committed.",
            ("hall", "lane"),
            buckets=PROBE_BUCKETS,
            registry=self.registry,
        )
        self.heartbeats = Counter(
            "hallwatch_heartbeats",
            "Heartbeats to the outside: sent, failed, or withheld because the path does not work.",
            ("outcome",),
            registry=self.registry,
        )
        for outcome in ("sent", "failed", "withheld"):
            self.heartbeats.labels(outcome)
