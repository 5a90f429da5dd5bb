"""What came of reading a configuration directory, and whether it is good enough."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.core.errors import ConfigError
from monitor.settings.model import Settings
from monitor.settings.problems import Problem


@dataclass(frozen=True, slots=True)
class Loaded:
    """settings: None as soon as there is one error."""

    settings: Settings | None
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def require(loaded: Loaded, *, strict: bool) -> Settings:
    """The settings. Raises ConfigError that lists every problem, one a line.

    strict: as `pantau run` asks: a missing secret or data directory, or a wrong code, counts too.
    """
    problems = loaded.errors
    if strict:
        problems += tuple(problem for problem in loaded.warnings if problem.blocks_run)
    if problems or loaded.settings is None:
        raise ConfigError("\n".join(str(problem) for problem in problems))
    return loaded.settings
