"""Scenarios: timed faults of the simulated network, read from TOML files.

Shipped ones are in `scenarios/`.

    about = "One link is cut for three minutes."     # a sentence for people
    repeat = "10m"                                   # optional: begin again after so long
    [[event]]
    at = "1m"
    for = "3m"
    what = "cut"
    where = "anjatan/utama"

A fault takes the same keys in a scenario file and on the control socket:

    at      start: seconds after the start of the scenario, or "1m30s"; default 0
    for     duration; default: to the end (reboot: 75 s)
    what    one of FaultKind
    where   a target ("anjatan/utama"), a site's or a node's id, "all" or "uplink"; or a list
    …       parameters of this kind, see _EXTRA
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

from monitor.core.errors import SimulatorError
from monitor.simulator.network import SimulatedNetwork

T = TypeVar("T")
D = TypeVar("D")

REBOOT_S = 75.0
"""Default duration of a router's reboot."""

_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")
_CODES = {"net": 0, "host": 1, "port": 3, "prohibited": 13}


class FaultKind(StrEnum):
    """The kinds of faults, as written in `what`."""

    CUT = "cut"  # no reply
    UNREACHABLE = "unreachable"  # a router sends ICMP destination unreachable
    LOSS = "loss"  # additional share of lost requests
    DELAY = "delay"  # additional delay
    JITTER = "jitter"  # additional jitter
    DUPLICATE = "duplicate"  # a share of the replies is sent twice
    FLAP = "flap"  # cut and restored periodically
    REBOOT = "reboot"  # a router is silent, then uptime and counters start at 0
    POP_DOWN = "pop-down"  # a node is cut, and every address behind it
    REROUTE = "reroute"  # the way to an address leads over its last parent instead of its first
    TTL_SILENT = "ttl-silent"  # a router forwards, but sends no "time exceeded"
    TTL_LIMITED = "ttl-limited"  # a router sends only so many "time exceeded" a second
    UPLINK_CUT = "uplink-cut"  # the monitor's own uplink: no target replies, nor does an anchor
    NO_ROUTE = "no-route"  # the monitor has no route: sending fails with ENETUNREACH
    # Defects of a router's SNMP agent while ping works:
    SNMP_SILENT = "snmp-silent"  # no SNMP response
    NARROW = "narrow"  # 32-bit counters only
    TOO_BIG = "too-big"  # tooBig for requests of more than a few objects
    OTHER_SOURCE = "other-source"  # responses come from another address
    ENDLESS_WALK = "endless-walk"  # after the last row of a column the first one follows
    HUGE_ANSWER = "huge-answer"  # every response is 63 kB with 4,500 varbinds
    # Happen once, while the router keeps running:
    WRAP = "wrap"  # octet counters jump close to their maximum, then wrap
    COUNTER_RESET = "counter-reset"  # counters start at 0, uptime continues
    RENUMBER = "renumber"  # interfaces get other ifIndexes


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Seconds are counted from the start of the scenario.

    for_s: duration; None: to the end. where: the names as written.
    loss_ratio, share_ratio: 0 to 1. sender: the node that sends the ICMP error, None: the one
    before the target; with other-source, the target that responses come from. renumber: other
    ifIndexes after a reboot. after_s: when the octet counters wrap. varbinds: the most objects
    allowed in one message. discontinuity: the agent reports the counter reset in
    ifCounterDiscontinuityTime. per_s: "time exceeded" a second at most.
    """

    kind: FaultKind
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
    per_s: float = 1.0

    def cut_at(self, since_s: float) -> bool:
        """Whether a flapping link is cut, `since_s` seconds after the fault began."""
        return since_s % self.period_s < self.down_s

    def next_flap_s(self, since_s: float) -> float:
        """Seconds until a flapping link changes next."""
        phase = since_s % self.period_s
        return (self.down_s if phase < self.down_s else self.period_s) - phase


AGENT_FAULTS = (
    FaultKind.SNMP_SILENT,
    FaultKind.NARROW,
    FaultKind.TOO_BIG,
    FaultKind.OTHER_SOURCE,
    FaultKind.ENDLESS_WALK,
    FaultKind.HUGE_ANSWER,
)
"""Faults that change how a router's agent responds while they are active."""

INSTANT_FAULTS = (FaultKind.WRAP, FaultKind.COUNTER_RESET, FaultKind.RENUMBER)
"""Faults that happen once, when they begin, and have no end."""

ROUTER_FAULTS = (FaultKind.REBOOT, *AGENT_FAULTS, *INSTANT_FAULTS)
"""Faults whose `where` is a site or node with a router."""

