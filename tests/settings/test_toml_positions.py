"""Every key of a TOML text is found on its line."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.settings.toml_positions import KeyPath, key_lines


def _leaves(value: Any, path: KeyPath = ()) -> dict[KeyPath, Any]:
    if isinstance(value, dict):
        parts: list[tuple[str | int, Any]] = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    else:
        return {path: value}
    found: dict[KeyPath, Any] = {}
    for key, inner in parts:
        found |= _leaves(inner, (*path, key))
    return found


def _check_lines(text: str) -> None:
    """Replace each `@` by the number of its line, and expect that value on that line."""
    numbered = "\n".join(
        line.replace("@", str(number)) for number, line in enumerate(text.split("\n"), start=1)
    )
    lines = key_lines(numbered)
    leaves = {
        path: value
        for path, value in _leaves(tomllib.loads(numbered)).items()
        if type(value) is int
    }
    assert leaves
    assert {path: lines.of(path) for path in leaves} == leaves


@pytest.mark.parametrize(
    "text",
    [
        "a = @",
        "\n# c\na = @ # b = 7\n\nb.c = @\nb.d.e = @\n",
        "[t]\na = @\n[t.u.v]\na = @\n[w]\na=@",
        "[[l]]\na = @\n[l.p]\na = @\n[[l]]\na = @\n[[l.q]]\na = @\n[[l.q]]\na = @\n[l.q.r]\nb = @",
        "x = { a = @, b = { c = @ }, d.e = @ }\ny = @",
        "x = [ @, @,\n  @, # @ ]\n\n  @ ]\ny = @",
        'x = [ { a = @ },\n { a = "}, ]", b = [ @, [\n @ ] ] } ]\ny = @',
        's = """\na = 1\n[no]\n""\\""" and ""\\""""""\na = @',
        "s = '''\na = 1\n'''''\nt = '''x''''\na = @",
        's = "\\"\\\\"\nt = \'\\\'\na = @',
        '"a.b" = @\n\'c d\' = @\n"\\u00e9".x = @\n[ "q" . r ]\na = @',
        "t = 2026-11-23 07:30:00\nu = 2026-11-23T07:30:00+07:00\nl = [ 1979-05-27 , @ ]\na = @",
        "f = -inf\ng = nan\nh = 1_0e3\nb = [true,false]\na = @",
    ],
)
def test_every_value_is_found_on_its_line(text: str) -> None:
    _check_lines(text)


def test_a_windows_line_end_is_one_line_end() -> None:
    assert key_lines("a = 1\r\n\r\nb = 2\r\n").of(("b",)) == 3


def test_a_missing_key_has_the_line_of_the_table_around_it() -> None:
    lines = key_lines("a = 1\n\n[[l]]\nb = 1\n[[l]]\n")
    assert lines.of(("l", 1, "missing", "deeper")) == 5
    assert lines.of(("nowhere",)) == 1


def test_a_table_has_the_line_of_its_own_header() -> None:
    lines = key_lines("[ping.kinds.vsat]\na = 1\n[ping]\nb = 1\n")
    assert lines.of(("ping",)) == 3
    assert lines.of(("ping", "kinds")) == 1


_word = st.text(alphabet="abcz019-_", min_size=1, max_size=3)
_quoted = st.text(alphabet="a.#[]={}' \té", max_size=5).map(lambda text: f'"{text}"')
_text = st.sampled_from(
    ['"x # ] }"', "'y, \" ['", '"""m\n] = 1\n"""', "'''\n[z]\n'''", "1.5", "true", "1979-05-27"]
)
_gap = st.sampled_from(["", " ", "\n", "  # c ]\n", "\n\n"])


@st.composite
def _values(draw: st.DrawFn, depth: int = 3) -> str:
    kind = draw(st.integers(0, 5 if depth else 2))
    if kind <= 1:
        return "@"
    if kind == 2:
        return draw(_text)
    if kind == 3:
        keys = draw(st.lists(_word, max_size=3, unique=True))
        inner = _values(depth - 1)
        return "{ " + ", ".join(f"{key} = {draw(inner)}" for key in keys) + " }"
    parts = [draw(_gap) + draw(_values(depth - 1)) + draw(_gap) for _ in range(kind - 2)]
    return "[" + ",".join(parts) + "]"


@st.composite
def _documents(draw: st.DrawFn) -> str:
    parts: list[str] = []
    for table in range(draw(st.integers(0, 4))):
        if table:
            array = draw(st.booleans())
            name = draw(_word | _quoted)
            # Different names: TOML allows neither a table nor an array of tables twice.
            parts.append(f"[[list.{name}]]" if array else f"[t{table}.{name}]")
        keys = draw(st.lists(_word | _quoted, max_size=4, unique_by=lambda key: key.strip('"')))
        parts.extend(f"k{key} = {draw(_values())}" for key in keys if key[0] != '"')
        parts.extend(f"p.{key} = {draw(_values())}" for key in keys if key[0] == '"')
        parts.append(draw(st.sampled_from(["", "# comment", "  "])))
    return "\n".join([*parts, "last = @"])


@given(_documents())
@example('k = """m\n] = 1\n"""\nlast = @')
def test_every_value_of_any_document_is_found_on_its_line(text: str) -> None:
    _check_lines(text)
