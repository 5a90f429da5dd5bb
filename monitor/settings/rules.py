"""How a target is probed and judged: which of several places gives a number.

For each key by itself, from the weakest to the strongest:

1. the built-in defaults (core.model.Rules),
2. `[ping]` of monitor.toml,
3. the built-in defaults of the link's kind: `rtt_ms` radio 80, lte 150, vsat 800 (VERDICTS),
   `timeout_s` vsat 3.0: what a kind of link needs outweighs what is said of all in general,
4. `[ping.kinds.<kind>]` of monitor.toml,
5. the node or the link itself.

So `[ping] rtt_ms = 50`, as in the example of CONTRACT, leaves vsat its 800 ms; with
`[ping.kinds.vsat] rtt_ms = 900` beside it, vsat has 900 ms. Fibre has no default of its own:
`[ping]` holds for it. Nodes and anchors have no kind: 1, 2, and 5 for nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeGuard

from monitor.core.model import ProbeRules
from monitor.settings.files import Source
from monitor.settings.lines import KeyPath
from monitor.settings.problems import Problem

KINDS = ("fibre", "radio", "lte", "vsat")
KEYS = tuple(field.name for field in fields(ProbeRules))

_LARGEST = 86_400
"""No key allows more (settings.schema); a larger number is wrong anyway."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The numbers that one place gives; source None: built in."""

    values: Mapping[str, Any]
    source: Source | None = None
    path: KeyPath = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """One number and the place that gives it."""

    key: str
    value: float
    layer: Layer
    strength: int

    def __str__(self) -> str:
        return f"{self.key} = {self.value:g}"

    def origin(self) -> str:
        source = self.layer.source
        return "built in" if source is None else source.place((*self.layer.path, self.key))


def built_in(kind: str | None) -> Layer:
    """Layer 3."""
    of_kind: dict[str, dict[str, float]] = {
        "radio": {"rtt_ms": 80.0},
        "lte": {"rtt_ms": 150.0},
        "vsat": {"rtt_ms": 800.0, "timeout_s": 3.0},
    }
    return Layer(of_kind.get(kind or "", {}))


def layers(
    monitor: Source | None, kind: str | None, own: Source | None = None, path: KeyPath = ()
) -> list[Layer]:
    """The layers of one target, the weakest first. own, path: the node's or link's own table."""
    found = [Layer(asdict(ProbeRules()))]
    if monitor is not None:
        found.append(_layer(monitor, ("ping",)))
    found.append(built_in(kind))
    if monitor is not None and kind is not None:
        found.append(_layer(monitor, ("ping", "kinds", kind)))
    if own is not None:
        found.append(_layer(own, path))
    return found


def _layer(source: Source, path: KeyPath) -> Layer:
    table = source.get(path)
    values = {key: table[key] for key in KEYS if key in table} if isinstance(table, dict) else {}
    return Layer(values, source, path)


def chosen(target_layers: Iterable[Layer]) -> dict[str, Chosen]:
    """The number for each key, from the strongest layer that has it.

    A key whose number is not one (the schema says so) is left out, so that nothing else is
    said about it.
    """
    found: dict[str, Chosen | None] = {}
    for strength, layer in enumerate(target_layers):
        for key, value in layer.values.items():
            usable = _is_number(value)
            found[key] = Chosen(key, value, layer, strength) if usable else None
    return {key: choice for key, choice in found.items() if choice is not None}


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LARGEST


def effective(target_layers: Iterable[Layer]) -> ProbeRules:
    """The rules of one target, once the files are known to be right."""
    numbers = {key: choice.value for key, choice in chosen(target_layers).items()}
    rise = int(numbers.pop("rise"))
    return ProbeRules(rise=rise, **{key: float(value) for key, value in numbers.items()})


def errors(target_layers: Iterable[Layer]) -> Iterator[Problem]:
    """Numbers that contradict each other."""
    numbers = chosen(target_layers)
    yield from _when_longer(
        numbers,
        "confirm_interval_s",
        "interval_s",
        "a suspected link would be probed more rarely than one that answers",
        "write a confirm_interval_s that is not longer than interval_s, such as 0.2",
    )


def warnings(target_layers: Iterable[Layer]) -> Iterator[Problem]:
    """Numbers that are possible, but hardly meant."""
    numbers = chosen(target_layers)
    yield from _when_longer(
        numbers,
        "interval_s",
        "record_s",
        "some stored samples would hold no request",
        "write a record_s that is not shorter than interval_s",
    )
    yield from _when_longer(
        numbers,
        "interval_s",
        "window_s",
        "a window would hold no request, so the target is never degraded",
        "write a window_s of many times interval_s, such as 60",
    )
    rtt, timeout = numbers.get("rtt_ms"), numbers.get("timeout_s")
    if rtt and timeout and rtt.value >= 1000 * timeout.value:
        yield from _about(
            rtt,
            timeout,
            "a reply that slow counts as lost, so this limit is never reached",
            "write an rtt_ms below the time-out, or a longer timeout_s",
        )


def _when_longer(
    numbers: Mapping[str, Chosen], longer: str, shorter: str, why: str, mend: str
) -> Iterator[Problem]:
    one, other = numbers.get(longer), numbers.get(shorter)
    if one and other and one.value > other.value > 0:
        yield from _about(one, other, why, mend)


def _about(one: Chosen, other: Chosen, why: str, mend: str) -> Iterator[Problem]:
    """At the stronger of the two places: that is where a person wrote last."""
    here, there = (one, other) if one.strength >= other.strength else (other, one)
    source = here.layer.source
    if source is not None:
        what = f"{here} does not go with {there} ({there.origin()}): {why}"
        yield source.problem((*here.layer.path, here.key), what, mend)
