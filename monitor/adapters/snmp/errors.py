"""Errors inside the SNMP adapter: of one datagram, and of a whole poll. None leaves the package."""

from __future__ import annotations

from enum import StrEnum

from monitor.core.errors import SnmpError

REFUSED = "refused"
"""Reason of a PollError: the router returned an error-status other than tooBig."""


class RejectReason(StrEnum):
    """Why a datagram is not the response; counted, and the reason of a poll that times out."""

    WRONG_SOURCE = "wrong-source"
    WRONG_ANSWER = "wrong-answer"
    MALFORMED = "malformed"
    AUTH = "auth"
    TOO_LARGE = "too-large"


WRONG = frozenset({RejectReason.WRONG_ANSWER, RejectReason.MALFORMED, RejectReason.TOO_LARGE})
"""Reasons that a correct router never gives: after a few of these it is ignored for a while."""


class DatagramRejected(SnmpError):
    """A datagram is not the response to the request whose number it has.

    The wait for the response continues, so that a forged datagram cannot end it.
    """

    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class PollError(SnmpError):
    """A router gave nothing usable; becomes a PollFailed with the same reason and detail."""

    def __init__(self, reason: str, detail: str = "", ignored_s: float = 0.0) -> None:
        """ignored_s: for how many seconds the router is not asked again."""
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.ignored_s = ignored_s
