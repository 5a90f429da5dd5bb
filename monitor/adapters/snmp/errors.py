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

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
