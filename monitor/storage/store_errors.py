"""Run a blocking call of a storage job; a failure is logged once and shown until it succeeds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from monitor.core.errors import StoreError
from monitor.core.warning import MonitorWarning

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class StoreErrors:
    """The failures of storage jobs that have not succeeded since."""

    def __init__(self) -> None:
        self._errors: dict[str, tuple[str, str]] = {}

    async def run(self, kind: str, job: str, call: Callable[[], Result]) -> Result | None:
        """Call in a worker thread; None after a StoreError.

        kind: of the warning. job: what it is called in the log and in the warning.
        """
        try:
            result = await asyncio.to_thread(call)
        except StoreError as error:
            if kind not in self._errors:
                log.error("%s: %s; trying again", job, error)
            self._errors[kind] = job, str(error)
            return None
        self._errors.pop(kind, None)
        return result

    def warnings(self) -> list[MonitorWarning]:
        return [
            MonitorWarning(f"{job}: {error}", kind, {"why": error})
            for kind, (job, error) in self._errors.items()
        ]
