"""Commands of operators on a running daemon, and what is recorded and shown."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor.core.model import Incident
from tests.api.raw_http import raw_get
from tests.e2e.simulated_daemon import PANTAU, SimulatedDaemon
from tests.waiting import eventually

LINK = "anjatan/utama"
OTHER = "bongas/utama"
SOON = """
[[channels]]
id = "berkas"
type = "command"
command = [{python}, "-c", {program}]
daily_test = true
[[people]]
id = "petugas-1"
channels = ["berkas"]
[[rota]]
name = "jaga"
people = ["petugas-1"]
start = 2025-11-24T07:30:00
[rules]
hold_s = 2
"""


class Operator:
    """Runs `pantau` commands as an operator."""

    def __init__(self, simulated: SimulatedDaemon, arrived: Path) -> None:
        self.simulated = simulated
        self._arrived = arrived

    def run(self, *words: str) -> str:
        """Output of a command, which must succeed."""
        return subprocess.run(
            [*PANTAU, words[0], "--config", str(self.simulated.config), *words[1:]],
            capture_output=True,
            text=True,
            check=True,
            env=self.simulated.environ | {"PANTAU_WHO": "petugas-1"},
        ).stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))

    def overlays(self, target: str) -> list[str]:
        """The overlays of a target in `pantau status --json`."""
        for site in self.json("status")["sites"]:
            for link in site["links"]:
                if link["target"] == target:
                    return [str(name) for name in link["overlays"]]
        raise AssertionError(f"no link {target}")

    def opened(self, target: str) -> Incident:
        """Wait for the open incident of a target."""

        def find() -> list[Incident]:
            every = self.simulated.incidents()
            return [i for i in every if i.target == target and i.ended_s is None]

        return eventually(find, 20)[0]

    def messages(self) -> list[dict[str, Any]]:
        """Messages that arrived at the channel, in order."""
        if not self._arrived.exists():
            return []
        return [json.loads(line) for line in self._arrived.read_text().splitlines()]


@pytest.fixture(scope="module")
def duty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    work = tmp_path_factory.mktemp("d")
    arrived = work / "arrived.jsonl"
    program = (
        "import json, sys; "
        f"open({str(arrived)!r}, 'a').write(json.dumps(json.load(sys.stdin)) + chr(10))"
    )
    with SimulatedDaemon(work) as simulated:
        alerts = SOON.format(python=json.dumps(sys.executable), program=json.dumps(program))
        (simulated.config / "alerts.toml").write_text(alerts)
        simulated.start()
        eventually(simulated.settled, 40)
        yield Operator(simulated, arrived)


@pytest.fixture(autouse=True)
def restored(duty: Operator) -> Iterator[None]:
    yield
    duty.simulated.simulation.control.restore()
    eventually(duty.simulated.all_up, 30)


def test_actions_on_an_outage_are_recorded_in_its_incident(duty: Operator) -> None:
    duty.simulated.simulation.control.cut(LINK)
    number = str(duty.opened(LINK).id)
    duty.run("ack", number, "--until", "2h", "--why", "penyedia dihubungi")
    eventually(lambda: duty.overlays(LINK) == ["acknowledged"], 10)
    duty.run("note", number, "14.32 teknisi berangkat")
    duty.run("ticket", number, "INC-4711")
    (listed,) = duty.json("handover")["open"]
    assert listed["handling"]["acknowledged_by"] == "petugas-1"
    duty.simulated.simulation.control.restore(LINK)
    eventually(lambda: duty.simulated.states()[LINK] == "up", 20)
    eventually(lambda: duty.overlays(LINK) == [], 10)
    case = duty.json("incidents", number)
    assert case["incident"]["ended"] is not None
    assert [action["kind"] for action in case["actions"]] == ["acknowledge", "note", "ticket"]
    assert case["handling"]["ticket"] == "INC-4711"
    shown = duty.run("incidents", number)
    assert "teknisi berangkat" in shown
    assert "INC-4711" in shown


def test_actions_survive_a_kill(duty: Operator) -> None:
    duty.simulated.simulation.control.cut(LINK)
    number = str(duty.opened(LINK).id)
    duty.run("ack", number)
    duty.run("maintenance", "add", OTHER, "--to", "1h", "--why", "ganti radio")
    duty.simulated.kill(signal.SIGKILL)
    duty.simulated.start()
    eventually(lambda: duty.overlays(LINK) == ["acknowledged"], 30)
    assert duty.overlays(OTHER) == ["maintenance"]
    (window,) = duty.json("maintenance", "list")["maintenance"]
    duty.run("maintenance", "end", str(window["id"]))
    eventually(lambda: duty.overlays(OTHER) == [], 10)


async def test_metrics_are_in_prometheus_format(duty: Operator) -> None:
    status, _, body = await raw_get(duty.simulated.data / "pantau.sock", "/metrics")
    assert status == 200
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }
    targets = duty.simulated.simulation.network.targets()
    assert samples["pantau_targets", "up"] == len(targets)
    assert samples["pantau_requests_total", "received"] >= len(targets)
    assert samples["pantau_last_round_age_seconds",] < 5
    assert samples["pantau_outbox_messages", "berkas", "dead"] == 0


def test_systemd_is_notified_of_ready_watchdog_and_stopping(duty: Operator) -> None:
    simulated = duty.simulated
    simulated.kill(signal.SIGTERM)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(simulated.work / "notify"))
        systemd.settimeout(20)
        simulated.start(
            environ={"NOTIFY_SOCKET": str(simulated.work / "notify"), "WATCHDOG_USEC": "3000000"}
        )
        heard = [systemd.recv(200) for _ in range(3)]
        assert simulated.kill(signal.SIGTERM) == 0
        systemd.settimeout(5)
        while heard[-1] != b"STOPPING=1":
            heard.append(systemd.recv(200))
    assert heard[0] == b"READY=1"
    assert set(heard[1:-1]) == {b"WATCHDOG=1"}
    simulated.start()


def test_maintenance_suppresses_notifications_and_an_unplanned_cut_does_not(
    duty: Operator,
) -> None:
    duty.run("maintenance", "add", OTHER, "--to", "1h", "--why", "ganti radio")
    eventually(lambda: duty.overlays(OTHER) == ["maintenance"], 10)
    duty.simulated.simulation.control.cut(OTHER)
    duty.simulated.simulation.control.cut(LINK)
    planned, cut = duty.opened(OTHER).id, duty.opened(LINK).id

    def events(number: int) -> list[str]:
        every = [m for m in duty.messages() if m["incident"] and m["incident"]["id"] == number]
        return [str(message["event"]) for message in every]

    eventually(lambda: events(cut) == ["opened"], 20)
    assert events(planned) == []
    reasons = {n["reason"] for n in duty.json("incidents", str(planned))["notices"]}
    assert "maintenance" in reasons
    assert "TIDAK diberitahukan (sedang pemeliharaan)" in duty.run("incidents", str(planned))


def test_a_test_message_is_delivered_with_its_code(duty: Operator) -> None:
    output = duty.run("alert-test", "berkas")
    assert "terkirim" in output
    (message,) = [each for each in duty.messages() if each["event"] == "test"]
    assert message["key"][:8] in output
    assert message["key"][:8] in message["text"]
