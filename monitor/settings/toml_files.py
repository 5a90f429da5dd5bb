"""The files of a configuration directory: read, parsed, and every key with its line."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.settings.problems import ConfigProblem, format_list
from monitor.settings.toml_errors import explain_syntax_error
from monitor.settings.toml_positions import KeyLines, KeyPath, key_lines

MOST_BYTES = 1_000_000
"""A site file is about 2 kB; what is larger than this is not ours."""


@dataclass(frozen=True, slots=True)
class TomlFile:
    """One file, parsed but not yet checked: `data` may hold anything that TOML can say.

    The questions below never fail: what is not of the asked kind is as if it were not there.
    """

    file: str
    data: dict[str, Any]
    lines: KeyLines

    def line(self, path: KeyPath) -> int:
        return self.lines.of(path)

    def place(self, path: KeyPath) -> str:
        return f"{self.file}:{self.line(path)}"

    def problem(
        self, path: KeyPath, what: str, mend: str, *, blocks_run: bool = False
    ) -> ConfigProblem:
        return ConfigProblem(self.file, self.line(path), what, mend, blocks_run)

    def get(self, path: KeyPath) -> Any:
        """The value there, None when there is none."""
        value: Any = self.data
        for part in path:
            if isinstance(part, str) and isinstance(value, dict):
                value = value.get(part)
            elif isinstance(part, int) and isinstance(value, list) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def text(self, path: KeyPath) -> str | None:
        value = self.get(path)
        return value if isinstance(value, str) else None

    def texts(self, path: KeyPath) -> list[tuple[KeyPath, str]]:
        """One text, or a list of them, each with where it stands."""
        value = self.get(path)
        if isinstance(value, str):
            return [(path, value)]
        if isinstance(value, list):
            return [((*path, n), part) for n, part in enumerate(value) if isinstance(part, str)]
        return []

    def tables(self, path: KeyPath) -> Iterator[KeyPath]:
        """The paths of the tables in an array of tables."""
        value = self.get(path)
        if isinstance(value, list):
            yield from ((*path, n) for n, part in enumerate(value) if isinstance(part, dict))


@dataclass(frozen=True, slots=True)
class ConfigFiles:
    """What stands in a configuration directory; None: absent, or not TOML (see `problems`).

    unread: those that are there and could not be understood ("sites/anjatan.toml", "sites").
    """

    directory: Path
    monitor: TomlFile | None
    network: TomlFile | None
    alerts: TomlFile | None
    sites: tuple[TomlFile, ...]
    problems: tuple[ConfigProblem, ...]
    warnings: tuple[ConfigProblem, ...]
    unread: frozenset[str]
    maintenance: TomlFile | None = None

    def knows_nodes(self) -> bool:
        """False: a node that seems not to exist may stand in a broken file."""
        return "network.toml" not in self.unread

    def knows_links(self) -> bool:
        """False: a link that seems not to exist may stand in a broken file."""
        return not any(name.startswith("sites") for name in self.unread)


_KNOWN = ("monitor.toml", "network.toml", "alerts.toml", "maintenance.toml")


def read_directory(directory: Path) -> ConfigFiles:
    """Read all that is there; a broken file is a problem and hides no other."""
    problems: list[ConfigProblem] = []
    unread: set[str] = set()

    def source(path: Path) -> TomlFile | None:
        found = read_file(path)
        if isinstance(found, ConfigProblem):
            problems.append(found)
            unread.add(str(path.relative_to(directory)))
            return None
        return found

    top = _entries(directory)
    if isinstance(top, ConfigProblem):
        return ConfigFiles(
            directory, None, None, None, (), (top,), (), frozenset((*_KNOWN, "sites"))
        )
    at_sites = _entries(directory / "sites") if directory / "sites" in top else []
    if isinstance(at_sites, ConfigProblem):
        problems.append(at_sites)
        unread.add("sites")
        at_sites = []
    monitor = source(directory / "monitor.toml")
    network, alerts, maintenance = (
        source(directory / name) if directory / name in top else None
        for name in ("network.toml", "alerts.toml", "maintenance.toml")
    )
    sites = [source(path) for path in at_sites if path.name.endswith(".toml")]
    return ConfigFiles(
        directory=directory,
        monitor=monitor,
        network=network,
        alerts=alerts,
        sites=tuple(site for site in sites if site is not None),
        problems=tuple(problems),
        warnings=tuple(_not_read(top, at_sites)),
        unread=frozenset(unread),
        maintenance=maintenance,
    )


def read_file(path: Path) -> TomlFile | ConfigProblem:
    """One file, or why it cannot be read."""
    file = str(path)
    text = _text(path)
    if isinstance(text, ConfigProblem):
        return text
    try:
        return TomlFile(file, tomllib.loads(text), key_lines(text))
    except tomllib.TOMLDecodeError as error:
        trouble = explain_syntax_error(text, str(error))
        return ConfigProblem(file, trouble.line, trouble.what, trouble.mend)
    except RecursionError:
        return ConfigProblem(
            file, 1, "lists or tables nest too deeply", "this is not one of our files"
        )
    except ValueError as error:  # such as an integer of more than 4300 digits
        return ConfigProblem(file, 1, f"a value cannot be read ({error})", "write it shorter")


def _text(path: Path) -> str | ConfigProblem:
    file = str(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return ConfigProblem(
                file, 1, "this is not a file", "remove it, or give it another name"
            )
        if status.st_size > MOST_BYTES:
            return ConfigProblem(
                file, 1, "the file is larger than 1 MB", "this is not one of our files"
            )
        raw = path.read_bytes()
    except FileNotFoundError:
        return ConfigProblem(
            file, 1, "the file is missing", "create it, or say where it is with --config DIR"
        )
    except OSError as error:
        return ConfigProblem(
            file,
            1,
            f"the file cannot be read ({error.strerror})",
            "let the user that runs pantau read it",
        )
    try:
        # Windows' Notepad begins a file with a byte order mark: it is skipped.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return ConfigProblem(
            file,
            raw.count(b"\n", 0, error.start) + 1,
            "the file is not UTF-8 text",
            "save it again as UTF-8",
        )


def _entries(directory: Path) -> list[Path] | ConfigProblem:
    """What is in a directory, by name, hidden files aside; or why that cannot be known."""
    try:
        return sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        mend = "say where the configuration is with --config DIR"
        return ConfigProblem(str(directory), 1, "there is no such directory", mend)
    except OSError as error:
        mend = "let the user that runs pantau read this directory"
        return ConfigProblem(str(directory), 1, f"it cannot be read ({error.strerror})", mend)


def _not_read(top: list[Path], sites: list[Path]) -> Iterator[ConfigProblem]:
    """Files that somebody may believe in although nobody reads them."""
    for path in top:
        if path.name.endswith(".toml") and path.name not in _KNOWN:
            yield ConfigProblem(
                str(path),
                1,
                "nobody reads this file",
                f"the files here are {format_list(_KNOWN)} and sites/*.toml; rename or remove it",
            )
    for path in sites:
        if ".toml" in path.name.lower() and not path.name.endswith(".toml"):
            yield ConfigProblem(
                str(path),
                1,
                "nobody reads this file: its name does not end with .toml",
                "rename it if the site shall be watched, else remove it",
            )
