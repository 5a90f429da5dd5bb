"""Keys that only make sense together, within one file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from monitor.settings.files import Files, Source
from monitor.settings.lines import KeyPath
from monitor.settings.problems import Problem, shown
from monitor.settings.references import links, nodes


def half_points(files: Files) -> Iterator[Problem]:
    """A point has a latitude and a longitude."""
    tables: list[tuple[Source, KeyPath]] = [(node.source, node.path) for node in nodes(files)]
    tables += [(source, ()) for source in files.sites]
    for source, path in tables:
        for one, other in (("lat", "lon"), ("lon", "lat")):
            if source.get((*path, one)) is not None and source.get((*path, other)) is None:
                yield source.problem(
                    (*path, one),
                    f"{one} stands here without {other}",
                    "write both, or none: then the middle of the kecamatan is used",
                )


def routers_without_address(files: Files) -> Iterator[Problem]:
    """A site's router has an address of its own or that of the first link."""
    for source in files.sites:
        if (
            isinstance(source.get(("snmp",)), dict)
            and source.get(("snmp", "address")) is None
            and not list(source.tables(("links",)))
        ):
            yield source.problem(
                ("snmp",),
                "[snmp] has no address, and the site has no link whose address it could have",
                'add the router\'s IP address, for example address = "10.77.23.1"',
            )


def unwatched(files: Files) -> Iterator[Problem]:
    """Sites that nobody would see fail (warnings)."""
    for source in files.sites:
        if not links(source) and source.get(("links",)) in (None, []):
            yield source.problem(
                (), "this site has no link: nothing of it is watched", "add one under [[links]]"
            )
    if not files.sites and files.knows_links():
        where = files.directory / "sites"
        yield Problem(
            str(where), 1, "there is no site to watch", f"add one file a site: {where}/<id>.toml"
        )


def misnamed_files(files: Files) -> Iterator[Problem]:
    """A site's file is called as the site (a warning): people look for it by that name."""
    for source in files.sites:
        called, stem = source.text(("id",)), PurePath(source.file).stem
        if called is not None and called != stem:
            yield source.problem(
                ("id",),
                f"the id {shown(called)} is not the name of its file",
                f"rename the file to {called}.toml, or write id = {shown(stem)}",
            )


def same_routers(files: Files) -> Iterator[Problem]:
    """Two [snmp] sections with one address and port (a warning): mostly a copied file."""
    sections = [(node.source, (*node.path, "snmp")) for node in nodes(files)]
    sections += [(source, ("snmp",)) for source in files.sites]
    first: dict[tuple[str, object], str] = {}
    for source, section in sections:
        path = (*section, "address")
        address = source.text(path)
        if address is None:
            continue
        port = source.get((*section, "port"))
        here = source.place(path)
        earlier = first.setdefault((address, str(port)), here)
        if earlier != here:
            yield source.problem(
                path,
                f"the router {address} is polled already, see {earlier}",
                "correct one of the two, unless both sites share this router",
            )
