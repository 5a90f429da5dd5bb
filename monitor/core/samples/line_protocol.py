"""Format a point as a line of InfluxDB's line protocol, time in milliseconds.

https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ ; 1.x and 3.x read the
same. Not by the library, because the dead letters hold the very line that was refused; tests
compare it with `influxdb_client.Point`.
"""

from __future__ import annotations

from monitor.core.samples.schema import Point, Value

_NAME = str.maketrans({",": "\\,", " ": "\\ ", "=": "\\="})
_MEASUREMENT = str.maketrans({",": "\\,", " ": "\\ "})
_TEXT = str.maketrans({'"': '\\"', "\\": "\\\\"})


def line_of(point: Point) -> str:
    """One line without its newline. The point has at least one field."""
    tags = "".join(
        f",{name.translate(_NAME)}={text.translate(_NAME)}" for name, text in point.tags.items()
    )
    fields = ",".join(
        f"{name.translate(_NAME)}={_value(value)}" for name, value in point.fields.items()
    )
    return f"{point.measurement.translate(_MEASUREMENT)}{tags} {fields} {point.at_ms}"


def _value(value: Value) -> str:
    if isinstance(value, str):
        return f'"{value.translate(_TEXT)}"'
    if isinstance(value, int):
        return f"{value}i"
    return repr(value)
