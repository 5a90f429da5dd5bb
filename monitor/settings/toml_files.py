"""Read the TOML files of a configuration directory, with the line of every key."""

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
"""A site's file has about 2 kB: anything larger is not a configuration file."""


@dataclass(frozen=True, slots=True)
class TomlFile:
    """One parsed file, not yet validated: values may have any type.

    The methods never raise: a value of another type counts as absent.
    """

    file: str
    data: dict[str, Any]
    lines: KeyLines

    def line(self, path: KeyPath) -> int:
        """The line of a key, from 1; of an absent key, that of the table around it."""
        return self.lines.of(path)

    def place(self, path: KeyPath) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line(path)}"

    def problem(
        self, path: KeyPath, what: str, mend: str, *, blocks_run: bool = False
    ) -> ConfigProblem:
        return ConfigProblem(self.file, self.line(path), what, mend, blocks_run)

    def get(self, path: KeyPath) -> Any:
        """The value of any type, None if absent."""
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
        """A string, None if absent."""
        value = self.get(path)
        return value if isinstance(value, str) else None

    def texts(self, path: KeyPath) -> list[tuple[KeyPath, str]]:
        """The strings of a string or a list, each with its path."""
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
    """The parsed files of a directory. None: absent, or not TOML (see `problems`).

    unread: relative paths that exist but could not be read ("sites/anjatan.toml", "sites").
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
        """False if network.toml could not be read: an unknown node may be defined there."""
        return "network.toml" not in self.unread

    def knows_links(self) -> bool:
        """False if a site's file could not be read: an unknown link may be defined there."""
        return not any(name.startswith("sites") for name in self.unread)


_FILE_NAMES = ("monitor.toml", "network.toml", "alerts.toml", "maintenance.toml")


def read_directory(directory: Path) -> ConfigFiles:
    """Read every file. A file that cannot be read is a problem, and the others are still read."""
    problems: list[ConfigProblem] = []
    unread: set[str] = set()

    def source(path: Path) -> TomlFile | None:
        found = read_file(path)
        if isinstance(found, ConfigProblem):
            problems.append(found)
            unread.add(str(path.relative_to(directory)))
            return None
        return found

    at_top = _list_directory(directory)
    if isinstance(at_top, ConfigProblem):
        return ConfigFiles(
            directory, None, None, None, (), (at_top,), (), frozenset((*_FILE_NAMES, "sites"))
        )
    at_sites = _list_directory(directory / "sites") if directory / "sites" in at_top else []
    if isinstance(at_sites, ConfigProblem):
        problems.append(at_sites)
        unread.add("sites")
        at_sites = []
    monitor = source(directory / "monitor.toml")
    network, alerts, maintenance = (
        source(directory / name) if directory / name in at_top else None
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
        warnings=tuple(_ignored_files(at_top, at_sites)),
        unread=frozenset(unread),
        maintenance=maintenance,
    )


def read_file(path: Path) -> TomlFile | ConfigProblem:
    """Parse one file, or return why that fails."""
    file = str(path)
    text = _read_text(path)
    if isinstance(text, ConfigProblem):
        return text
    try:
        return TomlFile(file, tomllib.loads(text), key_lines(text))
    except tomllib.TOMLDecodeError as error:
        explained = explain_syntax_error(text, str(error))
        return ConfigProblem(file, explained.line, explained.what, explained.mend)
    except RecursionError:
        return ConfigProblem(
            file, 1, "lists or tables nest too deeply", "this is not one of our files"
        )
    except ValueError as error:  # such as an integer of more than 4300 digits
        return ConfigProblem(file, 1, f"a value cannot be read ({error})", "write it shorter")


def _read_text(path: Path) -> str | ConfigProblem:
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
        # Skips the byte order mark with which Windows' Notepad begins a file.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return ConfigProblem(
            file,
            raw.count(b"\n", 0, error.start) + 1,
            "the file is not UTF-8 text",
            "save it again as UTF-8",
        )


def _list_directory(directory: Path) -> list[Path] | ConfigProblem:
    """The entries of a directory by name, without hidden ones, or why it cannot be read."""
    try:
        return sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        mend = "say where the configuration is with --config DIR"
        return ConfigProblem(str(directory), 1, "there is no such directory", mend)
    except OSError as error:
        mend = "let the user that runs pantau read this directory"
        return ConfigProblem(str(directory), 1, f"it cannot be read ({error.strerror})", mend)


def _ignored_files(at_top: list[Path], sites: list[Path]) -> Iterator[ConfigProblem]:
    """Warnings about files that look like configuration but are not read."""
    for path in at_top:
        if path.name.endswith(".toml") and path.name not in _FILE_NAMES:
            yield ConfigProblem(
                str(path),
                1,
                "nobody reads this file",
                f"the files here are {format_list(_FILE_NAMES)} and sites/*.toml; "
                "rename or remove it",
            )
    for path in sites:
        if ".toml" in path.name.lower() and not path.name.endswith(".toml"):
            yield ConfigProblem(
                str(path),
                1,
                "nobody reads this file: its name does not end with .toml",
                "rename it if the site shall be watched, else remove it",
            )
