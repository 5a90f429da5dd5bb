"""Explain TOML syntax errors: the line, the reason, and what was probably meant."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class TomlSyntaxError:
    """Where a text is no TOML (line: from 1), why, and how to mend it."""

    line: int
    what: str
    mend: str


_LIST_HINT = "end the list with ] and put a comma between its parts"
_INLINE_TABLE_HINT = "write { a = 1, b = 2 } on one line, or a [table] of its own"

_HINTS_BY_MESSAGE: tuple[tuple[str, str], ...] = (
    ("Cannot overwrite", "this key stands twice in its table: remove one of the two"),
    ("Duplicate inline", "this key stands twice between { and }: remove one of the two"),
    (
        "Cannot declare",
        "this [table] stands twice, or once as [x] and once as [[x]]: "
        "put all its keys under one header",
    ),
    ("Cannot mutate", "this table was closed above: put all its keys in one place"),
    ("Unclosed array", _LIST_HINT),
    (
        "Unclosed inline",
        _INLINE_TABLE_HINT,
    ),
    ("Unescaped '\\'", "put a text that holds \\ in single quotes: 'like \\ this'"),
    ("Expected ']", "a table's header is [name], one of several is [[name]]"),
)

_HINTS_BY_LINE: tuple[tuple[str, str], ...] = (
    ("[“”„‘’]", 'use straight quotes, as in name = "Anjatan"'),
    (r"^\s*[\w.-]+\s*:", "write = between the key and its value, not a colon"),
    (r"=\s*(#.*)?$", "write a value after the ="),
    (r"=\s*[+-]?\d+,\d", "write the decimal point as a point: 1.5"),
    (r"=\s*[+-]?0\d", "a number has no leading zero; put a code or a telephone number in quotes"),
    (r"=\s*[+-]?[\d.]+\s*[A-Za-z%]", "write the number alone, without its unit"),
    (r"(?i)=\s*(true|yes|ya|on|false|no|tidak|off)\b", "write true or false, in small letters"),
    (r"=\s*[\d.]+\.[\d.]+\.", 'put an address or a code in quotes: code = "32.12.23"'),
    (r"=\s*[^\s\"'\[{\d+.#-]", 'put a text in quotes: name = "Anjatan"'),
    (r"=\s*\[[^\]]*$", _LIST_HINT),
    (r"=\s*\{[^}]*$", _INLINE_TABLE_HINT),
    (r"^[^\"]*\"[^\"]*(\"[^\"]*\"[^\"]*)*$", "end the text with a quote, on the same line"),
    (r"^\s*\[.*\]\s*\]\s*$", "a table's header is [name], one of several is [[name]]"),
)

_DEFAULT_HINT = "each line is key = value, [table], [[one of several]], or # a comment"


def explain_syntax_error(text: str, message: str) -> TomlSyntaxError:
    """Explain the message of a `tomllib.TOMLDecodeError` about `text`."""
    rows = text.replace("\r\n", "\n").split("\n")
    place = _PLACE.search(message)
    reason = message[: place.start()] if place else message
    if place and place["line"]:
        line = min(int(place["line"]), len(rows))
        where = f" at column {place['column']}"
    else:
        line = _unterminated(text, reason) or _last_nonblank(rows)
        where = ""
    return TomlSyntaxError(
        line=line,
        what=f"this is not TOML{where} ({reason[:1].lower()}{reason[1:]})",
        mend=_hint(reason, rows[line - 1]),
    )


def _hint(reason: str, row: str) -> str:
    if reason.startswith("Cannot overwrite") and row.lstrip().startswith("[["):
        header = row.split("#", maxsplit=1)[0].strip()
        return f"this stands above as {header[1:-1]} already: write {header} each time"
    for start, hint in _HINTS_BY_MESSAGE:
        if reason.startswith(start):
            return hint
    for pattern, hint in _HINTS_BY_LINE:
        if re.search(pattern, row):
            return hint
    return _DEFAULT_HINT


def _unterminated(text: str, reason: str) -> int | None:
    """The line where an unterminated string or list begins."""
    if reason.startswith("Unterminated string"):
        start = max(text.rfind('"""'), text.rfind("'''"))
    else:
        lists = [found.start() for found in re.finditer(r"=\s*\[", text)]
        start = lists[-1] if lists and "]" not in text[lists[-1] :] else -1
    return None if start < 0 else text.count("\n", 0, start) + 1


def _last_nonblank(rows: list[str]) -> int:
    return max((number for number, row in enumerate(rows, start=1) if row.strip()), default=1)
