"""The schema of samples: measurements, tags, fields and their kinds.

The only place where those names are defined. The journal takes its columns from here, InfluxDB its
tags and fields.

Values are quantised here, so that every store gives the same answer: times to the millisecond,
round-trip times to the microsecond.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.core.samples.histogram import Histogram, counts_of
from monitor.core.samples.samples import (
    DeviceSample,
    InterfaceHour,
    InterfaceMinute,
    InterfaceRollup,
    InterfaceSample,
    MonitorSample,
    PingHour,
    PingMinute,
    PingRollup,
    PingSample,
    Sample,
    StateChangeSample,
)


class FieldKind(StrEnum):
    """What a field holds. RTT: milliseconds, kept to the microsecond.

    HISTOGRAM: one field a bucket, `h00` and on (see histogram.BOUNDS_MS), empty ones absent.
    """

    COUNT = "count"
    RTT = "rtt"
    NUMBER = "number"
    TEXT = "text"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Field:
    """One measured value: the sample's attribute, and its name in the stores."""

    attribute: str
    name: str
    kind: FieldKind


@dataclass(frozen=True, slots=True)
class Measurement:
    """One kind of sample. identity: the attributes that identify the series."""

    name: str
    sample: type[Sample]
    identity: tuple[str, ...]
    fields: tuple[Field, ...]


Value = int | float | str


@dataclass(frozen=True, slots=True)
class Point:
    """One row as InfluxDB stores it. Tags and fields that are not known are absent.

    at_ms: Unix time in milliseconds.
    """

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, Value]
    at_ms: int


INTEGERS_END = 2**63
"""SQLite's and InfluxDB's integers have 64 bits and a sign."""


def _fields(kind: FieldKind, *names: str) -> tuple[Field, ...]:
    return tuple(Field(name, name, kind) for name in names)


PING = Measurement(
    "ping",
    PingSample,
    ("target", "site", "link", "node", "kind", "provider"),
    _fields(FieldKind.COUNT, "sent", "received", "not_measured", "state")
    + _fields(FieldKind.RTT, "rtt_min", "rtt_avg", "rtt_p50", "rtt_p95", "rtt_max", "jitter"),
)

INTERFACE = Measurement(
    "interface",
    InterfaceSample,
    ("device", "ifname", "site", "link"),
    _fields(FieldKind.NUMBER, "in_bps", "out_bps", "in_util", "out_util")
    + _fields(FieldKind.NUMBER, "in_errors", "out_errors", "in_discards", "out_discards")
    + _fields(FieldKind.COUNT, "oper", "speed_bps"),
)

DEVICE = Measurement(
    "device",
    DeviceSample,
    ("device", "site"),
    _fields(FieldKind.NUMBER, "uptime_s", "cpu", "memory", "temperature_c", "voltage_v"),
)

STATE_CHANGE = Measurement(
    "state_change",
    StateChangeSample,
    ("target", "site", "link", "node"),
    (
        Field("before", "from", FieldKind.TEXT),
        Field("after", "to", FieldKind.TEXT),
        Field("reason", "reason", FieldKind.TEXT),
        Field("previous_s", "previous_s", FieldKind.NUMBER),
    ),
)

MONITOR = Measurement(
    "monitor",
    MonitorSample,
    ("host",),
    _fields(FieldKind.NUMBER, "round_lag_s", "loop_lag_s")
    + _fields(FieldKind.COUNT, "missed_rounds")
    + _fields(FieldKind.NUMBER, "journal_age_s")
    + _fields(FieldKind.COUNT, "spool_lines", "open_fds", "rss_bytes", "odd_packets")
    + _fields(FieldKind.COUNT, "not_measured", "stalled_rounds", "stalls", "clock_steps")
    + _fields(FieldKind.COUNT, "failed_runs", "max_fds", "synchronised")
    + _fields(FieldKind.NUMBER, "shipper_lag_s")
    + _fields(FieldKind.COUNT, "quarantined")
    + _fields(FieldKind.TEXT, "shipper_error")
    + _fields(FieldKind.NUMBER, "outbox_age_s"),
)

MEASUREMENTS: tuple[Measurement, ...] = (PING, INTERFACE, DEVICE, STATE_CHANGE, MONITOR)
"""The raw ones, in the order of the journal's tables."""

_PING_SUMS = (
    _fields(FieldKind.COUNT, "rows", "sent", "received", "not_measured")
    + _fields(FieldKind.RTT, "rtt_sum", "rtt_min", "rtt_max")
    + _fields(FieldKind.NUMBER, "down_s", "unreachable_s", "unknown_s", "maintenance_s")
    + _fields(FieldKind.HISTOGRAM, "histogram")
)
_INTERFACE_SUMS = _fields(FieldKind.COUNT, "rows", "in_count", "out_count") + _fields(
    FieldKind.NUMBER,
    *("in_sum", "out_sum", "in_min", "out_min", "in_max", "out_max"),
    *("in_util_max", "out_util_max"),
    *("in_errors_max", "out_errors_max", "in_discards_max", "out_discards_max"),
)

