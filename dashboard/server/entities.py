"""What the page shows, made from what stands in the hall now: one entity for each thing, names apart.

Reads state and book, which change with every batch, so it is done in one go without an await.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from alerts.model import Message, Run, Ticket
from dashboard.server.desk import HallDesk, HistoryHealth
from dashboard.server.names import People, name
from dashboard.server.records import alarm_entity, event_entity, run_entity, ticket_entity
from dashboard.server.subjects import UNKNOWN, About
from dashboard.server.wire import (
    AnyEntity,
    DeviceEntity,
    HallEntity,
    PersonEntity,
    PlanEntity,
    ProbeEntity,
    ServiceEntity,
    WindowEntity,
    ZoneEntity,
)
from gateway.store.records import EventRow
from sensors.hall.account import sum_of
from sensors.hall.state import DeviceState, HallState, Liveness, Origin
from sensors.readings import Kind


@dataclass(frozen=True, slots=True)
class Rows:
    """What is read from the store, since it is not in memory any more: who was told, what happened, what has ended."""

    messages: tuple[Message, ...] = ()
    events: tuple[EventRow, ...] = ()
    runs: tuple[Run, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    about: Mapping[str, About] = field(default_factory=dict)


def entities(desk: HallDesk, rows: Rows, *, names: bool, rate: float, demo: bool) -> dict[str, AnyEntity]:
    """All entities of a hall, keyed `type/id`. Without `names` nothing says who a person is."""
    people = People(desk.site, shown=names)
    state, book = desk.view.state, desk.view.book
    made: list[AnyEntity] = [_hall(desk, desk.health(), rate=rate, demo=demo)]
    made += _zones(desk, state)
    made += _windows(desk, state, people)
    made += _services(desk, state)
    made += _people(desk, state, people)
    made += (device_entity(desk, device) for device in state.devices.values())
    made += (alarm for one in book.alarms.values() if (alarm := alarm_entity(one, people)) is not None)
    # What is open stands last and so wins over a row that was read before.
    made += (run_entity(run, people, rows.messages) for run in (*rows.runs, *book.runs.values()))
    made += (ticket_entity(ticket, people) for ticket in (*rows.tickets, *book.tickets.values()))
    made += (PlanEntity(plan.id, name(plan.name), plan.hazard, plan.version) for plan in desk.site.hall.plans)
    told = (event_entity(row, people, rows.about.get(row.event.about, UNKNOWN)) for row in rows.events)
    made += (event for event in told if event is not None)
    return {f"{one.__struct_config__.tag}/{one.id}": one for one in made}


def _hall(desk: HallDesk, history: HistoryHealth, *, rate: float, demo: bool) -> HallEntity:
    hall, state = desk.site.hall, desk.view.state
    now = desk.path.now()
    sums, watched = sum_of(state), desk.watch()
    return HallEntity(
        id=hall.id,
        name=name(hall.name),
        timezone=hall.timezone,
        size=hall.size,
        open=desk.site.calendar.is_open(now),
        changes_at=desk.site.calendar.next_change(now),
        links=dict(state.links),
        demo=demo,
        clock_rate=rate,
        received=sums.received,
        stored=sums.stored,
        duplicate=sums.duplicate,
        quarantined=sums.quarantined,
        refused=sums.refused,
        awaiting=sums.awaiting,
        probe=sums.probe,
        gaps=sums.gaps,
        unexplained=watched.balance.unexplained,
        lost=watched.balance.lost,
        reasons=sums.reasons,
        probes=tuple(ProbeEntity(one.lane, one.at, _round(one.took_ms), one.late) for one in watched.probes),
        history_behind=history.behind,
        history_store=history.store,
        stalled_since=desk.path.stalled_since,
    )


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _heard(devices: Iterable[DeviceState]) -> bool:
    """True when at least one of these is heard: a figure whose sources are all silent is stale."""
    return any(device.liveness is Liveness.ONLINE for device in devices)


def _sources(state: HallState, kinds: set[Kind]) -> Iterator[DeviceState]:
    for device in state.devices.values():
        if device.origin in {Origin.SITE, Origin.APPROVED} and kinds & set(device.kinds):
            yield device


def _zones(desk: HallDesk, state: HallState) -> Iterator[ZoneEntity]:
    counting = list(_sources(state, {Kind.PEOPLE_COUNT, Kind.CROWD}))
    for zone in desk.site.hall.zones:
        now = state.zones.get(zone.id)
        sources = [device for device in counting if device.zone == zone.id]
        yield ZoneEntity(
            id=zone.id,
            name=name(zone.name),
            outline=zone.outline,
            area_m2=zone.area_m2,
            capacity=zone.capacity,
            occupancy=now.occupancy if now else None,
            level=str(now.level) if now and now.level is not None else None,
            at=now.at if now else None,
            stale=bool(sources) and not _heard(sources),
            counted=bool(sources),
        )


def _windows(desk: HallDesk, state: HallState, people: People) -> Iterator[WindowEntity]:
    for window in desk.site.hall.windows:
        now = state.windows.get(window.id)
        pause = now.pause if now else None
        here = [people.name(person) for person in now.people] if now else []
        yield WindowEntity(
            id=window.id,
            number=window.number,
            name=name(window.name),
            zone=window.zone,
            services=window.services,
            staffing=str(now.staffing) if now else "unknown",
            since=now.since if now else 0,
            xy=window.at,
            people=tuple(one for one in here if one is not None),
            pause_until=pause.until if pause else None,
            pause_by=people.actor(pause.by) if pause else None,
            covered_by=people.name(pause.covered_by) if pause else None,
            pause_reason=people.text(pause.reason) if pause else "",
            at=now.present_at if now else None,
        )


def _services(desk: HallDesk, state: HallState) -> Iterator[ServiceEntity]:
    queues = list(_sources(state, {Kind.QUEUE}))
    for service in desk.site.hall.services:
        now = state.services.get(service.id)
        sources = [device for device in queues if device.service == service.id]
        yield ServiceEntity(
            id=service.id,
            name=name(service.name),
            length=now.length if now else None,
            wait_s=now.wait_s if now else None,
            at=now.at if now else None,
            open_windows=now.open_windows if now else 0,
            threshold=desk.site.hall.thresholds.queue_length,
            stale=not _heard(sources),
        )


def _people(desk: HallDesk, state: HallState, people: People) -> Iterator[PersonEntity]:
    """The sessions of today, in the hall's zone; those of yesterday that the state still keeps are no news."""
    calendar = desk.site.calendar
    today = calendar.date_of(desk.path.now())
    for session in state.sessions.values():
        shown = people.name(session.person)
        if shown is not None and calendar.date_of(session.start) == today:
            yield PersonEntity(
                id=session.key,
                name=shown,
                window=session.window,
                start=session.start,
                end=session.end,
                punch=str(session.punch),
                first_in=session.first_in,
                minutes_late=session.minutes_late,
            )


