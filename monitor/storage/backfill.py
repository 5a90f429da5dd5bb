"""Ship the newest samples first when far behind.

Normally there is one position in the log. After a long outage a second, live position begins near
the end of the log, and the first one follows from where shipping had stopped: at a capped rate,
and only while the live position has nothing to send. When it reaches the start of the live one
there is one position again. What both send is stored once, as every sample carries its time.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from monitor.core.errors import StoreError
from monitor.core.ports import JournalBatch, SampleLog


@dataclass(frozen=True, slots=True)
class BackfillLimits:
    """threshold: backfill begins when so many lines wait. recent: the live position begins so
    many lines before the end. lines_per_s: the mean rate of the backfill.

    By default two hours of 62 links.
    """

    threshold: int = 50_000
    recent: int = 5_000
    lines_per_s: float = 10_000.0


class Backfill:
    """The positions of one shipper; blocking, called from its thread.

    name: of the cursor of the first position, which holds old files back; that of the live one is
    `<name>_live`.
    """

    def __init__(self, log: SampleLog, name: str, limits: BackfillLimits) -> None:
        self._log = log
        self._name = name
        self._limits = limits
        self._main: str | None = None
        self._live: str | None = None
        self._live_start: str | None = None
        self._sent_live = 0
        self._paused_until_s = float("-inf")

    @property
    def active(self) -> bool:
        """Are there two positions?"""
        return self._live is not None

    @property
    def position(self) -> str | None:
        """The place up to which everything was sent."""
        return self._main

    def load(self) -> None:
        """Load the positions of the last run. Raises StoreError."""
        self._main = self._log.load_cursor(self._name)
        if self._main is None:  # saved at once: retention and status see how far it is behind
            with suppress(StoreError):
                start = self._log.read_after(None, 0).cursor
                self._log.save_cursor(self._name, start)
                self._main = start
        live = self._log.load_cursor(f"{self._name}_live")
        try:
            if live is not None and self._log.lag(live) < self._log.lag(self._main):
                self._live = self._live_start = live
        except StoreError:  # one of them is no cursor: go on with the first one alone
            self._live = None

    def next(self, lines: int, now_s: float) -> tuple[bool, JournalBatch]:
        """Whether the batch is of the live position, and up to `lines` to send now.

        An empty batch: nothing to send for a while.
        """
        self._begin_if_far_behind()
        if self._live is not None:
            batch = self._log.read_after(self._live, lines)
            if batch.samples:
                return True, batch
            self._live = batch.cursor
            if now_s < self._paused_until_s:
                return True, batch
        batch = self._log.read_after(self._main, lines)
        if not batch.samples:
            self._main = batch.cursor
        return False, batch

    def advance(
        self, live: bool, batch: JournalBatch, now_s: float, sent: int | None = None
    ) -> None:
        """Move past a batch that was stored, set aside or skipped. Raises StoreError if not saved.

        sent: how many of its samples went to the server (None: all), for the rate.
        """
        if live:
            self._live = batch.cursor
            self._sent_live += len(batch.samples)
            self._log.save_cursor(f"{self._name}_live", batch.cursor)
            return
        self._main = batch.cursor
        if self._live is not None:
            lines = len(batch.samples) if sent is None else sent
            self._paused_until_s = now_s + lines / self._limits.lines_per_s
            if self._log.lag(self._main) <= self._log.lag(self._live_start):
                self._main, self._live, self._sent_live = self._live, None, 0
        self._log.save_cursor(self._name, self._main)

    def lag(self) -> int:
        """How many lines are not sent; after a restart with two positions some count twice."""
        return max(0, self._log.lag(self._main) - self._sent_live)

    def _begin_if_far_behind(self) -> None:
        if self._live is None and self._log.lag(self._main) > self._limits.threshold:
            self._live = self._live_start = self._log.head(self._limits.recent)
            self._sent_live = 0
            self._log.save_cursor(f"{self._name}_live", self._live)
