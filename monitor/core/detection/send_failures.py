"""Requests that could not be sent: one target's own trouble, or this machine's?

VERDICTS: "A link that alone cannot be measured opens one incident after 5 such requests in a row;
one explained by `monitor` opens none." The errno does not show which it is: a full buffer fails
whichever request comes at a bad moment, a missing route may be one link's or everybody's. The
number of targets that share the trouble does. The rule:

    The trouble is the machine's when sends failed within the last 10 s for most targets, every
    anchor among them. Most: more than half; of fewer than five, every one and more than one.

While it holds, no target has an incident for failed sends (for `EXPLAINED_AT_MOST_S`), and an
isolation lasts. Two conditions are added to it:

- The monitor is cut off only when on average more than half of the targets failed over 10 s. Two
  fifths of each round, in turns, also hit most targets within 10 s.
- An isolation ends before the 10 s have passed when more than half of the targets reply before the
  sends of a quarter fail again: a trouble that stopped at one stroke (`Isolation.add`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from math import inf

from monitor.core.detection.loss_windows import RunningMean
from monitor.core.detection.target_health import CLOCK_GRAIN_S, HealthCounts
from monitor.core.model import NotMeasured

FEW_TARGETS = 5
"""Of fewer targets than these, every one must fail."""
LONG_RUN = 5
RECENT_S = 10.0
EXPLAINED_AT_MOST_S = 30.0
"""A target whose own run of failed sends lasts longer is reported, whatever the others do."""
RELAPSE_SHARE = 0.25
"""Sends of more targets than these fail again after the first reply: that reply was chance."""


@dataclass(slots=True)
class FailedRun:
    """Failed sends of one target in a row: first, last (sending times), how many, newest errno."""

    first_s: float
    last_s: float
    count: int
    error: str

    def is_long(self, interval_s: float) -> bool:
        """Five in a row, over the time that five take at the steady rate.

        A suspected target is probed five times as often: without the second condition it would be
        blamed before most of the others had been probed once.
        """
        at_least_s = (LONG_RUN - 1) * interval_s - CLOCK_GRAIN_S
        return self.count >= LONG_RUN and self.last_s - self.first_s >= at_least_s


class SendFailures:
    """Counts failed sends of all targets.

    runs: by target, its failed sends since its last request that was sent. counts: how many
    targets there are. confirm_s: how long all sends must fail before the machine
    is called cut off (seconds).
    """

    def __init__(self, counts: HealthCounts, confirm_s: float) -> None:
        self.configure(counts, confirm_s)
        self.runs: dict[str, FailedRun] = {}
        self._failed_s: dict[str, float] = {}  # when a target's send last failed, oldest first
        self._failing_share = RunningMean()
        self._long_runs: set[str] = set()

    def configure(self, counts: HealthCounts, confirm_s: float) -> None:
        """Count among these targets from now on."""
        self._counts = counts
        self._confirm_s = confirm_s

    def add_failed(self, item: NotMeasured, interval_s: float, now_s: float) -> None:
        """Count a request that could not be sent; it extends its target's run."""
        run = self.runs.get(item.target)
        if run is None:
            run = self.runs[item.target] = FailedRun(item.sent_s, item.sent_s, 0, item.reason)
        run.last_s = item.sent_s
        run.count += 1
        run.error = item.reason
        self.add_recent(item.target, now_s)
        if run.is_long(interval_s):
            self._long_runs.add(item.target)

    def add_recent(self, target: str, now_s: float) -> None:
        """Count a failed send without a run: the monitor is cut off, no target is blamed."""
        self._failed_s.pop(target, None)
        self._failed_s[target] = now_s

    def add_sent(self, target: str, sent_s: float) -> bool:
        """A request was sent: the run of failed sends ends. False: it is older than the run."""
        run = self.runs.get(target)
        if run is None:
            return True
        if sent_s < run.first_s:
            return False
        if run.last_s > sent_s:
            run.first_s, run.count = run.last_s, 1
        else:
            del self.runs[target]
        self._long_runs.discard(target)
        return True

    def end_run(self, target: str) -> None:
        """Count the target's failed sends anew."""
        self.runs.pop(target, None)
        self._long_runs.discard(target)

    def end_runs(self) -> None:
        """Count all targets' failed sends anew; which ones failed recently stays known."""
        self.runs.clear()
        self._long_runs.clear()
        self._failing_share = RunningMean()

    def remove(self, target: str) -> None:
        """The target is no longer probed."""
        self.end_run(target)
        self._failed_s.pop(target, None)

    def take_long_runs(self) -> set[str]:
        """The targets whose run was long at a failed send since the last call."""
        taken, self._long_runs = self._long_runs, set()
        return taken

    def errors(self) -> str | None:
        """The newest errno of each target whose sends fail, each once; None: no sends fail."""
        return ", ".join(sorted({run.error for run in self.runs.values()})) or None

    @property
    def failing(self) -> int:
        """How many targets' newest request could not be sent."""
        return len(self.runs)

    def update_share(self, now_s: float) -> None:
        """The present share of failing targets holds from now on."""
        seen = self._counts.seen
        share = self.failing / seen if seen else 0.0
        if seen < FEW_TARGETS:
            share = float(self._are_most(self.failing))
        self._failing_share.set(now_s, share)

    def most_fail_now(self, now_s: float) -> bool:
        """Did the newest request of most targets fail, and do all anchors fail?"""
        return self._are_most(self.failing) and self._all_anchors_fail(now_s)

    def machine_is_cut_off(self, now_s: float) -> bool:
        """Does the machine's trouble last long enough? True only at a failed send.

        Over twice `confirm_s` more than half of all targets failed on average: all of them for
        `confirm_s`, or a few more than half for twice as long, in whatever turns they take.
        """
        if next(reversed(self._failed_s.values()), None) != now_s:
            return False
        span_s = 2 * self._confirm_s
        failing_s = self._failing_share.over(span_s, now_s) * span_s
        return failing_s > self._confirm_s + CLOCK_GRAIN_S and self._all_anchors_fail(now_s)

    def explains(self, run: FailedRun, now_s: float) -> bool:
        """Does the machine's trouble explain this run of failed sends?"""
        if run.last_s - run.first_s > EXPLAINED_AT_MOST_S:
            return False
        return self.most_failed_recently(now_s) and self._an_anchor_fails(now_s)

    def most_failed_recently(self, now_s: float) -> bool:
        """Did a send fail within the last 10 s for most targets?"""
        failed, oldest_s = self._failed_s, now_s - RECENT_S
        while failed and failed[first := next(iter(failed))] < oldest_s:
            del failed[first]
        return self._are_most(len(failed))

    def many_failed_since(self, since_s: float) -> bool:
        """Did a send fail after `since_s` for more than a quarter of the targets?"""
        failed = takewhile(lambda at_s: at_s > since_s, reversed(self._failed_s.values()))
        return sum(1 for _ in failed) > RELAPSE_SHARE * self._counts.seen

    def start_s(self, now_s: float) -> float:
        """When the first send of this trouble failed.

        A target that failed alone, long before the others, does not date it back.
        """
        oldest_s = now_s - 3 * self._confirm_s
        firsts_s = [run.first_s for run in self.runs.values() if run.first_s >= oldest_s]
        return min(firsts_s, default=now_s)

    def _failed_recently(self, target: str, now_s: float) -> bool:
        if target in self.runs:
            return True
        return self._failed_s.get(target, -inf) >= now_s - RECENT_S

    def _all_anchors_fail(self, now_s: float) -> bool:
        return all(self._failing_anchors(now_s))

    def _an_anchor_fails(self, now_s: float) -> bool:
        """True also without an anchor that could tell."""
        failing = self._failing_anchors(now_s)
        return not failing or any(failing)

    def _failing_anchors(self, now_s: float) -> list[bool]:
        """For each anchor with evidence: did a send to it fail recently?"""
        anchors = [anchor.target.name for anchor in self._counts.anchors if anchor.seen]
        return [self._failed_recently(anchor, now_s) for anchor in anchors]

    def _are_most(self, targets: int) -> bool:
        seen = self._counts.seen
        if seen < FEW_TARGETS:
            return targets == seen > 1
        return targets * 2 > seen
