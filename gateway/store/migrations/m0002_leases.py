"""Who writes a hall has a number (PostgreSQL), and the history beside the journal is called by what it is."""

from typing import Final

from sqlalchemy import BigInteger, Column, Connection, MetaData, String, Table, Text, column, table, update

metadata: Final = MetaData()

Table(
    "leases",
    metadata,
    Column("hall", String(64), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
)


def upgrade(connection: Connection) -> None:
    """Make the table; `sqlite` was the readings table's name, also where it lay in PostgreSQL."""
    metadata.create_all(connection, checkfirst=False)
    for name, field in (("cursors", "name"), ("gaps", "name"), ("refused_points", "cursor")):
        where = table(name, column(field))
        connection.execute(update(where).where(where.c[field] == "sqlite").values({field: "readings"}))
