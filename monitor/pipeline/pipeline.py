"""The path of an outcome: aggregate → detect → record → notify, then ledger and journal.

Everything up to the two queues happens at once on the event loop; the writers store what is queued,
each in its own thread. The decisions of one call and the notifications that follow from them are
one entry of the ledger, stored in one transaction.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from monitor.core.alerting.model import IncidentAction, OutboxRow, PolicyDecision
from monitor.core.alerting.notifier import Notifier, PolicyResult, policy_events
from monitor.core.alerting.policy import PolicyEvent
from monitor.core.alerting.ports import AlertLedger
from monitor.core.alerting.unrecorded import UnrecordedMessages
from monitor.core.detection.causes import RouterObservation, SuspectedCauses
from monitor.core.detection.decision_log import decision_to_utc, format_decision, incident_to_utc
from monitor.core.detection.detector import Detector
from monitor.core.documents import TargetStatus
from monitor.core.model import (
    ChangeKind,
    Decision,
    Incident,
    IncidentChange,
    Network,
    Outcome,
    State,
    Tick,
    Transition,
)
from monitor.core.paths.model import PathFinding
from monitor.core.ports import Clock, Journal
from monitor.core.progress import DaemonProgress
from monitor.core.samples.ping_aggregator import (
    FinishedPeriod,
    PingAggregator,
    TargetTags,
    pack_waiting,
    tags_of,
)
from monitor.core.samples.recent_probes import RecentProbes
from monitor.core.samples.samples import Sample, StateChangeSample
from monitor.pipeline.store_writer import RETRY_S, StoreWriter

log = logging.getLogger("monitor.pipeline.pipeline")

QUEUED_SAMPLE_BATCHES = 720
LEDGER_BATCH = 500
"""Decisions in one transaction: a start with thousands of targets takes several."""

FIRST_REPLY = "first_reply"
"""Reason of the first transition of a target after a start: logged at DEBUG only."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What one call of the pipeline adds to the ledger; times UTC.

    alive_s: until then there was evidence.
    """

    decisions: tuple[Decision, ...] = ()
    rows: tuple[OutboxRow, ...] = ()
    policy_decisions: tuple[PolicyDecision, ...] = ()
    alive_s: float | None = None

    def split(self) -> list[LedgerEntry]:
        """Its smallest parts: each decision, each outbox row, and the policy decisions."""
        parts = [LedgerEntry(decisions=(decision,)) for decision in self.decisions]
        parts += [LedgerEntry(rows=(row,)) for row in self.rows]
        if self.policy_decisions:
            parts.append(LedgerEntry(policy_decisions=self.policy_decisions))
        if self.alive_s is not None:
            parts.append(LedgerEntry(alive_s=self.alive_s))
        return parts


class Pipeline:
    """Owns the detector and the queues to the stores; called on the event loop only.

    notifier: applies the alert policy (None: no alerts). on_queued: called when new notifications
    are in the outbox, or have to be sent from memory. retry_s: first pause after a failed write.
    progress, unrecorded: shared with those who send (None: this pipeline's own).
    """

    def __init__(
        self,
        network: Network,
        detector: Detector,
        clock: Clock,
        ledger: AlertLedger,
        journal: Journal,
        retry_s: float = RETRY_S,
        notifier: Notifier | None = None,
        on_queued: Callable[[], None] | None = None,
        progress: DaemonProgress | None = None,
        unrecorded: UnrecordedMessages | None = None,
    ) -> None:
        self.network = network
        self.detector = detector
        self.progress = DaemonProgress() if progress is None else progress
        self._unrecorded = (
            UnrecordedMessages(clock.steady_s, self.progress.ledger)
            if unrecorded is None
            else unrecorded
        )
        self._recent = RecentProbes()
        self._causes = SuspectedCauses(network)
        self._tags: dict[str, TargetTags] = tags_of(network)
        self._aggregator = PingAggregator(self._tags)
        self._clock = clock
        self._ledger = ledger
        self._journal = journal
        self._notifier = notifier
        self._on_queued = on_queued
        self._notify_error: str | None = None
        self._since_change: dict[str, float] = {}
        self._written_rows: list[OutboxRow] = []
        self._ledger_writer = StoreWriter[LedgerEntry](
            "ledger",
            self.progress.ledger,
            clock.steady_s,
            self._write_ledger,
            size=lambda entry: len(entry.decisions),
            split=LedgerEntry.split,
            describe=repr,
            batch_size=LEDGER_BATCH,
            on_written=self._ledger_written,
            on_error=self._wake_dispatcher,
            retry_s=retry_s,
        )
        self._journal_writer = StoreWriter[Sequence[Sample]](
            "journal",
            self.progress.journal,
            clock.steady_s,
            self._write_journal,
            size=len,
            split=_halves,
            describe=repr,
            max_items=QUEUED_SAMPLE_BATCHES,
            on_failed=pack_waiting,
            retry_s=retry_s,
        )

    async def run(self) -> None:
        """Write to both stores, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ledger_writer.run())
            group.create_task(self._journal_writer.run())

    def close(self) -> None:
        """Write what is left, once, and end the threads; call it when `run` has ended."""
        self._ledger_writer.close()
        self._journal_writer.close()

    def take(self, outcomes: Sequence[Outcome]) -> None:
        """Process outcomes; the sink of the prober."""
        self._aggregate(outcomes)
        self._record(self._detect(outcomes))

    def tick(self) -> None:
        """Process deadlines that passed without an outcome."""
        self.take(())

    def add_router_observation(self, observation: RouterObservation) -> None:
        """Use what an SNMP poll says about a site to suggest causes of its outages."""
        self._record(self._causes.router_seen(self.detector, observation))

    def add_path_finding(self, target: str, incident: int, finding: PathFinding) -> None:
        """Add where the path breaks off to the evidence of an incident, if it is still open."""
        health = self.detector.healths.get(target)
        current = None if health is None else health.incident
        if health is None or current is None or current.id != incident:
            return
        evidence = replace(current.evidence, path=finding)
        health.incident = replace(current, evidence=evidence)
        now_s = self._clock.steady_s()
        self._record([IncidentChange(ChangeKind.UPDATED, health.incident, now_s)])

    def apply_action(self, action: IncidentAction) -> None:
        """Apply an acknowledgement or snooze that is in the ledger already."""
        self._notify((), [action])

    def evaluate_alerts(self) -> None:
        """Queue notifications that are due now although nothing happened (reminders, holds)."""
        self._notify((), [])

    def reconfigure(self, network: Network) -> None:
        """Replace the targets; incidents of those that left or moved are closed as `removed`."""
        if network is self.network:  # at the start: the detector's state is of these targets
            return
        now_s = self._clock.steady_s()
        decisions = self.detector.reconfigure(network, now_s)
        self._recent.forget(self.network.same_addresses(network))
        self.network = network
        self._causes.reconfigure(network)
        self._tags = tags_of(network)
        self._aggregator.reconfigure(self._tags)
        self._record(decisions)

    def finish_period(
        self, at_utc_s: float, names: Sequence[str] | None = None
    ) -> list[FinishedPeriod]:
        """Close the recording period of these targets (None: of all) and return its rows."""
        now_s = self._clock.steady_s()
        return self._aggregator.finish(
            at_utc_s,
            self.state_of,
            self._aggregator.names() if names is None else names,
            shift_s=self._clock.utc_s(now_s) - now_s,
        )

    def pass_on(self, row: OutboxRow, closings: Sequence[OutboxRow]) -> bool:
        """Queue an opening that waits too long for the next channel; False: it is over already."""
        if self._notifier is None:
            return False
        result = self._notifier.pass_on(row, closings, self._clock.utc_s(self._clock.steady_s()))
        if result.rows:
            self._queue(LedgerEntry((), result.rows, result.policy_decisions))
        return bool(result.rows)

    def hand_over(self, rota: str, person: str, sequence: int) -> None:
        """Queue what is open for somebody who goes on duty (see Notifier.hand_over)."""
        if self._notifier is None:
            return
        utc_s = self._clock.utc_s(self._clock.steady_s())
        result = self._notifier.hand_over(rota, person, sequence, utc_s, self._present_state)
        self.progress.failed_notifications += len(result.text_errors)
        if result.rows:
            self._queue(LedgerEntry((), result.rows, result.policy_decisions))

    def queue_messages(self, rows: Sequence[OutboxRow]) -> None:
        """Queue messages that no decision causes, after everything that is queued already."""
        self._queue(LedgerEntry(rows=tuple(rows)))

    def record_alive(self, at_s: float) -> None:
        """Queue `last_alive` (UTC); while the ledger cannot be written nothing piles up."""
        if self.progress.ledger.error is None:
            self._queue(LedgerEntry(alive_s=at_s))

    def check_stores(self) -> None:
        """Queue a look whether ledger and journal are where they were, after what is queued."""
        if self._ledger_writer.is_idle():
            self._ledger_writer.put(LedgerEntry())
        if self._journal_writer.is_idle():
            self._journal_writer.put(())

    def is_recorded(self) -> bool:
        """Whether the ledger has everything that was decided so far."""
        return self._ledger_writer.is_idle()

    def store(self, samples: Sequence[Sample]) -> None:
        """Queue samples for the journal."""
        if samples:
            self._journal_writer.put(samples)

    def state_of(self, target: str) -> State:
        """State of a target now; unknown for one that is not watched."""
        health = self.detector.healths.get(target)
        return State.UNKNOWN if health is None else health.state

    def target_status(self, target: str) -> TargetStatus:
        """State and figures of the last 60 s of a target; times UTC."""
        health = self.detector.healths[target]
        recent = self._recent.of(target, self._clock.steady_s())
        flaps = self._notifier is not None and self._notifier.is_flapping(target)
        return TargetStatus(
            state=health.state,
            since_s=self._clock.utc_s(health.since_s) if health.since_s > 0 else None,
            rtt_ms=recent.rtt_ms,
            loss_pct=recent.loss_pct,
            overlays=("flapping",) if flaps else (),
        )

    def open_incidents(self) -> list[Incident]:
        """All open incidents by id; times UTC."""
        return [incident_to_utc(i, self._clock.utc_s) for i in self.detector.open_incidents()]

    def _aggregate(self, outcomes: Sequence[Outcome]) -> None:
        """Count outcomes for the status, for the samples and for the signs of life."""
        self._recent.add(outcomes)
        self._aggregator.add(outcomes)
        if outcomes:
            self.progress.last_outcome_s = self._clock.steady_s()

    def _detect(self, outcomes: Sequence[Outcome]) -> list[Decision]:
        """Advance the detector; its decisions, and the causes that they suggest."""
        evidence = [*outcomes, Tick(self._clock.steady_s())]
        decisions = self.detector.advance(evidence)
        if not decisions:
            return []
        return [*decisions, *self._suggest_causes(decisions)]

    def _suggest_causes(self, decisions: Sequence[Decision]) -> list[Decision]:
        try:
            return self._causes.follow(self.detector, decisions)
        except Exception:  # the decisions are made: an error here must not lose them
            log.exception("no cause could be suggested")
            return []

    def _record(self, decisions: Sequence[Decision]) -> None:
        """Log decisions, queue them for the ledger with their notifications, store transitions."""
        if not decisions:
            return
        recorded = [decision_to_utc(decision, self._clock.utc_s) for decision in decisions]
        for decision in recorded:
            first = isinstance(decision, Transition) and decision.reason == FIRST_REPLY
            log.log(logging.DEBUG if first else logging.INFO, "%s", format_decision(decision))
        self._notify(recorded, policy_events(recorded))
        self.store([self._change_sample(d) for d in recorded if isinstance(d, Transition)])

    def _notify(self, recorded: Sequence[Decision], events: Sequence[PolicyEvent]) -> None:
        """Decide who is notified of `events` and queue one ledger entry for all of it."""
        result = self._decide_notifications(events)
        self.progress.failed_notifications += len(result.text_errors)
        for error in result.text_errors:
            log.error("%s; a plain text is sent", error)
        if recorded or result.rows or result.policy_decisions:
            self._queue(LedgerEntry(tuple(recorded), result.rows, result.policy_decisions))

    def _queue(self, entry: LedgerEntry) -> None:
        """Queue for the ledger; its messages are sent from memory while that cannot be written."""
        self._unrecorded.add(entry.rows)
        self._ledger_writer.put(entry)
        if entry.rows and self.progress.ledger.error is not None:
            self._wake_dispatcher()

    def _decide_notifications(self, events: Sequence[PolicyEvent]) -> PolicyResult:
        """Apply the alert policy; an error in it is logged and costs no record of a decision."""
        if self._notifier is None:
            return PolicyResult()
        now_s = self._clock.steady_s()
        try:
            return self._notifier.decide(
                events, now_s, self._clock.utc_s(now_s), self._present_state
            )
        except Exception as error:
            self.progress.failed_notifications += 1
            if repr(error) != self._notify_error:
                log.exception("notifications could not be decided or composed")
            self._notify_error = repr(error)
            return PolicyResult()

    def _present_state(self, target: str) -> State | None:
        health = self.detector.healths.get(target)
        return None if health is None else health.state

    def _change_sample(self, transition: Transition) -> StateChangeSample:
        tags = self._tags.get(transition.target, TargetTags(transition.target))
        before_s = self._since_change.get(transition.target)
        self._since_change[transition.target] = transition.at_s
        return StateChangeSample(
            at_s=transition.at_s,
            target=transition.target,
            site=tags.site,
            link=tags.link,
            node=tags.node,
            before=transition.before.value,
            after=transition.after.value,
            reason=transition.reason,
            previous_s=None if before_s is None else transition.at_s - before_s,
        )

    def _write_ledger(self, entries: Sequence[LedgerEntry]) -> None:
        """One transaction; in the ledger's thread."""
        decisions = [decision for entry in entries for decision in entry.decisions]
        rows = [self._unrecorded.to_record(row) for entry in entries for row in entry.rows]
        policy_decisions = [each for entry in entries for each in entry.policy_decisions]
        if decisions or rows or policy_decisions:
            self._ledger.record(decisions, rows, policy_decisions)
        else:
            self._ledger.check()
        self._written_rows = rows
        alive_s = max((e.alive_s for e in entries if e.alive_s is not None), default=None)
        if alive_s is not None:
            self._ledger.record_alive(alive_s)

    def _write_journal(self, batches: Sequence[Sequence[Sample]]) -> None:
        """One transaction a batch; in the journal's thread."""
        for batch in batches:
            if batch:
                self._journal.append(batch)
            else:
                self._journal.check()

    def _ledger_written(self, entries: Sequence[LedgerEntry]) -> None:
        self._unrecorded.recorded(self._written_rows)
        if any(entry.rows for entry in entries):
            self._wake_dispatcher()

    def _wake_dispatcher(self) -> None:
        if self._on_queued is not None:
            self._on_queued()


def _halves(samples: Sequence[Sample]) -> list[Sequence[Sample]]:
    middle = len(samples) // 2
    return [samples[:middle], samples[middle:]] if middle else []
