"""Errors in words: ICMP messages by icmplib's names, the kernel's by errno's."""

from __future__ import annotations

import errno

from icmplib.exceptions import ICMPLibError
from icmplib.models import ICMPReply

from monitor.adapters.icmp.wire import Family

MISSPELT = (("prohibed", "prohibited"),)


def icmp_error(family: Family, kind: int, code: int) -> str:
    """The ICMP error in a few lower-case words: `host unreachable`, `packet filtered`."""
    reply = ICMPReply(
        source=None,
        family=4 if family is Family.V4 else 6,
        id=0,
        sequence=0,
        type=kind,
        code=code,
        bytes_received=0,
        time=0.0,
    )
    try:
        reply.raise_for_status()
    except ICMPLibError as error:
        words = str(error).removeprefix("Destination ")
        for wrong, right in MISSPELT:
            words = words.replace(wrong, right)
        return words[:1].lower() + words[1:]
    return f"ICMP type {kind}, code {code}"


def errno_name(error: OSError) -> str:
    """`ENETUNREACH`; the number itself where it has no name."""
    return errno.errorcode.get(error.errno or 0, f"errno {error.errno}")
