"""Samples as rows of small integers, and back; the table `series`.

`t` is milliseconds since the file's day (month) began, round-trip times are microseconds: SQLite
stores an integer in as few bytes as it needs. `series` numbers the targets and ports of a file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from monitor.core.samples.histogram import pack_histogram, unpack_histogram
from monitor.core.samples.samples import Sample
from monitor.core.samples.schema import Field, FieldKind, Measurement, Value, seconds, value_of

SQL_TYPE: Mapping[FieldKind, str] = {
    FieldKind.COUNT: "INTEGER",
    FieldKind.RTT: "INTEGER",
    FieldKind.NUMBER: "REAL",
    FieldKind.TEXT: "TEXT",
    FieldKind.HISTOGRAM: "BLOB",
}

Identity = Mapping[str, str]
"""The attributes that say whose sample a row is; those that are None are absent."""

MICROS_PER_MS = 1000


def quoted(name: str) -> str:
    """A name in SQL; ours are plain words, but `from` and `to` are keywords of SQL."""
    return f'"{name}"'


def identity_of(measurement: Measurement, sample: Sample) -> str:
    """Whose sample it is, as the JSON text that the table `series` holds."""
    values = {name: getattr(sample, name) for name in measurement.identity}
    return json.dumps({name: text for name, text in values.items() if text is not None})


def values_of(measurement: Measurement, sample: Sample) -> list[Value | bytes | None]:
    """The measured values as they are stored, in the order of the fields."""
    return [_stored(field, getattr(sample, field.attribute)) for field in measurement.fields]


def _stored(field: Field, raw: Value | None) -> Value | bytes | None:
    if field.kind is FieldKind.HISTOGRAM:
        return pack_histogram(int(raw)) if raw else None
    value = value_of(field.kind, raw)
    if field.kind is FieldKind.RTT and value is not None:
        return round(float(value) * MICROS_PER_MS)
    return value


def decoder(measurement: Measurement) -> Callable[[Identity, int, Sequence[Any]], Any]:
    """A function that makes a sample of (identity, at_ms, values)."""
    names = tuple(field.attribute for field in measurement.fields)
    rtts = tuple(n for n, field in enumerate(measurement.fields) if field.kind is FieldKind.RTT)
    histograms = tuple(
        n for n, field in enumerate(measurement.fields) if field.kind is FieldKind.HISTOGRAM
    )
    absent: dict[str, Any] = dict.fromkeys(measurement.identity)

    def decode(identity: Identity, at_ms: int, stored: Sequence[Any]) -> Sample:
        values = list(stored)
        for n in rtts:
            if values[n] is not None:
                values[n] /= MICROS_PER_MS
        for n in histograms:
            values[n] = unpack_histogram(values[n] or b"")
        attributes = {**absent, **identity, **dict(zip(names, values, strict=True))}
        return measurement.sample(at_s=seconds(at_ms), **attributes)

    return decode


def select_fields(measurement: Measurement, columns: frozenset[str]) -> str:
    """The columns of the fields for a SELECT; NULL for one that an older file does not have."""
    return ", ".join(
        quoted(field.name) if field.name in columns else "NULL" for field in measurement.fields
    )


def columns_of(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """The columns of a table; none when the file lacks it."""
    return frozenset(
        row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    )


def add_missing_columns(connection: sqlite3.Connection, measurement: Measurement) -> None:
    """Add the columns that a file of an older version does not have."""
    columns = columns_of(connection, measurement.name)
    for field in measurement.fields:
        if field.name not in columns:
            connection.execute(
                f"ALTER TABLE {quoted(measurement.name)}"
                f" ADD COLUMN {quoted(field.name)} {SQL_TYPE[field.kind]}"
            )


def create_series_table(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, measurement TEXT NOT NULL,"
        " identity TEXT NOT NULL, UNIQUE (measurement, identity))"
    )


def series_of(
    connection: sqlite3.Connection, measurement: str, matching: Mapping[str, str] | None = None
) -> dict[int, Identity]:
    """The series of one measurement by their numbers. matching: attributes that they must have."""
    found = connection.execute(
        "SELECT id, identity FROM series WHERE measurement = ?", (measurement,)
    )
    series: dict[int, Identity] = {number: json.loads(text) for number, text in found}
    if not matching:
        return series
    return {
        number: identity
        for number, identity in series.items()
        if matching.items() <= identity.items()
    }


class SeriesTable:
    """The table `series` of one file that is open for writing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[tuple[str, str], int] = {}

    def number(self, measurement: str, identity: str) -> int:
        """The number of that series; a new one is added within the caller's transaction."""
        key = (measurement, identity)
        if key not in self._numbers:
            self._connection.execute(
                "INSERT OR IGNORE INTO series (measurement, identity) VALUES (?, ?)", key
            )
            self._numbers[key] = self._connection.execute(
                "SELECT id FROM series WHERE measurement = ? AND identity = ?", key
            ).fetchone()[0]
        return self._numbers[key]

    def clear(self) -> None:
        """Forget the numbers, because the transaction that added them was rolled back."""
        self._numbers.clear()
