"""What the answer to a batch of samples means: what to do with them, and why nothing goes on."""

from __future__ import annotations

from enum import Enum

from monitor.core.errors import InfluxError, StoreError


class RefusalAction(Enum):
    """What to do about samples that were not acknowledged."""

    KEEP = "keep"
    HALVE = "halve"
    SET_ASIDE = "set aside"


def action_on(status: int | None, lines: int) -> RefusalAction:
    """By the HTTP status (None: no answer) and how many lines were sent."""
    if status in (400, 422):
        return RefusalAction.HALVE if lines > 1 else RefusalAction.SET_ASIDE
    if status == 413 and lines > 1:
        return RefusalAction.HALVE
    return RefusalAction.KEEP


class RefusalCause(Enum):
    """Why nothing goes on, in a word."""

    SILENT = "silent"
    RIGHTS = "rights"
    BUCKET = "bucket"
    BUSY = "busy"
    HERE = "here"
    """Not the server: the journal or the quarantine on this machine."""
    OTHER = "other"


def cause_of(error: StoreError) -> RefusalCause:
    """By the HTTP status of its answer."""
    if not isinstance(error, InfluxError):
        return RefusalCause.HERE
    match error.status:
        case None | 502 | 503 | 504:
            return RefusalCause.SILENT
        case 401 | 403:
            return RefusalCause.RIGHTS
        case 404:
            return RefusalCause.BUCKET
        case 408 | 429 | 500:
            return RefusalCause.BUSY
        case _:
            return RefusalCause.OTHER
