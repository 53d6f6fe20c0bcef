"""The bounds of one process: how much is taken in and kept, whatever arrives.

Nothing here ever discards a fire or a call for help. What is dropped is counted with its reason, shown, and told
of as an alarm of the gateway's own.
"""

from pydantic import Field

from sensors.site.part import Part


class Limits(Part):
    """Bounds, each for one hall; those of connections and requests are the process's.

    A device may send `burst` messages at once and `rate_per_s` for ever. The burst is generous: after an outage a
    broker delivers at once what a device has said in hours. A message costs one, and one more for each 16 KiB.
    """

    payload_kib: int = Field(default=4096, ge=16, le=16_384)
    topic_length: int = Field(default=256, ge=64, le=65_535)
    devices: int = Field(default=10_000, ge=1, le=100_000)
    unknown_devices: int = Field(default=1000, ge=0, le=10_000)
    topics: int = Field(default=50_000, ge=1, le=1_000_000)
    rate_per_s: float = Field(default=50, gt=0, le=100_000)
    burst: int = Field(default=20_000, ge=1, le=1_000_000)
    unacknowledged_mib: int = Field(default=64, ge=1, le=4096)
    outbox: int = Field(default=10_000, ge=10, le=1_000_000)
    connections: int = Field(default=400, ge=2, le=10_000)
    pages: int = Field(default=200, ge=1, le=10_000)
    page_queue_kib: int = Field(default=2048, ge=64, le=65_536)
    request_kib: int = Field(default=256, ge=64, le=4096)
    journal_mib: int = Field(default=2048, ge=1, le=1_048_576)
    quarantine_rows: int = Field(default=10_000, ge=10, le=1_000_000)
    quarantine_mib: int = Field(default=64, ge=1, le=16_384)
