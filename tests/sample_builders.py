"""Builders of samples with default values."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.samples.samples import (
    DeviceSample,
    InterfaceSample,
    MonitorSample,
    PingSample,
    Sample,
    StateChangeSample,
)

MIDNIGHT_S = 1_764_028_800.0
"""2025-11-25T00:00:00Z."""

LINK = "anjatan/utama"


def ping(
    at_s: float,
    target: str = LINK,
    *,
    sent: int = 10,
    received: int = 10,
    not_measured: int = 0,
    rtt: Sequence[float] | None = (10.0, 12.0, 18.0, 20.0),
    kind: str = "fibre",
    provider: str | None = "Penyedia A",
) -> PingSample:
    """One row of a link or node. rtt: smallest, median, p95, largest (ms); None: no reply."""
    site, slash, link = target.partition("/")
    low, mid, p95, high = rtt if rtt is not None and received else (None, None, None, None)
    return PingSample(
        at_s=at_s,
        target=target,
        site=site if slash else None,
        link=link if slash else None,
        node=None if slash else target,
        kind=kind if slash else None,
        provider=provider if slash else None,
        sent=sent,
        received=received,
        not_measured=not_measured,
        state=1 if received else 3,
        rtt_min=low,
        rtt_avg=mid,
        rtt_p50=mid,
        rtt_p95=p95,
        rtt_max=high,
        jitter=None if low is None else 0.25,
    )


def interface(
    at_s: float,
    in_bps: float | None = 1_000_000.0,
    out_bps: float | None = 2_000_000.0,
    *,
    device: str = "anjatan",
    ifname: str = "ether1",
    link: str | None = LINK,
    faults: tuple[float | None, ...] = (None, 0.0, None, None),
) -> InterfaceSample:
    """One row of a router's interface. faults: errors in, out, discards in, out, per second."""
    in_errors, out_errors, in_discards, out_discards = faults
    return InterfaceSample(
        at_s=at_s,
        device=device,
        ifname=ifname,
        site=device,
        link=link,
        in_bps=in_bps,
        out_bps=out_bps,
        in_util=0.01,
        in_errors=in_errors,
        out_errors=out_errors,
        in_discards=in_discards,
        out_discards=out_discards,
        oper=1,
        speed_bps=100_000_000,
    )


def one_of_each(at_s: float = MIDNIGHT_S) -> list[Sample]:
    """A sample of every kind, with edge cases: absent, tiny, huge and quoted values."""
    return [
        ping(at_s),
        ping(at_s, "pop-jatibarang", received=0),
        ping(at_s, "anchor:10.77.0.1", rtt=(0.001, 0.012, 1234.567, 60000.0)),
        interface(at_s, in_bps=1e11 / 3, out_bps=None),
        DeviceSample(at_s, "anjatan", "anjatan", uptime_s=42_949_672.95, cpu=0.07, memory=0.5),
        StateChangeSample(
            at_s, LINK, "anjatan", "utama", None, "up", "down", 'said "no", \\ = ,', 86_400.5
        ),
        MonitorSample(at_s, "pemantau", 0.002, 0.0005, 0, 0.5, 0, 31, 98_000_000, 2),
    ]
