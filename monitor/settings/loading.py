"""A configuration directory → Settings, or everything that is wrong with it, at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from monitor.settings import agreements, build, callings, pairs, references, rules, surroundings
from monitor.settings.files import Files, Source, read_directory
from monitor.settings.kecamatan import Kecamatan, kecamatan_by_code
from monitor.settings.loaded import Loaded
from monitor.settings.overrides import with_overrides
from monitor.settings.problems import Problem, in_order
from monitor.settings.schema.alerts import AlertsFile
from monitor.settings.schema.daemon import MonitorFile
from monitor.settings.schema.maintenance import MaintenanceFile
from monitor.settings.schema.network import NetworkFile, SiteFile
from monitor.settings.secrets import SecretStore
from monitor.settings.sentences import checked

M = TypeVar("M", bound=BaseModel)


def load(
    config_dir: Path,
    environ: Mapping[str, str] | None = None,
    overrides: Iterable[str] = (),
) -> Loaded:
    """Read and check everything; never raises for what stands in the files.

    environ: where secrets may be named (settings.secrets); None: this process's environment.
    overrides: `key.path=value` of monitor.toml, tried for once (settings.overrides); raises
    ConfigError for one that is no such thing.
    """
    files = with_overrides(read_directory(config_dir), overrides)
    reference = kecamatan_by_code()
    complete, misfits = _schemas(files, reference)
    errors = [*files.problems, *misfits]
    errors += references.same_ids(files)
    errors += references.same_addresses(files)
    errors += references.unknown_parents(files)
    errors += references.cycles(files)
    errors += references.unknown_links(files)
    errors += pairs.half_points(files)
    errors += pairs.routers_without_address(files)
    errors += callings.errors(files)
    errors += agreements.errors(files)
    targets = _targets(files)
    for layers in targets:
        errors += rules.errors(layers)

    warnings = [*files.warnings]
    for layers in targets:
        warnings += rules.warnings(layers)
    warnings += pairs.unwatched(files)
    warnings += pairs.misnamed_files(files)
    warnings += pairs.same_routers(files)
    warnings += callings.warnings(files)
    warnings += agreements.warnings(files)
    store = SecretStore(config_dir, os.environ if environ is None else environ)
    around = [
        *surroundings.data_directory(files),
        *surroundings.kecamatan_codes(files, reference),
        *surroundings.secrets(files, store),
    ]
    warnings += [problem for problem in around if problem.blocks_run]
    warnings += surroundings.page_secret(files, store)
    errors += [problem for problem in around if not problem.blocks_run]

    settings = build.settings(complete) if complete is not None and not errors else None
    return Loaded(settings, in_order(errors), in_order(warnings))


def _schemas(
    files: Files, reference: Mapping[str, Kecamatan]
) -> tuple[build.Checked | None, list[Problem]]:
    """Each file held to its schema; None while one of them does not fit."""
    problems: list[Problem] = []

    def fitted(model: type[M], source: Source | None) -> M | None:
        if source is None:
            return None
        found, wrong = checked(model, source)
        problems.extend(wrong)
        return found

    monitor = fitted(MonitorFile, files.monitor)
    network = fitted(NetworkFile, files.network)
    alerts = fitted(AlertsFile, files.alerts)
    maintenance = fitted(MaintenanceFile, files.maintenance)
    sites = [(source, fitted(SiteFile, source)) for source in files.sites]
    if problems or files.problems or files.monitor is None or monitor is None:
        return None, problems
    complete = build.Checked(
        directory=files.directory,
        monitor=(files.monitor, monitor),
        network=(files.network, network or NetworkFile()),
        sites=tuple((source, site) for source, site in sites if site is not None),
        reference=reference,
        alerts=alerts or AlertsFile(),
        maintenance=maintenance or MaintenanceFile(),
    )
    return complete, problems


def _targets(files: Files) -> list[list[rules.Layer]]:
    """The layers of [ping] alone, of each kind, and of everything that is watched."""
    monitor = files.monitor
    found = [rules.layers(monitor, kind) for kind in (None, *rules.KINDS)]
    for node in references.nodes(files):
        found.append(rules.layers(monitor, None, node.source, node.path))
    for link in _links(files):
        kind = link.source.text((*link.path, "kind"))
        found.append(rules.layers(monitor, kind, link.source, link.path))
    return found


def _links(files: Files) -> list[references.Named]:
    return [link for source in files.sites for link in references.links(source)]
