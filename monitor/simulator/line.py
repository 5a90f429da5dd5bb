"""One address on the wire: how it behaves now, and what it has done so far."""

from __future__ import annotations

import ipaddress
import math
import random
from dataclasses import dataclass

from monitor.simulator.behaviour import LONGEST_JITTER, Behaviour, Fate


@dataclass(frozen=True, slots=True)
class LineCounts:
    """One address so far. answered: replies that left, duplicates not counted twice.

    lost: requests that chance took; unreachable: ICMP errors sent. What is missing fell into
    silence, or is still on its way.
    """

    requests: int
    answered: int
    lost: int
    unreachable: int


class SimulatedHost:
    """One address on the wire: how it behaves now, and what it has done so far.

    epoch goes up whenever the address falls silent: replies on their way are lost, as they are
    when a cable is cut.
    """

    __slots__ = (
        "answered",
        "answers",
        "behaviour",
        "delay_s",
        "dice",
        "duplicate_ratio",
        "epoch",
        "jitter_s",
        "loss_ratio",
        "lost",
        "requests",
        "router",
        "unreachable",
    )

    def __init__(self, name: str, behaviour: Behaviour, seed: int) -> None:
        self.dice = random.Random(f"{seed}:line:{name}").random  # noqa: S311 - made-up loss
        self.epoch = 0
        self.requests = 0
        self.answered = 0
        self.lost = 0
        self.unreachable = 0
        self.behave(behaviour)

    def behave(self, behaviour: Behaviour) -> None:
        """From now on."""
        self.behaviour = behaviour
        self.answers = behaviour.fate is Fate.ANSWERED
        self.delay_s = behaviour.delay_ms / 1000.0
        self.jitter_s = behaviour.jitter_ms / 1000.0
        self.loss_ratio = behaviour.loss_ratio
        self.duplicate_ratio = behaviour.duplicate_ratio
        sender = behaviour.unreachable_from
        self.router = ipaddress.ip_address(sender).packed if sender else None
        self.epoch += not self.answers

    def loses(self) -> bool:
        """Whether chance takes the next request."""
        return self.loss_ratio > 0.0 and self.dice() < self.loss_ratio

    def doubles(self) -> bool:
        """Whether the next reply comes twice."""
        return self.duplicate_ratio > 0.0 and self.dice() < self.duplicate_ratio

    def draw_delay_s(self) -> float:
        """How long the next answer takes."""
        jitter = -math.log(1.0 - self.dice())
        return self.delay_s + self.jitter_s * min(jitter, LONGEST_JITTER)

    def counts(self) -> LineCounts:
        """What it has done so far."""
        return LineCounts(self.requests, self.answered, self.lost, self.unreachable)
