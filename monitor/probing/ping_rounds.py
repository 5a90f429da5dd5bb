"""Which target is probed when: steady rounds by cadence, confirm rounds for what is suspected."""

from __future__ import annotations

import logging
from collections.abc import Set
from functools import partial

from monitor.core.job import Job
from monitor.core.model import Network, Target
from monitor.core.ports import Clock, Prober
from monitor.pipeline.pipeline import Pipeline

log = logging.getLogger("monitor.probing.ping_rounds")

SPREAD = 0.85
CONFIRMED_AT_ONCE = 400
CONFIRMED_SHARE = 0.1
"""So many suspects, or this share of all targets if that is more, are asked at the confirm rate.

When thousands fall silent at once they would be asked five times as often, at the worst moment.
The nodes and anchors on which everything hangs come first; the rest keep the steady rate, and
take a place as it becomes free.
"""

"""The share of an interval over which a round's sends are spread; the rest is slack."""


class PingRounds:
    """Asks the prober; outcomes come to the pipeline by themselves."""

    def __init__(self, prober: Prober, pipeline: Pipeline, clock: Clock) -> None:
        self._prober = prober
        self._pipeline = pipeline
        self._clock = clock
        self._confirm_s: dict[str, float] = {}
        self._rank: dict[str, int] = {}
        self._at_once = CONFIRMED_AT_ONCE
        self._confirming: frozenset[str] = frozenset()
        self._started_s: dict[float, float] = {}

    def jobs(self, network: Network) -> list[Job]:
        """A job a cadence (never a job a target)."""
        targets = network.targets()
        self._prober.watch(targets)
        self._started_s.clear()
        steady: dict[float, list[str]] = {}
        for target in targets:
            steady.setdefault(target.rules.interval_s, []).append(target.name)
        self._confirm_s = {
            target.name: target.rules.confirm_interval_s
            for target in targets
            if confirms_faster(target)
        }
        # Anchors, then nodes, then links: the order of `targets`.
        self._rank = {target.name: place for place, target in enumerate(targets)}
        self._at_once = max(CONFIRMED_AT_ONCE, int(CONFIRMED_SHARE * len(targets)))
        self._confirming = frozenset()
        jobs = [
            Job(
                name=f"round every {interval_s:g} s",
                every_s=interval_s,
                run=partial(self._steady, tuple(names), interval_s),
                deadline_s=2 * interval_s + 1,
            )
            for interval_s, names in sorted(steady.items())
        ]
        for confirm_s in sorted(set(self._confirm_s.values())):
            jobs.append(
                Job(
                    name=f"confirm every {confirm_s:g} s",
                    every_s=confirm_s,
                    run=partial(self._confirm, confirm_s),
                    deadline_s=2 * confirm_s + 1,
                )
            )
        return jobs

    async def _steady(self, names: tuple[str, ...], interval_s: float) -> None:
        started_s = self._clock.steady_s()
        self._count_missed(interval_s, started_s)
        faster = self._confirming & self._pipeline.detector.suspected
        due = [name for name in names if name not in faster] if faster else names
        await self._prober.round(due, interval_s * SPREAD)
        now_s = self._clock.steady_s()
        progress = self._pipeline.progress
        late_s = now_s - started_s - interval_s * SPREAD
        progress.last_round_s = now_s
        progress.round_lag_s = max(progress.round_lag_s, late_s)
        log.debug("round of %d requests done %.3f ms late", len(due), max(0.0, late_s) * 1000)

    def _count_missed(self, interval_s: float, started_s: float) -> None:
        """How many rounds should have begun since the last one of this cadence did."""
        before_s = self._started_s.get(interval_s)
        self._started_s[interval_s] = started_s
        missed = 0 if before_s is None else round((started_s - before_s) / interval_s) - 1
        if missed > 0:
            progress = self._pipeline.progress
            progress.missed_rounds += missed
            progress.last_missed_s = started_s
            log.warning("%d rounds every %g s were missed", missed, interval_s)

    async def _confirm(self, confirm_s: float) -> None:
        suspects = self._pipeline.detector.suspected
        if suspects or self._confirming:
            self._choose(suspects & self._confirm_s.keys())
            due = [n for n in self._in_order(self._confirming) if self._confirm_s[n] == confirm_s]
            await self._prober.round(due, confirm_s * SPREAD / 2)
        self._pipeline.tick()

    def _choose(self, suspects: Set[str]) -> None:
        """Who has a place keeps it while suspected; free ones go to those that matter most."""
        kept = self._confirming & suspects
        free = self._at_once - len(kept)
        waiting = self._in_order(suspects - kept)
        self._confirming = kept.union(waiting[: max(0, free)])

    def _in_order(self, names: Set[str]) -> list[str]:
        return sorted(names, key=self._rank.__getitem__)


def confirms_faster(target: Target) -> bool:
    """Is a suspected target probed faster than in steady rounds?"""
    return target.rules.confirm_interval_s < target.rules.interval_s
