"""The monitor itself: cut off by silence, unable to send, or blind. Never blamed on a link.

VERDICTS, "The monitor itself". While every anchor is silent and not yet decided, no DOWN is
decided. An anchor that is silent while most targets answer is itself down: it becomes so
(without an incident) `WAIT_S` after all anchors were confirmed silent, or one dead anchor would
hold back every outage for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from math import ceil, inf

from monitor.core.detection.send_failures import SendFailures
from monitor.core.detection.target_health import CLOCK_GRAIN_S, HealthCounts, TargetHealth
from monitor.core.model import Incident, Lost, Network, NotMeasured, Reply, State

MONITOR = "monitor"
SILENT_SHARE = 0.9
MIN_SILENT = 5
BLIND_S = 10.0
WAIT_S = 15.0
"""DOWN of a child waits for its parent, and any DOWN for the anchors, at most this long."""


class Hold(Enum):
    """Whose DOWN must wait because the anchors are silent."""

    NOBODY = "nobody"
    ALL_BUT_ANCHORS = "all but anchors"
    """All anchors have been silent for long while most targets answer: they are down themselves."""
    EVERYBODY = "everybody"
    """Every anchor is silent and not all are decided: it may be the monitor itself."""


class Isolation:
    """The monitor's own open incident, and what it begins and ends with.

    silent_since_s: when all anchors and most targets were first known to be silent; None: they
    are not.
    """

    def __init__(self, network: Network, counts: HealthCounts) -> None:
        self.configure(network, counts)
        self.incident: Incident | None = None
        self.silent_since_s: float | None = None
        self.send_failures = SendFailures(counts, self.confirm_s)
        self._replies: dict[str, Reply] = {}
        self._alternates = False

    def configure(self, network: Network, counts: HealthCounts) -> None:
        """Count among these targets from now on.

        blind_after_s: no evidence for longer is a blind interval: max(10 s, 3 x the shortest
        interval). pause_after_s: without evidence for longer no deadline passes (a loss is known
        only at its time-out). confirm_s: how long all anchors must be silent: their shortest
        `confirm_s` (without anchors: that of all targets).
        """
        self._counts = counts
        rules = [target.rules for target in network.targets()]
        anchor_rules = [anchor.rules for anchor in network.anchors]
        shortest_s = min((r.interval_s for r in rules), default=1.0)
        self.blind_after_s = max(BLIND_S, 3 * shortest_s) + CLOCK_GRAIN_S
        longest_s = max((r.timeout_s for r in rules), default=1.0)
        self.pause_after_s = max(self.blind_after_s, 3 * longest_s)
        self.confirm_s = min((r.confirm_s for r in anchor_rules or rules), default=5.0)

    def reconfigure(self, network: Network, counts: HealthCounts) -> None:
        """Go on with other targets."""
        self.configure(network, counts)
        self.send_failures.configure(counts, self.confirm_s)

    def remove(self, target: str) -> None:
        """The target is no longer probed."""
        self.send_failures.remove(target)
        self._replies.pop(target, None)

    @property
    def is_cut_off(self) -> bool:
        """Are all anchors and at least 90 % of all targets (and at least 5) silent?"""
        counts = self._counts
        return (
            counts.anchors_seen > 0
            and counts.anchors_silent == counts.anchors_seen
            and counts.silent >= MIN_SILENT
            and counts.silent >= SILENT_SHARE * counts.seen
        )

    def silence_start_s(self, healths: Iterable[TargetHealth], now_s: float) -> float:
        """The first lost request that was sent after all anchors and most targets answered."""
        fell = [h for h in healths if h.run_count and not h.dead]
        replies_s = sorted(h.last_reply_s for h in fell)
        most_s = replies_s[ceil(SILENT_SHARE * len(fell)) - 1] if fell else -inf
        answered_s = max([most_s, *(a.last_reply_s for a in self._counts.anchors if a.seen)])
        firsts_s = [h.run_first_s for h in fell if h.run_first_s > answered_s]
        return min(firsts_s, default=now_s)

    def failed_share(self) -> float | None:
        """The share of targets that are silent or cannot be sent to, whichever is larger."""
        counts = self._counts
        if not counts.seen:
            return None
        return max(counts.silent, self.send_failures.failing) / counts.seen

    def begin(self, incident: Incident, healths: Iterable[TargetHealth]) -> None:
        """The monitor is cut off; its incident is open."""
        self.incident = incident
        self.restart()
        # Were some requests since the start answered all the same? Then one reply means nothing.
        self._alternates = any(h.last_reply_s > incident.started_s for h in healths)

    def restart(self) -> None:
        """Silence and failed sends are counted anew."""
        self.silent_since_s = None
        self._replies.clear()
        self.send_failures.end_runs()

    def end(self) -> list[Reply]:
        """The monitor is back; the first reply of each target since then, held back so far."""
        replies = list(self._replies.values())
        self.incident = None
        self.restart()
        return replies

    def add(self, item: Reply | Lost | NotMeasured, now_s: float) -> float | None:
        """Take in evidence while it lasts. Returns when it ended; None: it lasts.

        It ends at the first reply of an anchor to a request sent after it began; also when more
        than half of all targets reply though no anchor does (or there is none).
        """
        if isinstance(item, NotMeasured):
            self._add_failed(item, now_s)
            return None
        incident = self.incident
        if incident is None or not isinstance(item, Reply) or item.sent_s <= incident.started_s:
            return None
        return self._add_reply(item, now_s)

    def _add_failed(self, item: NotMeasured, now_s: float) -> None:
        """Replies that are followed by the failed sends of a quarter were chance."""
        failures = self.send_failures
        failures.add_recent(item.target, now_s)
        if self._replies and not self._alternates:
            first = next(iter(self._replies.values()))
            if failures.many_failed_since(first.known_s):
                self._alternates = True
                self._replies.clear()

    def _add_reply(self, item: Reply, now_s: float) -> float | None:
        """A full buffer has room for some: a reply counts when sends go well again.

        They do when sends failed for no more than half of the targets within 10 s. A trouble that
        stopped at one stroke is over before: when more than half have replied, unless replies and
        failed sends alternate.
        """
        goes_well = not self.send_failures.most_failed_recently(now_s)
        if self._alternates and not goes_well:
            return None
        self._replies.setdefault(item.target, item)
        if goes_well or self._most_replied():
            return self._ended_s(item)
        return None

    def _most_replied(self) -> bool:
        return len(self._replies) * 2 > self._counts.seen

    def _ended_s(self, item: Reply) -> float | None:
        """When the first reply that counts was sent: an anchor's, without anchors anybody's."""
        replies = self._replies
        names = [anchor.target.name for anchor in self._counts.anchors if anchor.seen] or replies
        first_s = min((replies[name].sent_s for name in names if name in replies), default=None)
        if first_s is None and self._most_replied():
            return item.sent_s
        return first_s

    def hold(self, now_s: float) -> Hold:
        """Whose DOWN must wait because the anchors are silent."""
        counts = self._counts
        if counts.anchors_seen == 0 or counts.anchors_silent < counts.anchors_seen:
            return Hold.NOBODY
        if self.silent_since_s is not None:
            return Hold.EVERYBODY
        open_ = [a for a in counts.anchors if a.seen and a.state is not State.DOWN]
        if not open_:
            return Hold.NOBODY
        since_s = [a.confirmed_s for a in open_ if a.confirmed_s is not None]
        waited = len(since_s) == len(open_) and now_s >= max(since_s) + WAIT_S
        return Hold.ALL_BUT_ANCHORS if waited else Hold.EVERYBODY

    def anchor_replied_since(self, since_s: float) -> bool:
        """Did an anchor reply to a request sent at `since_s` or later: were we connected then?

        True also when no anchor could: all are down themselves, or cannot be measured.
        """
        able = [
            anchor
            for anchor in self._counts.anchors
            if anchor.seen
            and anchor.state is not State.DOWN
            and not (
                anchor.state is State.UNKNOWN and anchor.target.name in self.send_failures.runs
            )
        ]
        return not able or any(anchor.last_reply_s >= since_s for anchor in able)
