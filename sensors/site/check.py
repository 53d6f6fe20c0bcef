"""What one part of the site file says of another: every name used is defined, every identity is unique.

Runs over a site whose values are good one by one; errors keep it from loading, warnings say what will stay
unknown or unheard.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Protocol

from sensors.readings import Kind
from sensors.site.index import normal_token
from sensors.site.mend import choose
from sensors.site.model import Hall, Plan, Site
from sensors.site.problem import Found, Path, Said, Severity


class _Named(Protocol):
    @property
    def id(self) -> str: ...


def check_site(site: Site) -> Iterator[Found]:
    """Everything wrong between the parts of a site."""
    people = _ids(site.people)
    channels = _ids(site.channels)
    yield from _unique("people", site.people)
    yield from _unique("channels", site.channels)
    yield from _unique("halls", site.halls)
    for i, person in enumerate(site.people):
        for channel in person.contacts:
            yield from _refer(("people", i, "contacts", channel), channel, channels, _CHANNEL)
    yield from _badges(site)
    for i, use in enumerate(site.families):
        if use.hall is not None:
            yield from _refer(("families", i, "hall"), use.hall, _ids(site.halls), _HALL)
    yield from _addresses(site)
    for i, hall in enumerate(site.halls):
        at: Path = ("halls", i)
        yield from _hall(site, hall, at)
        yield from _devices(site, hall, at)
        if len(hall.devices) > site.limits.devices:
            said = Said(f"{len(hall.devices)} 台设备，超过 limits.devices", "more devices than limits.devices")
            mend = Said(f"将其设为 {len(hall.devices)} 以上", f"set it to {len(hall.devices)} or more")
            yield Found((*at, "devices"), "too_many", said, mend)
        yield from _calendar(hall, at)
        for j, plan in enumerate(hall.plans):
            yield from _plan(site, plan, (*at, "plans", j), people, channels)
        yield from _routing(site, hall, (*at, "routing"), people, channels)


_CHANNEL = Said("通道", "channel")
_HALL = Said("大厅", "hall")
_PERSON = Said("人员", "person")
_ROLE = Said("角色", "role")
_SERVICE = Said("业务", "service")
_WINDOW = Said("窗口", "window")
_ZONE = Said("区域", "zone")


def _ids(parts: Iterable[_Named]) -> frozenset[str]:
    return frozenset(part.id for part in parts)


def _refer(path: Path, name: str, known: Collection[str], what: Said) -> Iterator[Found]:
    """A name that must be defined elsewhere in the file."""
    if name not in known:
        said = Said(f"没有这个{what.zh}：{name}", f"no such {what.en}: {name}")
        yield Found(path, "undefined", said, choose(name, known))


def _unique(where: str, parts: Sequence[_Named], at: Path = ()) -> Iterator[Found]:
    first: dict[str, int] = {}
    for i, part in enumerate(parts):
        if part.id in first:
            before = f"{where}[{first[part.id]}]"
            said = Said(f"id 重复，{before} 已用", f"id used already by {before}")
            yield Found((*at, where, i, "id"), "not_unique", said, _OTHER_ID)
        first.setdefault(part.id, i)


def _badges(site: Site) -> Iterator[Found]:
    owner: dict[str, str] = {}
    for i, person in enumerate(site.people):
        for j, badge in enumerate(person.badges):
            token = normal_token(badge)
            path: Path = ("people", i, "badges", j)
            if not token.isascii() or not 2 <= len(token) <= 64:  # noqa: PLR2004 — what a badge reading can hold
                said = Said("工卡号不对", "not a badge token")
                mend = Said("2 至 64 个字母或数字，如 04A1B2C3", "2 to 64 letters or digits, such as 04A1B2C3")
                yield Found(path, "badge", said, mend)
            elif token in owner:
                said = Said(f"工卡已属于 {owner[token]}", f"this badge is {owner[token]}'s")
                yield Found(path, "not_unique", said, Said("一张工卡只属于一个人", "give each badge to one person"))
            owner.setdefault(token, person.id)


def _addresses(site: Site) -> Iterator[Found]:
    """The native scheme has the hall in its topic; other families share one root over all halls."""
    taken: dict[tuple[str, str, str], str] = {}
    for i, hall in enumerate(site.halls):
        for j, device in enumerate(hall.devices):
            if device.retired:
                continue
            address = device.address or device.id
            key = (device.family, hall.id if device.family == "native" else "", address)
            if key in taken and taken[key] != device.id:  # the same id twice has been told already
                said = Said(f"地址 {address} 已由设备 {taken[key]} 使用", f"address {address} is {taken[key]}'s")
                mend = Said("给它设备实际的 address", "give the address that the device has on the wire")
                last = "address" if device.address is not None else "id"
                yield Found(("halls", i, "devices", j, last), "not_unique", said, mend)
            taken.setdefault(key, device.id)


def _hall(site: Site, hall: Hall, at: Path) -> Iterator[Found]:
    for where, parts in (
        ("zones", hall.zones), ("services", hall.services), ("windows", hall.windows), ("plans", hall.plans),
        ("devices", hall.devices),
    ):  # fmt: skip
        yield from _unique(where, parts, at)
    zones, services, windows = _ids(hall.zones), _ids(hall.services), _ids(hall.windows)
    numbers = Counter(window.number for window in hall.windows)
    for i, window in enumerate(hall.windows):
        here = (*at, "windows", i)
        yield from _refer((*here, "zone"), window.zone, zones, _ZONE)
        for j, service in enumerate(window.services):
            yield from _refer((*here, "services", j), service, services, _SERVICE)
        if numbers[window.number] > 1:
            said = Said("窗口号重复", "another window has this number")
            mend = Said("每个窗口一个号", "one number a window")
            yield Found((*here, "number"), "number_twice", said, mend, Severity.WARNING)
    people = {person.id: person for person in site.people}
    for i, shift in enumerate(hall.shifts):
        yield from _refer((*at, "shifts", i, "person"), shift.person, people, _PERSON)
        yield from _refer((*at, "shifts", i, "window"), shift.window, windows, _WINDOW)
        if shift.person in people and not people[shift.person].badges:
            said = Said("此人没有工卡，签到无从得知", "this person has no badge, so no punch can be seen")
            mend = Said("在 people 中给他 badges", "give badges to the person under people")
            yield Found((*at, "shifts", i, "person"), "no_badge", said, mend, Severity.WARNING)


def _devices(site: Site, hall: Hall, at: Path) -> Iterator[Found]:
    families = {use.family for use in site.families if use.hall in (None, hall.id)}
    zones, services, windows = _ids(hall.zones), _ids(hall.services), _ids(hall.windows)
    for i, device in enumerate(hall.devices):
        here = (*at, "devices", i)
        if device.family not in families:
            said = Said(f"families 中没有 {device.family}", f"{device.family} is not listed under families")
            mend = Said(f"在 families 中加 - family: {device.family}", f"add - family: {device.family} to families")
            yield Found((*here, "family"), "undefined", said, mend)
        for key, name, known, what in (
            ("zone", device.zone, zones, _ZONE), ("window", device.window, windows, _WINDOW),
            ("service", device.service, services, _SERVICE),
        ):  # fmt: skip
            if name is not None:
                yield from _refer((*here, key), name, known, what)
        if device.key is not None and device.family != "native":
            said = Said(f"{device.family} 的消息不能签名", f"messages of {device.family} cannot be signed")
            yield Found((*here, "key"), "no_signature", said, Said("去掉 key", "leave key out"))
        yield from _placed(hall, i, here)
    seen = {device.window for device in hall.devices if {Kind.BADGE, Kind.PRESENCE} & set(device.kinds)}
    for i, window in enumerate(hall.windows):
        if window.id not in seen:
            said = Said(
                "没有读卡器也没有在位传感器，状态将一直未知", "no reader and no presence sensor: always unknown"
            )
            mend = Said(f"给一个设备写 window: {window.id}", f"give a device window: {window.id}")
            yield Found((*at, "windows", i), "unseen_window", said, mend, Severity.WARNING, value="")


def _placed(hall: Hall, i: int, here: Path) -> Iterator[Found]:
    """A device stands where its readings can count, and on the plan."""
    device = hall.devices[i]
    needs_zone = {Kind.FIRE, Kind.CROWD, Kind.PEOPLE_COUNT} & set(device.kinds)
    if needs_zone and device.zone is None and device.window is None:
        kinds = ", ".join(sorted(needs_zone))
        said = Said(f"{kinds} 需要知道区域", f"{kinds}: nobody knows in which zone")
        yield Found(here, "no_zone", said, Said("加 zone: …", "add zone: …"), Severity.WARNING, value="")
    if Kind.QUEUE in device.kinds and device.service is None:
        said = Said("queue 需要知道业务", "queue: nobody knows for which service")
        yield Found(here, "no_service", said, Said("加 service: …", "add service: …"), Severity.WARNING, value="")
    if device.at is not None and not (0 <= device.at[0] <= hall.size[0] and 0 <= device.at[1] <= hall.size[1]):
        said = Said("在平面图之外", "outside the floor plan")
        mend = Said("at 为 [x, y]，单位米，在 size 之内", "at is [x, y] in metres, within the hall's size")
        yield Found((*here, "at"), "outside", said, mend, Severity.WARNING)


def _calendar(hall: Hall, at: Path) -> Iterator[Found]:
    worked: set[str] = set()
    for i, makeup in enumerate(hall.makeup_days):
        path = (*at, "makeup_days", i, "date")
        if makeup.date in worked:
            said = Said("这一天写了两次", "this date is given twice")
            yield Found(path, "not_unique", said, Said("删去其中一个", "take one of them out"))
        if makeup.date in hall.holidays:
            said = Said("既是假日又是调休上班日，按上班日算", "a holiday too; it is taken as a working day")
            yield Found(path, "holiday_worked", said, Said("留下其中之一", "keep one of the two"), Severity.WARNING)
        worked.add(makeup.date)


def _plan(site: Site, plan: Plan, at: Path, people: Collection[str], channels: Collection[str]) -> Iterator[Found]:
    yield from _unique("roles", plan.roles, at)
    yield from _unique("steps", plan.steps, at)
    for i, role in enumerate(plan.roles):
        for j, holder in enumerate(role.holders):
            path = (*at, "roles", i, "holders", j)
            yield from _refer(path, holder, people, _PERSON)
            yield from _reachable(site, holder, path)
    for i, step in enumerate(plan.steps):
        yield from _refer((*at, "steps", i, "role"), step.role, _ids(plan.roles), _ROLE)
    public = {channel.id for channel in site.channels if channel.type == "mqtt"}
    for i, message in enumerate(plan.messages):
        for j, channel in enumerate(message.channels):
            path = (*at, "messages", i, "channels", j)
            yield from _refer(path, channel, channels, _CHANNEL)
            if message.audience == "public" and channel in channels and channel not in public:
                said = Said("公众通知只走 mqtt 通道", "the public is told by mqtt channels only")
                yield Found(path, "not_public", said, choose(channel, public))


def _reachable(site: Site, person: str, path: Path) -> Iterator[Found]:
    """Whoever must answer can be told."""
    if any(one.id == person and not one.contacts for one in site.people):
        said = Said(f"{person} 没有联系方式，无法通知", f"{person} has no contact and cannot be told")
        mend = Said("在 people 中给他 contacts", "give contacts to the person under people")
        yield Found(path, "no_contact", said, mend, Severity.WARNING)


def _routing(site: Site, hall: Hall, at: Path, people: Collection[str], channels: Collection[str]) -> Iterator[Found]:
    for i, person in enumerate(hall.routing.people):
        yield from _refer((*at, "people", i), person, people, _PERSON)
        yield from _reachable(site, person, (*at, "people", i))
    for i, channel in enumerate(hall.routing.channels):
        yield from _refer((*at, "channels", i), channel, channels, _CHANNEL)
    hazards = Counter(plan.hazard for plan in hall.plans)
    for i, plan in enumerate(hall.plans):
        if plan.hazard != "other" and hazards[plan.hazard] > 1:
            path = (*at[:-1], "plans", i, "hazard")
            said = Said(
                f"{plan.hazard} 有多个预案，不知启动哪个", f"several plans for {plan.hazard}: which one starts?"
            )
            yield Found(path, "not_unique", said, Said("每种险情留一个预案", "keep one plan a hazard"))
    if not hazards["fire"] and any(Kind.FIRE in device.kinds for device in hall.devices):
        said = Said("有火灾探测器，却没有火灾预案", "there are fire detectors but no plan for fire")
        mend = Said("加一个 hazard: fire 的预案", "add a plan with hazard: fire")
        yield Found((*at[:-1],), "no_fire_plan", said, mend, Severity.WARNING, value="")


_OTHER_ID = Said("换一个 id", "give it another id")
