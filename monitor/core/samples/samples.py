"""The stored rows: one dataclass a measurement (README: storage contract).

Times here are UTC (Unix seconds): a row is stamped once, when it is taken, and never again.
A field that was not measured is None, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.core.model import State
from monitor.core.samples.histogram import Histogram
from monitor.core.samples.packed_requests import RecordedRequests

STATE_CODES: dict[State, int] = {
    State.UNKNOWN: 0,
    State.UP: 1,
    State.DEGRADED: 2,
    State.DOWN: 3,
    State.UNREACHABLE: 4,
}
"""The integer stored in the field `state` of a sample; never renumbered."""


@dataclass(frozen=True, slots=True)
class PingSample:
    """One target over one `record_s`. Links have site, link, kind, provider; the rest has node.

    at_s: the *end* of the period. A request counts in the period in which its outcome became
    known, so that a finished period is final. sent = received + lost; not_measured beside it.
    rtt_*: ms over the replies of the period, jitter: mean of |rtt[i] - rtt[i-1]| in ms (RFC 3550
    6.4.1 without the smoothing); all None without a reply (jitter: with fewer than two).
    state: STATE_CODES. requests: all of them, for the journal only.
    """

    at_s: float
    target: str
    site: str | None
    link: str | None
    node: str | None
    kind: str | None
    provider: str | None
    sent: int
    received: int
    not_measured: int
    state: int
    rtt_min: float | None = None
    rtt_avg: float | None = None
    rtt_p50: float | None = None
    rtt_p95: float | None = None
    rtt_max: float | None = None
    jitter: float | None = None
    requests: RecordedRequests | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class InterfaceSample:
    """One port of one router between two polls; rates are per second, utilisation 0 to 1."""

    at_s: float
    device: str
    ifname: str
    site: str | None
    link: str | None
    in_bps: float | None = None
    out_bps: float | None = None
    in_util: float | None = None
    out_util: float | None = None
    in_errors: float | None = None
    out_errors: float | None = None
    in_discards: float | None = None
    out_discards: float | None = None
    oper: int | None = None
    speed_bps: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceSample:
    """Facts of one router at one poll; memory 0 to 1, cpu 0 to 1."""

    at_s: float
    device: str
    site: str | None
    uptime_s: float | None = None
    cpu: float | None = None
    memory: float | None = None
    temperature_c: float | None = None
    voltage_v: float | None = None


@dataclass(frozen=True, slots=True)
class StateChangeSample:
    """A transition, as a point in the time series. `before`/`after` are stored as `from`/`to`."""

    at_s: float
    target: str
    site: str | None
    link: str | None
    node: str | None
    before: str
    after: str
    reason: str
    previous_s: float | None = None


@dataclass(frozen=True, slots=True)
class MonitorSample:
    """The monitor itself, every 10 s. Lags: the worst of that time. The rest: at that moment.

    Since the start: missed_rounds, odd_packets, not_measured (requests), stalled_rounds (some of
    their requests came too late to be sent), stalls (the process did not run for over a second),
    clock_steps, failed_runs. max_fds: so many descriptors may be open.
    synchronised: 1 when something keeps the clock right (NTP), else 0.
    Of all shippers: spool_lines (samples that InfluxDB does not have), shipper_lag_s (for how long
    it has taken none, 0 while it does) and shipper_error (why), quarantined (lines set aside).
    outbox_age_s: for how long the oldest message that is due waits, 0 when none does.
    """

    at_s: float
    host: str
    round_lag_s: float | None = None
    loop_lag_s: float | None = None
    missed_rounds: int | None = None
    journal_age_s: float | None = None
    spool_lines: int | None = None
    open_fds: int | None = None
    rss_bytes: int | None = None
    odd_packets: int | None = None
    not_measured: int | None = None
    stalled_rounds: int | None = None
    stalls: int | None = None
    clock_steps: int | None = None
    failed_runs: int | None = None
    max_fds: int | None = None
    synchronised: int | None = None
    shipper_lag_s: float | None = None
    quarantined: int | None = None
    shipper_error: str | None = None
    outbox_age_s: float | None = None


@dataclass(frozen=True, slots=True)
class PingRollup:
    """The rows of one target (and kind, provider) over a minute or an hour from at_s on.

    A row belongs to the bucket in which its own time lies. rows: how many there were. rtt_sum: ms,
    over all replies. histogram: of all replies. down_s, unreachable_s, unknown_s, maintenance_s:
    from the ledger, the seconds of the bucket in that state; None: not known.
    """

    at_s: float
    target: str
    site: str | None
    link: str | None
    node: str | None
    kind: str | None
    provider: str | None
    rows: int
    sent: int
    received: int
    not_measured: int
    rtt_sum: float | None = None
    rtt_min: float | None = None
    rtt_max: float | None = None
    down_s: float | None = None
    unreachable_s: float | None = None
    unknown_s: float | None = None
    maintenance_s: float | None = None
    histogram: Histogram = 0


@dataclass(frozen=True, slots=True)
class PingMinute(PingRollup):
    """`ping_1m`."""


@dataclass(frozen=True, slots=True)
class PingHour(PingRollup):
    """`ping_1h`."""


@dataclass(frozen=True, slots=True)
class InterfaceRollup:
    """The rows of one port over a minute or an hour from at_s on; bits a second, utilisation 0-1.

    in_count, out_count: rows that knew the rate; in_sum / in_count is its mean.
    """

    at_s: float
    device: str
    ifname: str
    site: str | None
    link: str | None
    rows: int
    in_count: int
    out_count: int
    in_sum: float | None = None
    out_sum: float | None = None
    in_min: float | None = None
    out_min: float | None = None
    in_max: float | None = None
    out_max: float | None = None
    in_util_max: float | None = None
    out_util_max: float | None = None
    in_errors_max: float | None = None
    out_errors_max: float | None = None
    in_discards_max: float | None = None
    out_discards_max: float | None = None


@dataclass(frozen=True, slots=True)
class InterfaceMinute(InterfaceRollup):
    """`interface_1m`."""


@dataclass(frozen=True, slots=True)
class InterfaceHour(InterfaceRollup):
    """`interface_1h`."""


Rollup = PingMinute | PingHour | InterfaceMinute | InterfaceHour

Sample = PingSample | InterfaceSample | DeviceSample | StateChangeSample | MonitorSample | Rollup


@dataclass(frozen=True, slots=True)
class LatencyBucket:
    """Pings of one target over [start_s, start_s + width_s); counts add up exactly.

    rtt_low/rtt_high: the smallest and largest reply of the bucket; rtt_mid: the median of the
    medians of its rows weighted by replies; rtt_p95: the largest p95 of its rows. None: no reply.
    Out of rollups rtt_mid and rtt_p95 are the median and the 95th percentile of all its replies,
    as exact as fixed buckets allow (core.samples.histogram).
    A bucket without any row is not returned: a gap is a gap.
    """

    start_s: float
    width_s: float
    sent: int
    received: int
    not_measured: int
    rtt_low: float | None
    rtt_mid: float | None
    rtt_p95: float | None
    rtt_high: float | None


@dataclass(frozen=True, slots=True)
class ThroughputBucket:
    """One port over [start_s, start_s + width_s): mean and largest rate, bits a second.

    The largest rates of errors and discards are packets a second. At least one field is known.
    """

    start_s: float
    width_s: float
    in_bps: float | None
    out_bps: float | None
    in_bps_max: float | None
    out_bps_max: float | None
    in_errors_max: float | None = None
    out_errors_max: float | None = None
    in_discards_max: float | None = None
    out_discards_max: float | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """One target over whole hours, summed. seconds: the span of hours that have any row.

    down_s, unreachable_s, unknown_s, maintenance_s: None when no hour has them.
    """

    seconds: float
    sent: int
    received: int
    not_measured: int
    down_s: float | None
    unreachable_s: float | None
    unknown_s: float | None
    maintenance_s: float | None
