"""The control socket: a Unix socket that takes commands while the made-up network runs.

One JSON object a line in, one a line out; a connection may carry many.

    {"do": "cut", "where": "anjatan/utama", "for": "30s"}
        any event of events.py: `do` is its `what`
    {"do": "restore", "where": "anjatan/utama"}
        end every event, scripted or commanded, as far as it concerns that; "all": everything
    {"do": "truth"}        {"ok": true, "truth": [...]}
        what was done, in order: each as director.Truth
    {"do": "counters"}     {"ok": true, "targets": {...}, "agents": {...}, ...}
        requests seen and answered: see Counters
    {"do": "behaviours"}   {"ok": true, "targets": {...}}
        how each target answers now: each as behaviour.Behaviour
    {"do": "quit"}         {"ok": true}
        end the made-up network

Every answer has `ok`; when it is false, `error` is a sentence. Answers to events carry the moment
at which they took effect: `utc_s` (Unix time) and `boottime_s` (CLOCK_BOOTTIME).
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from monitor.core.errors import SimulatorError
from monitor.simulator.behaviour import Behaviour, Fate
from monitor.simulator.director import Moment, Truth
from monitor.simulator.events import REBOOT_S
from monitor.simulator.line import LineCounts

Answer = dict[str, object]
Command = Callable[[Mapping[str, object]], Answer]
"""Does what one request asks for; raises SimulatorError when it cannot."""

_LONGEST_LINE = 64 * 1024
_LONGEST_PATH = 107  # sun_path of unix(7)
_PEER = struct.Struct("iII")  # pid, uid, gid: ucred of unix(7)


@dataclass(frozen=True, slots=True)
class AgentCounts:
    """One router's SNMP agent so far; what is missing was asked with a wrong community."""

    requests: int
    answered: int


@dataclass(frozen=True, slots=True)
class Counters:
    """What the wire has seen and done. targets, agents: by name.

    stray_packets: for an address that nobody has, or no echo and no UDP. write_errors: answers
    that the kernel did not take.
    """

    targets: dict[str, LineCounts]
    agents: dict[str, AgentCounts]
    stray_packets: int
    write_errors: int


