"""Texts of others on a terminal, in a log line, in a spreadsheet."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.printable import escaped_json, one_line, spreadsheet_cell, without_controls

HOSTILE = "\x1b]0;judul\x07\x1b[2J\x9b31mrouter\u202egnp.exe\r\n\x00"


def test_controls_and_directions_are_removed_and_the_rest_stays() -> None:
    assert without_controls(HOSTILE) == "]0;judul[2J31mroutergnp.exe\n"
    assert without_controls("Kantor Camat — “Bongas”\t✓") == "Kantor Camat — “Bongas”\t✓"


@given(st.text())
def test_one_line_is_one_line_and_printable_for_any_text(text: str) -> None:
    shown = one_line(text)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in shown)


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_escaped_json_is_the_same_document_without_controls(document: dict[str, object]) -> None:
    text = escaped_json(json.dumps(document, ensure_ascii=False))
    assert json.loads(text) == document
    assert text == without_controls(text)


@pytest.mark.parametrize(
    "formula",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "=15",
        "＝1+1",
        "＠x",
    ],
)
def test_a_formula_becomes_a_text(formula: str) -> None:
    assert spreadsheet_cell(formula) == f"'{formula}"


@pytest.mark.parametrize(
    "cell", ["", "-1", "-1,5", "+6281234", "-0.25", "ether1", "INC-1=2", "a@b"]
)
def test_numbers_and_plain_texts_stay(cell: str) -> None:
    assert spreadsheet_cell(cell) == cell
