"""Measure the time from a cut to the message beside the hold: lone, busy minute, mass outage.

The aims: a lone cut within hold + 7.5 s, a busy minute within hold + 12 s (p95, from the cut). The
rules are those of a new installation. Nothing is asserted but that every cut arrived.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from monitor.core.alerting.settings import AlertRules
from tests.bench.test_notification_times import line
from tests.e2e.simulated_daemon import SimulatedDaemon
from tests.e2e.test_alerts import alerting_daemon
from tests.e2e.webhook_server import WebhookRequest, WebhookServer
from tests.waiting import eventually

HOLD_S = AlertRules().hold_s
LONE, LONE_APART_S = 20, 8.0
BUSY, BUSY_APART_S = 40, 1.5
LASTS_S = 45.0
EVIDENCE_S = 75.0


def openings(webhook: WebhookServer) -> list[WebhookRequest]:
    return [r for r in webhook.requests() if r.summary[0] in ("opened", "digest")]


def cut(
    simulated: SimulatedDaemon, webhook: WebhookServer, links: Sequence[str], apart_s: float
) -> tuple[list[float], list[float], int]:
    """From each cut to its message, of that to the detection, and the number of messages.

    Everything is back afterwards.
    """
    seen = len(openings(webhook))
    cuts: dict[str, float] = {}
    began_s = time.monotonic()
    for number, link in enumerate(links):
        eventually(lambda: time.monotonic() >= began_s + number * apart_s, 60)  # noqa: B023
        cuts[link] = simulated.simulation.control.cut(link, LASTS_S).utc_s
    arrived: dict[str, float] = {}

    def all_arrived() -> bool:
        for request in openings(webhook)[seen:]:
            for link in request.summary[1]:
                arrived.setdefault(link, request.at_s)
        return cuts.keys() <= arrived.keys()

    eventually(all_arrived, 90)
    messages = len(openings(webhook)) - seen
    eventually(simulated.all_up, 120)
    detected = {
        incident.target: incident.detected_s
        for incident in simulated.incidents()
        if incident.started_s >= min(cuts.values()) - 2.0
    }
    return (
        [arrived[link] - at_s for link, at_s in cuts.items()],
        [detected[link] - at_s for link, at_s in cuts.items()],
        messages,
    )


@pytest.mark.bench
@pytest.mark.timeout(1_800)
def test_from_a_cut_to_its_message_beside_the_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with alerting_daemon(tmp_path, "") as (simulated, webhook):
        # With less than a minute of evidence a link needs 39 lost requests instead of 20.
        began_s = time.monotonic()
        eventually(lambda: time.monotonic() >= began_s + EVIDENCE_S, EVIDENCE_S + 10, 1.0)
        links = [link.name for link in simulated.simulation.network.links()]
        some = (links * 3)[: LONE + BUSY]
        found = {
            "lone": cut(simulated, webhook, some[:LONE], LONE_APART_S),
            "busy minute": cut(simulated, webhook, list(dict.fromkeys(some[LONE:])), BUSY_APART_S),
            "mass outage": cut(simulated, webhook, links[:31], 0.0),
        }
    with capsys.disabled():
        print("\ncut to message less the hold, s:   smallest    p50    p90    p95  largest")
        for name, (took_s, detected_s, messages) in found.items():
            what = f"{name}: {len(took_s)} cuts, {messages} messages"
            print(line(what, [s - HOLD_S for s in took_s]))
            print(line("  of it until detection", detected_s))
    assert all(took_s for took_s, _, _ in found.values())
