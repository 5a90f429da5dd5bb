"""Check the configuration against the machine: data directory, secrets, list of kecamatan.

What the machine does not have yet is a warning of `pantau check`, since a configuration may be
written before its machine is ready, and an error of `pantau run` (`blocks_run`).
"""

from __future__ import annotations

import shlex
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor.core.alerting.settings import LEAST_SIGNING_KEY_CHARACTERS
from monitor.core.errors import ConfigError
from monitor.core.snmp_credentials import parse_community, parse_v3
from monitor.settings.cross_checks.network import snmp_tables
from monitor.settings.kecamatan import Kecamatan
from monitor.settings.paths import is_secret_name, resolve_data_dir
from monitor.settings.problems import ConfigProblem, format_value, nearest_word
from monitor.settings.secrets import SecretStore, SecretUnavailable
from monitor.settings.toml_files import ConfigFiles, TomlFile
from monitor.settings.toml_positions import KeyPath

SHORTEST_PROXY_SECRET = 20


def environment_problems(
    files: ConfigFiles, reference: Mapping[str, Kecamatan], secrets: SecretStore
) -> Iterator[ConfigProblem]:
    """Errors, and warnings with `blocks_run`. reference: the known kecamatan, by their codes."""
    yield from _data_directory(files)
    yield from _influx_tls(files)
    yield from _kecamatan_codes(files, reference)
    yield from _secrets(files, secrets)


def _data_directory(files: ConfigFiles) -> Iterator[ConfigProblem]:
    source = files.monitor
    path: KeyPath = ("monitor", "data_dir")
    text = source.text(path) if source is not None else None
    if source is None or not text or not text.isprintable():
        return
    directory = resolve_data_dir(files.directory, text)
    try:
        is_directory = directory.is_dir()
        exists = is_directory or directory.exists()
    except OSError as error:
        yield source.problem(
            path,
            f"the data directory {directory} cannot be looked at ({error.strerror})",
            "let the user that runs pantau own it",
            blocks_run=True,
        )
        return
    if exists and not is_directory:
        yield source.problem(
            path, f"{directory} is not a directory", "name a directory, such as /var/lib/pantau"
        )
    elif not exists:
        yield source.problem(
            path,
            f"the data directory {directory} is missing",
            f"create it for the user that runs pantau: mkdir -p {shlex.quote(str(directory))}",
            blocks_run=True,
        )


def _influx_tls(files: ConfigFiles) -> Iterator[ConfigProblem]:
    source, table = files.monitor, ("storage", "influxdb")
    if source is None:
        return
    text = source.text((*table, "ca_file"))
    if text and text.isprintable():
        path = resolve_data_dir(files.directory, text)
        try:
            ssl.create_default_context(cafile=str(path))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "not PEM"
            yield source.problem(
                (*table, "ca_file"),
                f"the certificate {path} cannot be used ({why})",
                "name the PEM file of the CA that signed the server's certificate",
                blocks_run=True,
            )


def _kecamatan_codes(
    files: ConfigFiles, reference: Mapping[str, Kecamatan]
) -> Iterator[ConfigProblem]:
    """A site's code is in the list, belongs to the site's name, and is used once."""
    by_name = {each.name: each for each in reference.values()}
    first: dict[str, TomlFile] = {}
    for source in files.sites:
        code, name = source.text(("code",)), source.text(("name",))
        if code is None or name is None:
            continue
        meant = next((each for each in reference.values() if each.has_name(name)), None)
        if meant is None:
            guess = nearest_word(name, by_name)
            meant = by_name[guess] if guess is not None else None
        mend = (
            f'for {meant.name} write code = "{meant.code}"'
            if meant is not None
            else "compare name and code with the decree's list"
        )
        found = reference.get(code)
        shown = format_value(code)
        if found is None:
            what = f"code = {shown} is none of the {len(reference)} kecamatan"
            yield source.problem(("code",), what, mend, blocks_run=True)
        elif not found.has_name(name):
            what = f"code = {shown} is {found.name}'s, this site is called {format_value(name)}"
            yield source.problem(("code",), what, mend, blocks_run=True)
        elif code in first:
            what = f"code = {shown} is used already at {first[code].place(('code',))}"
            yield source.problem(("code",), what, "keep one file a kecamatan", blocks_run=True)
        first.setdefault(code, source)


