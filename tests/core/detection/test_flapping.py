"""Zino's decay."""

from __future__ import annotations

from monitor.core.detection.flapping import bumped, decayed, is_flapping


def test_five_quick_changes_are_no_flapping_yet_and_six_are() -> None:
    value = 0.0
    values = []
    for _ in range(6):
        value = bumped(value, 0.0)
        values.append(value)
    assert values == [2.0, 4.0, 8.0, 16.0, 32.0, 64.0]
    assert [is_flapping(v, was_flapping=False) for v in values] == [False] * 5 + [True]


def test_it_stays_flapping_until_the_value_has_faded() -> None:
    assert is_flapping(decayed(64.0, 300.0), was_flapping=True)
    assert not is_flapping(decayed(64.0, 3600.0), was_flapping=True)


def test_the_value_never_passes_256() -> None:
    value = 0.0
    for _ in range(20):
        value = bumped(value, 1.0)
    assert value <= 256.0


def test_a_target_that_never_changed_has_no_value() -> None:
    assert decayed(0.0, 10.0) == 0.0
