"""Short texts that only the holder of a key can have written. Pure: key and time are passed in.

HMAC with SHA-256 (RFC 2104), cut to 128 bits: half of the hash, the least that its section 5
allows. What a text is for is signed along, so that a session is never taken for a link.

The code of a link stands in every alert (`…/i/17?k=6923c1a0.wq3…`), so it is short: until when,
in hexadecimal seconds, a dot, and the signature over the incident's number and that moment.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

KEY_BYTES = 32
LINK_LASTS_S = 7 * 86_400.0
"""How long the link of an alert opens its page: an incident is talked about for some days."""

LINK_PARAMETER = "k"
"""The name of the code in the address of an incident's page."""

_MAC_BYTES = 16
_LONGEST = 2_000
_LATEST_S = 0xFFFF_FFFF


def seal(key: bytes, purpose: str, text: str) -> str:
    """`text`, readable by anyone, and a signature; made of A-Z a-z 0-9 - _ and one dot."""
    return f"{_encoded(text.encode())}.{_mac(key, purpose, text)}"


def unseal(key: bytes, purpose: str, sealed: str) -> str | None:
    """The text of a seal that was made with this key for this purpose; None of any other."""
    body, dot, mac = sealed.partition(".")
    if not dot or len(sealed) > _LONGEST:
        return None
    try:
        text = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    return text if _same(mac, _mac(key, purpose, text)) else None


def link_code(key: bytes, incident: int, until_s: float) -> str:
    """The code that opens the page of one incident until then (Unix seconds)."""
    until = min(max(int(until_s), 0), _LATEST_S)
    return f"{until:x}.{_mac(key, 'link', f'{incident}|{until:x}')}"


def link_address(key: bytes, base_url: str, incident: int, now_s: float) -> str:
    """What an alert gives: `<base_url>/i/<incident>?k=<code>`; it opens for LINK_LASTS_S."""
    code = link_code(key, incident, now_s + LINK_LASTS_S)
    return f"{base_url}/i/{incident}?{LINK_PARAMETER}={code}"


def link_opens(key: bytes, incident: int, code: str, now_s: float) -> bool | None:
    """True: this code opens that incident's page now; False: it did, too long ago; None: never."""
    until, dot, mac = code.partition(".")
    if not dot or len(code) > _LONGEST:
        return None
    # The signature first: of a code that is not ours nothing is read.
    if not _same(mac, _mac(key, "link", f"{incident}|{until}")):
        return None
    return now_s < int(until, 16)


def _mac(key: bytes, purpose: str, text: str) -> str:
    # Surrogates cannot come from our own texts; from elsewhere they must not be a failure.
    message = f"{purpose}\x00{text}".encode("utf-8", "surrogatepass")
    return _encoded(hmac.new(key, message, hashlib.sha256).digest()[:_MAC_BYTES])


def _same(one: str, other: str) -> bool:
    """In a time that says nothing about where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
