"""Recent loss, windows and the running mean."""

from __future__ import annotations

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.detection.loss_windows import (
    LOSS_CEILING,
    LOSS_FLOOR,
    LossHistory,
    LossWindow,
    RunningMean,
    wilson_upper,
)
from monitor.core.detection.target_health import losses_needed


@pytest.mark.parametrize(
    ("lost", "sent", "expected"),
    [(0, 60, 0.0431), (3, 60, 0.1187), (30, 60, 0.6039), (0, 600, 0.0045), (60, 60, 1.0)],
)
def test_the_upper_bound_is_wilsons(lost: int, sent: int, expected: float) -> None:
    assert isclose(wilson_upper(lost, sent), expected, abs_tol=0.0005)


@given(st.integers(1, 5000), st.data())
def test_the_upper_bound_is_never_under_the_ratio_nor_over_one(
    sent: int, data: st.DataObject
) -> None:
    lost = data.draw(st.integers(0, sent))
    assert lost / sent <= wilson_upper(lost, sent) + 1e-12 <= 1 + 1e-9


def test_a_clean_link_needs_twenty_losses_and_a_lossy_one_more() -> None:
    assert losses_needed(LOSS_FLOOR, 3e-9) == 20
    assert losses_needed(0.3, 3e-9) == 20
    assert losses_needed(LOSS_CEILING, 3e-9) == 39


def test_without_a_request_the_loss_is_the_ceiling() -> None:
    assert LossHistory().upper_loss(1_000.0) == LOSS_CEILING


def test_the_larger_of_the_last_minute_and_the_last_ten_counts() -> None:
    history = LossHistory()
    for second in range(600):
        history.add(float(second), lost=int(second >= 540 and second % 2))
    recent = history.upper_loss(600.0)
    assert 0.4 < recent <= 0.6
    for second in range(600, 700):
        history.add(float(second), lost=0)
    assert history.upper_loss(700.0) < 0.12


def test_what_is_older_than_ten_minutes_is_forgotten() -> None:
    history = LossHistory()
    for second in range(100):
        history.add(float(second), lost=1)
    for second in range(700, 760):
        history.add(float(second), lost=0)
    assert history.ratio(760.0) == 0.0
    history.add(5.0, lost=1)
    assert history.ratio(760.0) == 0.0


def test_the_median_of_a_window_is_compared_with_its_limit_also_on_a_tie() -> None:
    window = LossWindow(60.0, 50.0)
    for i, rtt_ms in enumerate([10.0, 60.0]):
        window.add(float(i), rtt_ms)
    assert window.median_ms() == 35.0
    assert not window.median_over()
    window.add(2.0, 70.0)
    assert window.median_over()
    assert not window.median_cleared()


@given(st.lists(st.one_of(st.none(), st.floats(1, 100)), min_size=1, max_size=200))
def test_the_counts_of_a_window_agree_with_a_plain_recount(rtts: list[float | None]) -> None:
    window = LossWindow(60.0, 50.0)
    for i, rtt in enumerate(rtts):
        window.add(float(i), rtt)
    newest = rtts[-60:]
    replies = sorted(r for r in newest if r is not None)
    assert len(window) == len(newest)
    assert isclose(window.loss_ratio(), newest.count(None) / len(newest))
    if replies:
        half = len(replies) // 2
        plain = replies[half] if len(replies) % 2 else (replies[half - 1] + replies[half]) / 2
        assert window.median_over() == (plain > 50.0)
        assert window.median_cleared() == (plain < 40.0)
    else:
        assert not window.median_over()
        assert not window.median_cleared()


def test_a_request_is_out_of_the_window_when_it_is_as_old_as_the_window_is_long() -> None:
    window = LossWindow(60.0, 50.0)
    window.add(0.0, 10.0)
    window.add(60.0, 10.0)
    assert len(window) == 1


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans()),
        max_size=30,
    )
)
def test_a_running_mean_is_the_mean_of_the_tenths_of_a_second_that_it_spans(
    steps: list[tuple[int, float, bool]],
) -> None:
    """Read now and then: what it forgets is never needed again."""
    mean = RunningMean()
    tenths: list[float] = [0.0] * 50
    share = 0.0
    for wait, then, is_read in steps:
        tenths += [share] * wait
        mean.set(len(tenths) / 10, then)
        share = then
        if is_read:
            assert isclose(mean.over(5.0, len(tenths) / 10), sum(tenths[-50:]) / 50, abs_tol=1e-9)
    assert isclose(mean.over(5.0, len(tenths) / 10), sum(tenths[-50:]) / 50, abs_tol=1e-9)


def test_a_running_mean_goes_on_by_itself_while_its_share_holds() -> None:
    mean = RunningMean()
    mean.set(100.0, 1.0)
    assert [mean.over(10.0, 100.0 + s) for s in (0.0, 5.0, 10.0, 50.0)] == [0.0, 0.5, 1.0, 1.0]
    mean.set(150.0, 0.0)
    assert [mean.over(10.0, 150.0 + s) for s in (0.0, 4.0, 10.0)] == [1.0, 0.6, 0.0]
