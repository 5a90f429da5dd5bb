"""Find the line of each key in a TOML text, which `tomllib` does not report.

The text must have been accepted by `tomllib`: this scanner does not validate it.
tomlkit gives no line for a key either, and takes eleven times as long as tomllib for these files.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

KeyPath = tuple[str | int, ...]
"""Path of a value: keys and array indices, such as ("links", 1, "kind")."""

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
    """The line of each key of one text, from 1."""

    def __init__(self, lines: Mapping[KeyPath, int]) -> None:
        self._lines = lines

    def of(self, path: KeyPath) -> int:
        """The line of a key; of an absent key, that of the innermost table around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def key_lines(text: str) -> KeyLines:
    """Index a text that `tomllib.loads` accepts. Raises RecursionError if it nests too deeply."""
    return KeyLines(_Scanner(text.replace("\r\n", "\n")).lines())


class _Scanner:
    """One pass over the text; `_at` is the offset of the next character."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._lines: dict[KeyPath, int] = {}
        self._array_lengths: dict[KeyPath, int] = {}  # of arrays of tables, so far

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
        """Scan `[a.b]` or `[[a.b]]`; the path of the table that it opens."""
        line = self._line()
        is_array = self._text.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        self._skip(_BLANK)
        keys = self._keys()
        self._skip(_BLANK)
        self._at += 2 if is_array else 1
        path: KeyPath = ()
        for key in keys[:-1]:
            path = self._last_table((*path, key))
            self._lines.setdefault(path, line)
        path = (*path, keys[-1])
        if is_array:
            self._lines.setdefault(path, line)
            count = self._array_lengths.get(path, 0)
            self._array_lengths[path] = count + 1
            path = (*path, count)
        self._lines[path] = line
        return path

    def _last_table(self, path: KeyPath) -> KeyPath:
        """In a header, the name of an array of tables means its last table."""
        count = self._array_lengths.get(path)
        return path if count is None else (*path, count - 1)

    def _statement(self, table: KeyPath) -> None:
        """Scan `a.b = value`, in `table` or in an inline table."""
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
            keys.append(_unquoted(match.group()))
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
        index = 0
        while True:
            self._skip(_GAP)
            if self._text[self._at] == "]":
                self._at += 1
                return
            self._lines[(*path, index)] = self._line()
            self._value((*path, index))
            index += 1
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


def _unquoted(key: str) -> str:
    if key[0] == '"':
        # tomllib decodes the escapes; keys with escapes are rare.
        return str(tomllib.loads(f"k = {key}")["k"]) if "\\" in key else key[1:-1]
    return key[1:-1] if key[0] == "'" else key