class ControlServer:
    """Listens on a Unix socket that only its owner may use."""

    def __init__(self, path: Path, command: Command) -> None:
        """Raises SimulatorError when the path is too long for a Unix socket."""
        check_socket_path(path)
        self._path = path
        self._command = command
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen. Raises SimulatorError when the socket cannot be made."""
        try:
            self._path.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(
                self._talk, path=str(self._path), limit=_LONGEST_LINE
            )
            self._path.chmod(0o600)
        except OSError as error:
            raise SimulatorError(
                f"the control socket {self._path} cannot be made: {error.strerror}"
            ) from error

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            # The other side went away, or sent a line without an end.
            return
        finally:
            writer.close()

    def _answer(self, line: bytes) -> Answer:
        try:
            request = json.loads(line)
        except ValueError as error:
            return {"ok": False, "error": f"this is not JSON: {error}"}
        if not isinstance(request, dict):
            return {"ok": False, "error": 'a request is an object such as {"do": "truth"}'}
        try:
            return {"ok": True, **self._command(request)}
        except SimulatorError as error:
            return {"ok": False, "error": str(error)}


class Control:
    """The client's side, for the demo and for tests.

    Every method raises SimulatorError when the made-up network does not answer, or refuses.
    `where`, `for_s` (seconds; None: until restored) and the rest are those of events.py.
    """

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        check_socket_path(path)
        self.path = path
        self._timeout_s = timeout_s

    def cut(self, where: str, for_s: float | None = None) -> Moment:
        """No answer any more. Returns when it took effect, as the others do."""
        return self.event("cut", where, for_s)

    def loss(self, where: str, loss_pct: float, for_s: float | None = None) -> Moment:
        """A share of the requests is lost, besides the usual."""
        return self.event("loss", where, for_s, loss_pct=loss_pct)

    def delay(self, where: str, delay_ms: float, for_s: float | None = None) -> Moment:
        """Answers come later, besides the usual."""
        return self.event("delay", where, for_s, delay_ms=delay_ms)

    def unreachable(
        self, where: str, sender: str | None = None, for_s: float | None = None
    ) -> Moment:
        """A router (a node's id; None: the one before) says that the host is unreachable."""
        return self.event("unreachable", where, for_s, **{"from": sender})

    def reboot(self, where: str, for_s: float = REBOOT_S, renumber: bool = False) -> Moment:
        """A router is away for so long, and comes back with its counters at 0."""
        return self.event("reboot", where, for_s, renumber=renumber)

    def pop_down(self, node: str, for_s: float | None = None) -> Moment:
        """A node is cut, and all that is behind it."""
        return self.event("pop-down", node, for_s)

    def uplink_cut(self, for_s: float | None = None) -> Moment:
        """The monitor's own uplink: nothing answers."""
        return self.event("uplink-cut", "uplink", for_s)

    def no_route(self, for_s: float | None = None) -> Moment:
        """The monitor's own route is gone: sending fails."""
        return self.event("no-route", "uplink", for_s)

    def event(self, what: str, where: str, for_s: float | None = None, **details: object) -> Moment:
        """Any event of events.py."""
        return _moment(self.ask(what, where=where, **{"for": for_s}, **details))

    def restore(self, where: str = "all") -> Moment:
        """End every event, scripted or commanded, as far as it concerns `where`."""
        return _moment(self.ask("restore", where=where))

    def truth(self) -> list[Truth]:
        """What was done since the start, in order."""
        rows = cast("list[dict[str, object]]", self.ask("truth")["truth"])
        return [truth_from_json(row) for row in rows]

    def behaviours(self) -> dict[str, Behaviour]:
        """How each target answers now, by name."""
        rows = cast("dict[str, dict[str, object]]", self.ask("behaviours")["targets"])
        return {name: behaviour_from_json(row) for name, row in rows.items()}

    def counters(self) -> Counters:
        """What the wire has seen and done since the start."""
        answer = cast("dict[str, Any]", self.ask("counters"))
        return Counters(
            targets={name: LineCounts(**row) for name, row in answer["targets"].items()},
            agents={name: AgentCounts(**row) for name, row in answer["agents"].items()},
            stray_packets=answer["stray_packets"],
            write_errors=answer["write_errors"],
        )

    def pid(self) -> int:
        """The process of the made-up network, as the kernel knows who listens there."""
        with self._connected() as connection:
            peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        return int(_PEER.unpack(peer)[0])

    def quit(self) -> None:
        """End the made-up network."""
        self.ask("quit")

    def ask(self, do: str, **details: object) -> Answer:
        """One request; the answer, without `ok`. A detail whose value is None is left out."""
        kept = {key: value for key, value in details.items() if value is not None}
        request = json.dumps({"do": do, **kept}).encode() + b"\n"
        with self._connected() as connection, connection.makefile("rb") as lines:
            connection.sendall(request)
            line = lines.readline()
        if not line:
            raise SimulatorError(f"the made-up network hung up on {self.path}")
        answer: Answer = json.loads(line)
        if not answer.pop("ok", False):
            raise SimulatorError(str(answer.get("error")))
        return answer

    @contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(self._timeout_s)
                connection.connect(str(self.path))
                yield connection
        except OSError as error:
            raise SimulatorError(
                f"the made-up network does not answer on {self.path}: {error}"
            ) from error


def check_socket_path(path: Path) -> None:
    """Raises SimulatorError when a Unix socket cannot have this path."""
    if len(str(path).encode()) > _LONGEST_PATH:
        raise SimulatorError(
            f"{path} is too long for a Unix socket ({_LONGEST_PATH} bytes at most): "
            "use a shorter working directory"
        )


def truth_to_json(truth: Truth) -> Answer:
    """One line of the log of truth as JSON can carry it."""
    return asdict(truth)


def truth_from_json(row: Mapping[str, object]) -> Truth:
    """The other way."""
    fields = cast("dict[str, Any]", dict(row))
    if fields["behaviour"] is not None:
        fields["behaviour"] = behaviour_from_json(fields["behaviour"])
    return Truth(**{**fields, "because": tuple(fields["because"])})


def behaviour_from_json(row: Mapping[str, object]) -> Behaviour:
    """A behaviour as `dataclasses.asdict` and JSON made it."""
    fields = cast("dict[str, Any]", dict(row))
    return Behaviour(**{**fields, "fate": Fate(fields["fate"])})


def _moment(answer: Answer) -> Moment:
    return Moment(float(str(answer["utc_s"])), float(str(answer["boottime_s"])))