_EXTRA: dict[FaultKind, tuple[str, ...]] = {
    FaultKind.UNREACHABLE: ("from", "code", "quote_bytes"),
    FaultKind.LOSS: ("loss_pct",),
    FaultKind.DELAY: ("delay_ms",),
    FaultKind.JITTER: ("jitter_ms",),
    FaultKind.DUPLICATE: ("share_pct",),
    FaultKind.FLAP: ("period", "down"),
    FaultKind.REBOOT: ("renumber",),
    FaultKind.TOO_BIG: ("varbinds",),
    FaultKind.OTHER_SOURCE: ("from",),
    FaultKind.WRAP: ("after",),
    FaultKind.COUNTER_RESET: ("discontinuity",),
    FaultKind.TTL_LIMITED: ("per_s",),
}


_NEEDED = {FaultKind.LOSS: "loss_pct", FaultKind.DELAY: "delay_ms", FaultKind.JITTER: "jitter_ms"}
_COMMON = ("at", "for", "what", "where")


def parse_fault(table: Mapping[str, object]) -> Fault:
    """The fault that a table of a scenario file, or a command, describes.

    Raises SimulatorError for an invalid key or value. Names in `where` are not looked up.
    """
    kind = _kind(table.get("what"))
    common = tuple(key for key in _COMMON if key != "for" or kind not in INSTANT_FAULTS)
    allowed = (*common, *_EXTRA.get(kind, ()))
    for key in table:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(allowed)}"
            raise SimulatorError(f"{kind} does not take the key {key!r}: {hint}")
    needed = _NEEDED.get(kind)
    if needed is not None and needed not in table:
        raise SimulatorError(f"{kind} needs {needed}: add a line such as {needed} = 30")
    period_s = _read(table, "period", duration_s, 20.0)
    down_s = _read(table, "down", duration_s, period_s / 2)
    if not 0 < down_s < period_s:
        raise SimulatorError("down must be more than 0 and less than period")
    return Fault(
        kind=kind,
        where=_where(table.get("where"), kind),
        at_s=_read(table, "at", duration_s, 0.0),
        for_s=_duration(table, kind),
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
        after_s=_read(table, "after", duration_s, 20.0),
        varbinds=_read(table, "varbinds", _varbinds, 8),
        discontinuity=_read(table, "discontinuity", _flag, False),
        per_s=_read(table, "per_s", _number, 1.0),
    )


