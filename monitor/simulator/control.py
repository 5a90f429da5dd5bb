"""The control socket: a Unix socket that takes commands while the simulator runs.

One JSON object per line in each direction; a connection may carry many.

    {"do": "cut", "where": "anjatan/utama", "for": "30s"}
        any fault of scenario.py: `do` is its `what`
    {"do": "restore", "where": "anjatan/utama"}
        end every fault, scripted or commanded, as far as it affects that; "all": everything
    {"do": "changes"}      {"ok": true, "changes": [...]}
        applied changes in order: each a fault_scheduler.AppliedChange
    {"do": "counters"}     {"ok": true, "targets": {...}, "agents": {...}, ...}
        packets received and answered: see Counters
    {"do": "behaviours"}   {"ok": true, "targets": {...}}
        current behaviour of each target: each a behaviour.Behaviour
    {"do": "quit"}         {"ok": true}
        end the simulator

Every reply has `ok`; when it is false, `error` is a sentence. Replies to faults contain the time
at which they were applied: `utc_s` (Unix time) and `boottime_s` (CLOCK_BOOTTIME).
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
from monitor.simulator.behaviour import Behaviour, ReplyMode
from monitor.simulator.fault_scheduler import AppliedChange, Timestamps
from monitor.simulator.responder import HostCounters
from monitor.simulator.scenario import REBOOT_S

ControlReply = dict[str, object]
ControlCommand = Callable[[Mapping[str, object]], ControlReply]
"""Handles one request; raises SimulatorError when it fails."""

_LONGEST_LINE = 64 * 1024
_LONGEST_PATH = 107  # sun_path of unix(7)
_PEER = struct.Struct("iII")  # pid, uid, gid: ucred of unix(7)


@dataclass(frozen=True, slots=True)
class AgentCounters:
    """SNMP requests of one router; the difference had a wrong community."""

    requests: int
    answered: int


@dataclass(frozen=True, slots=True)
class Counters:
    """Packet counters since the start. targets, agents: by name.

    stray_packets: for an unknown address, or neither echo nor UDP. write_errors: replies that the
    kernel refused.
    """

    targets: dict[str, HostCounters]
    agents: dict[str, AgentCounters]
    stray_packets: int
    write_errors: int


class ControlServer:
    """Serves the control socket, which only its owner may use."""

    def __init__(self, path: Path, command: ControlCommand) -> None:
        """Raises SimulatorError when the path is too long for a Unix socket."""
        check_socket_path(path)
        self._path = path
        self._command = command
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Start listening. Raises SimulatorError when the socket cannot be created."""
        try:
            self._path.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(
                self._serve_connection, path=str(self._path), limit=_LONGEST_LINE
            )
            self._path.chmod(0o600)
        except OSError as error:
            raise SimulatorError(
                f"the control socket {self._path} cannot be made: {error.strerror}"
            ) from error

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _serve_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self._reply(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            # The client disconnected, or sent a line that is too long.
            return
        finally:
            writer.close()

    def _reply(self, line: bytes) -> ControlReply:
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
    """Client of the control socket, for the demo and for tests.

    Every method raises SimulatorError when the simulator does not answer, or refuses.
    `where`, `for_s` (seconds; None: until restored) and the rest are those of scenario.py.
    Methods that add a fault return when it was applied.
    """

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        check_socket_path(path)
        self.path = path
        self._timeout_s = timeout_s

    def cut(self, where: str, for_s: float | None = None) -> Timestamps:
        """No reply."""
        return self.fault("cut", where, for_s)

    def loss(self, where: str, loss_pct: float, for_s: float | None = None) -> Timestamps:
        """Additional loss."""
        return self.fault("loss", where, for_s, loss_pct=loss_pct)

    def delay(self, where: str, delay_ms: float, for_s: float | None = None) -> Timestamps:
        """Additional delay."""
        return self.fault("delay", where, for_s, delay_ms=delay_ms)

    def unreachable(
        self, where: str, sender: str | None = None, for_s: float | None = None
    ) -> Timestamps:
        """A router (a node's id; None: the one before) sends ICMP host unreachable."""
        return self.fault("unreachable", where, for_s, **{"from": sender})

    def reboot(self, where: str, for_s: float = REBOOT_S, renumber: bool = False) -> Timestamps:
        """A router is silent for `for_s`, then its counters start at 0."""
        return self.fault("reboot", where, for_s, renumber=renumber)

    def pop_down(self, node: str, for_s: float | None = None) -> Timestamps:
        """A node is cut, and every address behind it."""
        return self.fault("pop-down", node, for_s)

    def uplink_cut(self, for_s: float | None = None) -> Timestamps:
        """The monitor's own uplink: no target replies."""
        return self.fault("uplink-cut", "uplink", for_s)

    def no_route(self, for_s: float | None = None) -> Timestamps:
        """The monitor has no route: sending fails."""
        return self.fault("no-route", "uplink", for_s)

    def fault(
        self, what: str, where: str, for_s: float | None = None, **details: object
    ) -> Timestamps:
        """Any fault of scenario.py."""
        return _timestamps(self.request(what, where=where, **{"for": for_s}, **details))

    def restore(self, where: str = "all") -> Timestamps:
        """End every fault, scripted or commanded, as far as it affects `where`."""
        return _timestamps(self.request("restore", where=where))

    def changes(self) -> list[AppliedChange]:
        """Changes applied since the start, in order."""
        rows = cast("list[dict[str, object]]", self.request("changes")["changes"])
        return [change_from_json(row) for row in rows]

    def behaviours(self) -> dict[str, Behaviour]:
        """Current behaviour of each target, by name."""
        rows = cast("dict[str, dict[str, object]]", self.request("behaviours")["targets"])
        return {name: behaviour_from_json(row) for name, row in rows.items()}

    def counters(self) -> Counters:
        """Packet counters since the start."""
        answer = cast("dict[str, Any]", self.request("counters"))
        return Counters(
            targets={name: HostCounters(**row) for name, row in answer["targets"].items()},
            agents={name: AgentCounters(**row) for name, row in answer["agents"].items()},
            stray_packets=answer["stray_packets"],
            write_errors=answer["write_errors"],
        )

    def pid(self) -> int:
        """Process id of the simulator: the peer of the socket."""
        with self._connected() as connection:
            peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        return int(_PEER.unpack(peer)[0])

    def quit(self) -> None:
        """End the simulator."""
        self.request("quit")

    def request(self, do: str, **details: object) -> ControlReply:
        """Send one request; returns the reply without `ok`. Details that are None are left out."""
        given = {key: value for key, value in details.items() if value is not None}
        line = json.dumps({"do": do, **given}).encode() + b"\n"
        with self._connected() as connection, connection.makefile("rb") as lines:
            connection.sendall(line)
            received = lines.readline()
        if not received:
            raise SimulatorError(f"the simulated network closed the connection on {self.path}")
        answer: ControlReply = json.loads(received)
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
                f"the simulated network does not answer on {self.path}: {error}"
            ) from error


def check_socket_path(path: Path) -> None:
    """Raise SimulatorError when the path is too long for a Unix socket."""
    if len(str(path).encode()) > _LONGEST_PATH:
        raise SimulatorError(
            f"{path} is too long for a Unix socket ({_LONGEST_PATH} bytes at most): "
            "use a shorter working directory"
        )


def change_to_json(change: AppliedChange) -> ControlReply:
    """An applied change as JSON."""
    return asdict(change)


def change_from_json(row: Mapping[str, object]) -> AppliedChange:
    """An applied change from JSON."""
    fields = cast("dict[str, Any]", dict(row))
    if fields["behaviour"] is not None:
        fields["behaviour"] = behaviour_from_json(fields["behaviour"])
    return AppliedChange(**{**fields, "because": tuple(fields["because"])})


def behaviour_from_json(row: Mapping[str, object]) -> Behaviour:
    """A behaviour from JSON."""
    fields = cast("dict[str, Any]", dict(row))
    return Behaviour(**{**fields, "mode": ReplyMode(fields["mode"])})


def _timestamps(answer: ControlReply) -> Timestamps:
    return Timestamps(float(str(answer["utc_s"])), float(str(answer["boottime_s"])))
