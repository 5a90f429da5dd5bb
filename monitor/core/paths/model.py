"""Hops of a path, traces, usual paths, and what a comparison of both finds. Times are UTC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

BASELINE_DAYS = 90
"""A usual path that was not measured again for so long is removed: its target has left."""

MOST_TRACES = 10_000
"""So many traces are kept, the newest: some 20 MB."""


class Hop(NamedTuple):
    """What came back for requests of one TTL.

    address: who answered; None: nobody. rtt_ms: None where it is not known.
    error: an ICMP error other than "time exceeded" in words ("host unreachable"), else None.
    """

    ttl: int
    address: str | None = None
    rtt_ms: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class PathTrace:
    """One trace. hops: from TTL 1 to the last one that anybody answered, without gaps.

    reached: the target itself answered; then it is the last hop.
    """

    target: str
    address: str
    at_s: float
    hops: tuple[Hop, ...]
    reached: bool


@dataclass(frozen=True, slots=True)
class PathBaseline:
    """The usual path of a target that is up: its last complete trace.

    hops: the last one is the target. known: by TTL the address that answered last on this path,
    so that a router that is silent once does not look like a change.
    changed_s: when another path was seen first; None: never. previous: the path before that.
    """

    target: str
    address: str
    at_s: float
    hops: tuple[Hop, ...]
    known: tuple[str | None, ...]
    changed_s: float | None = None
    previous: tuple[str | None, ...] = ()


class FindingKind(StrEnum):
    """What a trace of a silent target shows beside its usual path."""

    STOPPED = "stopped"
    """A router further on, which usually answers, is silent, too: it breaks off before it."""

    BEFORE_TARGET = "before_target"
    """All routers that usually answer do so: only the target is silent."""

    NOWHERE = "nowhere"
    """Not even the first router that usually answers does so."""

    LOOP = "loop"
    """The packets go round and round between routers."""

    OTHER_PATH = "other_path"
    """The trace took another path than usual, and breaks off there."""

    OWN_ADDRESS = "own_address"
    """A router at the target's own address still answers (NAT), and nothing behind it."""

    DIRECT = "direct"
    """There is no router before the target."""

    UNPROVEN = "unproven"
    """No router on the usual path answers: its silence says nothing."""

    NO_BASELINE = "no_baseline"
    """The usual path is not known."""

    REACHED = "reached"
    """The target answered the trace."""


@dataclass(frozen=True, slots=True)
class NamedHop:
    """A hop with the name that the configuration gives its address; None: it has none."""

    ttl: int
    address: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class PathFinding:
    """Where a path breaks off; None where something does not apply or is not known.

    last: the last router that answered now; usual_last: the last one that usually answers.
    next: the one that usually answers next; for a loop the second router of it.
    usual_hops: number of hops to the target, itself included. usual_at_s: when that was measured.
    changed_s: when the path changed while the target was up, if that was recently.
    error: what `last` said ("host unreachable").
    """

    kind: FindingKind
    at_s: float
    last: NamedHop | None = None
    usual_last: NamedHop | None = None
    next: NamedHop | None = None
    usual_hops: int | None = None
    usual_at_s: float | None = None
    changed_s: float | None = None
    error: str | None = None


SKIPPED = "skipped"
"""Result of a trace that was not made because too many were waiting."""


class RouteHop(NamedTuple):
    """A hop with its name, for display. Fields as in Hop and NamedHop."""

    ttl: int
    address: str | None
    name: str | None
    rtt_ms: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class IncidentTrace:
    """A trace that belongs to an incident, as it is stored.

    result: a FindingKind, or SKIPPED. usual: the hops of the usual path at that time.
    """

    incident: int
    target: str
    at_s: float
    result: str
    hops: tuple[RouteHop, ...] = ()
    usual: tuple[RouteHop, ...] = ()