def duration_s(value: object) -> float:
    """Parse a duration: a number of seconds, or "1h2m3.5s". Raises ValueError."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None or not any(match.groups()):
            raise ValueError('must be seconds or a text such as "1m30s"')
        hours, minutes, rest = (float(part or 0) for part in match.groups())
        return hours * 3600 + minutes * 60 + rest
    return _number(value)


def _kind(value: object) -> FaultKind:
    known = [str(kind) for kind in FaultKind]
    if isinstance(value, str) and value in known:
        return FaultKind(value)
    if value is None:
        raise SimulatorError(f'an event needs what: add what = "cut", or {", ".join(known[1:])}')
    near = difflib.get_close_matches(str(value), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(known)}"
    raise SimulatorError(f"what = {value!r} is not known: {hint}")


def _where(value: object, kind: FaultKind) -> tuple[str, ...]:
    if value is None and kind in (FaultKind.UPLINK_CUT, FaultKind.NO_ROUTE):
        return ("uplink",)
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise SimulatorError(
            f'{kind} needs where: a target such as "anjatan/utama", a site, a node, or a list'
        )
    if kind in (FaultKind.UPLINK_CUT, FaultKind.NO_ROUTE) and names != ["uplink"]:
        raise SimulatorError(f'{kind} concerns the monitor itself: where must be "uplink"')
    return tuple(str(name) for name in names)


def _duration(table: Mapping[str, object], kind: FaultKind) -> float | None:
    default = REBOOT_S if kind is FaultKind.REBOOT else None
    length = _read(table, "for", duration_s, default)
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


QUIET = "quiet"
DEMO = "demo"


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault that has begun and has not ended.

    key: unique for each fault and repetition. since_s, until_s: seconds after the start of
    the scenario; until_s None: no end.
    """

    key: str
    fault: Fault
    since_s: float
    until_s: float | None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A list of faults. repeat_s: period after which it starts again; None: it runs once."""

    name: str
    about: str
    faults: tuple[Fault, ...] = ()
    repeat_s: float | None = None

    def active(self, elapsed_s: float) -> tuple[ActiveFault, ...]:
        """The faults active `elapsed_s` seconds after the start."""
        return tuple(
            one
            for one in self._instances(elapsed_s)
            if one.since_s <= elapsed_s and (one.until_s is None or elapsed_s < one.until_s)
        )

    def next_change_s(self, elapsed_s: float) -> float | None:
        """The next time at which a fault begins or ends; None: never."""
        moments = (
            moment
            for one in self._instances(elapsed_s)
            for moment in (one.since_s, one.until_s)
            if moment is not None and moment > elapsed_s
        )
        return min(moments, default=None)

    def _instances(self, elapsed_s: float) -> list[ActiveFault]:
        """The faults of this repetition and of the next one."""
        if self.repeat_s is None:
            return [self._instance(n, 0, fault) for n, fault in enumerate(self.faults)]
        turn = int(elapsed_s // self.repeat_s)
        return [
            self._instance(n, repetition, fault)
            for repetition in (turn, turn + 1)
            for n, fault in enumerate(self.faults)
        ]

    def _instance(self, number: int, repetition: int, fault: Fault) -> ActiveFault:
        start = repetition * (self.repeat_s or 0.0)
        since = start + fault.at_s
        until = None if fault.for_s is None else since + fault.for_s
        if self.repeat_s is not None:
            end = start + self.repeat_s
            until = end if until is None else min(until, end)
        return ActiveFault(f"{self.name}:{repetition}:{number + 1}", fault, since, until)


def shipped_scenarios() -> dict[str, str]:
    """The shipped scenarios: name → description."""
    return {
        file.name.removesuffix(".toml"): _parse(file.read_text("utf-8"), file.name).about
        for file in sorted(_shipped().iterdir(), key=lambda file: file.name)
        if file.name.endswith(".toml")
    }


def load_scenario(source: str | Path, net: SimulatedNetwork) -> Scenario:
    """Load a shipped scenario by name, or a file by path, and look up the names it uses.

    Raises SimulatorError with file and line.
    """
    shipped = _shipped().joinpath(f"{source}.toml")
    if isinstance(source, str) and "/" not in source and shipped.is_file():
        text, file = shipped.read_text("utf-8"), f"{source}.toml"
    else:
        path = Path(source)
        try:
            text, file = path.read_text("utf-8"), str(path)
        except FileNotFoundError as error:
            names = ", ".join(shipped_scenarios())
            raise SimulatorError(
                f"there is no scenario {str(source)!r}: use one of {names}, or a file's path"
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            raise SimulatorError(f"the scenario {path} cannot be read: {error}") from error
    scenario = _parse(text, file)
    for number, fault in enumerate(scenario.faults):
        try:
            check_names(fault, net)
        except SimulatorError as error:
            raise SimulatorError(f"{_place(text, file, number)}: {error}") from error
    return scenario


def check_names(fault: Fault, net: SimulatedNetwork) -> None:
    """Raise SimulatorError when a fault names a target that this network does not have."""
    for name in fault.where:
        net.select(name)
        if fault.kind is FaultKind.POP_DOWN and name not in net.nodes:
            nodes = ", ".join(sorted(net.nodes))
            raise SimulatorError(f"{name!r} is no node: pop-down needs a node's id ({nodes})")
        if fault.kind is FaultKind.REROUTE and all(
            len(net.addresses[each].parents) < 2 for each in net.select(name)
        ):
            raise SimulatorError(
                f"{name!r} hangs on one node only: reroute needs a second one in its via or parent"
            )
        if fault.kind in ROUTER_FAULTS and net.device_of(name) is None:
            raise SimulatorError(
                f"{name!r} has no router that is asked by SNMP: {fault.kind} needs one; "
                "give it an [snmp] table"
            )
    if fault.sender is not None and fault.sender not in net.addresses:
        raise SimulatorError(f"from = {fault.sender!r} is no target: use a node's id")


def _parse(text: str, file: str) -> Scenario:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SimulatorError(f"{file} is not valid TOML: {error}") from error
    for key in table:
        if key not in ("about", "repeat", "event"):
            raise SimulatorError(f"{file}: unknown key {key!r}: it takes about, repeat, [[event]]")
    about = table.get("about")
    if not isinstance(about, str):
        raise SimulatorError(f'{file}: a sentence is missing: add about = "what happens"')
    rows = table.get("event", [])
    if not isinstance(rows, list):
        raise SimulatorError(f"{file}: events are written as [[event]], with two brackets")
    faults: list[Fault] = []
    for number, row in enumerate(rows):
        try:
            faults.append(parse_fault(row))
        except SimulatorError as error:
            raise SimulatorError(f"{_place(text, file, number)}: {error}") from error
    name = Path(file).name.removesuffix(".toml")
    return Scenario(name, about, tuple(faults), _repeat(table, file, faults))


def _repeat(table: Mapping[str, object], file: str, faults: list[Fault]) -> float | None:
    if "repeat" not in table:
        return None
    try:
        repeat_s = duration_s(table["repeat"])
    except ValueError as error:
        raise SimulatorError(f"{file}: repeat = {table['repeat']!r}: {error}") from error
    late = [fault for fault in faults if fault.at_s + (fault.for_s or 0.0) > repeat_s]
    if late or repeat_s <= 0:
        raise SimulatorError(f"{file}: repeat must not come before the end of the last event")
    return repeat_s


def _place(text: str, file: str, number: int) -> str:
    """`file:line` of the header of a fault. tomllib has no line numbers, so they are counted."""
    heads = [
        line
        for line, content in enumerate(text.splitlines(), start=1)
        if content.split("#")[0].replace(" ", "").strip() == "[[event]]"
    ]
    return f"{file}:{heads[number]}" if number < len(heads) else f"{file}, event {number + 1}"


def _shipped() -> Traversable:
    return resources.files("monitor.simulator").joinpath("scenarios")
