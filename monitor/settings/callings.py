"""What alerts.toml and maintenance.toml say of one another and of the network.

Like settings.references these checks read the raw tables: a slip elsewhere hides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from monitor.settings.files import Files, Source
from monitor.settings.lines import KeyPath
from monitor.settings.problems import Problem, listed, nearest, shown
from monitor.settings.references import links, nodes
from monitor.settings.weekdays import HARI, WEEKDAYS, weekday

Place = tuple[KeyPath, str]


@dataclass(frozen=True, slots=True)
class Known:
    """The names that may be named; None: a file that may hold more is broken."""

    channels: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    rotas: list[str] = field(default_factory=list)


def errors(files: Files) -> Iterator[Problem]:
    """Everything that cannot be meant."""
    source = files.alerts
    if source is not None:
        known = Known(*(_names(source, *each) for each in _TABLES))
        for table, key in _TABLES:
            yield from _twice(source, table, key)
        yield from _people_and_channels(source, known)
        yield from _rotas(source, known)
        yield from _routes(source, known, files)
        yield from _ways(source)
    if files.maintenance is not None:
        yield from _windows(files.maintenance, files)


def warnings(files: Files) -> Iterator[Problem]:
    """What is possible, but hardly meant: routes that nothing reaches, overrides that overlap."""
    source = files.alerts
    if source is None:
        return
    matches = [(path, _match(source, path)) for path in source.tables(("routes",))]
    for number, (path, match) in enumerate(matches):
        for earlier, wider in matches[:number]:
            if _covers(wider, match):
                yield source.problem(
                    path,
                    f"nothing reaches this route: all that it matches is taken at "
                    f"{source.place(earlier)}",
                    "the first match wins: put the narrower route above the wider one",
                )
                break
    for rota in source.tables(("rota",)):
        spans = sorted(
            (start, end, path)
            for path in source.tables((*rota, "overrides"))
            if (start := _day(source, (*path, "start"))) and (end := _day(source, (*path, "end")))
        )
        for (_, end, _), (start, _, path) in pairwise(spans):
            if start < end:
                yield source.problem(
                    path, "this override overlaps another one", "the later one in the file wins"
                )


_LONGEST_MIN = 10_080
"""No step comes later (settings.schema); what is more is wrong anyway."""

_TABLES = (("channels", "id"), ("people", "id"), ("rota", "name"))


def _names(source: Source, table: str, key: str) -> list[str]:
    every = (source.text((*path, key)) for path in source.tables((table,)))
    return [name for name in every if name is not None]


def _twice(source: Source, table: str, key: str) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for path in source.tables((table,)):
        name = source.text((*path, key))
        if name is None:
            continue
        here = source.place((*path, key))
        earlier = first.setdefault(name, here)
        if earlier != here:
            yield source.problem(
                (*path, key),
                f"the {key} {shown(name)} is used already at {earlier}",
                "give each a name of its own",
            )


def _unknown(
    source: Source, places: Sequence[Place], known: Sequence[str], what: str
) -> Iterator[Problem]:
    for path, name in places:
        if name not in known:
            yield source.problem(path, f"{shown(name)} is no {what}", _of_those(name, known))


def _of_those(word: str, known: Sequence[str]) -> str:
    if not known:
        return "there is none yet: remove this name, or add what it names"
    guess = nearest(word, known)
    return f"did you mean {shown(guess)}?" if guess is not None else f"all are {listed(known)}"


def _people_and_channels(source: Source, known: Known) -> Iterator[Problem]:
    for path in source.tables(("people",)):
        ways = (*path, "channels")
        yield from _unknown(source, source.texts(ways), known.channels, "channel of this file")
        if source.get(ways) == []:
            yield source.problem(
                ways, "this person has no channel", "name at least one: nobody could be told"
            )
    for path in source.tables(("channels",)):
        others = [name for name in known.channels if name != source.text((*path, "id"))]
        yield from _unknown(
            source, source.texts((*path, "fallback")), others, "other channel of this file"
        )


def _rotas(source: Source, known: Known) -> Iterator[Problem]:
    for path in source.tables(("rota",)):
        people = (*path, "people")
        yield from _unknown(source, source.texts(people), known.people, "person of this file")
        if source.get(people) == []:
            yield source.problem(
                people, "this rota has no people", "name those who take turns, by their ids"
            )
        for override in source.tables((*path, "overrides")):
            who = source.texts((*override, "person"))
            yield from _unknown(source, who, known.people, "person of this file")
            start, end = _day(source, (*override, "start")), _day(source, (*override, "end"))
            if start is not None and end is not None and start >= end:
                yield source.problem(
                    (*override, "end"), "this override ends before it begins", "write a later end"
                )


def _routes(source: Source, known: Known, files: Files) -> Iterator[Problem]:
    kinds = {"rota": known.rotas, "person": known.people, "channel": known.channels}
    sites, targets, providers = _network(files)
    everything: KeyPath | None = None
    for route in source.tables(("routes",)):
        last: float | None = None
        for step in source.tables((*route, "steps")):
            after = source.get((*step, "after_min"))
            usable = isinstance(after, int | float) and 0 <= after <= _LONGEST_MIN
            minutes = float(after) if usable else 0.0
            if last is not None and minutes <= last:
                yield source.problem(
                    (*step, "after_min"),
                    f"this step comes after {minutes:g} min, not later than the one before it",
                    "let after_min rise from step to step",
                )
            last = minutes
            for path, name in source.texts((*step, "to")):
                kind, colon, rest = name.partition(":")
                if not colon or kind not in kinds:
                    yield source.problem(
                        path,
                        f"{shown(name)} says not what it is",
                        "write rota:<name>, person:<id> or channel:<id>",
                    )
                else:
                    yield from _unknown(source, [(path, rest)], kinds[kind], f"{kind} of this file")
        if files.knows_links() and files.knows_nodes():
            match = (*route, "match")
            yield from _unknown(source, source.texts((*match, "site")), sites, "site")
            yield from _unknown(source, source.texts((*match, "target")), targets, "link or node")
            yield from _unknown(
                source, source.texts((*match, "provider")), providers, "provider of any link"
            )
        if not _match(source, route):
            if everything is not None:
                yield source.problem(
                    route,
                    f"a route for everything stands already at {source.place(everything)}",
                    "keep one of them: it is the default for what no other route matches",
                )
            everything = everything or route


def _network(files: Files) -> tuple[list[str], list[str], list[str]]:
    """Site ids, targets (links and nodes), providers."""
    sites: list[str] = []
    targets = [named.id for named in nodes(files)]
    providers: list[str] = []
    for source in files.sites:
        site = source.text(("id",))
        if site is None:
            continue
        sites.append(site)
        for link in links(source):
            targets.append(f"{site}/{link.id}")
            provider = source.text((*link.path, "provider"))
            providers += [provider] if provider is not None else []
    return sites, targets, list(dict.fromkeys(providers))


def _match(source: Source, route: KeyPath) -> dict[str, frozenset[str]]:
    match = source.get((*route, "match"))
    keys = match if isinstance(match, dict) else {}
    texts = {key: source.texts((*route, "match", key)) for key in keys}
    return {key: frozenset(text for _, text in each) for key, each in texts.items() if each}


def _covers(wider: dict[str, frozenset[str]], match: dict[str, frozenset[str]]) -> bool:
    """Whatever fits `match` fits `wider`. The route for everything comes last: it covers none."""
    return bool(wider) and all(key in match and match[key] <= wider[key] for key in wider)


def _ways(source: Source) -> Iterator[Problem]:
    """Each kind of channel has what it needs, and nothing else."""
    wanted = {
        "apprise": (("url",), "the name of a secret that holds an Apprise address"),
        "telegram": (("url",), "the name of a secret that holds tgram://<token>/<chat id>"),
        "webhook": (("address", "url"), "an address, or url with the name of a secret"),
        "command": (("command",), "a program and its arguments"),
    }
    for path in source.tables(("channels",)):
        kind = source.text((*path, "type"))
        if kind not in wanted:
            continue
        keys, what = wanted[kind]
        given = [key for key in ("url", "address", "command") if source.get((*path, key))]
        if not any(key in given for key in keys):
            yield source.problem(
                path, f"this channel of type {kind} lacks its {keys[0]}", f"add {keys[0]}: {what}"
            )
        elif kind == "webhook" and len(given) == 2 and "command" not in given:
            yield source.problem(
                (*path, "url"), "this channel has both address and url", "keep one of the two"
            )
        may = (*keys, "address") if kind in ("telegram", "apprise") else keys
        for key in given:
            if key not in may:
                yield source.problem(
                    (*path, key), f"{key} means nothing to a channel of type {kind}", "remove it"
                )
        buttons = source.get((*path, "buttons")) is True
        if buttons and kind not in ("telegram", "apprise"):
            yield source.problem(
                (*path, "buttons"), f"a channel of type {kind} has no buttons", "remove it"
            )
        if buttons and not source.get((*path, "allowed_users")):
            yield source.problem(
                (*path, "buttons"),
                "nobody may press these buttons",
                "add the Telegram user ids that may: allowed_users = [123456789]",
            )


def _day(source: Source, path: KeyPath) -> str | None:
    """A local date or moment in a form that sorts by time."""
    value = source.get(path)
    return value.isoformat() if isinstance(value, date) else None


def _windows(source: Source, files: Files) -> Iterator[Problem]:
    yield from _twice(source, "windows", "name")
    sites, targets, _ = _network(files)
    for window in source.tables(("windows",)):
        places = source.texts((*window, "targets"))
        if source.get((*window, "targets")) == []:
            yield source.problem((*window, "targets"), "this window has no target", "name one")
        if files.knows_links() and files.knows_nodes():
            yield from _unknown(source, places, sites + targets, "site, node or link")
        for path, word in source.texts((*window, "weekdays")):
            if weekday(word) is None:
                yield source.problem(
                    path, f"{shown(word)} is no day of the week", _of_those(word, HARI + WEEKDAYS)
                )
        first, last = _day(source, (*window, "first")), _day(source, (*window, "last"))
        if first is not None and last is not None and first > last:
            yield source.problem(
                (*window, "last"), "this window's last day is before its first", "write a later one"
            )
