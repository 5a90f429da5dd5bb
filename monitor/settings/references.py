"""What only all files together can tell: ids, addresses, and who hangs on whom.

These checks read the raw tables, not the checked models, so that a slip elsewhere in a file
hides nothing; a value that is not of its kind is left to the schema.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor.settings.files import Files, Source
from monitor.settings.lines import KeyPath
from monitor.settings.problems import Problem, listed, nearest, shown

_RESERVED = ("monitor",)
"""The target of the monitor's own incidents."""


@dataclass(frozen=True, slots=True)
class Named:
    """A table that has an id (or should: then it is called by its number), and where it stands."""

    id: str
    source: Source
    path: KeyPath

    @property
    def id_path(self) -> KeyPath:
        return (*self.path, "id")

    def place(self) -> str:
        return self.source.place(self.id_path)


def nodes(files: Files) -> list[Named]:
    """Every node."""
    return _named(files.network, ("nodes",)) if files.network is not None else []


def links(source: Source) -> list[Named]:
    """Every link of a site's file."""
    return _named(source, ("links",))


def _named(source: Source, path: KeyPath) -> list[Named]:
    return [
        Named(source.text((*table, "id")) or f"number {number}", source, table)
        for number, table in enumerate(source.tables(path), start=1)
    ]


def _sites(files: Files) -> list[Named]:
    with_id = ((source, source.text(("id",))) for source in files.sites)
    return [Named(called, source, ()) for source, called in with_id if called is not None]


def same_ids(files: Files) -> Iterator[Problem]:
    """Ids are unique: links within their site, nodes and sites together."""
    yield from _twice([*nodes(files), *_sites(files)], "the id")
    for source in files.sites:
        yield from _twice(links(source), "the link's id")
    for named in nodes(files) + _sites(files):
        if named.id in _RESERVED:
            yield named.source.problem(
                named.id_path,
                f"the id {shown(named.id)} is taken by the monitor itself",
                "give it another id",
            )


def _twice(every: list[Named], what: str) -> Iterator[Problem]:
    first: dict[str, Named] = {}
    for named in every:
        earlier = first.setdefault(named.id, named)
        if earlier is not named:
            yield named.source.problem(
                named.id_path,
                f"{what} {shown(named.id)} is used already at {earlier.place()}",
                "give each an id of its own",
            )


def same_addresses(files: Files) -> Iterator[Problem]:
    """No address is probed under two names."""
    first: dict[str, tuple[str, str]] = {}
    for name, source, path in _addresses(files):
        text = source.text(path)
        parsed = _parsed(text) if text is not None else None
        if parsed is None:
            continue
        here = (name, source.place(path))
        earlier = first.setdefault(parsed, here)
        if earlier is not here:
            yield source.problem(
                path,
                f"{name} has the address {parsed}, which {earlier[0]} has at {earlier[1]}",
                "correct one of the two: two targets cannot share an address",
            )


def _addresses(files: Files) -> Iterator[tuple[str, Source, KeyPath]]:
    """Every probed address: what has it, and where it stands."""
    network = files.network
    if network is not None:
        yield from ((f"anchor:{text}", network, path) for path, text in network.texts(("anchors",)))
    tables = [(named, named.id) for named in nodes(files)]
    for source in files.sites:
        site = source.text(("id",)) or source.file
        tables += [(named, f"{site}/{named.id}") for named in links(source)]
    for named, name in tables:
        yield name, named.source, (*named.path, "address")


