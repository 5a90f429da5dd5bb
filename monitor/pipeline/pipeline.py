"""THE path: outcomes of a round → judge → notices → ledger (one transaction) → journal.

A verdict is spoken in memory at once and written right after, in order, by one worker thread, with
the messages and the reasons that follow from it.
Samples take another thread: a slow or full disk delays no verdict. What could not be written is
kept and tried again; only samples have a bound on how much is kept, and what falls out is counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from monitor.core.alerting.model import IncidentAction
from monitor.core.alerting.notifier import Notifier, PolicyResult, policy_events
from monitor.core.alerting.ports import AlertLedger
from monitor.core.detection.causes import RouterObservation, SuspectedCauses
from monitor.core.detection.decision_log import decision_to_utc, format_decision, incident_to_utc
from monitor.core.detection.detector import advance
from monitor.core.detection.detector_state import DetectorState
from monitor.core.detection.reconfigure import reconfigure, unmoved
from monitor.core.documents import TargetStatus
from monitor.core.errors import JournalError, JournalFull, LedgerError
from monitor.core.model import (
    Decision,
    Incident,
    Network,
    Outcome,
    State,
    Tick,
    Transition,
)
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

log = logging.getLogger("monitor.pipeline.pipeline")

KEPT_BATCHES = 720
RETRY_S = 2.0
LEDGER_BATCH = 500
"""Decisions in one transaction, and what more belongs to the last judgement of them."""

FIRST_REPLY = "first_reply"
"""Why a target is up after a start: of each target once, which is no news."""


class Pipeline:
    """Owns the world; called on the event loop only.

    notifier: what people are told; queued: is told that there is something new to send.
    """

    def __init__(
        self,
        network: Network,
        world: DetectorState,
        clock: Clock,
        ledger: AlertLedger,
        journal: Journal,
        retry_s: float = RETRY_S,
        notifier: Notifier | None = None,
        queued: Callable[[], None] | None = None,
    ) -> None:
        self.network = network
        self.world = world
        self.progress = DaemonProgress()
        self.recent = RecentProbes()
        self._causes = SuspectedCauses(network)
        self._tags: dict[str, TargetTags] = tags_of(network)
        self._recorder = PingAggregator(self._tags)
        self._clock = clock
        self._ledger = ledger
        self._journal = journal
        self._retry_s = retry_s
        self._notifier = notifier
        self._queued = queued
        self._spoken: deque[tuple[list[Decision], PolicyResult]] = deque()
        self._samples: deque[Sequence[Sample]] = deque()
        self._wake_ledger = asyncio.Event()
        self._wake_journal = asyncio.Event()
        self._threads = (
            ThreadPoolExecutor(1, thread_name_prefix="ledger"),
            ThreadPoolExecutor(1, thread_name_prefix="journal"),
        )
        self._since_change: dict[str, float] = {}

    def take(self, outcomes: Sequence[Outcome]) -> None:
        """The sink of the prober: count, judge, and hand on what follows."""
        self.recent.add(outcomes)
        self._recorder.add(outcomes)
        now_s = self._clock.steady_s()
        if outcomes:
            self.progress.last_outcome_s = now_s
        self.world, decisions = advance(self.world, [*outcomes, Tick(now_s)])
        if decisions:
            self._say([*decisions, *self._causes.follow(self.world, decisions)])

    def tick(self) -> None:
        """Let deadlines pass without evidence."""
        self.take(())

    def router_seen(self, seen: RouterObservation) -> None:
        """A site's router was read: it may tell what an outage came from."""
        self._say(self._causes.router_seen(self.world, seen))

    def reconfigure(self, network: Network) -> None:
        """Go on with another set of targets; what the others had open is closed (`removed`)."""
        self.world, decisions = reconfigure(self.world, network, self._clock.steady_s())
        self.recent.forget(unmoved(self.network, network))
        self.network = network
        self._causes.reconfigure(network)
        self._tags = tags_of(network)
        self._recorder.reconfigure(self._tags)
        self._say(decisions)

    def hear(self, *actions: IncidentAction) -> None:
        """What people did; and from time to time: what is due although nothing happened."""
        self._hand_on([], *actions)

    def finish_period(
        self, at_utc_s: float, names: Sequence[str] | None = None
    ) -> list[FinishedPeriod]:
        """Close the period of these targets (None: of all): what is to be stored of it."""
        now_s = self._clock.steady_s()
        return self._recorder.finish(
            at_utc_s,
            self.state_of,
            self._recorder.names() if names is None else names,
            shift_s=self._clock.utc_s(now_s) - now_s,
        )

    def store(self, samples: Sequence[Sample]) -> None:
        """Hand samples to the journal's thread."""
        if samples:
            self._samples.append(samples)
            while len(self._samples) > KEPT_BATCHES:
                self.progress.dropped_samples += len(self._samples.popleft())
            self._wake_journal.set()

    def state_of(self, target: str) -> State:
        """The verdict on a target now; unknown for one that is not watched."""
        health = self.world.healths.get(target)
        return State.UNKNOWN if health is None else health.state

    def standing(self, target: str) -> TargetStatus:
        """What is shown of a target now; times UTC."""
        health = self.world.healths[target]
        now_s = self._clock.steady_s()
        lately = self.recent.of(target, now_s)
        return TargetStatus(
            state=health.state,
            since_s=self._clock.utc_s(health.since_s) if health.since_s > 0 else None,
            rtt_ms=lately.rtt_ms,
            loss_pct=lately.loss_pct,
            overlays=("flapping",) if self._flaps(target) else (),
        )

    def _flaps(self, target: str) -> bool:
        return self._notifier is not None and self._notifier.is_flapping(target)

    def open_incidents(self) -> list[Incident]:
        """All open incidents by id; times UTC."""
        found = [h.incident for h in self.world.healths.values() if h.incident is not None]
        if self.world.isolation is not None:
            found.append(self.world.isolation)
        return [incident_to_utc(i, self._clock.utc_s) for i in sorted(found, key=lambda i: i.id)]

    async def write_ledger(self) -> None:
        """Write decisions in order, for ever; a failure is said, kept and tried again."""
        await self._write_on(
            self._wake_ledger, self._drain_ledger, LedgerError, "ledger_trouble", "ledger"
        )

    async def write_journal(self) -> None:
        """Write samples in order, for ever."""
        await self._write_on(
            self._wake_journal, self._drain_journal, JournalError, "journal_trouble", "journal"
        )

    async def _write_on(
        self,
        wake: asyncio.Event,
        drain: Callable[[], bool],
        failure: type[Exception],
        trouble: str,
        name: str,
    ) -> None:
        loop = asyncio.get_running_loop()
        thread = self._threads[0 if name == "ledger" else 1]
        while True:
            await wake.wait()
            wake.clear()
            try:
                has_rows = await loop.run_in_executor(thread, drain)
            except failure as error:
                if getattr(self.progress, trouble) is None:
                    log.error("%s: %s; nothing is lost, trying again", name, error)
                setattr(self.progress, trouble, str(error))
                self.progress.journal_is_full |= isinstance(error, JournalFull)
                loop.call_later(self._retry_s, wake.set)
            else:
                if getattr(self.progress, trouble) is not None:
                    log.warning("%s: writing again", name)
                setattr(self.progress, trouble, None)
                if self._spoken:
                    self._wake_ledger.set()
                if has_rows and self._queued is not None:
                    self._queued()

    def _drain_ledger(self) -> bool:
        """Whole judgements, several a transaction, but not a start's thousands all at once.

        True: there are messages to send.
        """
        batches: list[tuple[list[Decision], PolicyResult]] = []
        size = 0
        for judgement in list(self._spoken):
            batches.append(judgement)
            size += len(judgement[0])
            if size >= LEDGER_BATCH:
                break
        rows = [row for _, letters in batches for row in letters.rows]
        if batches:
            self._ledger.record(
                [decision for decisions, _ in batches for decision in decisions],
                rows,
                [notice for _, letters in batches for notice in letters.policy_decisions],
            )
        for _ in batches:
            self._spoken.popleft()
        return bool(rows)

    def _drain_journal(self) -> bool:
        while self._samples:
            batch = self._samples.popleft()
            try:
                self._journal.append(batch)
            except JournalError:
                self._samples.appendleft(batch)
                pack_waiting(list(self._samples))
                raise
            self.progress.journal_written_s = self._clock.steady_s()
            self.progress.journal_is_full = False
        return False

    def close(self) -> None:
        """Write what is left, once, and stop the threads (call after the writers have ended)."""
        for thread, drain in zip(
            self._threads, (self._finish_ledger, self._drain_journal), strict=True
        ):
            try:
                thread.submit(drain).result()
            except (LedgerError, JournalError) as error:
                log.error("could not write everything at the end: %s", error)
            thread.shutdown()

    def _finish_ledger(self) -> None:
        while self._spoken:
            self._drain_ledger()

    def _say(self, decisions: Sequence[Decision]) -> None:
        if not decisions:
            return
        every = [decision_to_utc(decision, self._clock.utc_s) for decision in decisions]
        for spoken in every:
            first = isinstance(spoken, Transition) and spoken.reason == FIRST_REPLY
            log.log(logging.DEBUG if first else logging.INFO, "%s", format_decision(spoken))
        self._hand_on(every)
        self.store([self._change_sample(each) for each in every if isinstance(each, Transition)])

    def _hand_on(self, spoken: list[Decision], *actions: IncidentAction) -> None:
        """To the ledger, with what has to be told of it; in UTC."""
        letters = PolicyResult()
        if self._notifier is not None:
            now_s = self._clock.steady_s()
            events = [*policy_events(spoken), *actions]
            letters = self._notifier.decide(events, now_s, self._clock.utc_s(now_s))
        if spoken or letters.rows or letters.policy_decisions:
            self._spoken.append((spoken, letters))
            self._wake_ledger.set()

    def _change_sample(self, spoken: Transition) -> StateChangeSample:
        tags = self._tags.get(spoken.target, TargetTags(spoken.target))
        before_s = self._since_change.get(spoken.target)
        self._since_change[spoken.target] = spoken.at_s
        return StateChangeSample(
            at_s=spoken.at_s,
            target=spoken.target,
            site=tags.site,
            link=tags.link,
            node=tags.node,
            before=spoken.before.value,
            after=spoken.after.value,
            reason=spoken.reason,
            previous_s=None if before_s is None else spoken.at_s - before_s,
        )
