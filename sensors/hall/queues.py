"""Queues: how many wait for a service, and how long one who comes now will wait.

Without the sensor's own estimate the wait is (length + 1) · service time / staffed windows (the QL estimator,
Ibrahim & Whitt 2009). Without a staffed window nobody can say how long it takes.
"""

from typing import Final

from sensors.facts import FactKind, Subject
from sensors.hall.conditions import Evidence, Rule
from sensors.hall.floor import Floor
from sensors.hall.state import DeviceState, ServiceState, Staffing
from sensors.readings import Queue, Reading

CLEAR_BELOW: Final = 0.8  # raise and clear have different thresholds


class QueueMachine:
    """Keeps length and wait of each service; tells QUEUE_LONG."""

    __slots__ = ("_floor",)

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def take(self, device: DeviceState, reading: Reading, value: Queue, now: int) -> None:
        """Take a queue's length. A retained one is shown while nothing better is known, and raises nothing."""
        queue = None if device.service is None else self._floor.state.services.get(device.service)
        if queue is None or reading.flags or (reading.retained and queue.live):
            return
        queue.at = now
        before = (queue.length, queue.own_wait_s, queue.live)
        queue.length, queue.own_wait_s, queue.live = value.length, value.wait_s, not reading.retained
        if before != (queue.length, queue.own_wait_s, queue.live):
            self._floor.marks.services.add(queue.id)

    def doubt(self, device: DeviceState) -> None:
        """What a queue's sensor said last is not known to be so any more."""
        queue = None if device.service is None else self._floor.state.services.get(device.service)
        if queue is not None and device.id in self._floor.wiring.queues.get(queue.id, []):
            queue.live = False
            self._floor.marks.services.add(queue.id)

    def settle(self, id: str, now: int) -> None:
        """Judge a service: its wait with the windows that are staffed now, and whether it is too long."""
        queue, site = self._floor.state.services.get(id), self._floor.index.service(id)
        if queue is None or site is None:
            return
        windows = [self._floor.state.windows[w.id] for w in self._floor.index.windows_of_service(id)]
        queue.open_windows = sum(window.staffing is Staffing.STAFFED for window in windows)
        sensors = self._floor.wiring.queues.get(id, [])
        queue.stale = not any(map(self._floor.online, sensors))
        queue.wait_s = queue.own_wait_s
        if queue.own_wait_s is None and queue.length is not None and queue.open_windows:
            queue.wait_s = (queue.length + 1) * site.service_time_s / queue.open_windows
        closed = bool(windows) and all(window.staffing is Staffing.CLOSED for window in windows)
        self._judge(queue, now, closed=closed)

    def _judge(self, queue: ServiceState, now: int, *, closed: bool) -> None:
        limits = self._floor.limits
        key = f"queue_long/{queue.id}"
        truth, seen = self._truth(queue, active=self._floor.conditions.active(key))
        truth = False if closed else truth
        if truth or self._floor.conditions.get(key) is not None:
            rule = Rule(
                key,
                FactKind.QUEUE_LONG,
                Subject("service", queue.id),
                limits.queue_raise_s * 1000,
                limits.queue_clear_s * 1000,
            )
            self._floor.conditions.observe(rule, truth, now, seen)

    def _truth(self, queue: ServiceState, *, active: bool) -> tuple[bool | None, Evidence]:
        limits = self._floor.limits
        factor = CLEAR_BELOW if active else 1.0
        long = Evidence("length", queue.length, limits.queue_length)
        slow = Evidence("wait", queue.wait_s, limits.queue_wait_s)
        if queue.stale or not queue.live or queue.length is None:
            return None, long
        if queue.length >= limits.queue_length * factor:
            return True, long
        if queue.wait_s is None:
            return (None if queue.length else False), slow
        return queue.wait_s >= limits.queue_wait_s * factor, slow
