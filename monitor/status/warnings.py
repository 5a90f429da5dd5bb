"""Collects the warnings of a running daemon: what a person should know or do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from monitor.adapters.scheduler import Scheduler
from monitor.core.model import Incident
from monitor.core.warning import MonitorWarning
from monitor.pipeline.pipeline import Pipeline
from monitor.probing.snmp_polling import SnmpPolling
from monitor.storage.self_metrics import SelfMetrics, format_unmeasured
from monitor.storage.shipper_group import ShipperGroup

RECENT_S = 900.0
"""A single event (a clock step, a stall, a failed job) is shown for so long."""

FD_WARNING_SHARE = 0.8
MAX_ROUTERS_SHOWN = 5


class WarningCollector:
    """other_warnings: those of storage jobs, dispatcher and integrations."""

    def __init__(
        self,
        pipeline: Pipeline,
        schedule: Scheduler,
        self_metrics: SelfMetrics,
        shippers: ShipperGroup | None,
        polling: SnmpPolling,
        other_warnings: Callable[[], Sequence[MonitorWarning]],
    ) -> None:
        self._pipeline = pipeline
        self._schedule = schedule
        self._self_metrics = self_metrics
        self._shippers = shippers
        self._polling = polling
        self._other_warnings = other_warnings

    def collect(self, now_s: float, reload_error: str | None) -> list[MonitorWarning]:
        """All present warnings, the most serious first. now_s: steady seconds."""
        return [
            *self._measurement(now_s),
            *_reload(reload_error),
            *self._stores(),
            *self._events(now_s),
            *self._descriptors(),
            *self._other_warnings(),
            *(self._shippers.warnings() if self._shippers is not None else ()),
            *self._routers(),
        ]

    def _measurement(self, now_s: float) -> Iterator[MonitorWarning]:
        """Isolation, outcomes that were not measured, missed rounds."""
        progress = self._pipeline.progress
        isolation = self._pipeline.detector.monitor_incident
        if isolation is not None:
            yield _isolated(isolation)
        if self._self_metrics.unmeasured:
            what = format_unmeasured(self._self_metrics.unmeasured)
            text = f"not measured in the last 10 s: {what}"
            yield MonitorWarning(text, "unmeasured", {"what": what})
        if progress.last_missed_s is not None and now_s - progress.last_missed_s < RECENT_S:
            age_s, count = now_s - progress.last_missed_s, progress.missed_rounds
            text = f"rounds missed since the start: {count}, the last {_ago(age_s)}"
            yield MonitorWarning(text, "missed", {"count": count, "age_s": _whole(age_s)})

    def _stores(self) -> Iterator[MonitorWarning]:
        """Ledger, journal, and alert decisions that could not be made."""
        progress = self._pipeline.progress
        ledger, journal = progress.ledger, progress.journal
        if ledger.error:
            yield MonitorWarning(f"ledger: {ledger.error}", "ledger", {"why": ledger.error})
        if ledger.refused:
            count = ledger.refused
            text = f"records that the ledger refuses, set aside: {count}; the log holds them"
            yield MonitorWarning(text, "ledger_refused", {"count": count})
        if progress.failed_notifications:
            count = progress.failed_notifications
            text = f"notifications that could not be composed: {count}; the log says why"
            yield MonitorWarning(text, "notifications_failed", {"count": count})
        if journal.error:
            kind = "journal_full" if journal.is_full else "journal"
            yield MonitorWarning(f"journal: {journal.error}", kind, {"why": journal.error})
        if journal.dropped:
            text = f"samples dropped, the journal cannot be written: {journal.dropped}"
            yield MonitorWarning(text, "dropped", {"count": journal.dropped})

    def _events(self, now_s: float) -> Iterator[MonitorWarning]:
        """Clock, stalls of the process, failed jobs."""
        counters, latest = self._schedule.counters, self._self_metrics.latest
        step, stall, failure = counters.last_step, counters.last_stall, counters.last_failure
        if step is not None and now_s - step.at_s < RECENT_S:
            age_s, by = now_s - step.at_s, f"{step.length_s:+.1f}"
            text = (
                f"this machine's clock was set by {by} s {_ago(age_s)}: "
                "times of before may be wrong"
            )
            yield MonitorWarning(text, "clock_step", {"by": by, "age_s": _whole(age_s)})
        if latest is not None and latest.synchronised == 0:
            yield MonitorWarning(
                "this machine's clock is not synchronised: outages may bear wrong times, and "
                "penalties hang on them; switch NTP on (timedatectl set-ntp true)",
                "unsynchronised",
            )
        if stall is not None and now_s - stall.at_s < RECENT_S:
            age_s = now_s - stall.at_s
            text = (
                f"this process stood still for {stall.length_s:.1f} s {_ago(age_s)}: "
                "the machine is too busy, or was suspended"
            )
            lengths = {"length_s": _whole(stall.length_s), "age_s": _whole(age_s)}
            yield MonitorWarning(text, "stall", lengths)
        if failure is not None and now_s - failure.at_s < RECENT_S:
            age_s = now_s - failure.at_s
            text = f"{failure.job} failed {_ago(age_s)}: the log says why"
            yield MonitorWarning(text, "job", {"job": failure.job, "age_s": _whole(age_s)})

    def _descriptors(self) -> Iterator[MonitorWarning]:
        latest = self._self_metrics.latest
        if latest is None or latest.open_fds is None or latest.max_fds is None:
            return
        if latest.open_fds >= FD_WARNING_SHARE * latest.max_fds:
            text = (
                f"{latest.open_fds} of {latest.max_fds} descriptors are in use: raise the limit "
                "(systemd: LimitNOFILE=, by hand: ulimit -n)"
            )
            counts = {"used": latest.open_fds, "most": latest.max_fds}
            yield MonitorWarning(text, "descriptors", counts)

    def _routers(self) -> Iterator[MonitorWarning]:
        routers = sorted(self._polling.trouble())
        if routers:
            more = " …" if len(routers) > MAX_ROUTERS_SHOWN else ""
            names = ", ".join(routers[:MAX_ROUTERS_SHOWN]) + more
            text = f"SNMP, routers without an answer: {len(routers)} ({names})"
            yield MonitorWarning(text, "routers", {"count": len(routers), "names": names})
        ignored = self._polling.ignored()
        if ignored:
            shown = [f"{name}: {ignored[name].reason}" for name in sorted(ignored)]
            more = " …" if len(shown) > MAX_ROUTERS_SHOWN else ""
            names = ", ".join(shown[:MAX_ROUTERS_SHOWN]) + more
            text = (
                f"SNMP, routers that answer wrongly and are not asked for a while: {len(shown)} "
                f"({names}): update or restart them, or remove their [snmp]"
            )
            yield MonitorWarning(text, "wrong_routers", {"count": len(shown), "names": names})


def _reload(error: str | None) -> Iterator[MonitorWarning]:
    if error:
        yield MonitorWarning(f"configuration not reloaded: {error}", "reload", {"why": error})


def _isolated(incident: Incident) -> MonitorWarning:
    if incident.reason == "send_failure":
        error = incident.evidence.error or ""
        text = f"this machine cannot send ({error}): nothing is measured"
        return MonitorWarning(text, "cannot_send", {"error": error})
    return MonitorWarning(
        "this machine is cut off: no anchor answers, nothing can be said of any link", "cut_off"
    )


def _ago(age_s: float) -> str:
    return "just now" if age_s < 60 else f"{age_s / 60:.0f} min ago"


def _whole(seconds: float) -> int:
    return max(0, round(seconds))
