"""Load a configuration directory: files → schema → checks → settings.

All checks run even if an earlier one failed, so an administrator sees every mistake at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from monitor.settings.availability_targets import (
    availability_target_errors,
    availability_target_warnings,
)
from monitor.settings.cross_checks.alerts import alert_errors, alert_warnings
from monitor.settings.cross_checks.dashboard import dashboard_warnings, series_problems
from monitor.settings.cross_checks.environment import environment_problems, proxy_secret_warnings
from monitor.settings.cross_checks.network import network_errors, network_warnings
from monitor.settings.kecamatan import Kecamatan, kecamatan_by_code
from monitor.settings.overrides import with_overrides
from monitor.settings.probe_rules import all_rule_layers, probe_rule_errors, probe_rule_warnings
from monitor.settings.problems import ConfigProblem, LoadResult, sorted_problems
from monitor.settings.schema.alerts import AlertsFile
from monitor.settings.schema.maintenance import MaintenanceFile
from monitor.settings.schema.monitor import MonitorFile
from monitor.settings.schema.network import NetworkFile, SiteFile
from monitor.settings.schema_errors import validate_file
from monitor.settings.secrets import SecretStore
from monitor.settings.settings_builder import ValidatedFiles, build_settings
from monitor.settings.toml_files import ConfigFiles, TomlFile, read_directory

M = TypeVar("M", bound=BaseModel)


def load_directory(
    config_dir: Path,
    environ: Mapping[str, str] | None = None,
    overrides: Iterable[str] = (),
) -> LoadResult:
    """Read and check a configuration directory. Mistakes in the files never raise.

    environ: where secrets may be (see `secrets`); None: this process's environment.
    overrides: `key.path=value` of monitor.toml, for this call only (see `overrides`); raises
    ConfigError for malformed ones.
    """
    files = with_overrides(read_directory(config_dir), overrides)
    reference = kecamatan_by_code()
    secrets = SecretStore(config_dir, os.environ if environ is None else environ)
    validated, schema_problems = _validate(files, reference)
    rules = all_rule_layers(files)
    around = list(environment_problems(files, reference, secrets))

    errors = [*files.problems, *schema_problems]
    errors += network_errors(files)
    errors += alert_errors(files)
    errors += availability_target_errors(files)
    errors += series_problems(files)
    errors += (error for layers in rules for error in probe_rule_errors(layers))
    errors += (problem for problem in around if not problem.blocks_run)

    warnings = [*files.warnings]
    warnings += (warning for layers in rules for warning in probe_rule_warnings(layers))
    warnings += network_warnings(files)
    warnings += alert_warnings(files)
    warnings += availability_target_warnings(files)
    warnings += (problem for problem in around if problem.blocks_run)
    warnings += proxy_secret_warnings(files, secrets)
    warnings += dashboard_warnings(files)

    settings = build_settings(validated) if validated is not None and not errors else None
    return LoadResult(settings, sorted_problems(errors), sorted_problems(warnings))


def _validate(
    files: ConfigFiles, reference: Mapping[str, Kecamatan]
) -> tuple[ValidatedFiles | None, list[ConfigProblem]]:
    """Validate each file against its schema. None if any file is missing or invalid."""
    problems: list[ConfigProblem] = []

    def validated(model: type[M], source: TomlFile | None) -> M | None:
        if source is None:
            return None
        found, wrong = validate_file(model, source)
        problems.extend(wrong)
        return found

    monitor = validated(MonitorFile, files.monitor)
    network_file = validated(NetworkFile, files.network)
    alerts_file = validated(AlertsFile, files.alerts)
    maintenance = validated(MaintenanceFile, files.maintenance)
    sites = [(source, validated(SiteFile, source)) for source in files.sites]
    if problems or files.problems or files.monitor is None or monitor is None:
        return None, problems
    complete = ValidatedFiles(
        directory=files.directory,
        monitor=(files.monitor, monitor),
        network=(files.network, network_file or NetworkFile()),
        sites=tuple((source, site) for source, site in sites if site is not None),
        reference=reference,
        alerts=alerts_file or AlertsFile(),
        maintenance=maintenance or MaintenanceFile(),
    )
    return complete, problems
