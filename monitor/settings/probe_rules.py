"""Effective probe rules of a target: which place in the configuration gives each number.

For each key by itself, from the weakest to the strongest layer:

1. the built-in defaults (core.model.ProbeRules),
2. `[ping]` of monitor.toml,
3. the built-in defaults of the link's kind: `rtt_ms` radio 80, lte 150, vsat 800,
   `timeout_s` vsat 3.0 (stronger than `[ping]`, because that is written for all kinds),
4. `[ping.kinds.<kind>]` of monitor.toml,
5. the node or the link itself.

So `[ping] rtt_ms = 50` leaves vsat its 800 ms; `[ping.kinds.vsat] rtt_ms = 900` gives it 900 ms.
Fibre has no defaults of its own. Nodes and anchors have no kind: layers 1, 2, and 5 for nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeGuard

from monitor.core.model import ProbeRules
from monitor.settings.cross_checks.network import link_tables, node_tables
from monitor.settings.problems import ConfigProblem
from monitor.settings.toml_files import ConfigFiles, TomlFile
from monitor.settings.toml_positions import KeyPath

LINK_KINDS = ("fibre", "radio", "lte", "vsat")
RULE_KEYS = tuple(field.name for field in fields(ProbeRules))

_LARGEST = 86_400
"""The schema allows no key more than this; it reports a larger number."""


@dataclass(frozen=True, slots=True)
class RuleLayer:
    """The numbers that one place gives. source: None if built in."""

    values: Mapping[str, Any]
    source: TomlFile | None = None
    path: KeyPath = ()


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """One number and the layer that gives it. strength: the index of that layer."""

    key: str
    value: float
    layer: RuleLayer
    strength: int

    def __str__(self) -> str:
        return f"{self.key} = {self.value:g}"

    def origin(self) -> str:
        """`file:line`, or "built in"."""
        source = self.layer.source
        return "built in" if source is None else source.place((*self.layer.path, self.key))


def built_in_layer(kind: str | None) -> RuleLayer:
    """Layer 3."""
    of_kind: dict[str, dict[str, float]] = {
        "radio": {"rtt_ms": 80.0},
        "lte": {"rtt_ms": 150.0},
        "vsat": {"rtt_ms": 800.0, "timeout_s": 3.0},
    }
    return RuleLayer(of_kind.get(kind or "", {}))


def rule_layers(
    monitor: TomlFile | None, kind: str | None, own: TomlFile | None = None, path: KeyPath = ()
) -> list[RuleLayer]:
    """The layers of one target, the weakest first. own, path: the node's or link's own table."""
    found = [RuleLayer(asdict(ProbeRules()))]
    if monitor is not None:
        found.append(_layer_at(monitor, ("ping",)))
    found.append(built_in_layer(kind))
    if monitor is not None and kind is not None:
        found.append(_layer_at(monitor, ("ping", "kinds", kind)))
    if own is not None:
        found.append(_layer_at(own, path))
    return found


def all_rule_layers(files: ConfigFiles) -> list[list[RuleLayer]]:
    """The layers of `[ping]` alone, of each kind, of every node and of every link."""
    monitor = files.monitor
    found = [rule_layers(monitor, kind) for kind in (None, *LINK_KINDS)]
    found += [rule_layers(monitor, None, node.source, node.path) for node in node_tables(files)]
    for source in files.sites:
        for link in link_tables(source):
            kind = source.text((*link.path, "kind"))
            found.append(rule_layers(monitor, kind, source, link.path))
    return found


def _layer_at(source: TomlFile, path: KeyPath) -> RuleLayer:
    table = source.get(path)
    is_table = isinstance(table, dict)
    values = {key: table[key] for key in RULE_KEYS if key in table} if is_table else {}
    return RuleLayer(values, source, path)


def effective_values(layers: Iterable[RuleLayer]) -> dict[str, EffectiveValue]:
    """For each key the number of the strongest layer that has it.

    A key whose strongest value is no valid number is left out: the schema reports it.
    """
    found: dict[str, EffectiveValue | None] = {}
    for strength, layer in enumerate(layers):
        for key, value in layer.values.items():
            valid = _is_number(value)
            found[key] = EffectiveValue(key, value, layer, strength) if valid else None
    return {key: value for key, value in found.items() if value is not None}


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LARGEST


def effective_rules(layers: Iterable[RuleLayer]) -> ProbeRules:
    """The rules of one target. The files must be valid."""
    numbers = {key: effective.value for key, effective in effective_values(layers).items()}
    rise = int(numbers.pop("rise"))
    return ProbeRules(rise=rise, **{key: float(value) for key, value in numbers.items()})


def probe_rule_errors(layers: Iterable[RuleLayer]) -> Iterator[ConfigProblem]:
    """Numbers that contradict each other."""
    values = effective_values(layers)
    yield from _longer_than(
        values,
        "confirm_interval_s",
        "interval_s",
        "a suspected link would be probed more rarely than one that answers",
        "write a confirm_interval_s that is not longer than interval_s, such as 0.2",
    )


def probe_rule_warnings(layers: Iterable[RuleLayer]) -> Iterator[ConfigProblem]:
    """Numbers that are valid, but probably not meant."""
    values = effective_values(layers)
    yield from _longer_than(
        values,
        "interval_s",
        "record_s",
        "some stored samples would hold no request",
        "write a record_s that is not shorter than interval_s",
    )
    yield from _longer_than(
        values,
        "interval_s",
        "window_s",
        "a window would hold no request, so the target is never degraded",
        "write a window_s of many times interval_s, such as 60",
    )
    rtt, timeout = values.get("rtt_ms"), values.get("timeout_s")
    if rtt and timeout and rtt.value >= 1000 * timeout.value:
        yield from _conflict(
            rtt,
            timeout,
            "a reply that slow counts as lost, so this limit is never reached",
            "write an rtt_ms below the time-out, or a longer timeout_s",
        )


def _longer_than(
    values: Mapping[str, EffectiveValue], longer: str, shorter: str, why: str, mend: str
) -> Iterator[ConfigProblem]:
    one, other = values.get(longer), values.get(shorter)
    if one and other and one.value > other.value > 0:
        yield from _conflict(one, other, why, mend)


def _conflict(
    one: EffectiveValue, other: EffectiveValue, why: str, mend: str
) -> Iterator[ConfigProblem]:
    """Report it at the stronger of the two places, which is the more specific one."""
    here, there = (one, other) if one.strength >= other.strength else (other, one)
    source = here.layer.source
    if source is not None:
        what = f"{here} does not go with {there} ({there.origin()}): {why}"
        yield source.problem((*here.layer.path, here.key), what, mend)
