"""`ConfigProblem`: one mistake in a configuration file, as an administrator reads it.

`LoadResult` is what loading a directory gives: settings, or the problems that prevent them.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePath

from monitor.core.errors import ConfigError
from monitor.settings.model import Settings

_FILES_FIRST = ("monitor.toml", "network.toml", "alerts.toml", "maintenance.toml")


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One mistake: what it is and how to mend it. line: from 1.

    blocks_run: a warning of `pantau check` that is an error in `pantau run` (a missing secret or
    data directory, the code of another kecamatan). Always False for an error.
    """

    file: str
    line: int
    what: str
    mend: str
    blocks_run: bool = False

    def __str__(self) -> str:
        """`file:line: what — mend`, on one line: unprintable characters become `?`."""
        text = f"{self.file}:{self.line}: {self.what} — {self.mend}"
        return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The result of loading a configuration directory. settings: None if there is any error."""

    settings: Settings | None
    errors: tuple[ConfigProblem, ...]
    warnings: tuple[ConfigProblem, ...]


def require_valid(loaded: LoadResult, *, strict: bool) -> Settings:
    """Return the settings, or raise ConfigError with every problem, one a line.

    strict: as `pantau run` does, count warnings with `blocks_run` as errors.
    """
    problems = loaded.errors
    if strict:
        problems += tuple(problem for problem in loaded.warnings if problem.blocks_run)
    if problems or loaded.settings is None:
        raise ConfigError("\n".join(str(problem) for problem in problems))
    return loaded.settings


def sorted_problems(problems: Iterable[ConfigProblem]) -> tuple[ConfigProblem, ...]:
    """Each problem once, sorted by file (those of the whole network before the sites') and line."""
    return tuple(sorted(dict.fromkeys(problems), key=_sort_key))


def _sort_key(problem: ConfigProblem) -> tuple[int, str, int]:
    name = PurePath(problem.file).name
    rank = _FILES_FIRST.index(name) if name in _FILES_FIRST else len(_FILES_FIRST)
    return rank, problem.file, problem.line


def nearest_word(word: str, known: Collection[str], cutoff: float = 0.6) -> str | None:
    """The known word most similar to `word`, ignoring case. None if none is similar enough.

    cutoff: the least similarity, 0 (anything) to 1 (equal), as `difflib.get_close_matches` has it.
    """
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(word.casefold(), list(by_folded), n=1, cutoff=cutoff)
    return by_folded[close[0]] if close else None


def format_list(words: Iterable[str], most: int = 12) -> str:
    """Join words with commas; after `most` of them, say how many more there are."""
    every = list(words)
    text = ", ".join(every[:most])
    more = len(every) - most
    return f"{text} and {more} more" if more > 0 else text


def format_value(value: object) -> str:
    """Write a value as it would stand in the file, cut after 60 characters."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, dict):
        return "a table"
    elif isinstance(value, list):
        return f"a list of {len(value)}"
    elif isinstance(value, int) and abs(value) >= 10**20:
        # Python refuses to print an integer of more than 4300 digits.
        return "a number of more than 20 digits"
    else:
        text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"
