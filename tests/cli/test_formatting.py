"""Labels and times for the terminal."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from rich.text import Text

from monitor.cli.formatting import (
    explain_errno,
    format_duration,
    format_moment,
    format_state,
    make_console,
    make_table,
    zone_name,
)

WIB = ZoneInfo("Asia/Jakarta")


def test_an_errno_is_explained_and_other_reasons_are_unchanged() -> None:
    assert explain_errno("ENETUNREACH") == "ENETUNREACH (Network is unreachable)"
    assert explain_errno("port unreachable from 10.0.0.1") == "port unreachable from 10.0.0.1"
    assert explain_errno("errorcode") == "errorcode", "in the module errno, but no errno"


def test_a_moment_is_formatted_in_local_time_with_or_without_zone() -> None:
    assert format_moment("2026-11-24T17:00:05.000Z", WIB) == "25 Nov 00.00.05 WIB"
    assert format_moment("2026-11-24T17:00:05.000Z", WIB, zone_named=False) == "25 Nov 00.00.05"
    assert format_moment(None, WIB) == "–"


@pytest.mark.parametrize(
    ("zone", "name"), [("Asia/Jakarta", "WIB"), ("Asia/Jayapura", "WIT"), ("UTC", "UTC")]
)
def test_indonesian_zones_have_their_abbreviations(zone: str, name: str) -> None:
    assert zone_name(ZoneInfo(zone)) == name


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (8, "8 dtk"),
        (65, "1 mnt 05 dtk"),
        (3_900, "1 j 05 mnt"),
        (187_200, "2 h 4 j"),
        (-1, "0 dtk"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_a_state_has_symbol_and_style_and_an_unknown_one_is_unchanged() -> None:
    assert format_state("down").plain == "✕ Putus"
    assert str(format_state("down").style) == "bold red"
    assert format_state("baru").plain == "baru"


def test_no_text_on_a_console_is_obeyed_by_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "\x1b]52;c;aGFsbG8=\x07\x1b[2Jether1\x9b31m\u202e"
    table = make_table("Porta")
    table.add_row(Text(hostile))
    table.add_row(hostile)
    console = make_console()
    console.print(table)
    console.print(f"Router {hostile}", style="yellow")
    printed = capsys.readouterr().out
    assert printed.count("ether1") == 3
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(printed)
