"""Measure every size and time budget of the pages in headless Chromium.

    pytest -m bench -s tests/bench/test_pages.py

Five minutes: two hundred refreshes are two hundred seconds. Asserted: bytes, elements and hosts,
that every browser was answered, and that the banner came and went; times are printed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from monitor.adapters.system.passwords import Argon2Passwords
from monitor.adapters.system.users_file import UsersFile
from monitor.core.access import User, UserRole
from monitor.core.documents import Document, rfc3339
from tests.bench.page_clients import CLIENTS, LASTS_S, PASSWORD, load
from tests.dashboard.browser import Browser, chromium
from tests.dashboard.dashboard_server import DashboardServer
from tests.dashboard.synthetic_history import SyntheticHistory, shipped_network, trouble
from tests.waiting import eventually

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

COLD_RUNS = 5
REFRESHES = 200
DRAWN = """
const begun = () => performance.now();
const look = () => {
  let drawn = false;
  try { drawn = (%s) && document.fonts.status === "loaded"; } catch (error) {}
  if (drawn) requestAnimationFrame(() => { window.drawnMs = begun(); });
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
OVERVIEW = "document.querySelectorAll('#tiles > .tile .ln[d]').length >= 31"
CHARTS = "document.querySelectorAll('.js-plotly-plot .main-svg .trace').length >= 6"
COUNT = """
window.same = true;
window.refreshes = 0;
const draw = pantau.overview.draw;
let last = null;
pantau.overview.draw = (snapshot, ...rest) => {
  if (snapshot !== last) { last = snapshot; window.refreshes += 1; }
  return draw(snapshot, ...rest);
};
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; met None: there is no budget, the figure is for comparison."""

    what: str
    budget: str
    measured: str
    met: bool | None = None


class Table:
    """The measurements so far."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add_limited(
        self, what: str, value: float, budget: float, unit: str, digits: int = 0
    ) -> None:
        """A figure that may be so large at most."""
        shown = f"{value:,.{digits}f} {unit}".strip()
        self.rows.append(Row(what, f"≤ {budget:g} {unit}".strip(), shown, value <= budget))

    def note(self, what: str, measured: str) -> None:
        """A figure without a budget."""
        self.rows.append(Row(what, "", measured))

    def __str__(self) -> str:
        words = {True: "yes", False: "NO", None: ""}
        lines = [("what", "budget", "measured", "met")]
        lines += [(row.what, row.budget, row.measured, words[row.met]) for row in self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(4)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )


class Daemon:
    """Tells the history as it goes on; every snapshot is another one, as with a real daemon."""

    def __init__(self, history: SyntheticHistory) -> None:
        self._story = history

    def document(self) -> Document:
        told = self._story.later(time.time() - self._story.now_s).document()
        monitor: Any = told["monitor"]
        return told | {"monitor": monitor | {"last_round": rfc3339(float(int(time.time())))}}


@dataclass
class MeasuredPages:
    """The served pages, the daemon behind them, and the browser."""

    served: DashboardServer
    daemon: Daemon
    browser: Browser
    hosts: set[str]

    def open(self, path: str, drawn: str, cold: bool) -> tuple[int, float]:
        """Bytes over the wire, and the seconds until it was drawn. cold: with an empty cache."""
        browser = self.browser
        browser.driver.get("about:blank")
        browser.cdp("Network.clearBrowserCookies")
        if cold:
            browser.cdp("Network.clearBrowserCache")
        browser.forget()
        script = browser.cdp("Page.addScriptToEvaluateOnNewDocument", source=DRAWN % drawn)
        browser.driver.get(self.served.url + path)
        eventually(lambda: browser.run("return window.drawnMs > 0"), within_s=30)
        browser.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])
        polls = "return performance.getEntriesByName(location.origin + '/api/v1/snapshot').length"
        eventually(lambda: browser.run(polls) >= 1, within_s=10)
        self.record_hosts()
        return browser.transferred(), browser.run("return window.drawnMs") / 1000

    def record_hosts(self) -> None:
        """Record the hosts that the pages requested."""
        self.hosts |= {request["url"].split("/")[2] for request in self.browser.requests()}

    def metrics(self) -> dict[str, float]:
        """Heap of the browser after garbage collection."""
        self.browser.cdp("HeapProfiler.collectGarbage")
        told = self.browser.cdp("Performance.getMetrics")["metrics"]
        return {each["name"]: each["value"] for each in told}

    def size(self, path: str, packed: bool = True) -> int:
        """Bytes of one answer's body."""
        headers = {"Accept-Encoding": "br"} if packed else {}
        connection = HTTPConnection("127.0.0.1", self.served.port, timeout=10)
        try:
            connection.request("GET", f"/{path}", headers=headers)
            return len(connection.getresponse().read())
        finally:
            connection.close()


@pytest.fixture
def measured(tmp_path: Path) -> Iterator[MeasuredPages]:
    history = trouble(shipped_network(), time.time())
    served = DashboardServer(tmp_path / "work", history)
    daemon = Daemon(history)
    served.write_states()
    served.write_day()
    served.start(daemon.document)
    with chromium(tmp_path / "profile") as browser:
        browser.size(1920, 1080)
        browser.cdp("Performance.enable")
        yield MeasuredPages(served, daemon, browser, set())
    served.close()


def _pages(measured: MeasuredPages, table: Table) -> None:
    cold = [measured.open("", OVERVIEW, cold=True) for _ in range(COLD_RUNS)]
    warm = measured.open("", OVERVIEW, cold=False)
    table.add_limited("overview, cold", max(size for size, _ in cold) / 1000, 350, "kB")
    table.add_limited("overview, warm", warm[0] / 1000, 40, "kB")
    table.add_limited(
        "overview, drawn (median of 5)", median(took for _, took in cold), 1.5, "s", 2
    )
    elements = measured.browser.run("return document.querySelectorAll('*').length")
    table.add_limited("overview, elements", elements, 1200, "")
    table.add_limited("snapshot (brotli)", measured.size("api/v1/snapshot") / 1000, 6, "kB", 1)
    site = [measured.open("situs/terisi?range=24h", CHARTS, cold=True) for _ in range(COLD_RUNS)]
    table.add_limited("site page, cold", max(size for size, _ in site) / 1000, 850, "kB")
    table.add_limited(
        "site page, drawn (median of 5)", median(took for _, took in site), 2.5, "s", 2
    )
    alerts = [each.id for each in measured.served.history.incidents() if each.ended_s is None]
    largest = max(measured.size(f"i/{number}", packed=False) for number in alerts)
    table.add_limited("alert page (the largest, not compressed)", largest / 1000, 15, "kB", 1)
    month = time.strftime("%Y-%m")
    for path in ("tv", "insiden", f"laporan/{month}", "serah-terima", f"i/{alerts[0]}", "masuk"):
        measured.browser.forget()
        measured.browser.driver.get(measured.served.url + path)
        eventually(lambda: measured.browser.run("return document.readyState") == "complete")
        measured.record_hosts()


def _refreshes(measured: MeasuredPages, table: Table) -> None:
    measured.open("", OVERVIEW, cold=False)
    measured.browser.run(COUNT)
    count = "return window.refreshes"
    # What the first refreshes keep for good is no growth.
    eventually(lambda: measured.browser.run(count) >= 10, within_s=60)
    before, first = measured.metrics(), measured.browser.run(count)
    wrote_s = 0.0

    def enough() -> bool:
        nonlocal wrote_s
        if time.monotonic() - wrote_s > 10:
            measured.served.write_now()
            wrote_s = time.monotonic()
        return bool(measured.browser.run(count) >= first + REFRESHES)

    eventually(enough, within_s=REFRESHES * 2, every_s=1.0)
    after, last = measured.metrics(), measured.browser.run(count)
    measured.record_hosts()
    done = last - first
    script_ms = (after["ScriptDuration"] - before["ScriptDuration"]) * 1000 / done
    task_ms = (after["TaskDuration"] - before["TaskDuration"]) * 1000 / done
    grown_mb = (after["JSHeapUsedSize"] - before["JSHeapUsedSize"]) / 1e6
    table.add_limited("script a refresh (mean of 200, Dash's included)", script_ms, 15, "ms", 1)
    table.note("… with layout and painting", f"{task_ms:.1f} ms")
    table.add_limited("heap grown in 200 refreshes", grown_mb, 1, "MB", 2)
    table.add_limited("nodes grown in 200 refreshes", after["Nodes"] - before["Nodes"], 50, "")
    assert measured.browser.run("return window.same === true")


def _outage(measured: MeasuredPages, table: Table) -> None:
    banner = "return document.getElementById('banner').hidden ? '' : 'there'"
    assert measured.browser.run(banner) == ""
    measured.served.ledger.record_alive(time.time())
    measured.served.stop_daemon()
    gone_s = time.monotonic()
    eventually(lambda: measured.browser.run(banner) == "there", within_s=60)
    told_s = time.monotonic() - gone_s
    measured.served.start_daemon(measured.daemon.document)
    back_s = time.monotonic()
    eventually(lambda: measured.browser.run(banner) == "", within_s=60)
    table.add_limited("daemon gone: the banner, after", told_s, 35, "s", 1)
    table.add_limited("daemon back: no banner, after", time.monotonic() - back_s, 10, "s", 1)
    assert measured.browser.run("return window.same === true"), "without a reload"
    measured.record_hosts()


async def test_every_budget_of_the_pages(measured: MeasuredPages) -> None:
    table = Table()
    _pages(measured, table)
    _refreshes(measured, table)
    _outage(measured, table)
    measured.browser.driver.get("about:blank")
    kept = Argon2Passwords().hash(PASSWORD)
    UsersFile(measured.served.data).change(
        lambda users: users.with_user(User("siti", UserRole.VIEWER, kept))
    )
    done = await load(measured.served)
    table.add_limited(f"snapshot, p95 with {CLIENTS} browsers", done.ms(0.95), 100, "ms", 1)
    table.note("… p50, p99, worst", f"{done.ms(0.5):.1f}, {done.ms(0.99):.1f}, {done.ms(1):.1f} ms")
    table.note("… share of a core, memory", f"{done.cpu_share:.0%}, {done.rss_mb:.0f} MB")
    outside = measured.hosts - {f"127.0.0.1:{measured.served.port}"}
    table.add_limited("requests that leave the host", len(outside), 0, "")
    print(f"\n{table}")
    assert outside == set()
    assert len(done.took_ms) == CLIENTS * LASTS_S
    assert set(done.told) <= {200, 304}
    sizes = [row for row in table.rows if row.budget.endswith("kB") or "elements" in row.what]
    assert [row for row in sizes if not row.met] == [], json.dumps([row.what for row in sizes])
