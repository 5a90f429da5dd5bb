"""What questions have in common: spans of time, tags, and parts that a server can answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitor.core.errors import InfluxError
from monitor.core.samples.resolution import HOUR_MS, QueryRange
from monitor.core.samples.schema import tag_value

FILE_LIMIT = "file limit"
"""3 Core refuses what needs more than 432 files, about 72 hours, in these words.

https://docs.influxdata.com/influxdb3/core/admin/query-system-data/ and its release notes.
"""


def in_parts(piece: QueryRange, width: int, ask: Callable[[QueryRange], None]) -> None:
    """Ask for a piece; where it is too long for the server, for its halves, cut at a bucket."""
    try:
        ask(piece)
    except InfluxError as error:
        grid = max(width, HOUR_MS)
        middle = (piece.start_ms + piece.end_ms) // 2 // grid * grid
        if FILE_LIMIT not in str(error) or not piece.start_ms < middle < piece.end_ms:
            raise
        in_parts(QueryRange(piece.level, piece.start_ms, middle), width, ask)
        in_parts(QueryRange(piece.level, middle, piece.end_ms), width, ask)


def where(start_ms: int, end_ms: int, tags: Mapping[str, str]) -> str:
    """A span of time, and tags by the names under which their values are bound."""
    conditions = [f"time >= {start_ms}ms", f"time < {end_ms}ms"]
    conditions += [f'"{name}" = ${name}' for name in tags]
    return f"WHERE {' AND '.join(conditions)}"


def bound(tags: Mapping[str, str]) -> dict[str, str]:
    """The values of those names, as they were stored."""
    return {name: tag_value(text) for name, text in tags.items()}


def as_float(value: float | None) -> float | None:
    """JSON writes 2.0 as 2."""
    return None if value is None else float(value)
