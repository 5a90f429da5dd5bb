"""What a refused or unanswered write means for the shipper."""

from __future__ import annotations

from enum import Enum

from monitor.core.errors import InfluxError, StoreError, WriteRefusal


class RefusalAction(Enum):
    """What to do with a batch that was not acknowledged."""

    KEEP = "keep"
    HALVE = "halve"
    SKIP = "skip"
    """What was refused lies outside the bucket's retention; the rest is stored."""
    EXAMINE = "examine"
    """One line was refused: is it the line, or its whole measurement?"""


class RefusalCause(Enum):
    """Why shipping does not go on; part of the kind of a warning."""

    SILENT = "silent"
    RIGHTS = "rights"
    BUCKET = "bucket"
    BUSY = "busy"
    CONFIGURATION = "configuration"
    REFUSED = "refused"
    """Every line of every measurement is refused."""
    HERE = "here"
    """Not the server: the journal or the dead letters on this machine."""
    OTHER = "other"


def action_on(error: InfluxError, lines: int) -> RefusalAction:
    """lines: how many were sent."""
    if error.status == 413 and lines > 1:
        return RefusalAction.HALVE
    if error.status not in (400, 422) or error.refusal is WriteRefusal.CONFIGURATION:
        return RefusalAction.KEEP
    if error.refusal is WriteRefusal.OUTSIDE_RETENTION:
        return RefusalAction.SKIP
    return RefusalAction.HALVE if lines > 1 else RefusalAction.EXAMINE


def cause_of(error: StoreError) -> RefusalCause:
    """By the HTTP status of the answer."""
    if not isinstance(error, InfluxError):
        return RefusalCause.HERE
    if error.refusal is WriteRefusal.CONFIGURATION:
        return RefusalCause.CONFIGURATION
    match error.status:
        case None | 502 | 503 | 504:
            return RefusalCause.SILENT
        case 401 | 403:
            return RefusalCause.RIGHTS
        case 404:
            return RefusalCause.BUCKET
        case 408 | 429 | 500:
            return RefusalCause.BUSY
        case 400 | 422:
            return RefusalCause.REFUSED
        case _:
            return RefusalCause.OTHER
