"""Texts of others made harmless: for a terminal, a log line, a spreadsheet.

A router's name, a server's answer or an office's label may contain escape sequences, which a
terminal obeys, line ends, which make up log lines, and formulas, which a spreadsheet computes.
"""

from __future__ import annotations

_DIRECTIONS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_LINES = (0x2028, 0x2029)
_OBEYED = (*range(0x20), *range(0x7F, 0xA0), *_LINES, *_DIRECTIONS)
"""Control characters, line and paragraph separators, marks and overrides of direction."""

_REMOVED = {code: None for code in _OBEYED if code not in (0x09, 0x0A)}
_ESCAPED = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _OBEYED}
_ESCAPED_IN_JSON = {code: f"\\u{code:04x}" for code in _ESCAPED if code > 0x7E}

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""OWASP, "CSV Injection"; the wide ones count in East Asian versions of Excel."""


def without_controls(text: str) -> str:
    """Without control and direction characters; line ends and tabs stay."""
    return text.translate(_REMOVED)


def one_line(text: str) -> str:
    """One line: control and direction characters are written as `\\x1b`."""
    return text.translate(_ESCAPED)


def escaped_json(document: str) -> str:
    """JSON in which characters that a terminal obeys, and JSON allows, are written as `\\u009b`."""
    return document.translate(_ESCAPED_IN_JSON)


def spreadsheet_cell(text: str) -> str:
    """An apostrophe before what a spreadsheet would compute; numbers with a sign stay numbers."""
    if not text.startswith(_FORMULA) or _is_number(text):
        return text
    return f"'{text}"


def _is_number(text: str) -> bool:
    digits = text[1:].replace(",", "", 1).replace(".", "", 1)
    return text[0] in "+-" and digits.isascii() and digits.isdigit()
