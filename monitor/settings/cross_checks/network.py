"""Check sites, nodes, links and routers against one another: ids, addresses, parents, ports."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from monitor.settings.problems import ConfigProblem, format_list, format_value, nearest_word
from monitor.settings.toml_files import ConfigFiles, TomlFile
from monitor.settings.toml_positions import KeyPath

_RESERVED_IDS = ("monitor",)
"""The target of incidents about the monitor itself."""


@dataclass(frozen=True, slots=True)
class NamedTable:
    """A table with an id, and where it is. Without an id it is called "number 3"."""

    id: str
    source: TomlFile
    path: KeyPath

    @property
    def id_path(self) -> KeyPath:
        return (*self.path, "id")

    def place(self) -> str:
        return self.source.place(self.id_path)


def node_tables(files: ConfigFiles) -> list[NamedTable]:
    """Every `[[nodes]]` of network.toml."""
    return _named(files.network, ("nodes",)) if files.network is not None else []


def link_tables(source: TomlFile) -> list[NamedTable]:
    """Every `[[links]]` of one site's file."""
    return _named(source, ("links",))


def snmp_tables(files: ConfigFiles) -> list[tuple[TomlFile, KeyPath]]:
    """Where the `[snmp]` table of each node and site is, or would be."""
    nodes: list[tuple[TomlFile, KeyPath]] = [
        (node.source, (*node.path, "snmp")) for node in node_tables(files)
    ]
    return nodes + [(source, ("snmp",)) for source in files.sites]


def network_errors(files: ConfigFiles) -> Iterator[ConfigProblem]:
    """Mistakes that a reload refuses."""
    yield from _duplicate_ids(files)
    yield from _duplicate_addresses(files)
    yield from _unknown_parents(files)
    yield from _parent_cycles(files)
    yield from _unknown_interface_links(files)
    yield from _half_coordinates(files)
    yield from _routers_without_address(files)


def network_warnings(files: ConfigFiles) -> Iterator[ConfigProblem]:
    """Valid, but probably not meant."""
    yield from _sites_without_links(files)
    yield from _misnamed_site_files(files)
    yield from _duplicate_routers(files)


def _named(source: TomlFile, path: KeyPath) -> list[NamedTable]:
    return [
        NamedTable(source.text((*table, "id")) or f"number {number}", source, table)
        for number, table in enumerate(source.tables(path), start=1)
    ]


def _site_tables(files: ConfigFiles) -> list[NamedTable]:
    with_id = ((source, source.text(("id",))) for source in files.sites)
    return [NamedTable(site, source, ()) for source, site in with_id if site is not None]


def _duplicate_ids(files: ConfigFiles) -> Iterator[ConfigProblem]:
    """Ids are unique: links within their site, nodes and sites together."""
    nodes_and_sites = node_tables(files) + _site_tables(files)
    yield from _duplicates(nodes_and_sites, "the id")
    for source in files.sites:
        yield from _duplicates(link_tables(source), "the link's id")
    for table in nodes_and_sites:
        if table.id in _RESERVED_IDS:
            yield table.source.problem(
                table.id_path,
                f"the id {format_value(table.id)} is taken by the monitor itself",
                "give it another id",
            )


def _duplicates(tables: list[NamedTable], what: str) -> Iterator[ConfigProblem]:
    first: dict[str, NamedTable] = {}
    for table in tables:
        earlier = first.setdefault(table.id, table)
        if earlier is not table:
            yield table.source.problem(
                table.id_path,
                f"{what} {format_value(table.id)} is used already at {earlier.place()}",
                "give each an id of its own",
            )


def _duplicate_addresses(files: ConfigFiles) -> Iterator[ConfigProblem]:
    first: dict[str, tuple[str, str]] = {}
    for target, source, path in _probed_addresses(files):
        address = _normalized(source.text(path))
        if address is None:
            continue
        here = (target, source.place(path))
        earlier = first.setdefault(address, here)
        if earlier is not here:
            yield source.problem(
                path,
                f"{target} has the address {address}, which {earlier[0]} has at {earlier[1]}",
                "correct one of the two: two targets cannot share an address",
            )


