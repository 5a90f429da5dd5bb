"""Counters and times of the daemon's path from a probe to the stores, for status and metrics."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class WriterState:
    """How the writer of one store (ledger or journal) is doing.

    error: why the last write failed, None while writing works; error_since_s: since when writes
    fail. is_full: it failed because the disk is full. written_s: steady time of the last write.
    dropped: records given up because too many waited. refused: records set aside because the store
    can never take them.
    """

    error: str | None = None
    error_since_s: float | None = None
    is_full: bool = False
    written_s: float | None = None
    dropped: int = 0
    refused: int = 0


@dataclass(slots=True)
class DaemonProgress:
    """Progress since the start. Times are steady seconds.

    round_lag_s: the latest end of a round since `take_round_lag_s`. failed_notifications: how
    often the alert policy or a message could not be computed (a programming error).
    """

    last_outcome_s: float | None = None
    last_round_s: float | None = None
    missed_rounds: int = 0
    last_missed_s: float | None = None
    round_lag_s: float = 0.0
    failed_notifications: int = 0
    ledger: WriterState = field(default_factory=WriterState)
    journal: WriterState = field(default_factory=WriterState)

    def take_round_lag_s(self) -> float:
        """The worst since the last call."""
        worst_s, self.round_lag_s = self.round_lag_s, 0.0
        return worst_s
