"""Who settled a row of the quarantine, when, and the message as it was mended; the row keeps it as it came."""

from typing import Final

from sqlalchemy import BigInteger, Column, Connection, LargeBinary, MetaData, String, Table, Text

metadata: Final = MetaData()

Table(
    "settlements",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("hall", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("topic", Text),
    Column("payload", LargeBinary),
)


def upgrade(connection: Connection) -> None:
    """Make the table."""
    metadata.create_all(connection, checkfirst=False)
