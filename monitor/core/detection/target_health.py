"""The evidence on one target: its run of losses, its recovery, its recent loss and RTT.

VERDICTS, "Confirming DOWN": the outcomes of a target are ordered by when they were *sent*. The
run of losses is, at any moment, every known loss sent after the last request that was answered.
The detector decides what follows from it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil, inf, log

from monitor.core.detection.loss_windows import CLEAR_SHARE, LossHistory, LossWindow
from monitor.core.model import Incident, State, Target, TargetRole

MIN_RUN = 20
"""Losses in a row below which no run is confirmed."""
MAX_RUN_LOSSES = 64
MAX_SUSPICIONS = 8
CLOCK_GRAIN_S = 1e-6
"""Sums of 0.2 s are not exact: a span that is short by less than this is long enough."""


def losses_needed(loss_upper: float, false_alarm: float) -> int:
    """Losses in a row that are too many to be chance: ln(1/a) / ln(1/p), at least `MIN_RUN`."""
    return max(MIN_RUN, ceil(log(1 / false_alarm) / log(1 / loss_upper)))


@dataclass(slots=True)
class TargetHealth:
    """State, open incident and evidence of one target; all times are steady seconds.

    seen: there was evidence on it. silent: has losses in a row, or is down or unreachable (kept
    by `HealthCounts`).
    ignore_before_s: requests sent earlier do not count (its node came back, or the monitor was
    cut off or blind since).
    outage_start_s: when an outage that follows began, if not at the first lost request.
    earliest_s: the last evidence before a blind interval that may hide a start or an end.
    down_before_blind: it was down when the blind interval began.
    pending: confirmed silent at `confirmed_s`, but not decided: a parent or the anchors are open.
    exceeded: the limits that it is past ("loss", "rtt").
    """

    target: Target
    state: State = State.UNKNOWN
    since_s: float = 0.0
    incident: Incident | None = None
    seen: bool = False
    silent: bool = False
    last_reply_s: float = -inf
    ignore_before_s: float = -inf
    outage_start_s: float | None = None
    earliest_s: float | None = None
    down_before_blind: bool = False
    run_first_s: float = 0.0
    run_last_s: float = 0.0
    run_count: int = 0
    lost_reason: str | None = None
    confirmed_s: float | None = None
    pending: bool = False
    rise_first_s: float = 0.0
    rise_count: int = 0
    rise_losses: int = 0
    rise_broken_s: float = -inf
    exceeded: frozenset[str] = frozenset()
    history: LossHistory = field(default_factory=LossHistory)
    window: LossWindow = field(init=False)
    _run_losses: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_RUN_LOSSES))
    _regular_losses: list[float] = field(default_factory=list)
    _suspected_s: float = inf
    _suspicions: deque[tuple[float, float]] = field(
        default_factory=lambda: deque(maxlen=MAX_SUSPICIONS)
    )

    def __post_init__(self) -> None:
        self.window = LossWindow(self.target.rules.window_s, self.target.rules.rtt_ms)

    @property
    def suspected(self) -> bool:
        """Lost requests since the last answered one, and not down or unreachable yet."""
        return self.run_count > 0 and not self.dead

    @property
    def unsettled(self) -> bool:
        """Probed at the confirm rate: suspected, or still silent since its node is back."""
        return self.suspected or (
            self.state is State.UNREACHABLE and self.outage_start_s is not None
        )

    @property
    def dead(self) -> bool:
        """Down or unreachable: nothing can be said of what hangs on it."""
        return self.state in (State.DOWN, State.UNREACHABLE)

    @property
    def outage_open(self) -> bool:
        """One reply does not end it, `rise` of them do."""
        incident = self.incident
        return self.state is State.DOWN or (incident is not None and incident.state is State.DOWN)

    def add_loss(self, sent_s: float, known_s: float, reason: str | None) -> bool:
        """Count a lost request. True: it starts or extends the run of losses."""
        if sent_s <= self.last_reply_s:
            # Known late, after the reply to a later request: it is loss, but no run.
            if not self.dead and self.state is not State.UNKNOWN:
                self.history.add(sent_s, 1)
                self.window.add(sent_s, None, self._is_regular(sent_s))
            return False
        if self.run_count == 0:
            self.run_first_s = self.run_last_s = sent_s
            self._suspected_s = known_s
            self.lost_reason = reason
        else:
            self.run_first_s = min(self.run_first_s, sent_s)
            self.run_last_s = max(self.run_last_s, sent_s)
            self.lost_reason = reason or self.lost_reason
        self.run_count += 1
        self._run_losses.append(sent_s)
        if sent_s < self._suspected_s and self._is_regular(sent_s):
            self._regular_losses.append(sent_s)
        if self.outage_open:
            self.rise_losses += 1
            if self.rise_losses > 1:
                self.rise_count = 0
                self.rise_broken_s = max(self.rise_broken_s, sent_s)
        return True

    def add_reply(self, sent_s: float, known_s: float, rtt_ms: float) -> None:
        """Count a reply; it ends the run of losses that were sent before it."""
        counts = not self.dead and self.state is not State.UNKNOWN
        if self.run_count and sent_s >= self.run_first_s:
            self._end_run(sent_s, known_s, counts)
        if counts:
            self.count_reply(sent_s, rtt_ms)
        else:
            self.last_reply_s = max(self.last_reply_s, sent_s)

    def count_reply(self, sent_s: float, rtt_ms: float) -> None:
        """Count a reply that ends no run, of a target that is up or degraded."""
        self.last_reply_s = max(self.last_reply_s, sent_s)
        self.history.add(sent_s, 0)
        self.window.add(sent_s, rtt_ms, self._is_regular(sent_s))

    def _is_regular(self, sent_s: float) -> bool:
        """Was it sent at the steady rate, outside every suspicion that is over?"""
        if not self._suspicions or self._suspicions[-1][1] <= sent_s:
            return True
        return not any(start <= sent_s < end for start, end in self._suspicions)

    def _end_run(self, reply_sent_s: float, known_s: float, counts: bool) -> None:
        later = [sent for sent in self._run_losses if sent > reply_sent_s]
        if counts:
            for sent in self._run_losses:
                if sent < reply_sent_s:
                    self.history.add(sent, 1)
                    self.window.add(sent, None, sent in self._regular_losses)
        self._suspicions.append((self._suspected_s, known_s))
        self.drop_run()
        self.resume_run(later, known_s)

    def losses_since(self, sent_s: float) -> list[float]:
        """When the lost requests of the present run were sent, of those sent since then."""
        return [each_s for each_s in self._run_losses if each_s >= sent_s]

    def resume_run(self, losses: list[float], known_s: float) -> None:
        """These losses (sending times) are the present run; they are no regular requests."""
        if losses:
            self.run_first_s, self.run_last_s = min(losses), max(losses)
            self.run_count = len(losses)
            self._run_losses.extend(losses)
            self._suspected_s = known_s

    def drop_run(self) -> None:
        """Forget the present run of losses."""
        self.run_count = 0
        self.confirmed_s = None
        self.pending = False
        self.lost_reason = None
        self._run_losses.clear()
        self._regular_losses.clear()
        self._suspected_s = inf

    def is_confirmed(self, now_s: float) -> bool:
        """Does the run of losses span `confirm_s`, and is it too long to be chance?"""
        rules = self.target.rules
        span_s = self.run_last_s - self.run_first_s
        if self.run_count < MIN_RUN or span_s < rules.confirm_s - CLOCK_GRAIN_S:
            return False
        return self.run_count >= losses_needed(self.history.upper_loss(now_s), rules.false_alarm)

    def add_recovery_reply(self, sent_s: float) -> bool:
        """Count a reply during an open outage. True: there are `rise` of them, it is over.

        A single loss between replies is forgiven, two in a row begin the recovery anew.
        """
        if sent_s >= self.rise_broken_s:
            self.rise_first_s = min(self.rise_first_s, sent_s) if self.rise_count else sent_s
            self.rise_count += 1
            self.rise_losses = 0
        return self.rise_count >= self.target.rules.rise

    def clear_recovery(self) -> None:
        """The next reply is the first of a recovery."""
        self.rise_count = 0
        self.rise_losses = 0

    def settle_outage(self) -> None:
        """It is decided what its silence is: nothing before that counts for what follows."""
        self.pending = False
        self.window.clear()
        self.exceeded = frozenset()
        self.clear_recovery()
        self.outage_start_s = None

    def start_anew(self, ignore_before_s: float) -> None:
        """Count only requests sent at or after `ignore_before_s` from now on."""
        self.drop_run()
        self.window.clear()
        self.ignore_before_s = max(self.ignore_before_s, ignore_before_s)
        self.clear_recovery()
        self.down_before_blind = False
        self.outage_start_s = None

    def set_target(self, target: Target) -> None:
        """Take other rules or parents; the window starts anew when its limits changed."""
        before, after = self.target.rules, target.rules
        if (before.window_s, before.rtt_ms) != (after.window_s, after.rtt_ms):
            self.window = LossWindow(after.window_s, after.rtt_ms)
        self.target = target

    def limits_exceeded(self) -> frozenset[str]:
        """The limits that the window is past ("loss", "rtt"), and those not yet under 80 %.

        With less than half a window of evidence nothing is added and nothing is cleared.
        """
        rules = self.target.rules
        window = self.window
        if window.quiet and not self.exceeded:
            return self.exceeded
        if len(window) * rules.interval_s < rules.window_s / 2 - CLOCK_GRAIN_S:
            return self.exceeded
        loss_pct = window.loss_ratio() * 100
        if loss_pct >= rules.loss_pct * CLEAR_SHARE:
            loss_pct = window.loss_ratio_without_blips() * 100
        now = set(self.exceeded)
        if loss_pct > rules.loss_pct:
            now.add("loss")
        elif loss_pct < rules.loss_pct * CLEAR_SHARE:
            now.discard("loss")
        if window.median_over():
            now.add("rtt")
        elif window.median_cleared():
            now.discard("rtt")
        return frozenset(now)


class HealthCounts:
    """How many targets have evidence and how many are silent; the anchors among them."""

    __slots__ = ("anchors", "anchors_seen", "anchors_silent", "seen", "silent")

    def __init__(self, healths: Iterable[TargetHealth]) -> None:
        every = list(healths)
        self.anchors = [h for h in every if h.target.role is TargetRole.ANCHOR]
        self.seen = sum(health.seen for health in every)
        self.silent = sum(health.silent for health in every)
        self.anchors_seen = sum(anchor.seen for anchor in self.anchors)
        self.anchors_silent = sum(anchor.silent for anchor in self.anchors)

    def mark_seen(self, health: TargetHealth) -> None:
        """There is evidence on this target."""
        if not health.seen:
            health.seen = True
            self.seen += 1
            if health.target.role is TargetRole.ANCHOR:
                self.anchors_seen += 1

    def update_silent(self, health: TargetHealth) -> None:
        """Mark and count a target that fell silent or is silent no more."""
        silent = health.run_count > 0 or health.dead
        if silent is not health.silent:
            health.silent = silent
            step = 1 if silent else -1
            self.silent += step
            if health.target.role is TargetRole.ANCHOR:
                self.anchors_silent += step
