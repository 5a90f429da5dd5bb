"""The overview in a real browser, on a real server and stores."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard.i18n import Lang, Words, read_catalogue
from monitor.core.documents import Document, rfc3339
from monitor.core.model import State
from monitor.core.warning import MonitorWarning
from tests.dashboard.browser import Browser
from tests.dashboard.dashboard_server import DashboardServer
from tests.dashboard.synthetic_history import PastEvent, SyntheticHistory, shipped_network, trouble
from tests.waiting import eventually

NASTY = "<img src=x onerror=window.hit=1>$\\href{javascript:1}{x}$ \"'"
SHIFT = """
const now = performance.now.bind(performance);
performance.now = () => now() + arguments[0] * 1000;
"""


@dataclass
class DaemonState:
    """The state document of the advancing history; tests may change it."""

    history: SyntheticHistory
    late_s: float = 0.0
    warnings: list[str] = field(default_factory=list)
    remarks: list[MonitorWarning] | None = None

    def document(self) -> Document:
        now_s = time.time()
        told = self.history.later(now_s - self.history.now_s).document()
        monitor: Any = told["monitor"]
        last_round = rfc3339(now_s - self.late_s)
        more: Any = {"last_round": last_round, "warnings": self.warnings}
        if self.remarks is not None:
            more |= {"remarks": [remark.document() for remark in self.remarks]}
        return told | {"monitor": monitor | more}


@dataclass
class OverviewBrowser:
    """The served page and its browser."""

    served: DashboardServer
    browser: Browser
    life: DaemonState

    def open(self, path: str = "") -> None:
        """Load the page and mark the document."""
        self.browser.cdp("Network.clearBrowserCookies")
        self.browser.forget()
        self.browser.driver.get(self.served.url + path)
        self.browser.run("window.same = true")

    def tile(self, site: str) -> str:
        """Its classes."""
        return str(
            self.browser.run(f"return document.querySelector('[data-id={site}].tile').className")
        )

    def text(self, selector: str) -> str:
        """What is to be read there."""
        script = "const e = document.querySelector(arguments[0]); return e ? e.innerText : ''"
        return str(self.browser.run(script, selector)).replace("\u00a0", " ")

    def banner(self) -> str:
        """What the banner says, '' when there is none."""
        return self.text("#banner:not([hidden])")

    def same(self) -> bool:
        """Not loaded anew since `open`."""
        return bool(self.browser.run("return window.same === true"))


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[DashboardServer, DaemonState]]:
    history = trouble(shipped_network(), time.time())
    life = DaemonState(history)
    running = DashboardServer(
        tmp_path_factory.mktemp("served") / "work", history, {"arahan": NASTY}
    )
    running.write_states()
    running.write_hour()
    running.start(life.document)
    yield running, life
    running.close()


@pytest.fixture
def page(
    served: tuple[DashboardServer, DaemonState], browser: Browser
) -> Iterator[OverviewBrowser]:
    running, life = served
    history = life.history
    running.write_now()
    yield OverviewBrowser(running, browser, life)
    life.history, life.late_s, life.warnings, life.remarks = history, 0.0, [], None


def test_all_31_tiles_show_their_state_and_every_request_goes_to_the_server(
    page: OverviewBrowser,
) -> None:
    page.open()
    assert page.browser.run("return document.querySelectorAll('#tiles > .tile').length") == 31
    expected = {
        "anjatan": "up", "cikedung": "down", "losarang": "down", "juntinyuat": "unreachable",
        "gantar": "degraded", "terisi": "degraded", "cantigi": "maintenance", "sukra": "unknown",
    }  # fmt: skip
    assert {site: page.tile(site).split()[1] for site in expected} == expected
    assert "new" in page.tile("cikedung").split()
    assert "new" not in page.tile("losarang").split()
    assert [int(page.text(f"[data-count={state}] b")) for state in ("down", "up")] == [2, 19]
    assert "Tidak menjawab" in page.text("#open")
    assert page.text("#open .inc b") == "PoP Karangampel"
    polls = "return performance.getEntriesByName(location.origin + '/api/v1/snapshot').length"
    eventually(lambda: page.browser.run(polls) >= 2)
    hosts = {request["url"].split("/")[2] for request in page.browser.requests()}
    assert hosts == {f"127.0.0.1:{page.served.port}"}
    assert page.browser.console == []


def test_states_differ_by_shape_and_text_as_well_as_colour(page: OverviewBrowser) -> None:
    page.open()
    shapes = page.browser.run(
        "return [...document.querySelectorAll('#tiles > .tile')].map(tile => [tile.classList[1],"
        "tile.querySelector('use').getAttribute('href'), tile.getAttribute('aria-label')])"
    )
    words = read_catalogue()[Lang.ID]
    for state, shape, label in shapes:
        assert shape == f"#i-{state}"
        assert words[f"state.{state}"] in label
    patterns = page.browser.run(
        "return ['juntinyuat','sukra','losarang'].map(id => getComputedStyle("
        "document.querySelector(`path.m[data-id=${id}]`)).fill)"
    )
    assert "#hatch" in patterns[0]
    assert "#dots" in patterns[1]
    assert patterns[2].startswith("rgb")


def test_an_outage_appears_and_ends_without_a_reload(page: OverviewBrowser) -> None:
    page.open()
    assert "up" in page.tile("anjatan").split()
    now_s = time.time()
    links = ("anjatan/utama", "anjatan/cadangan")
    cut = [PastEvent(link, State.DOWN, now_s - page.life.history.now_s - 0.5) for link in links]
    before = page.life.history
    moved = tuple(PastEvent(each.target, each.state, 0.5) for each in cut)
    page.life.history = before.later(now_s - before.now_s, *moved)
    eventually(lambda: page.tile("anjatan").split()[1:] == ["down", "new"], within_s=5)
    assert page.text("#urgent") == "Anjatan: Putus"
    assert page.browser.driver.title.startswith("3 Putus")
    assert "Anjatan" in page.text("#open")
    page.life.history = before
    eventually(lambda: page.tile("anjatan").split()[1] == "up", within_s=5)
    assert page.text("#polite") == "Anjatan: Normal"
    assert page.same()


def test_stale_data_is_never_shown_as_up(page: OverviewBrowser) -> None:
    page.open()
    level = "return document.getElementById('fresh').className"
    eventually(lambda: page.browser.run(level) == "fresh fresh")
    assert page.banner() == ""
    page.life.late_s = 20
    eventually(lambda: page.browser.run(level) == "fresh amber", within_s=5)
    assert page.banner() == "", "amber, not yet a banner"
    page.life.late_s = 250
    eventually(lambda: "Pemantau berhenti" in page.banner(), within_s=5)
    assert "(4 mnt)" in page.banner()
    assert "TIDAK TERKINI" in page.browser.driver.title
    assert "grayscale" in page.browser.run(
        "return getComputedStyle(document.querySelector('main')).filter"
    )
    page.life.late_s = 0
    eventually(lambda: page.banner() == "", within_s=5)
    assert page.browser.run(level) == "fresh fresh"
    assert page.same()


def test_the_page_of_a_stopped_daemon_shows_when_it_was_last_alive(page: OverviewBrowser) -> None:
    page.open()
    page.served.ledger.record_alive(time.time() - 29)
    page.served.stop_daemon()
    try:
        eventually(lambda: "Pemantau berhenti" in page.banner(), within_s=40)
    finally:
        page.served.start_daemon(page.life.document)
    eventually(lambda: page.banner() == "", within_s=10)
    assert page.same()


def test_missing_samples_are_reported_and_states_stay_valid(page: OverviewBrowser) -> None:
    page.open()
    banner, greyed = page.browser.run(
        "pantau.freshness.snapshot().samples -= 300; pantau.draw();"
        "return [document.getElementById('banner').innerText, document.body.className]"
    )
    assert "Basis data sampel tidak bertambah" in banner
    assert "Status tetap terkini" in banner
    assert greyed == "", "the states are true"
    eventually(lambda: page.banner() == "", within_s=12)


def test_a_site_has_its_charts_its_links_and_its_troubles(page: OverviewBrowser) -> None:
    page.open("situs/terisi?range=1h")
    drawn = "return document.querySelectorAll('.js-plotly-plot .main-svg .trace').length"
    eventually(lambda: page.browser.run(drawn) >= 6, within_s=20)
    assert page.text("#kpi-status b").strip() == "Terganggu"
    assert "cadangan" in page.text("#links")
    assert "Hilang paket 8,3 % (ambang 5 %)" in page.text("#charts > :last-child .tb")
    assert page.browser.run("return document.querySelectorAll('.modebar').length") == 0
    assert page.browser.run("return Plotly.version").startswith("4.")
    hosts = {request["url"].split("/")[2] for request in page.browser.requests()}
    assert hosts == {f"127.0.0.1:{page.served.port}"}
    assert page.browser.console == []


def test_a_page_recovers_after_a_restart_of_the_server(page: OverviewBrowser) -> None:
    page.open("situs/losarang?range=1h")
    plots = "return document.querySelectorAll('.js-plotly-plot').length"
    eventually(lambda: page.browser.run(plots) >= 2, within_s=20)
    page.served.stop_web()
    page.browser.run(SHIFT, 20)
    level = "return document.getElementById('fresh').className"
    eventually(lambda: page.browser.run(level) == "fresh amber", within_s=5)
    page.browser.run(SHIFT, 20)
    eventually(lambda: "peramban" in page.banner(), within_s=8)
    page.served.start_web()
    eventually(lambda: page.banner() == "", within_s=10)
    assert page.text("#kpi-status b").strip() == "Putus"
    page.browser.run("document.getElementById('theme').click()")
    line = "return document.querySelector('.gridlayer path').style.stroke"
    eventually(lambda: page.browser.run(line) == "rgb(50, 59, 69)", within_s=10)
    assert page.same()


def test_a_name_with_markup_is_escaped(page: OverviewBrowser) -> None:
    for path in ("", "situs/arahan?range=1h"):
        page.open(path)
        eventually(
            lambda: (
                NASTY.split("$", maxsplit=1)[0]
                in page.browser.run("return document.body.innerText")
            )
        )
        assert page.browser.run("return window.hit") is None
        assert page.browser.run("return document.querySelectorAll('img').length") == 0


def test_warnings_of_the_monitor_are_escaped(page: OverviewBrowser) -> None:
    page.life.warnings = ["journal: <b>penuh</b>"]
    page.open()
    eventually(lambda: "journal: <b>penuh</b>" in page.text("#notes"), within_s=5)


def test_the_delay_of_influxdb_is_shown_in_the_language_of_the_page(page: OverviewBrowser) -> None:
    page.life.remarks = [
        MonitorWarning("InfluxDB: no answer", "influx_silent", {"behind_s": 190, "count": 12_345}),
        MonitorWarning("80 %", "quota", {"full_share": 0.8}),
        MonitorWarning("<b>of a newer daemon</b>", "unheard_of", {"count": 1}),
    ]
    page.open()
    wanted = (
        "InfluxDB: tertinggal 3 mnt (server tidak menjawab); 12.345 sampel menunggu di sini",
        "80 % dari max_mb terisi sampel",
        "<b>of a newer daemon</b>",
    )
    eventually(lambda: all(words in page.text("#notes") for words in wanted), within_s=5)
    page.open("?lang=en")
    english = "InfluxDB: 3 min behind (the server does not answer); 12,345 samples wait here"
    eventually(lambda: english in page.text("#notes"), within_s=5)


def test_every_function_works_by_keyboard(page: OverviewBrowser) -> None:
    page.open()
    order = page.browser.run(
        "return [...document.querySelectorAll('a, button')].filter(e => e.tabIndex >= 0)"
        ".map(e => e.className.split(' ')[0] || e.id)"
    )
    assert order.count("tile") == 31
    assert order[0] == "skip"
    page.browser.run("document.querySelector('[data-id=losarang].tile').focus()")
    page.browser.cdp(
        "Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9
    )
    outline = page.browser.run("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_reduced_motion_disables_animations(page: OverviewBrowser) -> None:
    moves = "return getComputedStyle(document.querySelector('.tile.new')).animationName"
    now_s = time.time()
    links = ("anjatan/utama", "anjatan/cadangan")
    just_now = (PastEvent(link, State.DOWN, 0.5) for link in links)  # new is what is so for 2 min
    page.life.history = page.life.history.later(now_s - page.life.history.now_s, *just_now)
    page.open()
    assert page.browser.run(moves) == "arrive"
    still = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    page.browser.cdp("Emulation.setEmulatedMedia", features=still)
    assert page.browser.run(moves) == "none"
    page.browser.cdp("Emulation.setEmulatedMedia", features=[])


def test_the_other_language_and_the_other_theme_are_one_click_away(page: OverviewBrowser) -> None:
    page.open()
    page.browser.run("document.querySelector('[data-lang=en]').click()")
    eventually(lambda: page.text("#open-count") and "Needs attention" in page.text(".al h2"))
    assert page.browser.run("return document.documentElement.lang") == "en"
    dark = "return document.documentElement.dataset.theme"
    page.browser.run("document.getElementById('theme').click()")
    assert page.browser.run(dark) in ("dark", "light")
    chosen = page.browser.run(dark)
    page.browser.driver.get(page.served.url)
    assert page.browser.run(dark) == chosen
    assert "Needs attention" in page.text(".al h2")


@pytest.mark.parametrize("lang", list(Lang))
def test_scripts_and_server_format_numbers_and_times_alike(
    page: OverviewBrowser, lang: Lang
) -> None:
    page.open(f"?lang={lang}")
    words = Words(lang, read_catalogue()[lang], ZoneInfo("Asia/Jakarta"))
    now_s = 1_795_492_320.0
    asked: list[tuple[str, list[float], str]] = []
    for value in (0, 0.44, 0.05, 3.14, 9.94, 9.95, 9.96, 10.49, 10.5, 99.71, 1234.5, 1_000_000):
        asked.append(("number", [value, 1], words.number(value, 1)))
        asked.append(("number", [value], words.number(value)))
        asked.append(("percent", [value], words.percent(value)))
        asked.append(("rtt", [value], words.rtt(value)))
    for seconds in (-1, 0, 59.9, 60, 3599, 3600, 3660, 86_399, 86_400, 90_000, 700_000):
        asked.append(("duration", [seconds], words.duration(seconds)))
    for step in range(0, 400 * 86_400, 1_234_567):
        asked.append(("clock", [now_s - step], words.clock(now_s - step)))
        asked.append(("moment", [now_s - step], words.moment(now_s - step)))
    script = "return arguments[0].map(([name, values]) => pantau.words[name](...values))"
    found = page.browser.run(script, [[name, values] for name, values, _ in asked])
    assert found == [expected for _, _, expected in asked]


def test_the_map_has_names_that_do_not_touch(page: OverviewBrowser) -> None:
    page.open()
    boxes = page.browser.run(
        "return [...document.querySelectorAll('.ml:not(.gone)')].map(e => {"
        "const b = e.getBoundingClientRect();"
        "return [e.textContent, b.left, b.top, b.right, b.bottom]})"
    )
    assert len(boxes) >= 28
    touching = [
        (one[0], other[0])
        for place, one in enumerate(boxes)
        for other in boxes[place + 1 :]
        if one[1] < other[3] - 2 and other[1] < one[3] - 2
        and one[2] < other[4] - 5 and other[2] < one[4] - 5
    ]  # fmt: skip
    assert touching == []


def test_a_phone_has_everything_in_one_column(page: OverviewBrowser) -> None:
    page.browser.size(390, 844, 2, phone=True)
    try:
        page.open()
        assert page.browser.run("return document.documentElement.scrollWidth") <= 390
        assert page.browser.run("return document.getElementById('tiles').clientWidth") > 340
        heights = "return [...document.querySelectorAll('#tiles > .tile')].map(e => e.offsetHeight)"
        assert min(page.browser.run(heights)) >= 44, "a finger's size"
        page.open("situs/terisi?range=1h")
        assert page.browser.run("return document.documentElement.scrollWidth") <= 390
    finally:
        page.browser.size(1920, 1080)


def test_the_pages_keep_within_their_budgets(page: OverviewBrowser) -> None:
    """LOOK: kB cold and warm, elements. Bytes and counts only: time is measured, not asserted."""
    page.browser.cdp("Network.clearBrowserCache")
    page.open()
    polls = "return performance.getEntriesByName(location.origin + '/api/v1/snapshot').length"
    eventually(lambda: page.browser.run(polls) >= 1)
    cold = page.browser.transferred()
    page.open()
    eventually(lambda: page.browser.run(polls) >= 1)
    warm = page.browser.transferred()
    elements = page.browser.run("return document.querySelectorAll('*').length")
    page.browser.cdp("Network.clearBrowserCache")
    page.open("situs/terisi?range=1h")
    drawn = "return document.querySelectorAll('.js-plotly-plot .main-svg .trace').length"
    eventually(lambda: page.browser.run(drawn) >= 6, within_s=20)
    site = page.browser.transferred()
    told = json.dumps({"cold": cold, "warm": warm, "elements": elements, "site": site})
    assert cold <= 350_000, told
    assert warm <= 40_000, told
    assert elements <= 1_200, told
    assert site <= 850_000, told


def test_the_desk_screen_is_filled_and_does_not_scroll(page: OverviewBrowser) -> None:
    page.open()
    assert page.browser.run("return document.documentElement.scrollHeight") == 1080
    assert page.browser.run("return document.documentElement.scrollWidth") == 1920


def test_the_pictures_that_are_kept_are_small() -> None:
    pictures = list((Path(__file__).parent / "shots").glob("*.png"))
    assert len(pictures) >= 5
    assert max(path.stat().st_size for path in pictures) < 150_000
    assert sum(path.stat().st_size for path in pictures) < 1_000_000
