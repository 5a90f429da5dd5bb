"""Where a shipper stands: one place in the log, or two when it is far behind.

After a long outage the newest samples matter most. So a live lane begins near the end of the log,
and a backfill lane follows from where shipping had stopped, at a capped rate and only while the
live one has nothing to send. When it reaches the other there is one lane again. What both lanes
send is stored once, as every sample carries its time.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from monitor.core.errors import StoreError
from monitor.core.ports import JournalBatch, SampleLog


@dataclass(frozen=True, slots=True)
class Lag:
    """When there are two lanes, and how fast the older one goes.

    far: so many lines behind. recent: the live lane begins so many lines before the end.
    backfill_lines_per_s: at most, on the average.
    """

    far: int = 50_000
    recent: int = 5_000
    backfill_lines_per_s: float = 10_000.0


class Backfill:
    """Blocking: called from the shipper's thread. The first lane's cursor is what `prune` heeds."""

    def __init__(self, log: SampleLog, name: str, lag: Lag) -> None:
        self._log = log
        self._name = name
        self._lag = lag
        self._main: str | None = None
        self._live: str | None = None
        self._meets: str | None = None
        self._ahead = 0
        self._backfill_from_s = float("-inf")

    @property
    def are_two(self) -> bool:
        return self._live is not None

    def load(self) -> None:
        """Go on where the last run stood. Raises StoreError."""
        self._main = self._log.load_cursor(self._name)
        if self._main is None:  # noted at once, so that others see how far it is behind
            with suppress(StoreError):
                begin = self._log.read_after(None, 0).cursor
                self._log.save_cursor(self._name, begin)
                self._main = begin
        live = self._log.load_cursor(f"{self._name}_live")
        try:
            if live is not None and self._log.lag(live) < self._log.lag(self._main):
                self._live = self._meets = live
        except StoreError:  # one of them is no place: begin where the first one is, or anew
            self._live = None

    def next(self, lines: int, now_s: float) -> tuple[bool, JournalBatch]:
        """What to send now, and whether it is the live lane's. Empty: nothing, for a while."""
        self._split()
        if self._live is not None:
            batch = self._log.read_after(self._live, lines)
            if batch.samples:
                return True, batch
            self._live = batch.cursor
            if now_s < self._backfill_from_s:
                return True, batch
        batch = self._log.read_after(self._main, lines)
        if not batch.samples:
            self._main = batch.cursor
        return False, batch

    def moved(self, live: bool, batch: JournalBatch, now_s: float) -> None:
        """That batch is stored, or set aside. Raises StoreError when it cannot be noted."""
        if live:
            self._live = batch.cursor
            self._ahead += len(batch.samples)
            self._log.save_cursor(f"{self._name}_live", batch.cursor)
            return
        self._main = batch.cursor
        if self._live is not None:
            self._backfill_from_s = now_s + len(batch.samples) / self._lag.backfill_lines_per_s
            if self._log.lag(self._main) <= self._log.lag(self._meets):
                self._main, self._live, self._ahead = self._live, None, 0
        self._log.save_cursor(self._name, self._main)

    def lines(self) -> int:
        """How many are still to be sent; after a restart with two lanes some count twice."""
        return max(0, self._log.lag(self._main) - self._ahead)

    def _split(self) -> None:
        if self._live is None and self._log.lag(self._main) > self._lag.far:
            self._live = self._meets = self._log.head(self._lag.recent)
            self._ahead = 0
            self._log.save_cursor(f"{self._name}_live", self._live)
