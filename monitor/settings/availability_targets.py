"""The availability that a link should reach, and checks of the `[sla]` tables.

Precedence: the link's own `sla_pct`, its provider's (`[[sla.providers]]`), that of its kind
(`[sla.kinds.<kind>]`), the built-in target of the kind (core.availability_target).
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.core.availability_target import AgreedBy, AvailabilityTarget, built_in_target
from monitor.settings.cross_checks.network import link_tables
from monitor.settings.problems import ConfigProblem, format_list, format_value, nearest_word
from monitor.settings.schema.common import SlaKeys
from monitor.settings.schema.monitor import SlaTable
from monitor.settings.schema.network import LinkTable
from monitor.settings.toml_files import ConfigFiles, TomlFile
from monitor.settings.toml_positions import KeyPath


def availability_target(sla: SlaTable, link: LinkTable) -> AvailabilityTarget:
    """The target of one link, and where it was agreed."""
    of_kind: SlaKeys = getattr(sla.kinds, link.kind)
    of_provider = (each.sla_pct for each in sla.providers if each.name == link.provider)
    by_precedence = (
        (link.sla_pct, AgreedBy.LINK),
        (next(of_provider, None), AgreedBy.PROVIDER),
        (of_kind.sla_pct, AgreedBy.KIND),
    )
    for pct, agreed in by_precedence:
        if pct is not None:
            return AvailabilityTarget(pct / 100, agreed)
    return built_in_target(link.kind)


def availability_target_errors(files: ConfigFiles) -> Iterator[ConfigProblem]:
    """A provider with two targets."""
    first: dict[str, str] = {}
    for source, path, name in _providers(files):
        if name in first:
            yield source.problem(
                path,
                f"the provider {format_value(name)} stands at {first[name]} already",
                "keep one of the two",
            )
        first.setdefault(name, source.place(path))


def availability_target_warnings(files: ConfigFiles) -> Iterator[ConfigProblem]:
    """A target for a provider that no link has."""
    known = sorted(
        {
            name
            for source in files.sites
            for link in link_tables(source)
            if (name := source.text((*link.path, "provider"))) is not None
        }
    )
    for source, path, name in _providers(files):
        if name not in known:
            what = f"no link has the provider {format_value(name)}"
            yield source.problem(path, what, _suggestion(name, known))


def _suggestion(name: str, known: list[str]) -> str:
    if not known:
        return "remove it, or write the provider at its links"
    guess = nearest_word(name, known)
    return (
        f"did you mean {format_value(guess)}?"
        if guess
        else f"the providers are {format_list(known)}"
    )


def _providers(files: ConfigFiles) -> Iterator[tuple[TomlFile, KeyPath, str]]:
    """The name of each `[[sla.providers]]`, and where it is."""
    source = files.monitor
    if source is None:
        return
    for table in source.tables(("sla", "providers")):
        path = (*table, "name")
        name = source.text(path)
        if name is not None:
            yield source, path, name
