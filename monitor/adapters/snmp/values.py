"""Values of an answer read as what they should be; anything else is None.

An agent may send an INTEGER where a string is due, a negative counter, or nothing
(noSuchInstance): that one value is not known, the rest of the answer stands.
"""

from __future__ import annotations

from monitor.adapters.snmp.codec import Absent, Oid, Value

_UNKNOWN_SPEED = 2**32 - 1


def count(value: Value | None, bits: int) -> int | None:
    """A counter, gauge or TimeTicks of this width."""
    if isinstance(value, int) and 0 <= value < 2**bits:
        return value
    return None


def number(value: Value | None) -> int | None:
    """Any integer, signed too."""
    return value if isinstance(value, int) else None


def text(value: Value | None) -> str | None:
    """A string; some agents end it with a zero byte."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").rstrip("\0")
    return None


def oid(value: Value | None) -> Oid | None:
    """An object identifier."""
    return value if isinstance(value, tuple) else None


def speed_bps(value: Value | None) -> int | None:
    """ifHighSpeed (Mbit/s) in bit/s; 0 and 2^32 - 1 mean that the agent does not know."""
    mbps = count(value, 32)
    if not mbps or mbps == _UNKNOWN_SPEED:
        return None
    return mbps * 1_000_000


def told(value: Value | None) -> bool:
    """Whether there is a value at all."""
    return value is not None and not isinstance(value, Absent)