MINUTES: tuple[Measurement, ...] = (
    Measurement("ping_1m", PingMinute, PING.identity, _PING_SUMS),
    Measurement("interface_1m", InterfaceMinute, INTERFACE.identity, _INTERFACE_SUMS),
)
HOURS: tuple[Measurement, ...] = (
    Measurement("ping_1h", PingHour, PING.identity, _PING_SUMS),
    Measurement("interface_1h", InterfaceHour, INTERFACE.identity, _INTERFACE_SUMS),
)

_BY_SAMPLE: dict[type[Sample], Measurement] = {
    each.sample: each for each in (*MEASUREMENTS, *MINUTES, *HOURS)
}


def measurement_of(sample: Sample) -> Measurement:
    """Which measurement a sample belongs to."""
    return _BY_SAMPLE[type(sample)]


def stamp_ms(at_s: float) -> int:
    """The stored time of a moment: Unix milliseconds, the nearest."""
    return round(at_s * 1000)


def seconds(at_ms: int) -> float:
    """The moment of a stored time, in Unix seconds."""
    return at_ms / 1000


def width_ms(width_s: float) -> int:
    """The stored width of a bucket: whole milliseconds, at least one."""
    return max(1, round(width_s * 1000))


def value_of(kind: FieldKind, raw: Value | None) -> Value | None:
    """A measured value as it is stored; None for what was not measured or no store can hold."""
    if raw is None:
        return None
    if kind is FieldKind.TEXT:
        return tag_value(str(raw))
    number = float(raw)
    if not math.isfinite(number):
        return None
    if kind is FieldKind.COUNT:
        whole = int(raw)
        return whole if abs(whole) < INTEGERS_END else None
    return round(number, 3) if kind is FieldKind.RTT else number


def tag_value(text: str) -> str:
    """A text that every InfluxDB takes as a tag.

    Line protocol has no newline in a tag, and a backslash at its end would hide what follows.
    https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/#special-characters
    """
    if text.isprintable() and not text.endswith("\\"):
        return text
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    stripped = printable.rstrip("\\")
    return stripped + "/" * (len(printable) - len(stripped))


def target_tags(target: str) -> dict[str, str]:
    """The tags that pick one target: `site` and `link` (its id) of `site/link`, else `node`."""
    site, slash, link = target.partition("/")
    return {"site": site, "link": link} if slash else {"node": target}


def target_of(tags: Mapping[str, str]) -> str:
    """The full name of the target that `ping` tags belong to."""
    if tags.get("link"):
        return f"{tags['site']}/{tags['link']}"
    return tags["node"]


def point_of(sample: Sample) -> Point | None:
    """The sample as InfluxDB stores it; None when nothing in it was measured."""
    measurement = measurement_of(sample)
    fields: dict[str, Value] = {}
    for field in measurement.fields:
        raw = getattr(sample, field.attribute)
        if field.kind is FieldKind.HISTOGRAM:
            fields |= histogram_fields(raw)
            continue
        value = value_of(field.kind, raw)
        if value is not None:
            fields[field.name] = value
    if not fields:
        return None
    tags = {name: tag_value(text) for name, text in sorted(_tags(sample)) if text}
    return Point(measurement.name, tags, fields, stamp_ms(sample.at_s))


def histogram_fields(histogram: Histogram) -> dict[str, int]:
    """`h00`, `h01` …: how many replies lie in the bucket of that number."""
    return {f"h{bucket:02}": count for bucket, count in counts_of(histogram).items()}


def _tags(sample: Sample) -> list[tuple[str, str | None]]:
    match sample:
        case PingSample() | PingRollup():
            return [
                *target_tags(sample.target).items(),
                ("kind", sample.kind),
                ("provider", sample.provider),
            ]
        case StateChangeSample():
            return [*target_tags(sample.target).items()]
        case InterfaceSample() | InterfaceRollup():
            return [
                ("site", sample.site),
                ("link", link_id(sample.link)),
                ("device", sample.device),
                ("ifname", sample.ifname),
            ]
        case DeviceSample():
            return [("site", sample.site), ("device", sample.device)]
        case MonitorSample():
            return [("host", sample.host)]


def link_id(link: str | None) -> str | None:
    """A link's id within its site, of its id or its full name (`site/link`)."""
    return None if link is None else link.rpartition("/")[2]


def link_name(site: str | None, link: str | None) -> str | None:
    """A link's full name (`site/link`), of its id or its full name; its id without a site."""
    if not link:
        return None
    return link if "/" in link or not site else f"{site}/{link}"
