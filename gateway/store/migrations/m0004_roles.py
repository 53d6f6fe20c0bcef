"""Who may do what: every login that was there becomes an admin's, as it was in effect; tokens, and the audit."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    column,
    table,
    update,
)

metadata: Final = MetaData()

_ROW_ID: Final = BigInteger().with_variant(Integer, "sqlite")

Table(
    "tokens",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("role", String(32), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires", BigInteger),
    Column("used", BigInteger),
    Column("revoked", BigInteger),
)

Table(
    "audit",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("what", String(64), nullable=False),
    Column("about", Text, nullable=False),
    Column("outcome", String(64), nullable=False),
    Index("audit_by_time", "at"),
)


def upgrade(connection: Connection) -> None:
    """Make the tables. Until now the role was written and never asked: whoever could log in could do everything."""
    metadata.create_all(connection, checkfirst=False)
    connection.execute(update(table("users", column("role"))).values(role="admin"))
