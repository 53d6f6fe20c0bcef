"""The site file's model: what a site is made of, checked by pydantic, exported as JSON Schema.

Read by everything; written by people. Every model refuses unknown keys only after warning (`load.py`
strips and names them), so a file from a newer version still starts. Defaults are those of the field;
their sources stand in `docs/site.md`.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from sensors.readings import CrowdLevel, Kind
from sensors.site import rules
from sensors.site.limits import Limits
from sensors.site.part import Id, Part
from sensors.site.robots import DingtalkChannel, FeishuChannel, WecomChannel
from sensors.site.secret import Secret
from sensors.site.watch import Watch

PERIOD_PATTERN: Final = r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$"
DATE_PATTERN: Final = r"^\d{4}-\d\d-\d\d$"
TOPIC_PATTERN: Final = r"^[^+#\x00/$][^+#\x00]{0,199}$"
YEAR_S: Final = 31_536_000
URL_PATTERN: Final = r"^https?://[^\s/]+"

Metres = Annotated[float, Field(ge=0, le=10_000)]
Point = tuple[Metres, Metres]
Extent = Annotated[float, Field(gt=0, le=10_000)]
Outline = Annotated[tuple[Point, ...], AfterValidator(rules.polygon)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Period = Annotated[str, Field(pattern=PERIOD_PATTERN)]
Periods = Annotated[tuple[Period, ...], AfterValidator(rules.ordered_periods)]
Date = Annotated[str, Field(pattern=DATE_PATTERN), AfterValidator(rules.real_date)]
TimeZone = Annotated[str, AfterValidator(rules.known_timezone)]
Topic = Annotated[str, Field(pattern=TOPIC_PATTERN)]
Url = Annotated[str, Field(pattern=URL_PATTERN)]


class Words(Part):
    """A name or sentence in both languages; `en` falls back to `zh`."""

    zh: str = Field(min_length=1, max_length=500)
    en: str | None = Field(default=None, max_length=500)


class Tls(Part):
    """TLS to the broker; `ca` defaults to the system's authorities."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None


class Mqtt(Part):
    """The broker. Two persistent sessions are opened for each hall: life safety and telemetry."""

    host: str = "127.0.0.1"
    port: int = Field(default=1883, ge=1, le=65535)
    version: Literal["3.1.1", "5"] = "5"
    tls: Tls | None = None
    username: str | None = None
    password: Secret | None = None
    keepalive_s: int = Field(default=20, ge=5, le=3600)
    max_unacknowledged: int = Field(default=5000, ge=10, le=1_000_000)


class Influx(Part):
    """An InfluxDB 2.x (or compatible) store for the history of readings."""

    url: Url
    org: str
    bucket: str
    token: Secret
    batch: int = Field(default=2000, ge=1, le=50_000)


class FamilyUse(Part):
    """A device family spoken on this site; `base` is the family's root topic where it has one."""

    family: Id
    base: Topic | None = None
    hall: Id | None = None


class LogChannel(Part):
    """Writes the message to the gateway's log."""

    id: Id
    type: Literal["log"]


class MqttChannel(Part):
    """Publishes the message on the broker, for signs and sirens. `{hall}` in the topic is replaced."""

    id: Id
    type: Literal["mqtt"]
    topic: Topic = "hallwatch/v1/{hall}/notice"


class Accept(Part):
    """When a 2xx answer means "taken": its JSON has `equals` at `field` (inner fields after dots).

    `retry` are values by which the service says "not now"; any other value is a refusal.
    """

    field: str = Field(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){0,7}$", max_length=200)
    equals: bool | int | str
    retry: tuple[bool | int | str, ...] = ()


class WebhookChannel(Part):
    """POSTs JSON with an HMAC signature. Private addresses must be allowed by name."""

    id: Id
    type: Literal["webhook"]
    url: Url
    secret: Secret | None = None
    timeout_s: float = Field(default=5, gt=0, le=30)
    allow_private: bool = False
    accept: Accept | None = None


class EmailChannel(Part):
    """Mail by SMTP."""

    id: Id
    type: Literal["email"]
    host: str
    port: int = Field(default=587, ge=1, le=65535)
    sender: str
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str | None = None
    password: Secret | None = None
    timeout_s: float = Field(default=10, gt=0, le=60)


