"""Signed texts and the signed links of alerts: HMAC with SHA-256 (RFC 2104), cut to 128 bits.

128 bits are half of the hash, the least that RFC 2104, section 5 allows. The purpose is part of
what is signed, so that a session is never accepted as a link.

The code of a link stands in every alert (`…/i/17?k=k3v7q2ma.6923c1a0.wq3…`), therefore it is
short: the identity of the ledger, the expiry in hexadecimal Unix seconds, and the signature over
both and the incident number. Codes of versions without identities begin with the expiry.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from enum import StrEnum

from monitor.core.ledger_identity import LedgerIdentity

KEY_BYTES = 32
LINK_LIFETIME_S = 7 * 86_400.0
"""How long the link of an alert opens the page of its incident."""

LINK_PARAMETER = "k"
"""Name of the query parameter that holds the code."""

_SIGNATURE_BYTES = 16
_MAX_LENGTH = 2_000
_MAX_EXPIRY_S = 0xFFFF_FFFF


def sign_text(key: bytes, purpose: str, text: str) -> str:
    """`text` in base64url (readable by anyone), a dot, and its signature."""
    return f"{_base64url(text.encode())}.{_signature(key, purpose, text)}"


def verify_text(key: bytes, purpose: str, signed: str) -> str | None:
    """The text of a `sign_text` with the same key and purpose; None for anything else."""
    body, dot, signature = signed.partition(".")
    if not dot or len(signed) > _MAX_LENGTH:
        return None
    try:
        text = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    return text if _equal(signature, _signature(key, purpose, text)) else None


class LinkState(StrEnum):
    """What the code of a link is worth."""

    VALID = "valid"
    EXPIRED = "expired"
    OTHER_LEDGER = "other ledger"
    """Signed with our key, but for an incident of another ledger."""

    FORGED = "forged"
    """Not signed with our key for this incident."""


def link_code(key: bytes, ledger: str, incident: int, expires_s: float) -> str:
    """The code that opens the page of one incident until `expires_s` (Unix seconds).

    ledger: the identity of the ledger that the incident is numbered in.
    """
    expiry = f"{min(max(int(expires_s), 0), _MAX_EXPIRY_S):x}"
    signature = _link_signature(key, ledger, incident, expiry)
    return f"{ledger}.{expiry}.{signature}" if ledger else f"{expiry}.{signature}"


def incident_link(key: bytes, base_url: str, ledger: str, incident: int, now_s: float) -> str:
    """The address in an alert: `<base_url>/i/<incident>?k=<code>`, valid for LINK_LIFETIME_S."""
    code = link_code(key, ledger, incident, now_s + LINK_LIFETIME_S)
    return f"{base_url}/i/{incident}?{LINK_PARAMETER}={code}"


def check_link_code(
    key: bytes, ledger: LedgerIdentity, incident: int, code: str, now_s: float
) -> LinkState:
    """Check the code of a link to this incident. ledger: the one in force."""
    if len(code) > _MAX_LENGTH:
        return LinkState.FORGED
    start, _, signature = code.rpartition(".")
    identity, _, expiry = start.rpartition(".")
    # Check the signature before the expiry is parsed: nothing unsigned is interpreted.
    if not _equal(signature, _link_signature(key, identity, incident, expiry)):
        return LinkState.FORGED
    if not ledger.includes(identity, incident):
        return LinkState.OTHER_LEDGER
    return LinkState.VALID if now_s < int(expiry, 16) else LinkState.EXPIRED


def _link_signature(key: bytes, ledger: str, incident: int, expiry: str) -> str:
    signed = f"{ledger}|{incident}|{expiry}" if ledger else f"{incident}|{expiry}"
    return _signature(key, "link", signed)


def _signature(key: bytes, purpose: str, text: str) -> str:
    # Our own texts hold no surrogates; foreign ones must not raise here.
    message = f"{purpose}\x00{text}".encode("utf-8", "surrogatepass")
    return _base64url(hmac.new(key, message, hashlib.sha256).digest()[:_SIGNATURE_BYTES])


def _equal(one: str, other: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
