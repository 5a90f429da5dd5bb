"""Whose rows they are, as a small number a file."""

from __future__ import annotations

import sqlite3


class SeriesTable:
    """The table `series` of one file that is open for writing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, str], int] = {}

    def number(self, measurement: str, identity: str) -> int:
        """The number of that series; a new one gets one, within the caller's transaction."""
        key = (measurement, identity)
        if key not in self._known:
            self._connection.execute(
                "INSERT OR IGNORE INTO series (measurement, identity) VALUES (?, ?)", key
            )
            self._known[key] = self._connection.execute(
                "SELECT id FROM series WHERE measurement = ? AND identity = ?", key
            ).fetchone()[0]
        return self._known[key]

    def forget(self) -> None:
        """The transaction was undone: numbers that it gave are nobody's."""
        self._known.clear()
