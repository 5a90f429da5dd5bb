"""Scenarios: what goes wrong, when. Small TOML files, those shipped with the package or one's own.

    about = "One link is cut for three minutes."     # a sentence for people
    repeat = "10m"                                   # optional: begin again after so long
    [[event]]
    at = "1m"
    for = "3m"
    what = "cut"
    where = "anjatan/utama"

The keys of an event stand in events.py.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from monitor.core.errors import SimulatorError
from monitor.simulator.events import OF_ROUTERS, Event, What, parse_event, seconds
from monitor.simulator.world import SimulatedNetwork

QUIET = "quiet"
DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Running:
    """An event that has begun and has not ended.

    key: one for each event and each repetition. since_s, until_s: seconds after the start of
    the scenario; until_s None: it has no end.
    """

    key: str
    event: Event
    since_s: float
    until_s: float | None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario. repeat_s: it begins again after so many seconds; None: it runs once."""

    name: str
    about: str
    events: tuple[Event, ...] = ()
    repeat_s: float | None = None

    def running(self, elapsed_s: float) -> tuple[Running, ...]:
        """The events in force so many seconds after the start."""
        return tuple(
            one
            for one in self._around(elapsed_s)
            if one.since_s <= elapsed_s and (one.until_s is None or elapsed_s < one.until_s)
        )

    def next_change_s(self, elapsed_s: float) -> float | None:
        """The next moment at which an event begins or ends; None: there is none."""
        moments = (
            moment
            for one in self._around(elapsed_s)
            for moment in (one.since_s, one.until_s)
            if moment is not None and moment > elapsed_s
        )
        return min(moments, default=None)

    def _around(self, elapsed_s: float) -> list[Running]:
        """The events of this repetition and of the next one."""
        if self.repeat_s is None:
            return [self._instance(n, 0, event) for n, event in enumerate(self.events)]
        turn = int(elapsed_s // self.repeat_s)
        return [
            self._instance(n, repetition, event)
            for repetition in (turn, turn + 1)
            for n, event in enumerate(self.events)
        ]

    def _instance(self, number: int, repetition: int, event: Event) -> Running:
        start = repetition * (self.repeat_s or 0.0)
        since = start + event.at_s
        until = None if event.for_s is None else since + event.for_s
        if self.repeat_s is not None:
            end = start + self.repeat_s
            until = end if until is None else min(until, end)
        return Running(f"{self.name}:{repetition}:{number + 1}", event, since, until)


def shipped_scenarios() -> dict[str, str]:
    """The names of the scenarios that come with the package, each with its sentence."""
    return {
        file.name.removesuffix(".toml"): _parse(file.read_text("utf-8"), file.name).about
        for file in sorted(_shipped().iterdir(), key=lambda file: file.name)
        if file.name.endswith(".toml")
    }


def load_scenario(source: str | Path, world: SimulatedNetwork) -> Scenario:
    """A shipped scenario by its name, or a file of one's own by its path; names are looked up.

    Raises SimulatorError: file, line, what is wrong, how to mend it.
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
    for number, event in enumerate(scenario.events):
        try:
            check_names(event, world)
        except SimulatorError as error:
            raise SimulatorError(f"{_place(text, file, number)}: {error}") from error
    return scenario


def check_names(event: Event, world: SimulatedNetwork) -> None:
    """Raises SimulatorError when an event names what is not in this network."""
    for name in event.where:
        world.select(name)
        if event.what is What.POP_DOWN and name not in world.nodes:
            nodes = ", ".join(sorted(world.nodes))
            raise SimulatorError(f"{name!r} is no node: pop-down needs a node's id ({nodes})")
        if event.what in OF_ROUTERS and world.device_of(name) is None:
            raise SimulatorError(
                f"{name!r} has no router that is asked by SNMP: {event.what} needs one; "
                "give it an [snmp] table"
            )
    if event.sender is not None and event.sender not in world.places:
        raise SimulatorError(f"from = {event.sender!r} is no target: use a node's id")


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
    events: list[Event] = []
    for number, row in enumerate(rows):
        try:
            events.append(parse_event(row))
        except SimulatorError as error:
            raise SimulatorError(f"{_place(text, file, number)}: {error}") from error
    name = Path(file).name.removesuffix(".toml")
    return Scenario(name, about, tuple(events), _repeat(table, file, events))


def _repeat(table: Mapping[str, object], file: str, events: list[Event]) -> float | None:
    if "repeat" not in table:
        return None
    try:
        repeat_s = seconds(table["repeat"])
    except ValueError as error:
        raise SimulatorError(f"{file}: repeat = {table['repeat']!r}: {error}") from error
    late = [event for event in events if event.at_s + (event.for_s or 0.0) > repeat_s]
    if late or repeat_s <= 0:
        raise SimulatorError(f"{file}: repeat must not come before the end of the last event")
    return repeat_s


def _place(text: str, file: str, number: int) -> str:
    """`file:line` of an event's header. tomllib tells no lines, so they are counted."""
    heads = [
        line
        for line, content in enumerate(text.splitlines(), start=1)
        if content.split("#")[0].replace(" ", "").strip() == "[[event]]"
    ]
    return f"{file}:{heads[number]}" if number < len(heads) else f"{file}, event {number + 1}"


def _shipped() -> Traversable:
    return resources.files("monitor.simulator").joinpath("scenarios")
