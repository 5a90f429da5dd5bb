"""Texts in two languages, and formats of numbers, times and durations."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dashboard.i18n import CATALOGUE, NBSP, Lang, Words, read_catalogue
from monitor.storage.shipping_errors import RefusalCause

GAP = re.compile(r"\{(\w+)\}")
DASHBOARD = CATALOGUE.parents[1]
NOON_S = 1_795_492_320.0
"""2026-11-24T03:52:00Z."""


def words(lang: Lang = Lang.ID, zone: str = "Asia/Jakarta") -> Words:
    return Words(lang, read_catalogue()[lang], ZoneInfo(zone))


def test_both_catalogues_have_the_same_keys_and_placeholders() -> None:
    texts = read_catalogue()
    assert texts[Lang.ID].keys() == texts[Lang.EN].keys()
    for key, text in texts[Lang.ID].items():
        assert sorted(GAP.findall(text)) == sorted(GAP.findall(texts[Lang.EN][key])), key
        assert text.strip() == text
        assert text


def test_every_key_that_a_script_or_a_module_names_is_in_the_catalogue() -> None:
    known = read_catalogue()[Lang.ID]
    tables = "|".join({key.split(".")[0] for key in known})
    named = re.compile(rf"""["']((?:{tables})\.[a-z_0-9]*[a-z0-9])["']""")
    files = [*DASHBOARD.rglob("*.py"), *DASHBOARD.glob("assets/*.js")]
    found = {
        (path.name, key)
        for path in files
        if not path.name.startswith("plotly")
        for key in named.findall(path.read_text("utf-8"))
        if not key.endswith((".js", ".css"))
    }
    assert len(found) > 60
    assert sorted(pair for pair in found if pair[1] not in known) == []


def test_the_page_has_words_for_every_warning_of_the_daemon() -> None:
    known = read_catalogue()[Lang.ID]
    calls = (
        node
        for path in (DASHBOARD.parent / "monitor").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "MonitorWarning"
    )
    strings = (node for call in calls for part in call.args[1:2] for node in ast.walk(part))
    kinds = {str(node.value) for node in strings if isinstance(node, ast.Constant)} - {"influx_"}
    kinds |= {"rollups", "usage", "prune"} | {f"influx_{cause.value}" for cause in RefusalCause}
    assert len(kinds) > 20
    assert sorted(kind for kind in kinds if f"remark.{kind}" not in known) == []


def test_every_text_of_the_catalogue_is_used() -> None:
    """A key that is put together (`state.` + word) counts by its beginning."""
    sources = "\n".join(
        path.read_text("utf-8")
        for path in [*DASHBOARD.rglob("*.py"), *DASHBOARD.glob("assets/*.js")]
        if not path.name.startswith("plotly")
    )
    put_together = tuple(set(re.findall(r"""["']([a-z]+\.(?:[a-z_]+_)?)(?:["']|\{)""", sources)))
    unused = [
        key
        for key in read_catalogue()[Lang.ID]
        if f'"{key}"' not in sources and not key.startswith(put_together)
    ]
    assert unused == []


def test_missing_placeholders_stay_and_values_are_not_interpreted() -> None:
    assert words().say("tile.upstream", name="{name} \\1 $&") == "Hulu putus: {name} \\1 $&"
    assert words().say("tile.upstream") == "Hulu putus: {name}"


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (1234.5, 1, "1.234,5"),
        (0, 0, "0"),
        (0.5, 0, "1"),
        (2.5, 0, "3"),
        (1_000_000, 0, "1.000.000"),
    ],
)
def test_numbers_have_a_decimal_comma(value: float, digits: int, shown: str) -> None:
    assert words().number(value, digits) == shown


def test_english_numbers_have_a_decimal_point() -> None:
    assert words(Lang.EN).number(1234.5, 1) == "1,234.5"


@pytest.mark.parametrize(
    ("value", "shown"), [(99.71, "100 %"), (8.0, "8 %"), (0.4, "0,4 %"), (8.3, "8,3 %"), (0, "0 %")]
)
def test_percent_has_a_space_that_does_not_break(value: float, shown: str) -> None:
    assert words().percent(value) == shown.replace(" ", NBSP)
    assert words().percent(99.71, 2) == f"99,71{NBSP}%"
    assert words(Lang.EN).percent(99.71, 2) == "99.71%"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-3, "0 dtk"), (0, "0 dtk"), (59.9, "59 dtk"), (60, "1 mnt"), (3599, "59 mnt"),
        (3600, "1 j"), (4300, "1 j 11 mnt"), (86_399, "23 j 59 mnt"), (86_400, "1 h"),
        (180_000, "2 h 2 j"),
    ],
)  # fmt: skip
def test_durations_are_whole_units_rounded_down(seconds: float, shown: str) -> None:
    assert words().duration(seconds).replace(NBSP, " ") == shown


def test_times_are_in_the_local_time_zone() -> None:
    assert words().moment(NOON_S).replace(NBSP, " ") == "24 Nov 10.52 WIB"
    assert words(Lang.EN).moment(NOON_S).replace(NBSP, " ") == "24 Nov 10:52 WIB"
    assert words(zone="Asia/Makassar").moment(NOON_S).replace(NBSP, " ") == "24 Nov 11.52 WITA"
    assert words(zone="Europe/Paris").moment(NOON_S).replace(NBSP, " ") == "24 Nov 04.52 CET"


def test_may_and_august_have_their_indonesian_names() -> None:
    may_s, august_s = NOON_S - 196 * 86_400, NOON_S - 100 * 86_400
    assert "Mei" in words().day(may_s)
    assert "Agu" in words().day(august_s)


def test_a_subset_holds_whole_tables() -> None:
    keys = words().subset(("state", "map")).keys()
    assert {key.split(".")[0] for key in keys} == {"state", "map"}


def test_the_catalogue_is_read_from_a_file_of_its_own(tmp_path: Path) -> None:
    other = tmp_path / "texts.toml"
    other.write_text('[a]\nb = { id = "satu", en = "one" }\n', "utf-8")
    assert read_catalogue(other)[Lang.EN] == {"a.b": "one"}