def _probed_addresses(files: ConfigFiles) -> Iterator[tuple[str, TomlFile, KeyPath]]:
    """The name of each target, and where its address is."""
    network = files.network
    if network is not None:
        yield from ((f"anchor:{text}", network, path) for path, text in network.texts(("anchors",)))
    for node in node_tables(files):
        yield node.id, node.source, (*node.path, "address")
    for source in files.sites:
        site = source.text(("id",)) or source.file
        for link in link_tables(source):
            yield f"{site}/{link.id}", source, (*link.path, "address")


def _normalized(text: str | None) -> str | None:
    try:
        return None if text is None else str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _unknown_parents(files: ConfigFiles) -> Iterator[ConfigProblem]:
    """`parent` and `via` name nodes. Not checked while network.toml cannot be read."""
    if not files.knows_nodes():
        return
    known = dict.fromkeys(node.id for node in node_tables(files))
    references = [(node, "parent") for node in node_tables(files)]
    for source in files.sites:
        references += [(link, "via") for link in link_tables(source)]
    if not known:
        yield from _no_nodes_at_all(files, references)
        return
    for table, key in references:
        seen: set[str] = set()
        for path, parent in table.source.texts((*table.path, key)):
            if parent in seen:
                yield table.source.problem(
                    path, f"{key} names {format_value(parent)} twice", "name each node once"
                )
            elif parent not in known:
                yield table.source.problem(
                    path,
                    f"{key} = {format_value(parent)} is no node of network.toml",
                    _suggestion(parent, known),
                )
            seen.add(parent)


def _no_nodes_at_all(
    files: ConfigFiles, references: list[tuple[NamedTable, str]]
) -> Iterator[ConfigProblem]:
    """One problem, instead of one for each link: it is one file that is wrong."""
    places = [
        table.source.place(path)
        for table, key in references
        for path, _ in table.source.texts((*table.path, key))
    ]
    if places:
        missing = "the file is missing" if files.network is None else "there is no node"
        yield ConfigProblem(
            str(files.directory / "network.toml"),
            1,
            f"{missing}, but links hang on nodes in {len(places)} places, first {places[0]}",
            "write each node here under [[nodes]], or remove via from the links",
        )


def _parent_cycles(files: ConfigFiles) -> Iterator[ConfigProblem]:
    """Each cycle of `parent` once."""
    by_id: dict[str, NamedTable] = {}
    for node in node_tables(files):
        by_id.setdefault(node.id, node)
    parents = {
        name: {parent for _, parent in node.source.texts((*node.path, "parent")) if parent in by_id}
        for name, node in by_id.items()
    }
    while parents := _only_cyclic(parents):
        cycle = _one_cycle(parents)
        node = by_id[cycle[0]]
        yield node.source.problem(
            (*node.path, "parent"),
            f"these nodes hang on one another in a circle: {' → '.join([*cycle, cycle[0]])}",
            "remove the parent of the one that is nearest to the core",
        )
        for name in cycle:
            del parents[name]