@dataclass(frozen=True, slots=True)
class _SecretUse:
    """A key that names a secret. snmp_version: None if it is not an SNMP credential.

    least_characters: a shorter one is refused.
    """

    name: str
    source: TomlFile
    path: KeyPath
    snmp_version: str | None
    least_characters: int = 0


def _secrets(files: ConfigFiles, store: SecretStore) -> Iterator[ConfigProblem]:
    """Every secret that is named exists and has the right form. One problem for each secret."""
    uses: dict[tuple[str, str | None], list[_SecretUse]] = {}
    for use in _secret_uses(files):
        if is_secret_name(use.name):
            uses.setdefault((use.name, use.snmp_version), []).append(use)
    for places in uses.values():
        first = places[0]
        count = "" if len(places) == 1 else f" (named in {len(places)} places)"
        try:
            text = store.get(first.name).reveal()
        except SecretUnavailable:
            yield first.source.problem(
                first.path,
                f"the secret {format_value(first.name)} is missing, "
                f"or this user may not read it{count}",
                store.remedy(first.name),
                blocks_run=True,
            )
        except ConfigError as error:
            what, _, mend = str(error).partition(": ")
            yield first.source.problem(first.path, what + count, mend)
        else:
            yield from _credential_errors(first, text, count)


def _credential_errors(use: _SecretUse, text: str, count: str) -> Iterator[ConfigProblem]:
    """An SNMP credential can be parsed: otherwise polling would fail later, in the log only.

    A signing key is long enough.
    """
    if len(text.strip()) < use.least_characters:
        yield use.source.problem(
            use.path,
            f"the secret {format_value(use.name)} is shorter than {use.least_characters}"
            f" characters{count}",
            "make one with: openssl rand -hex 32",
        )
    try:
        if use.snmp_version == "3":
            parse_v3(text)
        elif use.snmp_version == "2c":
            parse_community(text)
    except ConfigError as error:
        yield use.source.problem(
            use.path,
            f"the secret {format_value(use.name)} is no SNMP {use.snmp_version} credential{count}",
            str(error),
        )


def _secret_uses(files: ConfigFiles) -> Iterator[_SecretUse]:
    if files.monitor is not None:
        yield from _uses_at(files.monitor, ("storage", "influxdb", "token"))
    if files.alerts is not None:
        for table in [*files.alerts.tables(("channels",)), ("heartbeat",)]:
            yield from _uses_at(files.alerts, (*table, "url"))
            least = LEAST_SIGNING_KEY_CHARACTERS
            yield from _uses_at(files.alerts, (*table, "signing_key"), least_characters=least)
    for source, snmp in snmp_tables(files):
        version = source.text((*snmp, "version")) or "2c"
        yield from _uses_at(source, (*snmp, "credential"), version)


def _uses_at(
    source: TomlFile,
    path: KeyPath,
    snmp_version: str | None = None,
    least_characters: int = 0,
) -> Iterator[_SecretUse]:
    name = source.text(path)
    if name is not None:
        yield _SecretUse(name, source, path, snmp_version, least_characters)


def proxy_secret_warnings(files: ConfigFiles, store: SecretStore) -> Iterator[ConfigProblem]:
    """The secret of [dashboard.proxy]. Warnings only: the daemon runs without it."""
    source, path = files.monitor, ("dashboard", "proxy", "secret")
    name = source.text(path) if source is not None else None
    if source is None or name is None or not is_secret_name(name):
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
                f"the secret {format_value(name)} is shorter than "
                f"{SHORTEST_PROXY_SECRET} characters",
                "make one by chance: openssl rand -hex 32",
            )
