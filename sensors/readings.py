"""Readings: the typed values that devices report, the vocabulary of everything after the decoder.

Each kind is validated by pydantic straight into a frozen slotted value; after that nothing is validated
again. Units and ranges stand beside each field and are exported with the JSON Schema.
Source of the kinds: the device families described in `docs/devices.md`.
"""

from enum import IntFlag, StrEnum
from typing import Annotated, Final

import msgspec
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

# The stores hold 64-bit integers, finite numbers and text without NUL; what cannot be held is refused here.
WIRE: Final = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True, str_max_length=256)


def _unit(unit: str) -> dict[str, str]:
    return {"unit": unit}


Text = Annotated[str, Field(max_length=256, pattern=r"^[^\x00]*$")]
Count = Annotated[int, Field(ge=0, le=1_000_000, json_schema_extra=_unit("people"))]
Total = Annotated[int, Field(ge=0, le=2**53, json_schema_extra=_unit("people, cumulative"))]
Seconds = Annotated[float, Field(ge=0, le=604_800, json_schema_extra=_unit("s"))]
Percent = Annotated[float, Field(ge=0, le=100, json_schema_extra=_unit("%"))]
Dbm = Annotated[float, Field(ge=-150, le=30, json_schema_extra=_unit("dBm"))]


class Kind(StrEnum):
    """The thirteen reading kinds."""

    BADGE = "badge"
    PRESENCE = "presence"
    PEOPLE_COUNT = "people_count"
    QUEUE = "queue"
    EQUIPMENT = "equipment"
    FIRE = "fire"
    CROWD = "crowd"
    ENVIRONMENT = "environment"
    CONTACT = "contact"
    BUTTON = "button"
    SEISMIC = "seismic"
    AVAILABILITY = "availability"
    BATTERY = "battery"


class BadgeResult(StrEnum):
    """What the reader said of the card: `seen` is a reader that does not decide (BLE, UHF)."""

    GRANTED = "granted"
    DENIED = "denied"
    UNKNOWN = "unknown"
    SEEN = "seen"


class Direction(StrEnum):
    """Which way the person went, where the reader knows."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True, config=WIRE)
class Badge:
    """A person's token at a reader. `token` is upper-case hex without separators."""

    token: Annotated[str, Field(min_length=2, max_length=64, pattern=r"^[0-9A-Za-z]+$")]
    result: Annotated[BadgeResult, Field(strict=False)] = BadgeResult.SEEN
    direction: Annotated[Direction | None, Field(strict=False)] = None
    antenna: Annotated[int | None, Field(ge=0, le=255)] = None
    rssi: Dbm | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class Presence:
    """Someone is in a small zone (a desk). `confidence` is 0 to 1."""

    present: bool
    confidence: Annotated[float | None, Field(ge=0, le=1)] = None


@dataclass(frozen=True, slots=True, config=WIRE)
class PeopleCount:
    """Occupancy of a zone, or crossings of a line; at least one field is given."""

    occupancy: Count | None = None
    in_delta: Count | None = None
    out_delta: Count | None = None
    in_total: Total | None = None
    out_total: Total | None = None
    dwell_avg_s: Seconds | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class Queue:
    """People who wait for a service; `wait_s` is the sensor's own estimate, `head_wait_s` the first one's wait."""

    length: Count
    wait_s: Seconds | None = None
    head_wait_s: Seconds | None = None


class EquipmentState(StrEnum):
    """Health of an asset."""

    OK = "ok"
    DEGRADED = "degraded"
    FAULT = "fault"
    OFF = "off"


@dataclass(frozen=True, slots=True, config=WIRE)
class Equipment:
    """Health of an asset, with the maker's fault `code` and its meters."""

    state: Annotated[EquipmentState, Field(strict=False)]
    code: Annotated[Text | None, Field(max_length=64)] = None
    power_w: Annotated[float | None, Field(ge=0, le=100_000, json_schema_extra=_unit("W"))] = None
    energy_kwh: Annotated[float | None, Field(ge=0, le=1e9, json_schema_extra=_unit("kWh"))] = None
    consumable_pct: Percent | None = None
    runtime_s: Annotated[float | None, Field(ge=0, le=1e10, json_schema_extra=_unit("s"))] = None


class FireSensor(StrEnum):
    """What felt the fire; `mcp` is a manual call point (手动报警按钮), `panel` a fire panel's relay."""

    SMOKE = "smoke"
    HEAT = "heat"
    CO = "co"
    GAS = "gas"
    MCP = "mcp"
    PANEL = "panel"


@dataclass(frozen=True, slots=True, config=WIRE)
class Fire:
    """A fire detector's state. `test` is the detector's own test button; `fault` asks for a ticket."""

    alarm: bool
    sensor: Annotated[FireSensor, Field(strict=False)] = FireSensor.SMOKE
    test: bool = False
    fault: bool = False
    muted: bool = False
    tamper: bool = False


class CrowdLevel(StrEnum):
    """Levels of crowding, people per m² of usable area (`docs/devices.md` gives the thresholds)."""

    NORMAL = "normal"
    BLUE = "blue"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"