Channel = Annotated[
    LogChannel | MqttChannel | WebhookChannel | EmailChannel | WecomChannel | DingtalkChannel | FeishuChannel,
    Field(discriminator="type"),
]


class Person(Part):
    """A member of staff. `contacts` maps a channel's id to this person's address on it."""

    id: Id
    name: Words
    badges: tuple[str, ...] = ()
    contacts: dict[str, str] = Field(default_factory=dict)


class Zone(Part):
    """An area of the hall (区域); `area_m2` is usable area, `capacity` the fire plan's cap."""

    id: Id
    name: Words
    area_m2: float = Field(gt=0, le=1_000_000)
    capacity: int = Field(gt=0, le=1_000_000)
    outline: Outline = ()


class Service(Part):
    """A service (业务) people queue for."""

    id: Id
    name: Words
    service_time_s: float = Field(default=300, gt=0, le=28_800)


class Window(Part):
    """A service window (窗口). `hours` overrides the hall's."""

    id: Id
    number: int = Field(ge=0, le=9999)
    name: Words
    zone: Id
    services: tuple[Id, ...] = ()
    hours: dict[Day, Periods] | None = None
    at: Point | None = None


class DeviceClass(Part):
    """Liveness: how long this device may be silent before it is stale and then offline (s)."""

    stale_s: int = Field(gt=0, le=YEAR_S)
    offline_s: int = Field(gt=0, le=YEAR_S)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        rules.rising((("stale_s", self.stale_s), ("offline_s", self.offline_s)))
        return self


class Device(Part):
    """A device. `address` is its name on the wire where that differs from `id` (a Zigbee friendly name)."""

    id: Id
    name: Words | None = None
    family: Id = "native"
    address: str | None = None
    kinds: tuple[Kind, ...] = Field(min_length=1)
    zone: Id | None = None
    window: Id | None = None
    service: Id | None = None
    at: Point | None = None
    power: Literal["mains", "battery", "sleeping"] = "mains"
    silent: DeviceClass | None = None
    asset: Literal["printer", "kiosk", "pc", "display", "ups", "network", "other"] | None = None
    key: Secret | None = None
    retired: bool = False


class Shift(Part):
    """Who works when and where. Without `hours`, the window's (or the hall's) own periods."""

    person: Id
    window: Id
    role: str = "clerk"
    days: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri")
    hours: Periods | None = None


class MakeupDay(Part):
    """A working day off the usual week (调休): this date is worked like that weekday."""

    date: Date
    like: Day


class Role(Part):
    """A role in a plan. Holders are told in order: after `answer_s` without an answer the next."""

    id: Id
    name: Words
    holders: tuple[Id, ...] = Field(min_length=1)
    answer_s: int = Field(default=30, ge=5, le=3600)


Stage = Literal["verify", "active"]


class Step(Part):
    """One step of a plan: who does what within how many seconds of its stage's start."""

    id: Id
    role: Id
    text: Words
    stage: Stage = "active"
    due_s: int = Field(default=120, ge=1, le=86_400)


class Message(Part):
    """What is told to whom when a stage starts.

    Audience: `roles` the holders in order, each role's first and then the next; `holders` all holders of all
    roles at once; `everyone` all people of the site with a contact; `public` the hall's notice (MQTT
    channels). Without `channels`: every channel a person has a contact on; for `public` every MQTT channel.
    """

    stage: Stage = "active"
    audience: Literal["roles", "holders", "everyone", "public"] = "roles"
    channels: tuple[Id, ...] = ()
    text: Words


class Plan(Part):
    """An emergency plan (应急预案). `hazard` decides which alarm starts it; `other` only a person starts."""

    id: Id
    name: Words
    hazard: Literal["fire", "crowd", "earthquake", "network", "other"]
    version: int = Field(default=1, ge=1)
    verify_s: int = Field(default=180, ge=10, le=3600)
    repeat_s: int = Field(default=60, ge=10, le=3600)
    roles: tuple[Role, ...] = Field(min_length=1)
    steps: tuple[Step, ...] = ()
    messages: tuple[Message, ...] = Field(min_length=1)


