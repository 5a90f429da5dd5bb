"""Query a SQLite file independently of our code."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def rows(path: Path, *queries: str) -> list[tuple[object, ...]]:
    """The rows of all queries; writes nothing, and leaves no file beside `path`."""
    log = path.with_name(f"{path.name}-wal")
    how = "mode=ro" if log.exists() else "immutable=1"
    with closing(sqlite3.connect(f"{path.as_uri()}?{how}", uri=True)) as connection:
        return [row for query in queries for row in connection.execute(query)]