@dataclass(frozen=True, slots=True, config=WIRE)
class Crowd:
    """A crowd alarm made by the device itself: its level, or a count against its threshold."""

    level: Annotated[CrowdLevel | None, Field(strict=False)] = None
    count: Count | None = None
    threshold: Count | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class Environment:
    """Room climate; each field is one metric, at least one is given."""

    temperature_c: Annotated[float | None, Field(ge=-60, le=150, json_schema_extra=_unit("°C"))] = None
    humidity_pct: Percent | None = None
    co2_ppm: Annotated[float | None, Field(ge=0, le=100_000, json_schema_extra=_unit("ppm"))] = None
    pm25_ugm3: Annotated[float | None, Field(ge=0, le=10_000, json_schema_extra=_unit("µg/m³"))] = None
    noise_dba: Annotated[float | None, Field(ge=0, le=160, json_schema_extra=_unit("dB(A)"))] = None
    leak: bool | None = None
    fill_pct: Percent | None = None


@dataclass(frozen=True, slots=True, config=WIRE)
class Contact:
    """A door, window, cabinet or lock; `open` is true when it stands open."""

    open: bool
    tamper: bool = False


class ButtonAction(StrEnum):
    """What a press means: `help` asks for people at once, `fault` opens a ticket."""

    HELP = "help"
    FAULT = "fault"
    CLEANED = "cleaned"
    RATE_GOOD = "rate_good"
    RATE_BAD = "rate_bad"
    PRESS = "press"


@dataclass(frozen=True, slots=True, config=WIRE)
class Button:
    """One press of a button."""

    action: Annotated[ButtonAction, Field(strict=False)]


@dataclass(frozen=True, slots=True, config=WIRE)
class Seismic:
    """An earthquake early warning or a local sensor's event. Times are ms since the epoch, UTC."""

    magnitude: Annotated[float | None, Field(ge=-2, le=11)] = None
    intensity_max: Annotated[float | None, Field(ge=0, le=12, json_schema_extra=_unit("intensity I-XII"))] = None
    lat: Annotated[float | None, Field(ge=-90, le=90, json_schema_extra=_unit("°"))] = None
    lon: Annotated[float | None, Field(ge=-180, le=180, json_schema_extra=_unit("°"))] = None
    depth_km: Annotated[float | None, Field(ge=0, le=1000, json_schema_extra=_unit("km"))] = None
    origin_time: Annotated[int | None, Field(ge=0, le=2**53, json_schema_extra=_unit("ms"))] = None
    report_no: Annotated[int | None, Field(ge=0, le=10_000)] = None
    final: bool = False
    cancel: bool = False
    training: bool = False


class Scope(StrEnum):
    """Whose liveness is told."""

    DEVICE = "device"
    GATEWAY = "gateway"
    BRIDGE = "bridge"


@dataclass(frozen=True, slots=True, config=WIRE)
class Availability:
    """Online or offline, as the device, its gateway or its last will says."""

    online: bool
    scope: Annotated[Scope, Field(strict=False)] = Scope.DEVICE
    reason: Annotated[Text | None, Field(max_length=64)] = None


@dataclass(frozen=True, slots=True, config=WIRE)
class Battery:
    """Charge of a device's battery."""

    pct: Percent | None = None
    low: bool | None = None


Value = (
    Badge
    | Presence
    | PeopleCount
    | Queue
    | Equipment
    | Fire
    | Crowd
    | Environment
    | Contact
    | Button
    | Seismic
    | Availability
    | Battery
)

VALUES: Final[dict[Kind, type[Value]]] = {
    Kind.BADGE: Badge,
    Kind.PRESENCE: Presence,
    Kind.PEOPLE_COUNT: PeopleCount,
    Kind.QUEUE: Queue,
    Kind.EQUIPMENT: Equipment,
    Kind.FIRE: Fire,
    Kind.CROWD: Crowd,
    Kind.ENVIRONMENT: Environment,
    Kind.CONTACT: Contact,
    Kind.BUTTON: Button,
    Kind.SEISMIC: Seismic,
    Kind.AVAILABILITY: Availability,
    Kind.BATTERY: Battery,
}


class Clock(StrEnum):
    """How far the device's clock is to be trusted; a device's time is always a claim."""

    SYNCED = "synced"
    FREE = "free"
    NONE = "none"


class Flag(IntFlag):
    """Why a reading is not a live event: none of these ever starts a real plan."""

    NONE = 0
    TEST = 1
    DRILL = 2
    HISTORY = 4
    LEARN = 8


class Place(msgspec.Struct, frozen=True):
    """Where a device stands: a zone, and the window it serves if it serves one."""

    zone: str | None = None
    window: str | None = None


class Reading(msgspec.Struct, frozen=True):
    """One typed value that a device reported.

    `received` and `device_time` are ms since the epoch (UTC); `boot` and `sequence` are the device's own
    counters where it has them; `retained` marks last-known state, which is never an event.
    """

    hall: str
    device: str
    place: Place
    kind: Kind
    value: Value
    received: int
    device_time: int | None = None
    clock: Clock = Clock.NONE
    boot: int | None = None
    sequence: int | None = None
    retained: bool = False
    flags: Flag = Flag.NONE
    approved: bool = True

    @property
    def live(self) -> bool:
        """True for an event of now: neither last-known state nor a test, drill, lesson or history."""
        return not self.retained and self.flags == Flag.NONE
