"""Probe schedule: steady rounds for all targets, faster confirm rounds for suspected ones."""

from __future__ import annotations

import logging
from collections.abc import Set
from functools import partial

from monitor.core.job import Job
from monitor.core.model import Network, Target
from monitor.core.ports import Clock, Commit, Prober
from monitor.pipeline.pipeline import Pipeline

log = logging.getLogger("monitor.probing.ping_rounds")

SPREAD = 0.85
"""The share of an interval over which a round's sends are spread; the rest is slack."""

CONFIRMED_AT_ONCE = 400
CONFIRMED_SHARE = 0.1
"""At most this many targets, or this share of all if that is more, are in confirm rounds at once.

When thousands fall silent together, confirming all of them would multiply the load by five. Nodes
and anchors, on which the others depend, come first; the rest keep the steady rate until a place
becomes free.
"""


class PingRounds:
    """Starts the prober's rounds; outcomes reach the pipeline through the prober's sink."""

    def __init__(self, prober: Prober, pipeline: Pipeline, clock: Clock) -> None:
        self._prober = prober
        self._pipeline = pipeline
        self._clock = clock
        self._targets: tuple[Target, ...] = ()
        self._confirm_s: dict[str, float] = {}
        self._rank: dict[str, int] = {}
        self._max_confirming = CONFIRMED_AT_ONCE
        self._confirming: frozenset[str] = frozenset()
        self._started_s: dict[float, float] = {}

    def prepare(self, network: Network) -> Commit:
        """Check the targets of another network. Raises ProbeError and changes nothing."""
        targets = tuple(network.targets())
        return partial(self._commit, targets, self._prober.prepare(targets))

    def jobs(self) -> list[Job]:
        """One job for each steady interval and each confirm interval (never one a target)."""
        intervals: dict[float, list[str]] = {}
        for target in self._targets:
            intervals.setdefault(target.rules.interval_s, []).append(target.name)
        steady = [
            Job(
                name=f"round every {interval_s:g} s",
                every_s=interval_s,
                run=partial(self._steady_round, tuple(names), interval_s),
                deadline_s=2 * interval_s + 1,
            )
            for interval_s, names in sorted(intervals.items())
        ]
        confirm = [
            Job(
                name=f"confirm every {confirm_s:g} s",
                every_s=confirm_s,
                run=partial(self._confirm_round, confirm_s),
                deadline_s=2 * confirm_s + 1,
            )
            for confirm_s in sorted(set(self._confirm_s.values()))
        ]
        return steady + confirm

    def _commit(self, targets: tuple[Target, ...], commit_prober: Commit) -> None:
        commit_prober()
        self._targets = targets
        self._confirm_s = {t.name: t.rules.confirm_interval_s for t in targets if has_confirm(t)}
        # Anchors, then nodes, then links: the order of Network.targets().
        self._rank = {target.name: rank for rank, target in enumerate(targets)}
        self._max_confirming = max(CONFIRMED_AT_ONCE, int(CONFIRMED_SHARE * len(targets)))
        self._confirming = frozenset()
        self._started_s.clear()

    async def _steady_round(self, names: tuple[str, ...], interval_s: float) -> None:
        started_s = self._clock.steady_s()
        self._count_missed(interval_s, started_s)
        confirming = self._confirming & self._pipeline.detector.suspected
        due = [name for name in names if name not in confirming] if confirming else names
        await self._prober.round(due, interval_s * SPREAD)
        now_s = self._clock.steady_s()
        lag_s = now_s - started_s - interval_s * SPREAD
        progress = self._pipeline.progress
        progress.last_round_s = now_s
        progress.round_lag_s = max(progress.round_lag_s, lag_s)
        log.debug("round of %d requests ended %.3f ms late", len(due), max(0.0, lag_s) * 1000)

    def _count_missed(self, interval_s: float, started_s: float) -> None:
        """Count the rounds of this interval that should have started since the last one did."""
        before_s = self._started_s.get(interval_s)
        self._started_s[interval_s] = started_s
        missed = 0 if before_s is None else round((started_s - before_s) / interval_s) - 1
        if missed > 0:
            progress = self._pipeline.progress
            progress.missed_rounds += missed
            progress.last_missed_s = started_s
            log.warning("%d rounds every %g s were missed", missed, interval_s)

    async def _confirm_round(self, confirm_s: float) -> None:
        suspects = self._pipeline.detector.suspected
        if suspects or self._confirming:
            self._choose_confirming(suspects & self._confirm_s.keys())
            ordered = self._by_rank(self._confirming)
            due = [name for name in ordered if self._confirm_s[name] == confirm_s]
            await self._prober.round(due, confirm_s * SPREAD / 2)
        self._pipeline.tick()

    def _choose_confirming(self, suspects: Set[str]) -> None:
        """Keep those that are confirming and still suspected; fill free places by rank."""
        still = self._confirming & suspects
        free = max(0, self._max_confirming - len(still))
        self._confirming = still.union(self._by_rank(suspects - still)[:free])

    def _by_rank(self, names: Set[str]) -> list[str]:
        return sorted(names, key=self._rank.__getitem__)


def has_confirm(target: Target) -> bool:
    """Whether a suspected target is probed faster than in steady rounds."""
    return target.rules.confirm_interval_s < target.rules.interval_s
