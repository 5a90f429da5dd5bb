"""See that ledger and journal are in their place, and say what happened to their files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from monitor.core.job import Job
from monitor.core.ports import Clock
from monitor.core.warning import MonitorWarning
from monitor.pipeline.pipeline import Pipeline

log = logging.getLogger("monitor.storage.store_watch")

LOOK_S = 5.0
SHOWN_S = 86_400.0
"""What was mended is shown for so long; an error of a store as long as it lasts."""

MOST_SHOWN = 5


class StoreWatch:
    """remarks: of each store, what happened to its files since the start, a sentence each."""

    def __init__(
        self, pipeline: Pipeline, clock: Clock, remarks: Sequence[Callable[[], Sequence[str]]]
    ) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._remarks = remarks
        self._counts = [0] * len(remarks)
        self._noted: dict[str, float] = {}

    def jobs(self) -> list[Job]:
        return [Job("files of the stores", LOOK_S, self.look, deadline_s=60)]

    async def look(self) -> None:
        """Let the stores check their files, in their own threads; note what they mended."""
        self._pipeline.check_stores()
        self._note_new()

    def warnings(self) -> list[MonitorWarning]:
        """The newest remarks of the last day."""
        self._note_new()
        after_s = self._clock.steady_s() - SHOWN_S
        shown = [text for text, at_s in self._noted.items() if at_s > after_s]
        return [
            MonitorWarning(text, "store_file", {"what": text})
            for text in reversed(shown[-MOST_SHOWN:])
        ]

    def _note_new(self) -> None:
        for place, remarks in enumerate(self._remarks):
            found = remarks()
            for text in found[self._counts[place] :]:
                self._noted.pop(text, None)  # the newest is the last
                self._noted[text] = self._clock.steady_s()
                log.warning("%s", text)
            self._counts[place] = len(found)
