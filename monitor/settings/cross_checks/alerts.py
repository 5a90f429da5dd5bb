"""Check names and times of alerts.toml and maintenance.toml against one another and the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from monitor.settings.cross_checks.network import link_tables, node_tables
from monitor.settings.problems import ConfigProblem, format_list, format_value, nearest_word
from monitor.settings.toml_files import ConfigFiles, TomlFile
from monitor.settings.toml_positions import KeyPath
from monitor.settings.weekdays import ENGLISH_DAYS, INDONESIAN_DAYS, weekday_number

_LONGEST_MIN = 10_080
"""The schema allows no later step; it reports a larger number."""

_REQUIRED_KEYS = {
    "apprise": (("url",), "the name of a secret that holds an Apprise address"),
    "telegram": (("url",), "the name of a secret that holds tgram://<token>/<chat id>"),
    "webhook": (("address", "url"), "an address, or url with the name of a secret"),
    "command": (("command",), "a program and its arguments"),
}
"""For each type of channel: the keys of which it needs one, and what that key holds."""


@dataclass(frozen=True, slots=True)
class _AlertNames:
    """The names that alerts.toml defines."""

    channels: list[str]
    people: list[str]
    rotas: list[str]


@dataclass(frozen=True, slots=True)
class _NetworkNames:
    """Names in the other files. targets: node ids and `site/link`."""

    sites: list[str]
    targets: list[str]
    providers: list[str]


def alert_errors(files: ConfigFiles) -> Iterator[ConfigProblem]:
    """Mistakes that a reload refuses."""
    source = files.alerts
    if source is not None:
        names = _AlertNames(
            channels=_names(source, "channels", "id"),
            people=_names(source, "people", "id"),
            rotas=_names(source, "rota", "name"),
        )
        for table, key in (("channels", "id"), ("people", "id"), ("rota", "name")):
            yield from _duplicate_names(source, table, key)
        yield from _people_and_fallbacks(source, names)
        yield from _rotas(source, names)
        yield from _routes(source, names, files)
        yield from _channel_keys(source)
    if files.maintenance is not None:
        yield from _maintenance_windows(files.maintenance, files)


def alert_warnings(files: ConfigFiles) -> Iterator[ConfigProblem]:
    """Valid, but probably not meant."""
    if files.alerts is not None:
        yield from _unreachable_routes(files.alerts)
        yield from _overlapping_overrides(files.alerts)


def _names(source: TomlFile, table: str, key: str) -> list[str]:
    found = (source.text((*path, key)) for path in source.tables((table,)))
    return [name for name in found if name is not None]


def _network_names(files: ConfigFiles) -> _NetworkNames:
    names = _NetworkNames([], [node.id for node in node_tables(files)], [])
    for source in files.sites:
        site = source.text(("id",))
        if site is None:
            continue
        names.sites.append(site)
        for link in link_tables(source):
            names.targets.append(f"{site}/{link.id}")
            provider = source.text((*link.path, "provider"))
            if provider is not None and provider not in names.providers:
                names.providers.append(provider)
    return names


def _duplicate_names(source: TomlFile, table: str, key: str) -> Iterator[ConfigProblem]:
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
                f"the {key} {format_value(name)} is used already at {earlier}",
                "give each a name of its own",
            )


def _unknown_names(
    source: TomlFile, used: Sequence[tuple[KeyPath, str]], known: Sequence[str], what: str
) -> Iterator[ConfigProblem]:
    for path, name in used:
        if name not in known:
            yield source.problem(path, f"{format_value(name)} is no {what}", _suggest(name, known))


def _suggest(word: str, known: Sequence[str]) -> str:
    if not known:
        return "there is none yet: remove this name, or add what it names"
    guess = nearest_word(word, known)
    return (
        f"did you mean {format_value(guess)}?"
        if guess is not None
        else f"all are {format_list(known)}"
    )


def _people_and_fallbacks(source: TomlFile, names: _AlertNames) -> Iterator[ConfigProblem]:
    for path in source.tables(("people",)):
        channels = (*path, "channels")
        yield from _unknown_names(
            source, source.texts(channels), names.channels, "channel of this file"
        )
        if source.get(channels) == []:
            yield source.problem(
                channels, "this person has no channel", "name at least one: nobody could be told"
            )
    for path in source.tables(("channels",)):
        others = [name for name in names.channels if name != source.text((*path, "id"))]
        fallbacks = source.texts((*path, "fallback"))
        yield from _unknown_names(source, fallbacks, others, "other channel of this file")
    yield from _fallback_circles(source)


def _fallback_circles(source: TomlFile) -> Iterator[ConfigProblem]:
    """A channel that is, over others, its own fallback; named once, where the circle closes."""
    paths = {source.text((*path, "id")): path for path in source.tables(("channels",))}
    fallbacks = {
        name: [other for _, other in source.texts((*path, "fallback")) if other != name]
        for name, path in paths.items()
    }
    done: set[str | None] = set()

    def circle(name: str | None, way: list[str | None]) -> list[str | None] | None:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return None
        done.add(name)
        found = (circle(other, [*way, name]) for other in fallbacks.get(name, ()))
        return next((each for each in found if each is not None), None)

    for name in paths:
        found = circle(name, [])
        if found is not None:
            yield source.problem(
                (*paths[found[-2]], "fallback"),
                f"these fallbacks lead in a circle: {' → '.join(map(str, found))}",
                "remove one of them: the last channel of a chain has no fallback",
            )


def _rotas(source: TomlFile, names: _AlertNames) -> Iterator[ConfigProblem]:
    for path in source.tables(("rota",)):
        people = (*path, "people")
        yield from _unknown_names(source, source.texts(people), names.people, "person of this file")
        if source.get(people) == []:
            yield source.problem(
                people, "this rota has no people", "name those who take turns, by their ids"
            )
        for override in source.tables((*path, "overrides")):
            person = source.texts((*override, "person"))
            yield from _unknown_names(source, person, names.people, "person of this file")
            start, end = _date(source, (*override, "start")), _date(source, (*override, "end"))
            if start is not None and end is not None and start >= end:
                yield source.problem(
                    (*override, "end"), "this override ends before it begins", "write a later end"
                )


def _routes(source: TomlFile, names: _AlertNames, files: ConfigFiles) -> Iterator[ConfigProblem]:
    network = _network_names(files) if files.knows_links() and files.knows_nodes() else None
    default: KeyPath | None = None
    for route in source.tables(("routes",)):
        yield from _steps(source, route, names)
        if network is not None:
            for key, known, what in (
                ("site", network.sites, "site"),
                ("target", network.targets, "link or node"),
                ("provider", network.providers, "provider of any link"),
            ):
                used = source.texts((*route, "match", key))
                yield from _unknown_names(source, used, known, what)
        if not _match(source, route):
            if default is not None:
                yield source.problem(
                    route,
                    f"a route for everything stands already at {source.place(default)}",
                    "keep one of them: it is the default for what no other route matches",
                )
            default = default or route


def _steps(source: TomlFile, route: KeyPath, names: _AlertNames) -> Iterator[ConfigProblem]:
    """Escalation steps of one route: `after_min` rises, recipients exist."""
    known = {"rota": names.rotas, "person": names.people, "channel": names.channels}
    previous_min: float | None = None
    for step in source.tables((*route, "steps")):
        after = source.get((*step, "after_min"))
        usable = isinstance(after, int | float) and 0 <= after <= _LONGEST_MIN
        after_min = float(after) if usable else 0.0
        if previous_min is not None and after_min <= previous_min:
            yield source.problem(
                (*step, "after_min"),
                f"this step comes after {after_min:g} min, not later than the one before it",
                "let after_min rise from step to step",
            )
        previous_min = after_min
        for path, recipient in source.texts((*step, "to")):
            kind, colon, name = recipient.partition(":")
            if not colon or kind not in known:
                yield source.problem(
                    path,
                    f"{format_value(recipient)} says not what it is",
                    "write rota:<name>, person:<id> or channel:<id>",
                )
            else:
                used = [(path, name)]
                yield from _unknown_names(source, used, known[kind], f"{kind} of this file")


def _match(source: TomlFile, route: KeyPath) -> dict[str, frozenset[str]]:
    """Key → accepted values. Empty: the route matches everything."""
    match = source.get((*route, "match"))
    keys = match if isinstance(match, dict) else {}
    texts = {key: source.texts((*route, "match", key)) for key in keys}
    return {key: frozenset(text for _, text in each) for key, each in texts.items() if each}


def _unreachable_routes(source: TomlFile) -> Iterator[ConfigProblem]:
    """Routes whose every match an earlier route takes."""
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


def _covers(wider: dict[str, frozenset[str]], match: dict[str, frozenset[str]]) -> bool:
    """Everything that fits `match` fits `wider`. The default route is tried last: covers none."""
    return bool(wider) and all(key in match and match[key] <= wider[key] for key in wider)


def _overlapping_overrides(source: TomlFile) -> Iterator[ConfigProblem]:
    for rota in source.tables(("rota",)):
        spans = sorted(
            (start, end, path)
            for path in source.tables((*rota, "overrides"))
            if (start := _date(source, (*path, "start"))) and (end := _date(source, (*path, "end")))
        )
        for (_, end, _), (start, _, path) in pairwise(spans):
            if start < end:
                yield source.problem(
                    path, "this override overlaps another one", "the later one in the file wins"
                )


def _channel_keys(source: TomlFile) -> Iterator[ConfigProblem]:
    """Each type of channel has the keys that it needs, and no others."""
    for path in source.tables(("channels",)):
        kind = source.text((*path, "type"))
        if kind not in _REQUIRED_KEYS:
            continue
        keys, what = _REQUIRED_KEYS[kind]
        given = [key for key in ("url", "address", "command") if source.get((*path, key))]
        if not any(key in given for key in keys):
            yield source.problem(
                path, f"this channel of type {kind} lacks its {keys[0]}", f"add {keys[0]}: {what}"
            )
        elif kind == "webhook" and len(given) == 2 and "command" not in given:
            yield source.problem(
                (*path, "url"), "this channel has both address and url", "keep one of the two"
            )
        allowed = (*keys, "address") if kind in ("telegram", "apprise") else keys
        for key in given:
            if key not in allowed:
                yield source.problem(
                    (*path, key), f"{key} means nothing to a channel of type {kind}", "remove it"
                )
        if kind != "webhook" and source.get((*path, "signing_key")):
            yield source.problem(
                (*path, "signing_key"), f"a channel of type {kind} signs nothing", "remove it"
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


def _maintenance_windows(source: TomlFile, files: ConfigFiles) -> Iterator[ConfigProblem]:
    yield from _duplicate_names(source, "windows", "name")
    network = _network_names(files)
    for window in source.tables(("windows",)):
        targets = (*window, "targets")
        if source.get(targets) == []:
            yield source.problem(targets, "this window has no target", "name one")
        if files.knows_links() and files.knows_nodes():
            known = network.sites + network.targets
            yield from _unknown_names(source, source.texts(targets), known, "site, node or link")
        for path, word in source.texts((*window, "weekdays")):
            if weekday_number(word) is None:
                yield source.problem(
                    path,
                    f"{format_value(word)} is no day of the week",
                    _suggest(word, INDONESIAN_DAYS + ENGLISH_DAYS),
                )
        first, last = _date(source, (*window, "first")), _date(source, (*window, "last"))
        if first is not None and last is not None and first > last:
            yield source.problem(
                (*window, "last"), "this window's last day is before its first", "write a later one"
            )


def _date(source: TomlFile, path: KeyPath) -> str | None:
    """A local date or datetime in ISO format, which sorts by time."""
    value = source.get(path)
    return value.isoformat() if isinstance(value, date) else None
