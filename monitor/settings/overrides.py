"""`--set ping.confirm_s=8`: override values of monitor.toml without changing the file."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from monitor.core.errors import ConfigError
from monitor.settings.toml_files import ConfigFiles

_EXAMPLE = "for example --set ping.confirm_s=8 or --set ping.kinds.vsat.timeout_s=4"


def with_overrides(files: ConfigFiles, overrides: Iterable[str]) -> ConfigFiles:
    """The files, with these `key.path=value` set in monitor.toml; values are TOML (8, "text").

    Raises ConfigError for malformed ones. Values are validated later, with the file.
    """
    parsed = [_parsed(text) for text in overrides]
    if not parsed or files.monitor is None:
        return files
    data = copy.deepcopy(files.monitor.data)
    for path, value in parsed:
        table = data
        for part in path[:-1]:
            inner = table.setdefault(part, {})
            if not isinstance(inner, dict):
                raise ConfigError(
                    f"--set {'.'.join(path)}: {part} is a value, no table; {_EXAMPLE}"
                )
            table = inner
        table[path[-1]] = value
    return replace(files, monitor=replace(files.monitor, data=data))


def _parsed(text: str) -> tuple[list[str], Any]:
    key, equals, value = text.partition("=")
    path = [part.strip() for part in key.split(".")]
    if not equals or not all(path):
        raise ConfigError(f"--set {text}: this is no key=value; {_EXAMPLE}")
    try:
        return path, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"--set {text}: {value!r} is no TOML value ({error}); {_EXAMPLE}"
        ) from error
