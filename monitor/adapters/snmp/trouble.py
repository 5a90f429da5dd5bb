"""What can be wrong with a router, and with a single datagram. Nothing here leaves the package."""

from __future__ import annotations

from enum import StrEnum

from monitor.core.errors import SnmpError

REFUSED = "refused"
"""The router answered with an error-status other than tooBig."""


class Oddity(StrEnum):
    """Why a datagram is not the answer: counted, and the reason when no better one comes."""

    WRONG_SOURCE = "wrong-source"
    WRONG_ANSWER = "wrong-answer"
    MALFORMED = "malformed"
    AUTH = "auth"


class Odd(SnmpError):
    """A datagram that is not the answer to the request it bears the number of.

    The wait goes on: a forged datagram must not end it. When nothing better comes in time,
    this is why.
    """

    def __init__(self, oddity: Oddity, detail: str) -> None:
        super().__init__(f"{oddity}: {detail}")
        self.oddity = oddity
        self.detail = detail


class RouterTrouble(SnmpError):
    """A router gave nothing usable; becomes a PollFailed with the same words."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
