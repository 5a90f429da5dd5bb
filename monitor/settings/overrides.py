"""`--set ping.confirm_s=8`: one value of monitor.toml tried without touching the file."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from monitor.core.errors import ConfigError
from monitor.settings.toml_files import ConfigFiles

EXAMPLE = "for example --set ping.confirm_s=8 or --set ping.kinds.vsat.timeout_s=4"


def with_overrides(files: ConfigFiles, settings: Iterable[str]) -> ConfigFiles:
    """The files as if monitor.toml held these `key.path=value` too.

    Values are TOML (8, 0.5, "text"). What they say is checked like the file itself; only what is
    no `key=value` raises ConfigError here.
    """
    wanted = [_parsed(text) for text in settings]
    if not wanted or files.monitor is None:
        return files
    data = copy.deepcopy(files.monitor.data)
    for path, value in wanted:
        table = data
        for part in path[:-1]:
            inner = table.setdefault(part, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"--set {'.'.join(path)}: {part} is a value, no table; {EXAMPLE}")
            table = inner
        table[path[-1]] = value
    return replace(files, monitor=replace(files.monitor, data=data))


def _parsed(text: str) -> tuple[list[str], Any]:
    key, equals, value = text.partition("=")
    path = [part.strip() for part in key.split(".")]
    if not equals or not all(path):
        raise ConfigError(f"--set {text}: this is no key=value; {EXAMPLE}")
    try:
        return path, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"--set {text}: {value!r} is no TOML value ({error}); {EXAMPLE}"
        ) from error