class Routing(Part):
    """Who is told of alarms without a plan: `people` in order, by `channels` (all of a person's if empty)."""

    people: tuple[Id, ...] = ()
    channels: tuple[Id, ...] = ()
    answer_s: int = Field(default=300, ge=10, le=86_400)
    repeat_s: int = Field(default=300, ge=10, le=86_400)


class CrowdThresholds(Part):
    """Density (people per m² of usable area) at which each level starts."""

    blue: float = Field(default=1.0, gt=0, le=20)
    yellow: float = Field(default=1.7, gt=0, le=20)
    orange: float = Field(default=2.5, gt=0, le=20)
    red: float = Field(default=3.5, gt=0, le=20)
    raise_s: int = Field(default=30, ge=0, le=86_400)
    clear_s: int = Field(default=120, ge=0, le=86_400)
    clear_below: float = Field(default=0.85, gt=0, le=1)
    alarm_from: CrowdLevel = CrowdLevel.ORANGE

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        levels = (("blue", self.blue), ("yellow", self.yellow), ("orange", self.orange), ("red", self.red))
        rules.rising(levels)
        return self


class Thresholds(Part):
    """Thresholds and holds; all durations in s."""

    late_grace_s: int = Field(default=300, ge=0, le=YEAR_S)
    absent_after_s: int = Field(default=1800, ge=0, le=YEAR_S)
    staffed_decay_s: int = Field(default=120, ge=0, le=YEAR_S)
    unstaffed_after_s: int = Field(default=300, ge=1, le=YEAR_S)
    unstaffed_clear_s: int = Field(default=10, ge=0, le=YEAR_S)
    pause_max_s: int = Field(default=1800, ge=60, le=YEAR_S)
    queue_length: int = Field(default=20, ge=1, le=100_000)
    queue_wait_s: int = Field(default=900, ge=30, le=YEAR_S)
    queue_raise_s: int = Field(default=60, ge=0, le=YEAR_S)
    queue_clear_s: int = Field(default=120, ge=0, le=YEAR_S)
    equipment_raise_s: int = Field(default=10, ge=0, le=YEAR_S)
    equipment_clear_s: int = Field(default=60, ge=0, le=YEAR_S)
    broker_lost_s: int = Field(default=20, ge=0, le=YEAR_S)
    start_grace_s: int = Field(default=120, ge=0, le=YEAR_S)
    help_clear_s: int = Field(default=60, ge=0, le=YEAR_S)
    clock_skew_s: int = Field(default=120, ge=1, le=YEAR_S)
    offline_hold_s: int = Field(default=10, ge=0, le=YEAR_S)
    crowd: CrowdThresholds = CrowdThresholds()
    mains: DeviceClass = DeviceClass(stale_s=180, offline_s=600)
    battery: DeviceClass = DeviceClass(stale_s=7200, offline_s=14_400)
    sleeping: DeviceClass = DeviceClass(stale_s=90_000, offline_s=180_000)


class Display(Part):
    """The public display of a hall; nothing about persons is on it."""

    show: bool = True
    notices: Annotated[tuple[Words, ...], Field(max_length=20)] = ()


class Hall(Part):
    """A service hall (大厅). `size` is the floor plan's width and height in metres."""

    id: Id
    name: Words
    timezone: TimeZone = "Asia/Shanghai"
    size: tuple[Extent, Extent] = (40.0, 24.0)
    hours: dict[Day, Periods]
    holidays: tuple[Date, ...] = ()
    makeup_days: tuple[MakeupDay, ...] = ()
    zones: tuple[Zone, ...] = ()
    services: tuple[Service, ...] = ()
    windows: tuple[Window, ...] = ()
    devices: tuple[Device, ...] = ()
    shifts: tuple[Shift, ...] = ()
    plans: tuple[Plan, ...] = ()
    routing: Routing = Routing()
    display: Display = Display()
    thresholds: Thresholds = Thresholds()


class Site(Part):
    """The whole site file."""

    site: Id
    name: Words
    mqtt: Mqtt = Mqtt()
    influx: Influx | None = None
    limits: Limits = Limits()
    watch: Watch = Watch()
    families: tuple[FamilyUse, ...] = (FamilyUse(family="native"),)
    channels: tuple[Channel, ...] = (LogChannel(id="log", type="log"),)
    people: tuple[Person, ...] = ()
    halls: tuple[Hall, ...] = Field(min_length=1)
