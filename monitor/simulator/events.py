"""One thing that goes wrong in the made-up network, and how it is written down.

The same keys are used in a scenario file and on the control socket:

    at      when, after the start: seconds, or "1m30s"; default 0
    for     how long; default: to the end (reboot: 75 s)
    what    one of What
    where   a target ("anjatan/utama"), a site's or a node's id, "all" or "uplink"; or a list
    …       what this kind of event takes besides, see _EXTRA
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from monitor.core.errors import SimulatorError

T = TypeVar("T")
D = TypeVar("D")

REBOOT_S = 75.0
"""How long a router is away when it starts anew."""

_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")
_CODES = {"net": 0, "host": 1, "port": 3, "prohibited": 13}


class What(StrEnum):
    """The kinds of events."""

    CUT = "cut"  # no answer at all
    UNREACHABLE = "unreachable"  # a router says: destination unreachable
    LOSS = "loss"  # a share of the requests is lost, besides the usual
    DELAY = "delay"  # answers come later, besides the usual
    JITTER = "jitter"  # answers vary more, besides the usual
    DUPLICATE = "duplicate"  # a share of the answers comes twice
    FLAP = "flap"  # cut and back, over and over
    REBOOT = "reboot"  # a router is away, then its uptime and counters start at 0
    POP_DOWN = "pop-down"  # a node is cut, and all that is behind it
    UPLINK_CUT = "uplink-cut"  # the monitor's own way out: every target is silent, anchors too
    NO_ROUTE = "no-route"  # the monitor's own route is gone: sending fails with ENETUNREACH
    # What a router's SNMP agent does wrong, while ping answers as ever:
    SNMP_SILENT = "snmp-silent"  # it answers nobody
    NARROW = "narrow"  # it has 32-bit counters only
    TOO_BIG = "too-big"  # it says tooBig when it is asked for more than a few objects
    OTHER_SOURCE = "other-source"  # its answers come from another address
    ENDLESS_WALK = "endless-walk"  # after the last row of a column it tells the first one again
    # What befalls a router at one moment, while it goes on:
    WRAP = "wrap"  # its octet counters jump to near their end (which it tells), and go round
    COUNTER_RESET = "counter-reset"  # its counters start at 0, its uptime does not
    RENUMBER = "renumber"  # its ports have other ifIndexes


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Seconds are counted from the start of the scenario.

    for_s: None: to the end. where: the names as written.
    loss_ratio, share_ratio: 0 to 1. sender: the node that sends the ICMP error, None: the one
    before the target; with other-source, the target that the answers come from. renumber: the
    router's ports have other ifIndexes after a reboot. after_s: when the octet counters go round.
    varbinds: so many objects in one message are not too many. discontinuity: the agent says that
    it reset its counters, as it should (ifCounterDiscontinuityTime).
    """

    what: What
    where: tuple[str, ...]
    at_s: float = 0.0
    for_s: float | None = None
    loss_ratio: float = 0.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    share_ratio: float = 1.0
    period_s: float = 20.0
    down_s: float = 10.0
    sender: str | None = None
    code: int = 1
    quote_bytes: int | None = None
    renumber: bool = False
    after_s: float = 20.0
    varbinds: int = 8
    discontinuity: bool = False

    def cut_at(self, since_s: float) -> bool:
        """Whether a flapping link is cut, so many seconds after the event began."""
        return since_s % self.period_s < self.down_s

    def next_flap_s(self, since_s: float) -> float:
        """In how many seconds a flapping link changes next."""
        phase = since_s % self.period_s
        return (self.down_s if phase < self.down_s else self.period_s) - phase


AGENT_IS = (What.SNMP_SILENT, What.NARROW, What.TOO_BIG, What.OTHER_SOURCE, What.ENDLESS_WALK)
"""Events that change how a router's agent answers, as long as they are in force."""

BEFALLS = (What.WRAP, What.COUNTER_RESET, What.RENUMBER)
"""Events that happen to a router when they begin, and have no end."""

OF_ROUTERS = (What.REBOOT, *AGENT_IS, *BEFALLS)
"""Events whose `where` is a site or node with a router."""

_EXTRA: dict[What, tuple[str, ...]] = {
    What.UNREACHABLE: ("from", "code", "quote_bytes"),
    What.LOSS: ("loss_pct",),
    What.DELAY: ("delay_ms",),
    What.JITTER: ("jitter_ms",),
    What.DUPLICATE: ("share_pct",),
    What.FLAP: ("period", "down"),
    What.REBOOT: ("renumber",),
    What.TOO_BIG: ("varbinds",),
    What.OTHER_SOURCE: ("from",),
    What.WRAP: ("after",),
    What.COUNTER_RESET: ("discontinuity",),
}
_NEEDED = {What.LOSS: "loss_pct", What.DELAY: "delay_ms", What.JITTER: "jitter_ms"}
_COMMON = ("at", "for", "what", "where")