def _only_cyclic(parents: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Remove, repeatedly, every node that has no parent left (Kahn's algorithm)."""
    left = dict(parents)
    while roots := {name for name, above in left.items() if not above & left.keys()}:
        left = {name: above for name, above in left.items() if name not in roots}
    return left


def _one_cycle(parents: Mapping[str, set[str]]) -> list[str]:
    """Follow parents until a node repeats. Every node here has a parent here."""
    name = next(iter(parents))
    path: list[str] = []
    while name not in path:
        path.append(name)
        name = min(parents[name] & parents.keys())
    return path[path.index(name) :]


def _unknown_interface_links(files: ConfigFiles) -> Iterator[ConfigProblem]:
    """`link` of an interface: a link of the same site; at a node, of any site (`site/link`)."""
    all_links: list[str] = []
    for source in files.sites:
        own = [link.id for link in link_tables(source) if source.text(link.id_path) is not None]
        all_links += [f"{source.text(('id',))}/{link}" for link in own]
        yield from _interface_errors(source, ("snmp",), own, "is no link of this site")
    known = all_links if files.knows_links() else None
    for node in node_tables(files):
        path = (*node.path, "snmp")
        yield from _interface_errors(node.source, path, known, "is no link of any site")


def _interface_errors(
    source: TomlFile, snmp: KeyPath, known_links: list[str] | None, why: str
) -> Iterator[ConfigProblem]:
    names: set[str] = set()
    for table in source.tables((*snmp, "interfaces")):
        name = source.text((*table, "name"))
        if name is not None and name in names:
            yield source.problem(
                (*table, "name"),
                f"the port {format_value(name)} stands here twice",
                "remove one of them",
            )
        names.add(name or "")
        link = source.text((*table, "link"))
        if link is not None and known_links is not None and link not in known_links:
            yield source.problem(
                (*table, "link"),
                f"link = {format_value(link)} {why}",
                _suggestion(link, known_links),
            )


def _suggestion(word: str, known: Collection[str]) -> str:
    if not known:
        return "there is none yet: remove this line, or add what it names"
    guess = nearest_word(word, known)
    if guess is not None:
        return f"did you mean {format_value(guess)}?"
    nearest = format_value(nearest_word(word, known, cutoff=0.0))
    return f"the nearest is {nearest}, all are {format_list(known)}"


def _half_coordinates(files: ConfigFiles) -> Iterator[ConfigProblem]:
    """`lat` and `lon` come together."""
    tables: list[tuple[TomlFile, KeyPath]] = [
        (node.source, node.path) for node in node_tables(files)
    ]
    tables += [(source, ()) for source in files.sites]
    for source, path in tables:
        for one, other in (("lat", "lon"), ("lon", "lat")):
            if source.get((*path, one)) is not None and source.get((*path, other)) is None:
                yield source.problem(
                    (*path, one),
                    f"{one} stands here without {other}",
                    "write both, or none: then the middle of the kecamatan is used",
                )


def _routers_without_address(files: ConfigFiles) -> Iterator[ConfigProblem]:
    """A site's router has an address, or the site has a link whose address it takes."""
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


def _sites_without_links(files: ConfigFiles) -> Iterator[ConfigProblem]:
    for source in files.sites:
        if not link_tables(source) and source.get(("links",)) in (None, []):
            yield source.problem(
                (), "this site has no link: nothing of it is watched", "add one under [[links]]"
            )
    if not files.sites and files.knows_links():
        where = files.directory / "sites"
        yield ConfigProblem(
            str(where), 1, "there is no site to watch", f"add one file a site: {where}/<id>.toml"
        )


def _misnamed_site_files(files: ConfigFiles) -> Iterator[ConfigProblem]:
    """A site's file is named after its id: people look for it by that name."""
    for source in files.sites:
        site, stem = source.text(("id",)), PurePath(source.file).stem
        if site is not None and site != stem:
            yield source.problem(
                ("id",),
                f"the id {format_value(site)} is not the name of its file",
                f"rename the file to {site}.toml, or write id = {format_value(stem)}",
            )


def _duplicate_routers(files: ConfigFiles) -> Iterator[ConfigProblem]:
    """Two `[snmp]` tables with one address and port: mostly a copied file."""
    first: dict[tuple[str, str], str] = {}
    for source, snmp in snmp_tables(files):
        path = (*snmp, "address")
        address = source.text(path)
        if address is None:
            continue
        here = source.place(path)
        earlier = first.setdefault((address, str(source.get((*snmp, "port")))), here)
        if earlier != here:
            yield source.problem(
                path,
                f"the router {address} is polled already, see {earlier}",
                "correct one of the two, unless both sites share this router",
            )
