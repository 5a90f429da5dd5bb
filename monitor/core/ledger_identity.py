"""The identity of a ledger: a random name that keeps its incidents apart from another ledger's.

A new ledger counts its incidents from 1 again. Its identity is part of every message key, signed
link and chat button, so that those of an earlier ledger never concern another incident.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

IDENTITY_LENGTH = 8
IDENTITY_CHARACTERS = "abcdefghijklmnopqrstuvwxyz234567"
"""Base32 (RFC 4648) in lower case: 40 bits, and nothing that must be quoted in an address."""

_IDENTITY = re.compile(f"[{IDENTITY_CHARACTERS}]{{{IDENTITY_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class LedgerIdentity:
    """value: "" only where no ledger is concerned (tests of texts).

    last_old_incident: up to this incident links and buttons were sent without an identity, by a
    version that had none; 0: the ledger never belonged to such a version.
    """

    value: str = ""
    last_old_incident: int = 0

    def includes(self, identity: str, incident: int) -> bool:
        """Whether a link or button with this identity ("": without one) means our incident."""
        if identity == self.value:
            return True
        return identity == "" and incident <= self.last_old_incident


def is_identity(text: str) -> bool:
    """Whether a text has the form of an identity."""
    return _IDENTITY.fullmatch(text) is not None


def incident_uid(identity: str, incident: int) -> str:
    """The name of an incident among all ledgers: `<identity>-<id>`, as in `k3v7q2ma-17`."""
    return f"{identity}-{incident}"
