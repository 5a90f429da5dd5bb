"""Notes what each monitor says and when: `python -m tests.bench.peers.observer FOLDER`.

Runs inside the simulated network's namespace. Asks each of them twice a second for its states,
and is the webhook of those that have one. FOLDER/events: a line of JSON each: `at_s`, `tool`,
`what` (`seen`, `known`, `up`, `message`, `other message` (an opening that calls nothing down),
`end message`), `hosts`.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from monitor.adapters.system.local_api_client import LocalApiClient
from monitor.core.errors import PantauError
from tests.bench.peers import prometheus, smokeping
from tests.bench.peers.bench_network import hosts

WEBHOOK_PORT = 19200
POLL_S = 0.5
NAMES = {host.word: host.name for host in hosts()} | {host.address: host.name for host in hosts()}
PANTAU = {"pantau": "hold 15 s", "pantau0": "hold 0 s"}
"""Two daemons: by the folder of each, which is its tool's name in the events."""

SCRIPT = """\
#!/bin/sh
printf '%s %s\\n' "$(date +%s.%N)" "{words}" >> {folder}/{tool}.messages
"""
SCRIPT_WORDS = {"smokeping": "$5 ${6:-0}", "icinga": "$2 $1"}
"""What the notification command of a tool is called with: the host, and whether it is down."""


@dataclass(frozen=True, slots=True)
class Event:
    """What a tool said at a moment (Unix time)."""

    at_s: float
    tool: str
    what: str
    hosts: tuple[str, ...]


class EventLog:
    """The file of events; states are written when they change."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "events").open("a", encoding="utf-8", buffering=1)
        self._lock = threading.Lock()
        self._states: dict[tuple[str, str], str] = {}

    def write(self, tool: str, what: str, names: Iterable[str], at_s: float | None = None) -> None:
        event = Event(at_s or time.time(), tool, what, tuple(sorted(names)))
        with self._lock:
            self._file.write(json.dumps(asdict(event)) + "\n")

    def states(self, tool: str, found: Mapping[str, str]) -> None:
        """The state of every host that is not `up`: seen or known."""
        for host in hosts():
            state = found.get(host.name, "up")
            if self._states.get((tool, host.name), "up") != state:
                self._states[tool, host.name] = state
                self.write(tool, state, [host.name])


def read_events(folder: Path) -> list[Event]:
    """Every event so far, in order."""
    lines = (folder / "events").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [Event(**{**row, "hosts": tuple(row["hosts"])}) for row in rows]


def pantau_states(data: Path) -> dict[str, str]:
    document: Any = LocalApiClient(data).get("/state")
    rows = [link for site in document["sites"] for link in site["links"]] + document["nodes"]
    return {row["target"]: "known" for row in rows if row["state"] == "down"}


def prometheus_states() -> dict[str, str]:
    url = f"http://127.0.0.1:{prometheus.PORT}/api/v1/alerts"
    with urllib.request.urlopen(url, timeout=3) as answer:
        alerts = json.load(answer)["data"]["alerts"]
    return {
        alert["labels"]["host"]: "known" if alert["state"] == "firing" else "seen"
        for alert in alerts
    }


def icinga_states(folder: Path) -> dict[str, str]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as live:
        live.settimeout(3)
        live.connect(str(folder / "live.sock"))
        live.sendall(b"GET hosts\nColumns: name state state_type\nOutputFormat: json\n\n")
        live.shutdown(socket.SHUT_WR)
        text = b"".join(iter(lambda: live.recv(65_536), b""))
    return {
        NAMES[name]: "known" if hard else "seen" for name, state, hard in json.loads(text) if state
    }


def poll(log: EventLog, tool: str, read: Callable[[], Mapping[str, str]]) -> None:
    """Ask it for ever. One that does not answer keeps the states that it had."""
    while True:
        try:
            log.states(tool, read())
        except (OSError, ValueError, PantauError) as error:  # it is not up yet
            print(f"{time.time():.1f} {tool}: {error!r}", flush=True)
        time.sleep(POLL_S)


def watch_smokeping(log: EventLog, folder: Path) -> None:
    """The newest step of each RRD file: without a reply is `seen`; the alert is `known`."""
    command = smokeping.commands(folder / "smokeping")["rrd-watch"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found: dict[str, str] = {}
    for line in process.stdout:
        if line == "--\n":
            log.states("smokeping", found)
            found = {}
            continue
        word, lost, _ = line.split()
        if lost not in ("U", "UNKN") and float(lost) >= smokeping.PINGS:
            found[NAMES[word]] = "seen"


def watch_messages(log: EventLog, folder: Path, tool: str) -> None:
    """What the notification command of a tool was called with."""
    for at_s, name, sign in new_lines(folder / f"{tool}.messages"):
        is_down = sign in ("1", "PROBLEM")
        if tool == "smokeping" and is_down:
            log.write(tool, "known", [NAMES[name]], float(at_s))
        log.write(tool, "message" if is_down else "end message", [NAMES[name]], float(at_s))


def new_lines(path: Path) -> Iterator[list[str]]:
    path.touch()
    with path.open(encoding="utf-8") as file:
        while True:
            line = file.readline()
            if line.endswith("\n"):
                yield line.split()
            else:
                time.sleep(0.05)


def webhook_events(path: str, body: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    """Tool, what, hosts of one request to the webhook."""
    if path == "/alertmanager":
        what = "message" if body["status"] == "firing" else "end message"
        return "prometheus", what, [alert["labels"]["host"] for alert in body["alerts"]]
    documents = body["incidents"] or [body["incident"]]
    event = {"opened": "message", "digest": "message", "resolved": "end message"}
    what = event.get(body["event"], body["event"])
    states = {document["state"] for document in documents}
    if "down" not in states and what == "message":
        what = "other message"
    return path[1:], what, [document["target"] for document in documents]


def serve(log: EventLog) -> None:
    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            at_s = time.time()
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            tool, what, names = webhook_events(self.path, body)
            log.write(tool, what, names, at_s)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    ThreadingHTTPServer(("127.0.0.1", WEBHOOK_PORT), Answer).serve_forever()


def main() -> None:
    folder = Path(sys.argv[1])
    log = EventLog(folder)
    jobs: list[tuple[Callable[..., None], tuple[object, ...]]] = [
        (poll, (log, "prometheus", prometheus_states)),
        (poll, (log, "icinga", lambda: icinga_states(folder / "icinga"))),
        (watch_smokeping, (log, folder)),
        (watch_messages, (log, folder, "icinga")),
        (watch_messages, (log, folder, "smokeping")),
    ]
    for tool in PANTAU:
        data = folder / tool / "data"
        jobs.append((poll, (log, tool, lambda data=data: pantau_states(data))))
    for target, args in jobs:
        threading.Thread(target=target, args=args, daemon=True).start()
    serve(log)


if __name__ == "__main__":
    main()
