"""Measure the time from the cut of a link to the arrival at a webhook.

The aim of ALERTS is p95 ≤ hold + 10 s, with the hold of 15 s; nothing is asserted but that every
cut and every return arrived. `verdict`: time of detection.
"""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.e2e.test_alerts import alerting_daemon
from tests.e2e.webhook_server import WebhookRequest, WebhookServer
from tests.waiting import eventually

CUTS = 50
AT_ONCE = 10
APART_S = 0.7
HOLD_S = 15.0
RULES = f"hold_s = {HOLD_S:g}\ngroup_count = 1000\n"


def of(webhook: WebhookServer, event: str, link: str, since_s: float) -> WebhookRequest | None:
    """The first one after that."""
    found = (r for r in webhook.requests() if r.summary == (event, [link]) and r.at_s > since_s)
    return next(found, None)


def line(what: str, figures_s: list[float]) -> str:
    ordered = sorted(figures_s)
    at = [ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.9, 0.95)]
    return (
        f"  {what:34} {ordered[0]:6.2f} {at[0]:6.2f} {at[1]:6.2f} {at[2]:6.2f} {ordered[-1]:6.2f}"
    )


@pytest.mark.bench
@pytest.mark.timeout(3_600)
def test_from_a_cut_to_the_arrival_at_a_webhook(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened_s: list[float] = []
    resolved_s: list[float] = []
    verdict_s: list[float] = []
    with alerting_daemon(tmp_path, RULES) as (simulated, webhook):
        control = simulated.simulation.control
        links = [link.name for link in simulated.simulation.network.links()]
        links = [links[number % len(links)] for number in range(CUTS)]
        for start in range(0, len(links), AT_ONCE):
            some = links[start : start + AT_ONCE]
            cuts = {}
            for number, name in enumerate(some):
                began_s = time.time()
                eventually(lambda: time.time() >= began_s + APART_S * (number > 0), 5)  # noqa: B023
                cuts[name] = control.cut(name).utc_s
            eventually(lambda: all(of(webhook, "opened", n, s) for n, s in cuts.items()), 90)  # noqa: B023
            backs = {name: control.restore(name).utc_s for name in some}
            eventually(
                lambda: all(of(webhook, "resolved", n, s) for n, s in cuts.items()),  # noqa: B023
                90,
            )
            for name in some:
                opening = of(webhook, "opened", name, cuts[name])
                closing = of(webhook, "resolved", name, cuts[name])
                assert opening is not None
                assert opening.body is not None
                assert closing is not None
                detected = datetime.fromisoformat(opening.body["incident"]["detected"])
                opened_s.append(opening.at_s - cuts[name])
                resolved_s.append(closing.at_s - backs[name])
                verdict_s.append(detected.timestamp() - cuts[name])
    with capsys.disabled():
        print(
            f"\n{len(opened_s)} cuts, seconds:              smallest    p50    p90    p95  largest"
        )
        print(line("cut to verdict", verdict_s))
        print(line("cut to the webhook (opened)", opened_s))
        print(line(f"the same, less the hold of {HOLD_S:g} s", [s - HOLD_S for s in opened_s]))
        print(line("answer to the webhook (resolved)", resolved_s))
    assert len(opened_s) == len(links)
