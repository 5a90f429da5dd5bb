"""Samples as rows of small integers, and back.

`t` is milliseconds since the file's day began, round-trip times are microseconds: SQLite
stores an integer in as few bytes as it needs.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from monitor.core.samples.histogram import packed, unpacked
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
    """A name in SQL; ours are plain words, but `from` and `to` are SQL's too."""
    return f'"{name}"'


def identity_of(measurement: Measurement, sample: Sample) -> str:
    """Whose sample it is, as the JSON text that the series table holds."""
    known = {name: getattr(sample, name) for name in measurement.identity}
    return json.dumps({name: text for name, text in known.items() if text is not None})


def insert_into(measurement: Measurement) -> str:
    """The statement that takes (seq, series, t, *values_of)."""
    columns = ["seq", "series", "t", *(quoted(field.name) for field in measurement.fields)]
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {quoted(measurement.name)} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608


def values_of(measurement: Measurement, sample: Sample) -> list[Value | bytes | None]:
    """The measured values, in the order of the fields."""
    return [_stored(field, getattr(sample, field.attribute)) for field in measurement.fields]


def _stored(field: Field, raw: Value | None) -> Value | bytes | None:
    if field.kind is FieldKind.HISTOGRAM:
        return packed(int(raw)) if raw else None
    value = value_of(field.kind, raw)
    if field.kind is FieldKind.RTT and value is not None:
        return round(float(value) * MICROS_PER_MS)
    return value


def selected(measurement: Measurement, have: frozenset[str]) -> str:
    """The columns of the fields; NULL for one that an older file does not have."""
    return ", ".join(
        quoted(field.name) if field.name in have else "NULL" for field in measurement.fields
    )


def maker_of(measurement: Measurement) -> Callable[[Identity, int, Sequence[Any]], Any]:
    """What turns (identity, at_ms, values) of one measurement back into its kind of sample."""
    names = tuple(field.attribute for field in measurement.fields)
    scaled = tuple(
        place for place, field in enumerate(measurement.fields) if field.kind is FieldKind.RTT
    )
    counted = tuple(
        place for place, field in enumerate(measurement.fields) if field.kind is FieldKind.HISTOGRAM
    )
    absent: dict[str, Any] = dict.fromkeys(measurement.identity)

    def make(known: Identity, at_ms: int, values: Sequence[Any]) -> Sample:
        shown = list(values)
        for place in scaled:
            if shown[place] is not None:
                shown[place] /= MICROS_PER_MS
        for place in counted:
            shown[place] = unpacked(shown[place] or b"")
        attributes = {**absent, **known, **dict(zip(names, shown, strict=True))}
        return measurement.sample(at_s=seconds(at_ms), **attributes)

    return make


def identities(connection: sqlite3.Connection, measurement: str) -> list[tuple[int, Identity]]:
    """The series of one measurement in a file: number, and whose samples they are."""
    found = connection.execute(
        "SELECT id, identity FROM series WHERE measurement = ?", (measurement,)
    )
    return [(key, json.loads(text)) for key, text in found]
