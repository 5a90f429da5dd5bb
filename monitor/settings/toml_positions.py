"""On which line each key of a TOML text stands: what `tomllib` does not tell.

The text was already accepted by `tomllib`, so this walk does not check it: it only follows it.
tomlkit keeps the text of a document but gives no line for a key either, and takes eleven times
as long as tomllib for our files.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

KeyPath = tuple[str | int, ...]
"""Where a value stands: keys, and places in arrays: ("links", 1, "kind")."""

_GAP = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*'""")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]+")


class KeyLines:
    """The lines of one text. `KeyLines(text).of(path)` counts from 1."""

    def __init__(self, lines: Mapping[KeyPath, int]) -> None:
        self._lines = lines

    def of(self, path: KeyPath) -> int:
        """The line of this key; when it is not there, that of the nearest table around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def key_lines(text: str) -> KeyLines:
    """Index a text that `tomllib.loads` accepts. RecursionError when it nests too deeply."""
    return KeyLines(_Walk(text.replace("\r\n", "\n")).lines())


class _Walk:
    """One pass over the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._lines: dict[KeyPath, int] = {}
        self._tables_of: dict[KeyPath, int] = {}  # arrays of tables: how many so far

    def lines(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while True:
            self._skip(_GAP)
            if self._at >= len(self._text):
                return self._lines
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._statement(table)

    def _line(self) -> int:
        return bisect_right(self._starts, self._at)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()

    def _header(self) -> KeyPath:
        """`[a.b]` or `[[a.b]]` → the path of the table that it opens."""
        line = self._line()
        is_array = self._text.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        self._skip(_BLANK)
        keys = self._keys()
        self._skip(_BLANK)
        self._at += 2 if is_array else 1
        path: KeyPath = ()
        for key in keys[:-1]:
            path = self._entered((*path, key))
            self._lines.setdefault(path, line)
        path = (*path, keys[-1])
        if is_array:
            self._lines.setdefault(path, line)
            count = self._tables_of.get(path, 0)
            self._tables_of[path] = count + 1
            path = (*path, count)
        self._lines[path] = line
        return path

    def _entered(self, path: KeyPath) -> KeyPath:
        """A header that names an array of tables means the last of them."""
        count = self._tables_of.get(path)
        return path if count is None else (*path, count - 1)

    def _statement(self, table: KeyPath) -> None:
        """`a.b = value`, here or in an inline table."""
        line = self._line()
        path = table
        for key in self._keys():
            path = (*path, key)
            self._lines.setdefault(path, line)
        self._skip(_BLANK)
        self._at += 1  # the "="
        self._skip(_BLANK)
        self._value(path)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            match = _KEY.match(self._text, self._at)
            if match is None:
                raise ValueError(f"not TOML at line {self._line()}")
            self._at = match.end()
            keys.append(_plain(match.group()))
            dot = _DOT.match(self._text, self._at)
            if dot is None:
                return keys
            self._at = dot.end()

    def _value(self, path: KeyPath) -> None:
        first = self._text[self._at]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            self._skip(_STRING if first in "\"'" else _SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        place = 0
        while True:
            self._skip(_GAP)
            if self._text[self._at] == "]":
                self._at += 1
                return
            self._lines[(*path, place)] = self._line()
            self._value((*path, place))
            place += 1
            self._skip(_GAP)
            if self._text[self._at] == ",":
                self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while True:
            self._skip(_GAP)
            if self._text[self._at] == "}":
                self._at += 1
                return
            self._statement(path)
            self._skip(_GAP)
            if self._text[self._at] == ",":
                self._at += 1


def _plain(key: str) -> str:
    if key[0] == '"':
        # Escapes in a key are rare: tomllib itself undoes them.
        return str(tomllib.loads(f"k = {key}")["k"]) if "\\" in key else key[1:-1]
    return key[1:-1] if key[0] == "'" else key
