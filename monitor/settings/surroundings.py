"""What lies around the files: the data directory, the secrets, the reference list of kecamatan.

A place that is not there yet is a warning to `check` (a configuration may be written before the
machine is ready) and an error to `run`: `blocks_run`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor.core.errors import ConfigError
from monitor.core.snmp_credentials import parse_community, parse_v3
from monitor.settings.files import Files, Source
from monitor.settings.kecamatan import Kecamatan
from monitor.settings.lines import KeyPath
from monitor.settings.problems import Problem, nearest, shown
from monitor.settings.references import nodes
from monitor.settings.secrets import SecretOutOfReach, SecretStore
from monitor.settings.where import SECRET_NAME, resolved_data_dir

SHORTEST_PROXY_SECRET = 20


def data_directory(files: Files) -> Iterator[Problem]:
    """The data directory is there, and is a directory."""
    source = files.monitor
    path: KeyPath = ("monitor", "data_dir")
    text = source.text(path) if source is not None else None
    if source is None or not text or not text.isprintable():
        return
    directory = resolved_data_dir(files.directory, text)
    try:
        is_directory = directory.is_dir()
        is_there = is_directory or directory.exists()
    except OSError as error:
        yield source.problem(
            path,
            f"the data directory {directory} cannot be looked at ({error.strerror})",
            "let the user that runs pantau own it",
            blocks_run=True,
        )
        return
    if is_there and not is_directory:
        yield source.problem(
            path, f"{directory} is not a directory", "name a directory, such as /var/lib/pantau"
        )
    elif not is_there:
        yield source.problem(
            path,
            f"the data directory {directory} is missing",
            f"create it for the user that runs pantau: mkdir -p {shlex.quote(str(directory))}",
            blocks_run=True,
        )


def kecamatan_codes(files: Files, reference: Mapping[str, Kecamatan]) -> Iterator[Problem]:
    """Each site's code is one of the 31, is that of its name, and is no other site's."""
    by_name = {each.name: each for each in reference.values()}
    first: dict[str, Source] = {}
    for source in files.sites:
        code, name = source.text(("code",)), source.text(("name",))
        if code is None or name is None:
            continue
        meant = next((each for each in reference.values() if each.is_called(name)), None)
        if meant is None:
            guess = nearest(name, by_name)
            meant = by_name[guess] if guess is not None else None
        mend = (
            f'for {meant.name} write code = "{meant.code}"'
            if meant is not None
            else "compare name and code with the decree's list"
        )
        found = reference.get(code)
        if found is None:
            what = f"code = {shown(code)} is none of the {len(reference)} kecamatan"
            yield source.problem(("code",), what, mend, blocks_run=True)
        elif not found.is_called(name):
            what = f"code = {shown(code)} is {found.name}'s, this site is called {shown(name)}"
            yield source.problem(("code",), what, mend, blocks_run=True)
        elif code in first:
            what = f"code = {shown(code)} is used already at {first[code].place(('code',))}"
            yield source.problem(("code",), what, "keep one file a kecamatan", blocks_run=True)
        first.setdefault(code, source)


@dataclass(frozen=True, slots=True)
class _Use:
    """A place that names a secret; version: of SNMP, None: for something else."""

    name: str
    source: Source
    path: KeyPath
    version: str | None


def secrets(files: Files, store: SecretStore) -> Iterator[Problem]:
    """Every secret that is named can be had, once each, and can be what it is used for."""
    uses: dict[tuple[str, str | None], list[_Use]] = {}
    for use in _uses(files):
        if SECRET_NAME.fullmatch(use.name):
            uses.setdefault((use.name, use.version), []).append(use)
    for (name, version), places in uses.items():
        where, path = places[0].source, places[0].path
        count = "" if len(places) == 1 else f" (named in {len(places)} places)"
        try:
            text = store.get(name).reveal()
        except SecretOutOfReach:
            yield where.problem(
                path,
                f"the secret {shown(name)} is missing, or this user may not read it{count}",
                store.remedy(name),
                blocks_run=True,
            )
        except ConfigError as error:
            what, _, mend = str(error).partition(": ")
            yield where.problem(path, what + count, mend)
        else:
            yield from _content(places[0], version, text, count)


def page_secret(files: Files, store: SecretStore) -> Iterator[Problem]:
    """The secret of [dashboard.proxy]: the page needs it, the daemon runs without (warnings)."""
    source, path = files.monitor, ("dashboard", "proxy", "secret")
    name = source.text(path) if source is not None else None
    if source is None or name is None or not SECRET_NAME.fullmatch(name):
        return
    try:
        text = store.get(name).reveal()
    except ConfigError as error:
        what, _, mend = str(error).partition(": ")
        yield source.problem(path, what, mend)
    else:
        if len(text) < SHORTEST_PROXY_SECRET:
            yield source.problem(
                path,
                f"the secret {shown(name)} is shorter than {SHORTEST_PROXY_SECRET} characters",
                "make one by chance: openssl rand -hex 32",
            )


def _content(use: _Use, version: str | None, text: str, count: str) -> Iterator[Problem]:
    """A credential that the poller could not use is said here, not at night in a log."""
    try:
        if version == "3":
            parse_v3(text)
        elif version == "2c":
            parse_community(text)
    except ConfigError as error:
        yield use.source.problem(
            use.path,
            f"the secret {shown(use.name)} is no SNMP {version} credential{count}",
            str(error),
        )


def _uses(files: Files) -> Iterator[_Use]:
    if files.monitor is not None:
        path: KeyPath = ("storage", "influxdb", "token")
        token = files.monitor.text(path)
        if token is not None:
            yield _Use(token, files.monitor, path, None)
    if files.alerts is not None:
        tables = [*files.alerts.tables(("channels",)), ("heartbeat",)]
        for path in ((*table, "url") for table in tables):
            named_here = files.alerts.text(path)
            if named_here is not None:
                yield _Use(named_here, files.alerts, path, None)
    sections = [(named.source, (*named.path, "snmp")) for named in nodes(files)]
    sections += [(source, ("snmp",)) for source in files.sites]
    for source, section in sections:
        name = source.text((*section, "credential"))
        if name is not None:
            version = source.text((*section, "version")) or "2c"
            yield _Use(name, source, (*section, "credential"), version)
