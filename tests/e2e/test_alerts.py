"""From an outage to the webhook: a daemon on the simulated network and an HTTP server."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.adapters.ledger.writer import SqlLedger
from monitor.core.alerting.model import EventKind, OutboxRow, Wording
from monitor.core.alerting.outbox import encode_body, row_key
from tests.e2e.simulated_daemon import PANTAU, SimulatedDaemon
from tests.e2e.webhook_server import WebhookServer
from tests.waiting import eventually

LINK = "anjatan/utama"
POP = "pop-karangampel"
SOON = "hold_s = 2\ngroup_s = 10\n"
HEARTBEAT = '[heartbeat]\nurl = "detak"\n'
ALERTS = """
[[channels]]
id = "webhook"
type = "webhook"
address = "{url}/pantau"
[[routes]]
steps = [{{ after_min = 0, to = ["channel:webhook"] }}]
[rules]
{rules}
{more}
"""


@contextmanager
def alerting_daemon(
    work: Path, rules: str = SOON, more: str = ""
) -> Iterator[tuple[SimulatedDaemon, WebhookServer]]:
    """A daemon with one webhook channel, all targets up."""
    with SimulatedDaemon(work) as simulated:
        webhook = WebhookServer(simulated, work / "webhook")
        try:
            text = ALERTS.format(url=webhook.url, rules=rules, more=more.format(url=webhook.url))
            (simulated.config / "alerts.toml").write_text(text)
            simulated.start(environ={"PANTAU_SECRET_DETAK": f"{webhook.url}/beat"})
            eventually(simulated.settled, 40)
            yield simulated, webhook
        finally:
            webhook.close()


def was_notified(webhook: WebhookServer, event: str, targets: list[str]) -> bool:
    return (event, targets) in webhook.accepted()


def leave_a_leased_message(simulated: SimulatedDaemon) -> str:
    """As a daemon does that is killed while it sends; returns the key of the message."""
    body = encode_body(Wording("uji", "uji"), [])
    row = OutboxRow(1, 99, "webhook", "channel:webhook", EventKind.UPDATED, body, time.time())
    ledger = SqlLedger.open(simulated.data / "ledger.db")
    ledger.record([], [row])
    (leased,) = ledger.lease("webhook", time.time(), 60.0, 10)
    ledger.close()
    return row_key(leased.row)


@pytest.mark.timeout(240)
def test_a_cut_link_and_a_cut_node_are_notified_once_each_at_start_and_end(
    tmp_path: Path,
) -> None:
    with alerting_daemon(tmp_path, more=HEARTBEAT) as (simulated, webhook):
        assert webhook.requests("/beat")[0].at_s - simulated.started_s() <= 5.0
        control = simulated.simulation.control
        links = [k.name for k in simulated.simulation.network.links() if k.via == (POP,)]
        control.cut(LINK)
        control.pop_down(POP)
        eventually(
            lambda: (
                was_notified(webhook, "opened", [LINK]) and was_notified(webhook, "opened", [POP])
            ),
            40,
        )
        control.restore()
        eventually(
            lambda: (
                was_notified(webhook, "resolved", [LINK])
                and was_notified(webhook, "resolved", [POP])
            ),
            40,
        )
        eventually(simulated.all_up, 30)
        expected = [
            ("opened", [LINK]),
            ("opened", [POP]),
            ("resolved", [LINK]),
            ("resolved", [POP]),
        ]
        assert sorted(webhook.accepted()) == sorted(expected)
        opening = next(r for r in webhook.requests() if r.summary == ("opened", [POP]))
        assert opening.body is not None
        assert opening.key == opening.body["key"]
        assert opening.body["text"].endswith(f"\n#{opening.body['code']}")
        assert set(opening.body["incident"]["affected"]) == set(links)
        answer = subprocess.run(
            [*PANTAU, "incidents", "--config", str(simulated.config), "--all", "--json"],
            capture_output=True,
            text=True,
            check=True,
            env=simulated.environ,
        )
        (kept,) = [i for i in json.loads(answer.stdout)["incidents"] if i["target"] == POP]
        closing = next(r for r in webhook.requests() if r.summary == ("resolved", [POP]))
        assert closing.body is not None
        assert {name: closing.body["incident"][name] for name in kept} == kept
        assert simulated.kill(signal.SIGTERM) == 0
        key = leave_a_leased_message(simulated)
        simulated.start(environ={"PANTAU_SECRET_DETAK": f"{webhook.url}/beat"})
        eventually(lambda: key in [request.key for request in webhook.requests()], 5)
        assert "Traceback" not in simulated.log()


@pytest.mark.full
@pytest.mark.timeout(300)
def test_every_link_down_at_once_with_the_anchors_alive_is_one_list(tmp_path: Path) -> None:
    with alerting_daemon(tmp_path, "hold_s = 15\n") as (simulated, webhook):
        links = sorted(link.name for link in simulated.simulation.network.links())
        for name in links:
            simulated.simulation.control.cut(name)
        eventually(webhook.accepted, 60)
        assert webhook.accepted() == [("digest", links)]
        simulated.simulation.control.restore()
        eventually(simulated.all_up, 40)
        eventually(lambda: len(webhook.accepted()) > 1, 60)
        assert webhook.accepted() == [("digest", links), ("resolved", links)]


@pytest.mark.full
@pytest.mark.timeout(600)
def test_a_monitor_without_uplink_stops_its_heartbeat_and_notifies_afterwards(
    tmp_path: Path,
) -> None:
    with SimulatedDaemon(tmp_path) as simulated:
        webhook = WebhookServer(simulated, tmp_path / "webhook")
        try:
            text = ALERTS.format(url=webhook.url, rules=SOON, more=HEARTBEAT)
            (simulated.config / "alerts.toml").write_text(text)
            simulated.start(environ={"PANTAU_SECRET_DETAK": f"{webhook.url}/beat"})
            eventually(simulated.settled, 40)
            eventually(lambda: webhook.requests("/beat"), 90)
            webhook.set_status(503)
            cut = simulated.simulation.control.uplink_cut()
            eventually(lambda: simulated.states()[LINK] == "unknown", 30)
            # Two heartbeats would be due meanwhile.
            eventually(lambda: len(webhook.requests()) >= 5, 200)
            beats = [r.at_s for r in webhook.requests("/beat")]
            assert all(at_s < cut.utc_s + 30 for at_s in beats)
            assert all(request.status == 503 for request in webhook.requests())
            webhook.set_status(200)
            simulated.simulation.control.restore()
            eventually(simulated.all_up, 40)
            eventually(webhook.accepted, 200)
            assert webhook.accepted() == [("resolved", ["monitor"])]
            eventually(lambda: len(webhook.requests("/beat")) > len(beats), 90)
        finally:
            webhook.close()


@pytest.mark.full
@pytest.mark.timeout(3_600)
def test_a_hundred_restarts_repeat_no_notification(tmp_path: Path) -> None:
    with alerting_daemon(tmp_path) as (simulated, webhook):
        links = [
            link.name for link in simulated.simulation.network.links() if link.kind == "fibre"
        ][:5]
        for name in links:
            simulated.simulation.control.cut(name)
        eventually(lambda: sum(len(targets) for _, targets in webhook.accepted()) == 5, 60)
        for number in range(100):
            simulated.kill(signal.SIGKILL if number % 2 else signal.SIGTERM)
            simulated.start()
            eventually(lambda: simulated.states()[links[0]] == "down", 30)
        simulated.simulation.control.restore()
        eventually(simulated.all_up, 40)
        wanted = Counter({(event, name): 1 for event in ("opened", "resolved") for name in links})

        def by_target() -> Counter[tuple[str, str]]:
            return Counter(
                ("opened" if event == "digest" else event, name)
                for event, targets in webhook.accepted()
                for name in targets
            )

        eventually(lambda: by_target() == wanted, 60)
