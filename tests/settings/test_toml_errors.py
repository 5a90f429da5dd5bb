"""A text that is not TOML is explained on its line, with what was most likely meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.settings.config_fixtures import load_config, only_problem, write_config


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("\na = 1,5\n", 2, "decimal point as a point"),
        ("\na = anjatan\n", 2, "put a text in quotes"),
        ("\na: 1\n", 2, "write = between the key and its value"),
        ("\na = # nothing\n", 2, "write a value after the ="),
        ('\na = "x\nb = 1\n', 2, "end the text with a quote"),
        ('\na = "x', 2, "end the text with a quote"),
        ("\na = “x”\n", 2, "straight quotes"),
        ("\na = 1\na = 2\n", 3, "this key stands twice"),
        ("\na = 1\na = 2", 3, "this key stands twice"),
        ("[a]\n\n[a]\n", 3, "this [table] stands twice"),
        ("[a]\n\n[[a]]  # b\n", 3, "this stands above as [a] already: write [[a]] each time"),
        ("[[a]]\n\n[a]\n", 3, "[x] and once as [[x]]"),
        ("\na = 0812\n", 2, "no leading zero"),
        ("\na = True\n", 2, "true or false, in small letters"),
        ("\na = 10.77.0.1\n", 2, "put an address or a code in quotes"),
        ("\na = 5s\n", 2, "without its unit"),
        ("\na = 5 %\n", 2, "without its unit"),
        ("\na = [1, 2\nb = 1\n", 3, "end the list with ]"),
        ("\na = [1,\n2,\n\n", 2, "end the list with ]"),
        ("\n[a\n", 2, "a table's header is [name]"),
        ("\n[a]]\n", 2, "a table's header is [name]"),
        ('\na = "c:\\data"\n', 2, "single quotes"),
        ('\na = """x\n\nb = 1\n', 2, ""),
        ("\na = {b = 1,\n c = 2}\n", 2, "on one line"),
        ("\n!\n", 2, "each line is key = value"),
    ],
)
def test_the_line_and_what_was_meant(tmp_path: Path, text: str, line: int, hint: str) -> None:
    problem = only_problem(load_config(write_config(tmp_path, alerts=text)).errors)
    assert problem.startswith(f"alerts.toml:{line}: this is not TOML")
    assert hint in problem.split(" — ")[1]
