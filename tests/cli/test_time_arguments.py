"""Times on the command line, in the time zone of Jakarta."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import click
import pytest

from monitor.cli.time_arguments import parse_future_s, parse_past_s

WIB = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 11, 24, 15, 30, 20, tzinfo=WIB)


def local(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, WIB).isoformat(sep=" ", timespec="seconds")[:19]


@pytest.mark.parametrize(
    ("text", "ahead", "past"),
    [
        ("30m", "2026-11-24 16:00:20", "2026-11-24 15:00:20"),
        ("2h", "2026-11-24 17:30:20", "2026-11-24 13:30:20"),
        ("2j", "2026-11-24 17:30:20", "2026-11-24 13:30:20"),
        ("1d", "2026-11-25 15:30:20", "2026-11-23 15:30:20"),
        ("15:30", "2026-11-25 15:30:00", "2026-11-24 15:30:00"),
        ("15.31", "2026-11-24 15:31:00", "2026-11-23 15:31:00"),
        ("7:05", "2026-11-25 07:05:00", "2026-11-24 07:05:00"),
        ("2026-11-24", "2026-11-24 00:00:00", "2026-11-24 00:00:00"),
        ("2026-11-24T18:00", "2026-11-24 18:00:00", "2026-11-24 18:00:00"),
        ("2026-11-24T11:00Z", "2026-11-24 18:00:00", "2026-11-24 18:00:00"),
    ],
)
def test_a_time_is_parsed_as_future_and_as_past(text: str, ahead: str, past: str) -> None:
    assert local(parse_future_s(text, NOW.timestamp(), WIB, "--until")) == ahead
    assert local(parse_past_s(text, NOW.timestamp(), WIB, "--since")) == past


@pytest.mark.parametrize(
    "text",
    [
        *("", "besok", "2", "h", "-2h", "24:00", "15:60", "9999999m", "999999d", "٣h"),
        *("2026-13-01", "0001-01-01", "9999-12-31T23:59"),
    ],
)
def test_the_error_for_an_invalid_time_has_examples(text: str) -> None:
    with pytest.raises(click.BadParameter, match="15:30"):
        parse_future_s(text, NOW.timestamp(), WIB, "--until")