def _parsed(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def unknown_parents(files: Files) -> Iterator[Problem]:
    """`parent` and `via` name nodes; nothing is said while network.toml cannot be read."""
    if not files.knows_nodes():
        return
    known = {named.id: named for named in nodes(files)}
    hanging = [(named, "parent") for named in nodes(files)]
    for source in files.sites:
        hanging += [(named, "via") for named in links(source)]
    if not known:
        yield from _no_node_at_all(files, hanging)
        return
    for named, key in hanging:
        seen: set[str] = set()
        for path, parent in named.source.texts((*named.path, key)):
            if parent in seen:
                yield named.source.problem(
                    path, f"{key} names {shown(parent)} twice", "name each node once"
                )
            elif parent not in known:
                yield named.source.problem(
                    path,
                    f"{key} = {shown(parent)} is no node of network.toml",
                    _of_those(parent, known),
                )
            seen.add(parent)


def _no_node_at_all(files: Files, hanging: list[tuple[Named, str]]) -> Iterator[Problem]:
    """Said once: not each of forty links is wrong, but one file."""
    places = [
        named.source.place(path)
        for named, key in hanging
        for path, _ in named.source.texts((*named.path, key))
    ]
    if places:
        missing = "the file is missing" if files.network is None else "there is no node"
        yield Problem(
            str(files.directory / "network.toml"),
            1,
            f"{missing}, but links hang on nodes in {len(places)} places, first {places[0]}",
            "write each node here under [[nodes]], or remove via from the links",
        )


def cycles(files: Files) -> Iterator[Problem]:
    """Nodes that hang on one another in a circle, each circle once."""
    by_id: dict[str, Named] = {}
    for named in nodes(files):
        by_id.setdefault(named.id, named)
    parents = {
        name: {
            parent for _, parent in named.source.texts((*named.path, "parent")) if parent in by_id
        }
        for name, named in by_id.items()
    }
    while True:
        parents = _without_free(parents)
        if not parents:
            return
        circle = _circle(parents)
        named = by_id[circle[0]]
        yield named.source.problem(
            (*named.path, "parent"),
            f"these nodes hang on one another in a circle: {' → '.join([*circle, circle[0]])}",
            "remove the parent of the one that is nearest to the core",
        )
        for name in circle:
            del parents[name]


def _without_free(parents: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Take away, again and again, every node whose parents are all gone."""
    left = dict(parents)
    while True:
        free = {name for name, above in left.items() if not above & left.keys()}
        if not free:
            return left
        left = {name: above for name, above in left.items() if name not in free}


def _circle(parents: Mapping[str, set[str]]) -> list[str]:
    """Every node here has a parent here: upwards from any of them, a circle is met."""
    name = next(iter(parents))
    way: list[str] = []
    while name not in way:
        way.append(name)
        name = min(parents[name] & parents.keys())
    return way[way.index(name) :]


def unknown_links(files: Files) -> Iterator[Problem]:
    """An interface carries a link that exists: of its own site, or any (`site/link`) at a node."""
    everywhere: list[str] = []
    for source in files.sites:
        own = [named.id for named in links(source) if source.text(named.id_path) is not None]
        everywhere += [f"{source.text(('id',))}/{each}" for each in own]
        yield from _interfaces(source, ("snmp",), own, "is no link of this site")
    known = everywhere if files.knows_links() else None
    for named in nodes(files):
        path = (*named.path, "snmp")
        yield from _interfaces(named.source, path, known, "is no link of any site")


def _interfaces(
    source: Source, snmp: KeyPath, known: list[str] | None, why: str
) -> Iterator[Problem]:
    names: set[str] = set()
    for table in source.tables((*snmp, "interfaces")):
        name = source.text((*table, "name"))
        if name is not None and name in names:
            yield source.problem(
                (*table, "name"), f"the port {shown(name)} stands here twice", "remove one of them"
            )
        names.add(name or "")
        link = source.text((*table, "link"))
        if link is not None and known is not None and link not in known:
            yield source.problem(
                (*table, "link"), f"link = {shown(link)} {why}", _of_those(link, known)
            )


def _of_those(word: str, known: Mapping[str, Named] | list[str]) -> str:
    if not known:
        return "there is none yet: remove this line, or add what it names"
    guess = nearest(word, known)
    if guess is not None:
        return f"did you mean {shown(guess)}?"
    return f"the nearest is {shown(nearest(word, known, alike=0.0))}, all are {listed(known)}"