def device_entity(desk: HallDesk, device: DeviceState) -> DeviceEntity:
    """A device."""
    planned = desk.site.device(device.id)
    account = device.account
    return DeviceEntity(
        id=device.id,
        family=device.family,
        origin=str(device.origin),
        kinds=tuple(map(str, device.kinds)),
        liveness=str(device.liveness),
        liveness_since=device.liveness_since,
        name=name(planned.name) if planned and planned.name else None,
        zone=device.zone,
        window=device.window,
        service=device.service,
        xy=planned.at if planned else None,
        asset=planned.asset if planned else None,
        power=device.power,
        model=device.model,
        last_seen=device.last_seen,
        state=_device_state(device),
        code=device.equipment_code,
        battery_pct=device.battery_pct,
        battery_low=bool(device.battery_low),
        skew_ms=device.skew_ms,
        gaps=account.gaps,
        received=account.received,
        stored=account.stored,
        duplicate=account.duplicate,
        quarantined=account.quarantined,
        refused=account.refused,
        awaiting=account.awaiting,
        shadowed=device.shadowed,
    )


def _device_state(device: DeviceState) -> str | None:
    if device.fire:
        return "alarm"
    state = str(device.equipment) if device.equipment is not None else "ok" if device.fire is False else None
    # A device that is silent has told us nothing of now: what was well then is unknown.
    return None if state == "ok" and device.liveness is not Liveness.ONLINE else state
