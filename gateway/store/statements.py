"""Statements of the hot path: compiled once by SQLAlchemy, run with plain tuples through the driver.

The schema stays the one source of the SQL, at a third of the cost of `insert()` with a dict for each row.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite


class Insert:
    """An INSERT into `columns` of a table; a row is a tuple in that order.

    With `replace`, a row whose key (`replace`) exists gets the new values instead of being refused; a key that
    covers all columns leaves the row as it is.
    """

    def __init__(self, dialect: Dialect, table: Table, columns: Sequence[str], *, replace: Sequence[str] = ()) -> None:
        make = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
        # inline: nobody asks for the numbers that the database gives to the rows.
        clause = make(table).inline()
        if replace:
            kept = {name: clause.excluded[name] for name in columns if name not in replace}
            index = list(replace)
            clause = (
                clause.on_conflict_do_update(index_elements=index, set_=kept)
                if kept
                else clause.on_conflict_do_nothing(index_elements=index)
            )
        compiled = clause.compile(dialect=dialect, column_keys=list(columns))
        self._sql = str(compiled)
        self._columns = tuple(columns)
        order = compiled.positiontup
        self._order = None if order is None else tuple(self._columns.index(name) for name in order)
        self._straight = self._order == tuple(range(len(self._columns)))

    def __call__(self, connection: Connection, rows: Iterable[tuple[object, ...]]) -> None:
        """Insert the rows; none is fine."""
        ready: list[Any] = list(rows)
        if not ready:
            return
        if self._order is None:
            ready = [dict(zip(self._columns, row, strict=True)) for row in ready]
        elif not self._straight:
            ready = [tuple(row[place] for place in self._order) for row in ready]
        connection.exec_driver_sql(self._sql, ready[0] if len(ready) == 1 else ready)
