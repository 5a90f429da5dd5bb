"""How one address replies: delay, jitter, loss, duplicates, or an ICMP error."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from enum import StrEnum

MAX_JITTER_FACTOR = 6.0
"""The jitter of one reply is at most `jitter_ms` times this."""

_DELAY_MS = {
    "anchor": (0.2, 0.8),
    "node": (1.0, 5.0),
    "fibre": (2.0, 12.0),
    "radio": (8.0, 25.0),
    "lte": (35.0, 70.0),
    "vsat": (560.0, 620.0),
}
_JITTER_MS = {
    "anchor": 0.05,
    "node": 0.2,
    "fibre": 0.3,
    "radio": 2.0,
    "lte": 6.0,
    "vsat": 12.0,
}
_LOSS_RATIO = {"radio": 0.001, "lte": 0.002, "vsat": 0.003}


class ReplyMode(StrEnum):
    """Whether and how requests are answered."""

    ANSWERED = "answered"
    SILENT = "silent"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How an address replies.

    A reply is sent after `delay_ms + jitter_ms * x`, x drawn from the exponential distribution
    of mean 1, cut off at MAX_JITTER_FACTOR, like the long upper tail of real links.

    loss_ratio, duplicate_ratio: share of requests, 0 to 1, each drawn on its own.
    ttl_silent: as a router on the way it sends no "time exceeded". ttl_per_s: it sends so many a
    second at most; None: no limit.
    unreachable_from: address of the router that sends the ICMP error, with `unreachable_code`
    (RFC 792: 0 net, 1 host, 13 administratively prohibited) and the first `quote_bytes` of the
    request (None: as much as RFC 1812, 4.3.2.3 allows; old routers send 28).
    """

    delay_ms: float
    jitter_ms: float = 0.0
    loss_ratio: float = 0.0
    duplicate_ratio: float = 0.0
    mode: ReplyMode = ReplyMode.ANSWERED
    unreachable_from: str | None = None
    unreachable_code: int = 1
    quote_bytes: int | None = None
    ttl_silent: bool = False
    ttl_per_s: float | None = None

    @property
    def median_rtt_ms(self) -> float:
        """Expected median RTT; the machine adds about 0.1 ms."""
        return self.delay_ms + math.log(2.0) * self.jitter_ms

    @property
    def highest_rtt_ms(self) -> float:
        """Upper limit of the simulated RTT."""
        return self.delay_ms + MAX_JITTER_FACTOR * self.jitter_ms


def usual_behaviour(kind: str, name: str, seed: int) -> Behaviour:
    """The behaviour of a target without faults; deterministic in name and seed.

    kind: fibre, radio, lte, vsat, node or anchor; others behave like fibre.
    """
    low, high = _DELAY_MS.get(kind, _DELAY_MS["fibre"])
    rng = random.Random(f"{seed}:behaviour:{name}")  # noqa: S311 - simulated delay, no secret
    return Behaviour(
        delay_ms=round(rng.uniform(low, high), 3),
        jitter_ms=_JITTER_MS.get(kind, _JITTER_MS["fibre"]),
        loss_ratio=_LOSS_RATIO.get(kind, 0.0),
    )
