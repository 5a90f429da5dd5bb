"""Read from the text of a refused write whether the samples or the server are at fault.

Texts of 1.x and 2.x: github.com/influxdata/influxdb, tsdb/shard.go (PartialWriteError),
coordinator/points_writer.go, http/write_handler.go; of Go's net/http and of nginx for plain HTTP
on a TLS port.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitor.core.errors import WriteRefusal

REFUSED = (400, 422)
"""The statuses with which a server refuses what was sent."""

_CONFIGURATION = (
    (
        re.compile(r"provide either orgID or org", re.IGNORECASE),
        "org is missing in [storage.influxdb]: InfluxDB 2 needs the organisation's name",
    ),
    (
        re.compile(
            r"HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS", re.IGNORECASE
        ),
        "it speaks TLS: url must begin with https://",
    ),
    (
        re.compile(r"id must have a length of 16 bytes|invalid ID", re.IGNORECASE),
        "it does not know this form of org or bucket: correct org or bucket",
    ),
    (
        re.compile(r"max-series-per-database|max-values-per-tag", re.IGNORECASE),
        "it holds as many series as its limits allow: raise the limit named there",
    ),
)
_OUTSIDE = re.compile(r"beyond retention policy", re.IGNORECASE)
_DROPPED = re.compile(r"dropped=(\d+)")


@dataclass(frozen=True, slots=True)
class Refusal:
    """kind: what is at fault. dropped: points outside the retention. advice: how to correct it."""

    kind: WriteRefusal | None = None
    dropped: int = 0
    advice: str | None = None


def classify(status: int, text: str) -> Refusal:
    """text: the reason in the answer's body, whole."""
    if status not in REFUSED:
        return Refusal()
    for pattern, advice in _CONFIGURATION:
        if pattern.search(text):
            return Refusal(WriteRefusal.CONFIGURATION, advice=advice)
    dropped = _DROPPED.search(text)
    if _OUTSIDE.search(text) and dropped is not None:
        return Refusal(WriteRefusal.OUTSIDE_RETENTION, int(dropped[1]))
    return Refusal(WriteRefusal.SAMPLES)
