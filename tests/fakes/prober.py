"""A prober without a network, on a clock that the test moves."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from monitor.core.errors import ProbeError
from monitor.core.model import Lost, NotMeasured, Outcome, Reply, Target
from monitor.core.ports import Commit, OutcomeSink, ProbeCounters
from tests.fakes.clock import ManualClock


@dataclass(frozen=True, slots=True)
class Answers:
    """A reply after `rtt_ms`."""

    rtt_ms: float = 10.0


@dataclass(frozen=True, slots=True)
class Silent:
    """The request is sent, no reply comes."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An ICMP error from a router after `rtt_ms`."""

    reason: str = "host unreachable from 10.77.0.10"
    rtt_ms: float = 10.0


@dataclass(frozen=True, slots=True)
class CannotSend:
    """The request cannot be sent."""

    errno_name: str = "ENETUNREACH"


Behaviour = Answers | Silent | Refused | CannotSend
Script = Callable[[str, float], Behaviour]
"""Behaviour of one request: target's name, steady time of sending."""


class FakeProber:
    """`Prober` for tests. Everybody answers after 10 ms until the test says otherwise.

    behave(name, …) sets one target, behave_by(script) all of them by a function of time.
    Outcomes come while the clock moves: `clock.advance(…)` or `await clock.run(…)`. A round
    that is spread over time waits for the clock, so run it as a task beside `clock.run`.
    """

    def __init__(self, clock: ManualClock) -> None:
        self.closed = False
        self.rounds: list[tuple[tuple[str, ...], float]] = []
        self._clock = clock
        self._sink: OutcomeSink | None = None
        self._targets: dict[str, Target] = {}
        self._behaviours: dict[str, Behaviour] = {}
        self._script: Script = self._scripted_behaviour
        self._due: list[tuple[float, str, int, Target, Outcome]] = []
        self._order = itertools.count()
        self._totals: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._unmeasured: Counter[str] = Counter()

    def behave(self, name: str, behaviour: Behaviour) -> None:
        self._behaviours[name] = behaviour

    def behave_by(self, script: Script) -> None:
        self._script = script

    async def open(self, sink: OutcomeSink) -> None:
        self._sink = sink

    def prepare(self, targets: Iterable[Target]) -> Commit:
        prepared = {target.name: target for target in targets}

        def commit() -> None:
            self._targets = prepared

        return commit

    def watch(self, targets: Iterable[Target]) -> None:
        self.prepare(targets)()

    async def round(self, names: Sequence[str], over_s: float) -> None:
        if self._sink is None:
            raise ProbeError("the prober is not open: call open() first")
        self.rounds.append((tuple(names), over_s))
        start_s = self._clock.steady_s()
        for place, name in enumerate(names):
            await self._clock.sleep_until(start_s + place * over_s / len(names))
            target = self._targets.get(name)
            if target is not None:
                self._ask(target)

    def counters(self) -> ProbeCounters:
        return ProbeCounters(
            errors=dict(self._errors), unmeasured=dict(self._unmeasured), **self._totals
        )

    async def close(self) -> None:
        self._sink = None
        self.closed = True

    def _scripted_behaviour(self, name: str, _: float) -> Behaviour:
        return self._behaviours.get(name, Answers())

    def _ask(self, target: Target) -> None:
        sent_s = self._clock.steady_s()
        behaviour = self._script(target.name, sent_s)
        timeout_s = target.rules.timeout_s
        if isinstance(behaviour, CannotSend):
            self._errors[behaviour.errno_name] += 1
            self._await(
                target, NotMeasured(target.name, sent_s, sent_s, behaviour.errno_name), sent_s
            )
            return
        self._totals["sent"] += 1
        if isinstance(behaviour, Silent) or behaviour.rtt_ms > timeout_s * 1000.0:
            known_s = sent_s + timeout_s
            self._await(target, Lost(target.name, sent_s, known_s), known_s)
            if not isinstance(behaviour, Silent):
                self._clock.call_at(sent_s + behaviour.rtt_ms / 1000.0, self._count_late)
            return
        known_s = sent_s + behaviour.rtt_ms / 1000.0
        if isinstance(behaviour, Refused):
            self._await(target, Lost(target.name, sent_s, known_s, behaviour.reason), known_s)
        else:
            self._await(target, Reply(target.name, sent_s, known_s, behaviour.rtt_ms), known_s)

    def _await(self, target: Target, outcome: Outcome, known_s: float) -> None:
        heapq.heappush(self._due, (known_s, target.name, next(self._order), target, outcome))
        self._clock.call_at(known_s, self._deliver)

    def _count_late(self) -> None:
        self._totals["late"] += 1

    def _deliver(self) -> None:
        """Everything known by now, in one batch, in the order in which it became known."""
        batch: list[Outcome] = []
        while self._due and self._due[0][0] <= self._clock.steady_s():
            _, name, _, target, outcome = heapq.heappop(self._due)
            now = self._targets.get(name)
            if now is None or now.address != target.address:
                continue
            batch.append(outcome)
            kind = {Reply: "received", Lost: "lost", NotMeasured: "not_measured"}[type(outcome)]
            self._totals[kind] += 1
            if isinstance(outcome, NotMeasured):
                self._unmeasured[outcome.reason] += 1
        if batch and self._sink is not None:
            self._sink(batch)
