"""What a person should know or do, put into remarks: what a running daemon finds in itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monitor.adapters.scheduler import Scheduler
from monitor.core.model import Incident
from monitor.core.warning import MonitorWarning, WarningValue
from monitor.pipeline.pipeline import Pipeline
from monitor.probing.snmp_polling import SnmpPolling
from monitor.storage.self_metrics import SelfMetrics, format_unmeasured
from monitor.storage.shipper_group import ShipperGroup

LATELY_S = 900.0
"""What went wrong once is shown for so long."""

FEW_FDS = 0.8
SHOWN_ROUTERS = 5


class WarningCollector:
    """of_others: those of whoever keeps the journal, and of whoever sends messages."""

    def __init__(
        self,
        pipeline: Pipeline,
        schedule: Scheduler,
        self_metrics: SelfMetrics,
        shippers: ShipperGroup | None,
        polling: SnmpPolling,
        of_others: Callable[[], Sequence[MonitorWarning]],
    ) -> None:
        self._pipeline = pipeline
        self._schedule = schedule
        self._self_metrics = self_metrics
        self._shippers = shippers
        self._polling = polling
        self._of_others = of_others

    def found(self, now_s: float, refused: str | None) -> list[MonitorWarning]:
        """The gravest first. now_s: steady; refused: why the files were not taken."""
        return [
            *self._of_measuring(now_s),
            *self._of_writing(refused),
            *self._of_this_machine(now_s),
            *self._of_others(),
            *(self._shippers.warnings() if self._shippers is not None else ()),
            *self._of_routers(),
        ]

    def _of_measuring(self, now_s: float) -> list[MonitorWarning]:
        """Whether what is shown can be believed."""
        found = []
        cut = self._pipeline.detector.monitor_incident
        lately = self._self_metrics.unmeasured
        progress = self._pipeline.progress
        if cut is not None:
            found.append(_cut_off(cut))
        if lately:
            words = format_unmeasured(lately)
            text = f"not measured in the last 10 s: {words}"
            found.append(MonitorWarning(text, "unmeasured", {"what": words}))
        if progress.last_missed_s is not None:
            age_s = now_s - progress.last_missed_s
            if age_s < LATELY_S:
                count = progress.missed_rounds
                text = f"rounds missed since the start: {count}, the last {_ago(age_s)}"
                found.append(
                    MonitorWarning(text, "missed", {"count": count, "age_s": _whole(age_s)})
                )
        return found

    def _of_writing(self, refused: str | None) -> list[MonitorWarning]:
        progress = self._pipeline.progress
        found = []
        if refused:
            text = f"configuration not reloaded: {refused}"
            found.append(MonitorWarning(text, "reload", {"why": refused}))
        if progress.ledger.error:
            why = progress.ledger.error
            found.append(MonitorWarning(f"ledger: {why}", "ledger", {"why": why}))
        if progress.ledger.refused:
            count = progress.ledger.refused
            text = f"records that the ledger refuses, set aside: {count}; the log holds them"
            found.append(MonitorWarning(text, "ledger_refused", {"count": count}))
        if progress.failed_notifications:
            count = progress.failed_notifications
            text = f"notifications that could not be composed: {count}; the log says why"
            found.append(MonitorWarning(text, "notifications_failed", {"count": count}))
        if progress.journal.error:
            why = progress.journal.error
            kind = "journal_full" if progress.journal.is_full else "journal"
            found.append(MonitorWarning(f"journal: {why}", kind, {"why": why}))
        dropped = progress.journal.dropped
        if dropped:
            text = f"samples dropped, the journal cannot be written: {dropped}"
            found.append(MonitorWarning(text, "dropped", {"count": dropped}))
        return found

    def _of_this_machine(self, now_s: float) -> list[MonitorWarning]:
        """Its clock, its time for us, its descriptors."""
        counters = self._schedule.counters
        own = self._self_metrics.latest
        found = []
        step, stall, failure = counters.last_step, counters.last_stall, counters.last_failure
        if step is not None and now_s - step.at_s < LATELY_S:
            age_s = now_s - step.at_s
            text = (
                f"this machine's clock was set by {step.length_s:+.1f} s "
                f"{_ago(age_s)}: times of before may be wrong"
            )
            values: dict[str, WarningValue] = {
                "by": f"{step.length_s:+.1f}",
                "age_s": _whole(age_s),
            }
            found.append(MonitorWarning(text, "clock_step", values))
        if own is not None and own.synchronised == 0:
            found.append(
                MonitorWarning(
                    "this machine's clock is not synchronised: outages may bear wrong times, and "
                    "penalties hang on them; switch NTP on (timedatectl set-ntp true)",
                    "unsynchronised",
                )
            )
        if stall is not None and now_s - stall.at_s < LATELY_S:
            age_s = now_s - stall.at_s
            text = (
                f"this process stood still for {stall.length_s:.1f} s {_ago(age_s)}: "
                "the machine is too busy, or was suspended"
            )
            lengths = {"length_s": _whole(stall.length_s), "age_s": _whole(age_s)}
            found.append(MonitorWarning(text, "stall", lengths))
        if failure is not None and now_s - failure.at_s < LATELY_S:
            age_s = now_s - failure.at_s
            text = f"{failure.job} failed {_ago(age_s)}: the log says why"
            found.append(MonitorWarning(text, "job", {"job": failure.job, "age_s": _whole(age_s)}))
        if own is not None and _few_are_left(own.open_fds, own.max_fds):
            text = (
                f"{own.open_fds} of {own.max_fds} descriptors are in use: raise the limit "
                "(systemd: LimitNOFILE=, by hand: ulimit -n)"
            )
            counts = {"used": own.open_fds or 0, "most": own.max_fds or 0}
            found.append(MonitorWarning(text, "descriptors", counts))
        return found

    def _of_routers(self) -> list[MonitorWarning]:
        routers = sorted(self._polling.trouble())
        if not routers:
            return []
        more = " …" if len(routers) > SHOWN_ROUTERS else ""
        shown = ", ".join(routers[:SHOWN_ROUTERS]) + more
        text = f"SNMP, routers without an answer: {len(routers)} ({shown})"
        return [MonitorWarning(text, "routers", {"count": len(routers), "names": shown})]


def _cut_off(incident: Incident) -> MonitorWarning:
    if incident.reason == "send_failure":
        error = incident.evidence.error or ""
        text = f"this machine cannot send ({error}): nothing is measured"
        return MonitorWarning(text, "cannot_send", {"error": error})
    return MonitorWarning(
        "this machine is cut off: no anchor answers, nothing can be said of any link", "cut_off"
    )


def _few_are_left(used: int | None, most: int | None) -> bool:
    return used is not None and most is not None and used >= FEW_FDS * most


def _ago(age_s: float) -> str:
    return "just now" if age_s < 60 else f"{age_s / 60:.0f} min ago"


def _whole(seconds: float) -> int:
    return max(0, round(seconds))