def parse_event(table: Mapping[str, object]) -> Event:
    """The event that a table of a scenario file, or a command, describes.

    Raises SimulatorError: what is wrong and how to mend it. Names in `where` are not looked up.
    """
    what = _what(table.get("what"))
    common = tuple(key for key in _COMMON if key != "for" or what not in BEFALLS)
    allowed = (*common, *_EXTRA.get(what, ()))
    for key in table:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(allowed)}"
            raise SimulatorError(f"{what} does not take the key {key!r}: {hint}")
    needed = _NEEDED.get(what)
    if needed is not None and needed not in table:
        raise SimulatorError(f"{what} needs {needed}: add a line such as {needed} = 30")
    period_s = _read(table, "period", seconds, 20.0)
    down_s = _read(table, "down", seconds, period_s / 2)
    if not 0 < down_s < period_s:
        raise SimulatorError("down must be more than 0 and less than period")
    return Event(
        what=what,
        where=_where(table.get("where"), what),
        at_s=_read(table, "at", seconds, 0.0),
        for_s=_length(table, what),
        loss_ratio=_read(table, "loss_pct", _percent, 0.0),
        delay_ms=_read(table, "delay_ms", _number, 0.0),
        jitter_ms=_read(table, "jitter_ms", _number, 0.0),
        share_ratio=_read(table, "share_pct", _percent, 1.0),
        period_s=period_s,
        down_s=down_s,
        sender=_read(table, "from", _text, None),
        code=_read(table, "code", _code, _CODES["host"]),
        quote_bytes=_read(table, "quote_bytes", _quote, None),
        renumber=_read(table, "renumber", _flag, False),
        after_s=_read(table, "after", seconds, 20.0),
        varbinds=_read(table, "varbinds", _varbinds, 8),
        discontinuity=_read(table, "discontinuity", _flag, False),
    )


def seconds(value: object) -> float:
    """A duration: a number of seconds, or "1h2m3.5s". Raises ValueError that says how."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None or not any(match.groups()):
            raise ValueError('must be seconds or a text such as "1m30s"')
        hours, minutes, rest = (float(part or 0) for part in match.groups())
        return hours * 3600 + minutes * 60 + rest
    return _number(value)


def _what(value: object) -> What:
    known = [str(what) for what in What]
    if isinstance(value, str) and value in known:
        return What(value)
    if value is None:
        raise SimulatorError(f'an event needs what: add what = "cut", or {", ".join(known[1:])}')
    near = difflib.get_close_matches(str(value), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(known)}"
    raise SimulatorError(f"what = {value!r} is not known: {hint}")


def _where(value: object, what: What) -> tuple[str, ...]:
    if value is None and what in (What.UPLINK_CUT, What.NO_ROUTE):
        return ("uplink",)
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise SimulatorError(
            f'{what} needs where: a target such as "anjatan/utama", a site, a node, or a list'
        )
    if what in (What.UPLINK_CUT, What.NO_ROUTE) and names != ["uplink"]:
        raise SimulatorError(f'{what} concerns the monitor itself: where must be "uplink"')
    return tuple(str(name) for name in names)


def _length(table: Mapping[str, object], what: What) -> float | None:
    default = REBOOT_S if what is What.REBOOT else None
    length = _read(table, "for", seconds, default)
    if length == 0:
        raise SimulatorError("for must be more than 0; leave it out for an event without an end")
    return length


def _read(table: Mapping[str, object], key: str, read: Callable[[object], T], default: D) -> T | D:
    if key not in table:
        return default
    try:
        return read(table[key])
    except ValueError as error:
        raise SimulatorError(f"{key} = {table[key]!r}: {error}") from error


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise ValueError("must be a number, 0 or more")
    return float(value)


def _percent(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise ValueError("must be a number from 0 to 100")
    return value / 100.0


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text")
    return value


def _code(value: object) -> int:
    if value not in _CODES:
        raise ValueError(f"must be one of {', '.join(_CODES)}")
    return _CODES[str(value)]


def _quote(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 28 <= value <= 548:
        raise ValueError("must be a whole number of bytes from 28 to 548")
    return value


def _varbinds(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100:
        raise ValueError("must be a whole number from 1 to 100")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value
