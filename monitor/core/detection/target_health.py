"""One target: its run of losses, its recovery, its windows. What it *is* is said by the judge.

VERDICTS, "Confirming DOWN": a target's outcomes are ordered by when they were sent. Its run of
losses is, at any moment, every known loss that was sent after the last request that it answered.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import ceil, inf, log

from monitor.core.detection.loss_windows import LossHistory, LossWindow
from monitor.core.model import Incident, State, Target

MIN_RUN = 20
BLIP_RUN = 3
BLIP_S = 1.0
KEPT_LOSSES = 64
KEPT_SUSPICIONS = 8
CLOCK_GRAIN_S = 1e-6
"""Sums of 0.2 s are not exact: a span that is short by less than this is as long as asked."""


def losses_needed(loss_upper: float, false_alarm: float) -> int:
    """How many losses in a row are too many to be chance: ln(1/a) / ln(1/p), never under 20."""
    return max(MIN_RUN, ceil(log(1 / false_alarm) / log(1 / loss_upper)))


@dataclass(slots=True)
class TargetHealth:
    """The evidence on one target so far, and the verdict that stands. Owned by one World.

    fresh_from_s: requests sent before it say nothing any more (a node came back, the monitor
    was cut off or blind). floor_s: a DOWN that follows starts no later than this.
    earliest_s: the last evidence before a blind interval that may hide a start or an end.
    waiting: confirmed silent, the verdict not spoken yet (a parent or the anchors are unsettled).
    """

    target: Target
    state: State = State.UNKNOWN
    since_s: float = 0.0
    incident: Incident | None = None
    seen: bool = False
    silent: bool = False
    last_reply_s: float = -inf
    fresh_from_s: float = -inf
    floor_s: float | None = None
    earliest_s: float | None = None
    resume_down: bool = False
    run_first_s: float = 0.0
    run_last_s: float = 0.0
    run_count: int = 0
    confirmed_s: float | None = None
    waiting: bool = False
    good_first_s: float = 0.0
    good_count: int = 0
    bad_in_row: int = 0
    bad_last_s: float = -inf
    unmeasured: int = 0
    unmeasured_from_s: float = 0.0
    unmeasured_last_s: float = 0.0
    unmeasured_reason: str = ""
    lost_reason: str | None = None
    crossed: frozenset[str] = frozenset()
    flap_value: float = 0.0
    flap_at_s: float = 0.0
    history: LossHistory = field(default_factory=LossHistory)
    window: LossWindow = field(init=False)
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_LOSSES))
    _regular: list[float] = field(default_factory=list)
    _suspected_s: float = inf
    _suspicions: deque[tuple[float, float]] = field(
        default_factory=lambda: deque(maxlen=KEPT_SUSPICIONS)
    )

    def __post_init__(self) -> None:
        self.window = LossWindow(self.target.rules.window_s, self.target.rules.rtt_ms)

    @property
    def suspected(self) -> bool:
        """Lost requests since the last answered one, and no verdict on them yet."""
        return self.run_count > 0 and self.state not in (State.DOWN, State.UNREACHABLE)

    @property
    def owes_rise(self) -> bool:
        """An outage is open: one answer does not end it, `rise` of them do."""
        incident = self.incident
        return self.state is State.DOWN or (incident is not None and incident.state is State.DOWN)

    @property
    def gone(self) -> bool:
        """Known to be dead or hidden: what hangs on it cannot be judged."""
        return self.state in (State.DOWN, State.UNREACHABLE)

    def add_loss(self, sent_s: float, known_s: float, reason: str | None) -> bool:
        """A lost request. True when it belongs to the present run (starts or extends it)."""
        if sent_s <= self.last_reply_s:
            # Known late, after the answer to a later request: it is loss, but no run.
            if not self.gone and self.state is not State.UNKNOWN:
                self.history.add(sent_s, 1)
                if self._is_regular(sent_s):
                    self.window.add(sent_s, None)
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
        self._recent.append(sent_s)
        if sent_s < self._suspected_s and self._is_regular(sent_s):
            self._regular.append(sent_s)
        return True

    def add_reply(self, sent_s: float, known_s: float, rtt_ms: float) -> None:
        """An answered request: ends the run of losses sent before it, and counts."""
        counts = not self.gone and self.state is not State.UNKNOWN
        if self.run_count and sent_s >= self.run_first_s:
            self._end_run(sent_s, known_s, counts)
        if counts:
            self.count_reply(sent_s, rtt_ms)
        else:
            self.last_reply_s = max(self.last_reply_s, sent_s)

    def count_reply(self, sent_s: float, rtt_ms: float) -> None:
        """An answer that ends no run, of a target that is up or degraded."""
        self.last_reply_s = max(self.last_reply_s, sent_s)
        self.history.add(sent_s, 0)
        if self._is_regular(sent_s):
            self.window.add(sent_s, rtt_ms)

    def _is_regular(self, sent_s: float) -> bool:
        if self._suspected_s <= sent_s:
            return False
        if not self._suspicions or self._suspicions[-1][1] <= sent_s:
            return True
        return not any(start <= sent_s < end for start, end in self._suspicions)

    def _end_run(self, reply_sent_s: float, known_s: float, counts: bool) -> None:
        later = [sent for sent in self._recent if sent > reply_sent_s]
        if counts:
            ended = self.run_count - len(later)
            blip = ended >= BLIP_RUN and reply_sent_s - self.run_first_s >= BLIP_S
            for sent in self._recent:
                if sent < reply_sent_s:
                    self.history.add(sent, 1)
            if not blip:
                for sent in self._regular:
                    if sent < reply_sent_s:
                        self.window.add(sent, None)
        self._suspicions.append((self._suspected_s, known_s))
        self.drop_run()
        if later:
            self.run_first_s, self.run_last_s = min(later), max(later)
            self.run_count = len(later)
            self._recent.extend(later)
            self._suspected_s = known_s

    def drop_run(self) -> None:
        """Forget the present run of losses."""
        self.run_count = 0
        self.confirmed_s = None
        self.waiting = False
        self.lost_reason = None
        self._recent.clear()
        self._regular.clear()
        self._suspected_s = inf

    def confirm(self, now_s: float) -> bool:
        """Does the run of losses span `confirm_s` and is it too long to be chance?"""
        rules = self.target.rules
        span_s = self.run_last_s - self.run_first_s
        if self.run_count < MIN_RUN or span_s < rules.confirm_s - CLOCK_GRAIN_S:
            return False
        needed = losses_needed(self.history.upper_loss(now_s), rules.false_alarm)
        return self.run_count >= needed

    def add_unmeasured(self, sent_s: float, reason: str) -> int:
        """A request that never left this machine; how many in a row there are now."""
        if self.unmeasured == 0:
            self.unmeasured_from_s = sent_s
        self.unmeasured_last_s = sent_s
        self.unmeasured += 1
        self.unmeasured_reason = reason
        return self.unmeasured

    def break_unmeasured(self, sent_s: float) -> int:
        """A request sent then did leave this machine; how many after it did not."""
        still = self.unmeasured_last_s > sent_s
        self.unmeasured = int(still)
        self.unmeasured_from_s = self.unmeasured_last_s
        return self.unmeasured

    def recovered(self, rises: int) -> bool:
        """Count the answers of a recovery; True when there are enough of them."""
        return self.good_count >= rises

    def good(self, sent_s: float) -> None:
        """An answer from a target with an open outage."""
        if sent_s < self.bad_last_s:
            return  # known late: it was sent before the losses that began the recovery anew
        self.good_first_s = sent_s if self.good_count == 0 else min(self.good_first_s, sent_s)
        self.good_count += 1
        self.bad_in_row = 0

    def bad(self, sent_s: float) -> None:
        """A loss during a recovery: one between answers is forgiven, two in a row are not."""
        self.bad_in_row += 1
        if self.bad_in_row > 1:
            self.good_count = 0
            self.bad_last_s = max(self.bad_last_s, sent_s)

    def start_anew(self, fresh_from_s: float) -> None:
        """Only requests sent at or after `fresh_from_s` count from now on."""
        self.drop_run()
        self.window.clear()
        self.fresh_from_s = max(self.fresh_from_s, fresh_from_s)
        self.good_count = 0
        self.bad_in_row = 0
        self.unmeasured = 0
        self.resume_down = False
        self.floor_s = None

    def crossings(self) -> frozenset[str]:
        """Which limits the window is past now ("loss", "rtt"), keeping those not yet under 80 %.

        Without half a window of evidence nothing new is said and nothing is cleared.
        """
        rules = self.target.rules
        window = self.window
        if window.quiet and not self.crossed:
            return self.crossed
        if len(window) * rules.interval_s < rules.window_s / 2 - CLOCK_GRAIN_S:
            return self.crossed
        loss_pct = window.loss_ratio() * 100
        now = set(self.crossed)
        if loss_pct > rules.loss_pct:
            now.add("loss")
        elif loss_pct < rules.loss_pct * 0.8:
            now.discard("loss")
        if window.median_over():
            now.add("rtt")
        elif window.median_cleared():
            now.discard("rtt")
        return frozenset(now)
