"""sysUpTime between two readings, with its wrap and its slack."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.samples.snmp_poll import ticks_between_s, uptime_continues

WRAP32 = 2**32


@pytest.mark.parametrize(
    ("before", "now", "elapsed_s", "continues"),
    [
        (100_000, 106_000, 60.0, True),
        (100_000, 106_500, 60.0, True),
        (100_000, 106_501, 60.0, False),
        (100_000, 105_500, 60.0, True),
        (100_000, 105_499, 60.0, False),
        (WRAP32 - 100, 5_900, 60.0, True),
        (100_000, 3_000, 60.0, False),
        (100_000, 100_000 + 102_000 * 10, 10_000.0, True),  # 2 % of 10,000 s
        (100_000, 100_000 + 102_001 * 10, 10_000.0, False),
        (0, 0, 0.0, True),
    ],
)
def test_uptime_continues_within_5_s_or_2_percent(
    before: int, now: int, elapsed_s: float, continues: bool
) -> None:
    assert uptime_continues(before, now, elapsed_s) is continues


@settings(deadline=None)
@given(st.integers(0, WRAP32 - 1), st.floats(0.0, 10_000_000.0))
def test_a_router_that_did_not_reboot_is_never_taken_for_a_rebooted_one(
    before: int, elapsed_s: float
) -> None:
    now = (before + round(elapsed_s * 100)) % WRAP32
    assert uptime_continues(before, now, elapsed_s)
    assert ticks_between_s(before, now) == pytest.approx(elapsed_s, abs=0.01)
