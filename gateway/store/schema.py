"""The tables, as SQLAlchemy Core metadata: one schema for SQLite and PostgreSQL.

Every key begins with the hall, the unit of sharding. All instants are ms since the epoch (UTC) unless a column
is called `ns`. A row of `alarms`, `runs`, `tickets` and `messages` keeps the whole value as JSON in `body`; the
other columns are what queries select by. `migrations/` makes these tables and a test holds the two together.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata: Final = MetaData()

# SQLite numbers rows by itself only in a column that is called INTEGER.
_ROW_ID: Final = BigInteger().with_variant(Integer, "sqlite")


def _hall() -> Column[str]:
    return Column("hall", String(64), primary_key=True)


def _id() -> Column[str]:
    return Column("id", String(64), primary_key=True)


def _at(name: str, *, optional: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=optional)


journal: Final = Table(
    "journal",
    metadata,
    _hall(),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
    _at("at"),
    Column("blob", LargeBinary, nullable=False),
)

snapshots: Final = Table(
    "snapshots",
    metadata,
    _hall(),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    _at("at"),
    Column("version", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("blob", LargeBinary, nullable=False),
)

cursors: Final = Table(
    "cursors",
    metadata,
    _hall(),
    Column("name", String(64), primary_key=True),
    Column("index", BigInteger, nullable=False),
)

gaps: Final = Table(
    "gaps",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("hall", String(64), nullable=False, index=True),
    Column("name", String(64), nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    _at("from_at"),
    _at("to_at"),
    Column("dropped", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)

quarantine: Final = Table(
    "quarantine",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("hall", String(64), nullable=False),
    _at("at"),
    Column("device", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("retained", Boolean, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Index("quarantine_by_state", "hall", "state", "id"),
)

# What a person made of a row of the quarantine, whose id it has; `topic` and `payload` are the mended message's.
settlements: Final = Table(
    "settlements",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("hall", String(64), nullable=False),
    _at("at"),
    Column("actor", Text, nullable=False),
    Column("topic", Text),
    Column("payload", LargeBinary),
)

alarms: Final = Table(
    "alarms",
    metadata,
    _hall(),
    _id(),
    Column("open_key", Text),
    Column("kind", String(32), nullable=False),
    Column("priority", String(16), nullable=False),
    Column("zone", String(64)),
    Column("device", Text),
    _at("raised"),
    _at("cleared", optional=True),
    _at("acknowledged", optional=True),
    _at("closed", optional=True),
    _at("updated"),
    Column("body", Text, nullable=False),
    UniqueConstraint("hall", "open_key", name="one_open_alarm"),
    Index("alarms_by_time", "hall", "raised"),
)

runs: Final = Table(
    "runs",
    metadata,
    _hall(),
    _id(),
    Column("plan", String(64), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("drill", Boolean, nullable=False),
    _at("started"),
    _at("ended", optional=True),
    _at("updated"),
    Column("body", Text, nullable=False),
    Index("runs_by_time", "hall", "started"),
    Index("runs_by_end", "hall", "ended"),
)

tickets: Final = Table(
    "tickets",
    metadata,
    _hall(),
    _id(),
    Column("open_key", Text),
    Column("state", String(16), nullable=False),
    Column("zone", String(64)),
    Column("window", String(64)),
    _at("opened"),
    _at("done", optional=True),
    _at("updated"),
    Column("body", Text, nullable=False),
    UniqueConstraint("hall", "open_key", name="one_open_ticket"),
    Index("tickets_by_time", "hall", "opened"),
)

messages: Final = Table(
    "messages",
    metadata,
    _hall(),
    _id(),
    Column("lane", String(16), nullable=False),
    Column("about", String(64), nullable=False),
    Column("person", String(64)),
    Column("channel", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("answerable", Boolean, nullable=False),
    _at("created"),
    _at("not_before"),
    _at("answered", optional=True),
    _at("updated"),
    Column("body", Text, nullable=False),
    Index("messages_by_state", "hall", "state"),
    Index("messages_by_subject", "hall", "about"),
    Index("messages_by_time", "hall", "created"),
)

events: Final = Table(
    "events",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("hall", String(64), nullable=False),
    _at("at"),
    Column("about", Text, nullable=False),
    Column("what", String(64), nullable=False),
    Column("actor", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("events_by_subject", "hall", "about", "id"),
    Index("events_by_hall", "hall", "id"),
)

counters: Final = Table(
    "counters",
    metadata,
    _hall(),
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

# The default history. A series is what InfluxDB calls one: a measurement, a field and a set of tags.
series: Final = Table(
    "series",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("hall", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("field", String(64), nullable=False),
    Column("device", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("window", Text, nullable=False),
    UniqueConstraint("hall", "kind", "field", "device", "zone", "window", name="one_series"),
)

readings: Final = Table(
    "readings",
    metadata,
    Column("series", BigInteger, primary_key=True, autoincrement=False),
    Column("ns", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Double),
    Column("text", Text),
    sqlite_with_rowid=False,
)

refused_points: Final = Table(
    "refused_points",
    metadata,
    _hall(),
    Column("cursor", String(64), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("device", Text, primary_key=True),
    Column("ns", BigInteger, primary_key=True, autoincrement=False),
    Column("index", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("body", Text, nullable=False),
)

users: Final = Table(
    "users",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("password", Text, nullable=False),
    Column("role", String(32), nullable=False),
    Column("person", String(64)),
    Column("disabled", Boolean, nullable=False),
    _at("created"),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("user", String(64), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    _at("created"),
    _at("expires"),
)

# What programs come in by, instead of a password: only the hash of it is kept.
tokens: Final = Table(
    "tokens",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("role", String(32), nullable=False),
    _at("created"),
    Column("created_by", Text, nullable=False),
    _at("expires", optional=True),
    _at("used", optional=True),
    _at("revoked", optional=True),
)

# Who wrote what, and who looked at names (`audit.py`).
audit: Final = Table(
    "audit",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    _at("at"),
    Column("who", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("what", String(64), nullable=False),
    Column("about", Text, nullable=False),
    Column("outcome", String(64), nullable=False),
    Index("audit_by_time", "at"),
)

meta: Final = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

# Who writes a hall, and how often that has changed (`lease.py`).
leases: Final = Table(
    "leases",
    metadata,
    _hall(),
    Column("epoch", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    _at("since"),
)
