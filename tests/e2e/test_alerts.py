"""From the wire to a webhook: a real daemon on the made-up network tells a real HTTP server."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.simulated_daemon import PANTAU, SimulatedDaemon
from tests.e2e.webhook_server import WebhookServer
from tests.waiting import eventually

LINK = "anjatan/utama"
POP = "pop-karangampel"
SOON = "hold_s = 2\ngroup_s = 10\n"
ALERTS = """
[[channels]]
id = "hook"
type = "webhook"
address = "{url}/pantau"
[[routes]]
steps = [{{ after_min = 0, to = ["channel:hook"] }}]
[rules]
{rules}
{more}
"""


@contextmanager
def on_duty(
    work: Path, rules: str = SOON, more: str = ""
) -> Iterator[tuple[SimulatedDaemon, WebhookServer]]:
    """A daemon that tells one webhook; all up and settled."""
    with SimulatedDaemon(work) as house:
        hook = WebhookServer(house, work / "hook")
        try:
            text = ALERTS.format(url=hook.url, rules=rules, more=more.format(url=hook.url))
            (house.config / "alerts.toml").write_text(text)
            house.start()
            eventually(house.settled, 40)
            yield house, hook
        finally:
            hook.close()


def told(hook: WebhookServer, event: str, targets: list[str]) -> bool:
    return (event, targets) in hook.taken()


@pytest.mark.timeout(240)
def test_a_cut_link_and_a_cut_node_are_notified_once_each_at_start_and_end(
    tmp_path: Path,
) -> None:
    with on_duty(tmp_path) as (house, hook):
        control = house.simulation.control
        links = [k.name for k in house.simulation.network.links() if k.via == (POP,)]
        control.cut(LINK)
        control.pop_down(POP)
        eventually(lambda: told(hook, "opened", [LINK]) and told(hook, "opened", [POP]), 40)
        control.restore()
        eventually(lambda: told(hook, "resolved", [LINK]) and told(hook, "resolved", [POP]), 40)
        eventually(house.all_up, 30)
        expected = [
            ("opened", [LINK]),
            ("opened", [POP]),
            ("resolved", [LINK]),
            ("resolved", [POP]),
        ]
        assert sorted(hook.taken()) == sorted(expected)
        opening = next(r for r in hook.requests() if r.told == ("opened", [POP]))
        assert opening.body is not None
        assert opening.key == opening.body["key"]
        assert opening.body["text"].endswith(f"\n#{opening.body['code']}")
        assert set(opening.body["incident"]["affected"]) == set(links)
        answer = subprocess.run(
            [*PANTAU, "incidents", "--config", str(house.config), "--all", "--json"],
            capture_output=True,
            text=True,
            check=True,
            env=house.environ,
        )
        (kept,) = [i for i in json.loads(answer.stdout)["incidents"] if i["target"] == POP]
        closing = next(r for r in hook.requests() if r.told == ("resolved", [POP]))
        assert closing.body is not None
        assert {name: closing.body["incident"][name] for name in kept} == kept
        assert house.kill(signal.SIGTERM) == 0
        assert "Traceback" not in house.log()


@pytest.mark.full
@pytest.mark.timeout(300)
def test_every_link_down_at_once_with_the_anchors_alive_is_one_list(tmp_path: Path) -> None:
    with on_duty(tmp_path, "hold_s = 15\n") as (house, hook):
        links = sorted(link.name for link in house.simulation.network.links())
        for name in links:
            house.simulation.control.cut(name)
        eventually(hook.taken, 60)
        assert hook.taken() == [("digest", links)]
        house.simulation.control.restore()
        eventually(house.all_up, 40)
        eventually(lambda: len(hook.taken()) > 1, 60)
        assert hook.taken() == [("digest", links), ("resolved", links)]


@pytest.mark.full
@pytest.mark.timeout(600)
def test_a_monitor_without_uplink_stops_its_heartbeat_and_notifies_afterwards(
    tmp_path: Path,
) -> None:
    heart = '[heartbeat]\nurl = "detak"\n'
    with SimulatedDaemon(tmp_path) as house:
        hook = WebhookServer(house, tmp_path / "hook")
        try:
            text = ALERTS.format(url=hook.url, rules=SOON, more=heart)
            (house.config / "alerts.toml").write_text(text)
            house.start(environ={"PANTAU_SECRET_DETAK": f"{hook.url}/beat"})
            eventually(house.settled, 40)
            eventually(lambda: hook.requests("/beat"), 90)
            hook.answers(503)
            cut = house.simulation.control.uplink_cut()
            eventually(lambda: house.states()[LINK] == "unknown", 30)
            # Two beats would be due meanwhile.
            eventually(lambda: len(hook.requests()) >= 5, 200)
            beats = [r.at_s for r in hook.requests("/beat")]
            assert all(at_s < cut.utc_s + 30 for at_s in beats)
            assert all(request.status == 503 for request in hook.requests())
            hook.answers(200)
            house.simulation.control.restore()
            eventually(house.all_up, 40)
            eventually(hook.taken, 200)
            assert hook.taken() == [("resolved", ["monitor"])]
            eventually(lambda: len(hook.requests("/beat")) > len(beats), 90)
        finally:
            hook.close()


@pytest.mark.full
@pytest.mark.timeout(3_600)
def test_a_hundred_restarts_repeat_no_notification(tmp_path: Path) -> None:
    with on_duty(tmp_path) as (house, hook):
        links = [link.name for link in house.simulation.network.links() if link.kind == "fibre"][:5]
        for name in links:
            house.simulation.control.cut(name)
        eventually(lambda: sum(len(targets) for _, targets in hook.taken()) == 5, 60)
        for number in range(100):
            house.kill(signal.SIGKILL if number % 2 else signal.SIGTERM)
            house.start()
            eventually(lambda: house.states()[links[0]] == "down", 30)
        house.simulation.control.restore()
        eventually(house.all_up, 40)
        wanted = Counter({(event, name): 1 for event in ("opened", "resolved") for name in links})

        def by_target() -> Counter[tuple[str, str]]:
            return Counter(
                ("opened" if event == "digest" else event, name)
                for event, targets in hook.taken()
                for name in targets
            )

        eventually(lambda: by_target() == wanted, 60)
