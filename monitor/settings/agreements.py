"""Which availability a link should reach, and what can be wrong with what is said of it.

The link's own `sla_pct` outranks its provider's (`[[sla.providers]]`), that of its kind
(`[sla.kinds.<kind>]`) and what is built in for the kind (core.availability).
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.core.availability_target import AgreedBy, AvailabilityTarget, built_in_target
from monitor.settings.files import Files, Source
from monitor.settings.lines import KeyPath
from monitor.settings.problems import Problem, listed, nearest, shown
from monitor.settings.references import links
from monitor.settings.schema.common import AgreedKeys
from monitor.settings.schema.daemon import SlaTable
from monitor.settings.schema.network import LinkTable

PROVIDERS: KeyPath = ("sla", "providers")


def aim(sla: SlaTable, link: LinkTable) -> AvailabilityTarget:
    """What one link should reach, and by whose word."""
    of_kind: AgreedKeys = getattr(sla.kinds, link.kind)
    of_provider = (each.sla_pct for each in sla.providers if each.name == link.provider)
    said = (
        (link.sla_pct, AgreedBy.LINK),
        (next(of_provider, None), AgreedBy.PROVIDER),
        (of_kind.sla_pct, AgreedBy.KIND),
    )
    for pct, agreed in said:
        if pct is not None:
            return AvailabilityTarget(pct / 100, agreed)
    return built_in_target(link.kind)


def errors(files: Files) -> Iterator[Problem]:
    """A provider with two agreements."""
    first: dict[str, str] = {}
    for source, path, name in _providers(files):
        if name in first:
            yield source.problem(
                path,
                f"the provider {shown(name)} stands at {first[name]} already",
                "keep one of the two",
            )
        first.setdefault(name, source.place(path))


def warnings(files: Files) -> Iterator[Problem]:
    """An agreement with a provider that no link has."""
    known = sorted(
        {
            name
            for source in files.sites
            for link in links(source)
            if (name := source.text((*link.path, "provider"))) is not None
        }
    )
    for source, path, name in _providers(files):
        if name not in known:
            yield source.problem(
                path, f"no link has the provider {shown(name)}", _mend(name, known)
            )


def _mend(name: str, known: list[str]) -> str:
    if not known:
        return "remove it, or write the provider at its links"
    guess = nearest(name, known)
    return f"did you mean {shown(guess)}?" if guess else f"the providers are {listed(known)}"


def _providers(files: Files) -> Iterator[tuple[Source, KeyPath, str]]:
    """Each provider with an agreement, and where its name stands."""
    source = files.monitor
    for table in source.tables(PROVIDERS) if source is not None else ():
        path = (*table, "name")
        name = source.text(path) if source is not None else None
        if source is not None and name is not None:
            yield source, path, name
