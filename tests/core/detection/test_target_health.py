"""One target's evidence: which requests count for what."""

from __future__ import annotations

from monitor.core.detection.target_health import TargetHealth
from monitor.core.model import ProbeRules, State, Target, TargetRole


def health(rules: ProbeRules | None = None) -> TargetHealth:
    found = TargetHealth(
        Target("a/utama", "10.77.0.1", TargetRole.LINK, rules or ProbeRules()), State.UP
    )
    for second in range(60):
        found.add_reply(float(second), second + 0.01, 10.0)
    return found


def test_a_run_begins_with_the_earliest_request_in_whatever_order_losses_become_known() -> None:
    found = health()
    found.add_loss(60.5, 60.51, "host unreachable from 10.0.0.1")
    found.add_loss(60.0, 61.0, None)
    assert (found.run_first_s, found.run_last_s, found.run_count) == (60.0, 60.5, 2)
    assert found.lost_reason == "host unreachable from 10.0.0.1"


def test_a_late_reply_to_a_request_before_the_run_leaves_the_run_alone() -> None:
    found = health()
    for i in range(30):
        found.add_loss(60.0 + i * 0.2, 60.1 + i * 0.2, None)
    found.pending, found.confirmed_s = True, 66.0
    found.add_reply(59.5, 66.0, 6500.0)
    assert (found.run_count, found.pending, found.confirmed_s) == (30, True, 66.0)


def test_a_reply_within_the_run_ends_only_what_was_sent_before_it() -> None:
    found = health()
    for sent_s in (60.0, 60.5, 61.0):
        found.add_loss(sent_s, sent_s + 1.0, None)
    found.add_reply(60.2, 62.1, 1900.0)
    assert (found.run_first_s, found.run_last_s, found.run_count) == (60.5, 61.0, 2)


def test_a_limit_is_cleared_only_under_80_percent_of_it() -> None:
    found = health(ProbeRules(loss_pct=10.0))
    found.window.clear()
    found.exceeded = frozenset({"loss"})
    for i in range(60):
        found.window.add(100.0 + i, None if i % 12 == 0 else 10.0)  # 8.3 %
    assert found.limits_exceeded() == {"loss"}
    found.window.add(160.0, 10.0)  # the first lost one is out: 6.7 %
    assert found.limits_exceeded() == frozenset()


def test_a_link_that_loses_half_anyway_needs_more_losses_in_a_row() -> None:
    found = health()
    for i in range(600):
        found.history.add(60.0 + i, i % 2)
    for i in range(38):
        found.add_loss(660.0 + i * 0.2, 661.0 + i * 0.2, None)
    assert not found.is_confirmed(669.0)
    found.add_loss(668.0, 669.0, None)
    assert found.is_confirmed(669.0)


def test_a_target_that_starts_anew_has_an_empty_window() -> None:
    found = health()
    found.start_anew(61.0)
    assert len(found.window) == 0


def test_requests_sent_before_the_end_of_a_suspicion_was_known_are_not_regular() -> None:
    """Its RTT is 0.8 s: some were sent at the confirm rate after the one that ended it."""
    found = health()
    found.add_loss(60.0, 61.0, None)
    for sent_s in (61.2, 61.4, 61.6, 61.8):
        found.add_reply(sent_s, sent_s + 0.8, 800.0)
    found.add_loss(61.5, 62.7, None)  # known late
    assert len(found.window) == 59  # of 2 s to 59 s, and the loss
    assert found.window.loss_ratio() == 1 / 59
    found.add_reply(62.1, 62.9, 800.0)
    assert len(found.window) == 59  # of 3 s to 59 s, the loss, and this one
