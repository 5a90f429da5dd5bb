"""How far the daemon has come, and what stands in its way: for the page, and for `monitor`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class DaemonProgress:
    """Of the path from a round to the stores. Times are steady seconds.

    round_lag_s: how late a round was done at worst, since `take_round_lag_s`. journal_is_full:
    the trouble of the journal is a full disk.
    """

    last_outcome_s: float | None = None
    last_round_s: float | None = None
    missed_rounds: int = 0
    last_missed_s: float | None = None
    round_lag_s: float = 0.0
    ledger_trouble: str | None = None
    journal_trouble: str | None = None
    journal_is_full: bool = False
    dropped_samples: int = 0
    journal_written_s: float | None = None

    def take_round_lag_s(self) -> float:
        """The worst since the last call."""
        worst_s, self.round_lag_s = self.round_lag_s, 0.0
        return worst_s
