"""Words and times for the terminal."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from monitor.cli import formatting

WIB = ZoneInfo("Asia/Jakarta")


def test_an_errno_comes_with_what_it_means_and_any_other_reason_as_it_is() -> None:
    assert formatting.explain_errno("ENETUNREACH") == "ENETUNREACH (Network is unreachable)"
    assert (
        formatting.explain_errno("port unreachable from 10.0.0.1")
        == "port unreachable from 10.0.0.1"
    )
    assert formatting.explain_errno("errorcode") == "errorcode", "in the module errno, but no errno"


def test_a_moment_is_told_by_the_local_clock_with_its_zone_or_without() -> None:
    assert formatting.format_moment("2026-11-24T17:00:05.000Z", WIB) == "25 Nov 00.00.05 WIB"
    assert (
        formatting.format_moment("2026-11-24T17:00:05.000Z", WIB, zone_named=False)
        == "25 Nov 00.00.05"
    )
    assert formatting.format_moment(None, WIB) == "–"


@pytest.mark.parametrize(
    ("zone", "name"), [("Asia/Jakarta", "WIB"), ("Asia/Jayapura", "WIT"), ("UTC", "UTC")]
)
def test_a_zone_is_called_as_people_call_it(zone: str, name: str) -> None:
    assert formatting.zone_name(ZoneInfo(zone)) == name


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (8, "8 dtk"),
        (65, "1 mnt 05 dtk"),
        (3_900, "1 j 05 mnt"),
        (187_200, "2 h 4 j"),
        (-1, "0 dtk"),
    ],
)
def test_a_length_of_time_is_told_in_its_two_largest_parts(seconds: float, said: str) -> None:
    assert formatting.format_duration(seconds) == said


def test_a_state_has_its_shape_and_colour_and_an_unknown_word_passes() -> None:
    assert formatting.format_state("down").plain == "✕ Putus"
    assert str(formatting.format_state("down").style) == "bold red"
    assert formatting.format_state("baru").plain == "baru"
