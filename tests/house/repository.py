"""What may stand in the repository at all: names, places, words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

TOP_LEVEL = frozenset(
    {
        *(".ci", ".gitignore", "README.md", "pyproject.toml"),
        *("config", "dashboard", "deploy", "monitor", "tests"),
    }
)

WITHOUT_PYTHON = ("config/", "deploy/")

FOREIGN_WORDS = re.compile(
    "|".join(
        (
            # hosts of package registries: the ordinary client of each knows its own
            r"\bpypi\.(?:org|io)\b",
            r"\bpythonhosted\.org\b",
            r"\bnpmjs\.(?:org|com)\b",
            r"\b(?:deb|security|ftp)\.debian\.org\b",
            r"\b(?:docker|ghcr|quay|crates)\.io\b",
            # places of the machine on which it was built
            r"(?<![\w.~-])/(?:work|root|farm)/",
            r"/bash_jobs\b",
            r"(?<![\w.~-])/home/\w",
            r"(?<![\w.~-])/Users/\w",
        )
    )
)

SELF = "tests/house/repository.py"
"""The one file that must hold the words it looks for."""


def strangers_at_the_top(paths: Iterable[str]) -> list[str]:
    """Names at the top of the repository that nobody agreed on."""
    return sorted({path.split("/")[0] for path in paths} - TOP_LEVEL)


def python_where_none_belongs(paths: Iterable[str]) -> list[str]:
    """Python files in `config/` or `deploy/`: these hold settings and scripts."""
    return sorted(
        path for path in paths if path.startswith(WITHOUT_PYTHON) and path.endswith((".py", ".pyi"))
    )


def foreign_words(texts: Mapping[str, str]) -> list[str]:
    """`path:line: word` for each registry's host and each path of a build machine."""
    return [
        f"{path}:{number}: {found.group()}"
        for path, text in sorted(texts.items())
        if path != SELF
        for number, line in enumerate(text.splitlines(), start=1)
        for found in FOREIGN_WORDS.finditer(line)
    ]
