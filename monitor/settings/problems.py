"""What is wrong in a file, said so that the person who keeps it can mend it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePath


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `line` counts from 1.

    blocks_run: a warning to `pantau check`, an error to `pantau run` (a missing secret or data
    directory, a code that is another kecamatan's); always False for an error.
    """

    file: str
    line: int
    what: str
    mend: str
    blocks_run: bool = False

    def __str__(self) -> str:
        """One line, whatever stands in the file or in its name."""
        text = f"{self.file}:{self.line}: {self.what} — {self.mend}"
        return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each problem once: the files of the whole network, then those of the sites; by line."""
    return tuple(sorted(dict.fromkeys(problems), key=_place))


def _place(problem: Problem) -> tuple[int, str, int]:
    first = ("monitor.toml", "network.toml", "alerts.toml", "maintenance.toml")
    name = PurePath(problem.file).name
    return first.index(name) if name in first else len(first), problem.file, problem.line


def nearest(word: str, known: Collection[str], alike: float = 0.6) -> str | None:
    """The known word that is most like `word` (capitals aside); None when none is like it.

    alike: how alike it must be, 0 (anything) to 1 (the same).
    """
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(word.casefold(), list(by_folded), n=1, cutoff=alike)
    return by_folded[close[0]] if close else None


def listed(words: Iterable[str], most: int = 12) -> str:
    """The words with commas; after `most` of them, how many more there are."""
    every = list(words)
    shown = ", ".join(every[:most])
    more = len(every) - most
    return f"{shown} and {more} more" if more > 0 else shown


def shown(value: object) -> str:
    """A value as it would stand in the file, cut after 60 characters."""
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
