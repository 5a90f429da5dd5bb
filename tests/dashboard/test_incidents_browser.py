"""Wall and incident pages in a real browser: keyboard, sound, search, mass outage, axe."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.core.alerting.model import ActionKind, IncidentAction
from monitor.core.documents import Document
from monitor.core.model import State
from tests.dashboard.alert_history import mass_outage
from tests.dashboard.browser import Browser
from tests.dashboard.dashboard_server import DashboardServer
from tests.dashboard.synthetic_history import PastEvent, SyntheticHistory, shipped_network, trouble
from tests.waiting import eventually

AXE = Path(__file__).parent / "axe" / "axe-4.14.1.min.js"
POLLS = "return performance.getEntriesByName(location.origin + '/api/v1/snapshot').length"
FIND = (
    "const done = arguments[arguments.length - 1];"
    # What has just arrived fades in for 0.3 s: its colours are judged when it has arrived.
    "Promise.allSettled(document.getAnimations().map(each => each.finished))"
    ".then(() => axe.run(document, {resultTypes: ['violations']}))"
    ".then(told => done(told.violations"
    ".filter(each => ['serious', 'critical'].includes(each.impact))"
    ".map(each => each.id + ': ' + "
    "each.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(' | '))))"
)


class IncidentsBrowser:
    """The served page, the daemon behind it, and the browser."""

    def __init__(self, served: DashboardServer, browser: Browser) -> None:
        self.served = served
        self.browser = browser
        self.history = served.history

    def document(self) -> Document:
        """The state document of the advancing history."""
        return self.history.later(time.time() - self.history.now_s).document()

    def open(self, path: str, theme: str = "light") -> None:
        self.browser.cdp("Network.clearBrowserCookies")
        where, mark, rest = path.partition("#")
        joint = "&" if "?" in where else "?"
        self.browser.forget()
        self.browser.driver.get(f"{self.served.url}{where}{joint}theme={theme}{mark}{rest}")
        self.browser.run("localStorage.clear(); window.same = true")

    def text(self, selector: str) -> str:
        script = "const e = document.querySelector(arguments[0]); return e ? e.innerText : ''"
        return str(self.browser.run(script, selector)).replace("\u00a0", " ")

    def texts(self, selector: str) -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)"
        found: list[str] = self.browser.run(script, selector)
        return found

    def press(self, key: str) -> None:
        """One key, as a keyboard gives it."""
        code = "Slash" if key == "/" else key if len(key) > 1 else f"Key{key.upper()}"
        text = "\r" if key == "Enter" else key
        more: dict[str, Any] = {"text": text} if len(text) == 1 else {}
        number = {"Enter": 13, "Escape": 27, "ArrowDown": 40}.get(key, ord(key[0].upper()))
        for kind in ("keyDown", "keyUp"):
            self.browser.cdp(
                "Input.dispatchKeyEvent", type=kind, key=key, code=code,
                windowsVirtualKeyCode=number, **(more if kind == "keyDown" else {}),
            )  # fmt: skip

    def number(self, target: str) -> int:
        return next(
            each.id
            for each in self.history.incidents()
            if each.target == target and each.ended_s is None
        )


def serve(work: Path, history: SyntheticHistory) -> DashboardServer:
    served = DashboardServer(work, history)
    served.write_states()
    served.write_hour()
    return served


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> Iterator[IncidentsBrowser]:
    history = trouble(shipped_network(), time.time())
    browsed = IncidentsBrowser(serve(tmp_path_factory.mktemp("browsed") / "work", history), browser)
    browsed.served.start(browsed.document)
    yield browsed
    browsed.served.close()


@pytest.fixture
def browsed(served: IncidentsBrowser) -> Iterator[IncidentsBrowser]:
    history = served.history
    served.served.write_now()
    yield served
    served.history = history
    served.browser.size(1920, 1080)


def test_the_wall_is_one_screen_with_six_problems_31_chips_and_three_figures(
    browsed: IncidentsBrowser,
) -> None:
    for width, height in ((1920, 1080), (3840, 2160)):
        browsed.browser.size(width, height)
        browsed.open("tv", "dark")
        size = "const e = document.documentElement; return [e.scrollWidth, e.scrollHeight]"
        assert browsed.browser.run(size) == [width, height]
        cards = browsed.texts("#problems > .prob .md b")
        assert len(cards) == 6
        assert cards[:3] == ["PoP Karangampel", "Cikedung", "Losarang"]
        assert browsed.text("#problems-more") == "+2 lagi: Cantigi, Sukra"
        assert len(browsed.texts("#chips > .chip")) == 31
        assert "," in browsed.text("#fig-served")
        assert int(browsed.text("#fig-today")) > 0
        below = browsed.browser.run(
            "return [...document.querySelectorAll('.tv *')].filter(e => !e.closest('svg') && "
            "!e.closest('.voice') && e.getBoundingClientRect().bottom > innerHeight + 1).length"
        )
        assert below == 0, "nothing is cut off"
    assert browsed.browser.console == []


def test_the_owner_of_an_incident_is_on_its_card(browsed: IncidentsBrowser) -> None:
    browsed.open("tv")
    assert browsed.text('.prob[data-key="19"] .tm span') == "✓ Budi S."
    assert "taken" in browsed.browser.run("return document.querySelector('.prob').className")
    assert browsed.text(".prob.new .tm span") == "BARU"


def test_a_mass_outage_is_one_card_on_wall_and_overview(tmp_path: Path, browser: Browser) -> None:
    browsed = IncidentsBrowser(
        serve(tmp_path / "work", mass_outage(shipped_network(), time.time())), browser
    )
    browsed.served.start(browsed.document)
    try:
        browsed.open("tv")
        assert browsed.texts("#problems > .prob .md b") == ["Gangguan massal", "Terisi"]
        assert "14 insiden sekaligus" in browsed.text(".prob .msg")
        browsed.open("")
        assert browsed.texts("#open .inc b")[0] == "Gangguan massal"
        assert browsed.text("#open-count") == "15"
    finally:
        browsed.served.close()


def test_a_mass_outage_is_one_row_that_is_acknowledged_and_snoozed_together(
    tmp_path: Path, browser: Browser
) -> None:
    browsed = IncidentsBrowser(
        serve(tmp_path / "work", mass_outage(shipped_network(), time.time())), browser
    )
    browsed.served.start(browsed.document)
    daemon = browsed.served.daemon
    assert daemon is not None
    try:
        browsed.open("insiden")
        eventually(lambda: browsed.texts("#incidents .row") == ["Gangguan massal", "Terisi"])
        browsed.press("j")
        eventually(lambda: browsed.text("#case-title") == "Gangguan massal")
        assert len(browsed.texts("#members li")) == 14
        assert browsed.browser.driver.current_url.endswith("#mass")
        browsed.browser.run("document.getElementById('who').value = 'Dewi'")
        browsed.press("a")
        eventually(lambda: browsed.text("#said") == "14 insiden tersimpan.")
        acknowledged = {path for path, _ in daemon.told if path.endswith("/acknowledge")}
        assert len(acknowledged) == 14
        assert all(body["who"] == "Dewi" for _, body in daemon.told)
        browsed.press("s")
        eventually(lambda: len(daemon.told) == 28)
        assert daemon.told[-1][1]["for_s"] == 1800
        members = [number for number in range(1, 20) if f"/incidents/{number}/acknowledge"
                   in acknowledged]  # fmt: skip
        now_s = time.time()
        for number in members[:5]:
            taken = IncidentAction(number, ActionKind.ACKNOWLEDGE, "Dewi", now_s, "", now_s + 3600)
            browsed.served.ledger.add_action(taken)
        eventually(
            lambda: "9 belum ditangani" in browsed.text('tbody[data-key="mass"]'), within_s=15
        )
        browsed.browser.run("document.querySelector('#incidents .unf').focus()")
        browsed.press("Enter")
        assert len(browsed.texts("#incidents .row")) == 16
        browsed.press("j")
        eventually(lambda: browsed.text("#case-title").endswith(" putus"))
        assert browsed.browser.run("return document.getElementById('group').hidden")
        browsed.press("k")
        eventually(lambda: browsed.text("#case-title") == "Gangguan massal")
        assert browsed.browser.console == []
    finally:
        browsed.served.close()


def test_sound_is_played_once_per_group_only_when_enabled(
    browsed: IncidentsBrowser,
) -> None:
    browsed.open("tv")
    rings = "return pantau.sound.rings"
    eventually(lambda: browsed.browser.run("return performance.now()") > 1500)
    assert browsed.browser.run(rings) == 0
    browsed.browser.run("document.getElementById('sound').focus()")
    browsed.press("Enter")
    eventually(lambda: browsed.browser.run(rings) == 1, within_s=5)
    assert browsed.browser.run("return document.getElementById('sound').ariaPressed") == "true"
    heard = (
        "const s = JSON.parse(JSON.stringify(pantau.freshness.snapshot()));"
        "for (const id of arguments[0]) s.open.push({id, s: 'down', aff: []});"
        "pantau.sound.heard(s, pantau.freshness.nowS() + arguments[1]); return pantau.sound.rings"
    )
    before = browsed.browser.run(rings)
    assert browsed.browser.run(heard, [901], 5) == before + 1
    assert browsed.browser.run(heard, [901, 902], 7) == before + 1, "within ten seconds: one chime"
    assert browsed.browser.run(heard, [901, 902], 16) == before + 2
    assert browsed.browser.run(heard, [901, 902], 100) == before + 2
    assert browsed.browser.run(heard, [901, 902], 137) == before + 3, "again while untaken"
    browsed.press("m")
    assert "Bisu s.d." in browsed.text("#mute")
    assert browsed.browser.run(heard, [901, 902, 903], 300) == before + 3
    browsed.browser.run("localStorage.clear()")


def test_a_slash_finds_a_site_or_a_link_from_every_page(browsed: IncidentsBrowser) -> None:
    for path in ("", "situs/anjatan?range=1h", "laporan/" + time.strftime("%Y-%m"), "serah-terima"):
        browsed.open(path)
        browsed.press("/")
        eventually(lambda: browsed.browser.run("return document.getElementById('find').open"))
        browsed.browser.run(
            "const b = document.getElementById('find-text'); b.value = 'losa';"
            "b.dispatchEvent(new Event('input'))"
        )
        eventually(
            lambda: browsed.texts("#find-list a") and "Losarang" in browsed.text("#find-list")
        )
        browsed.press("Escape")
        assert not browsed.browser.run("return document.getElementById('find').open")
    browsed.press("/")
    browsed.browser.run(
        "const b = document.getElementById('find-text'); b.value = '10.77.23.2';"
        "b.dispatchEvent(new Event('input'))"
    )
    eventually(lambda: "Anjatan · cadangan" in browsed.text("#find-list"))
    browsed.press("Enter")
    eventually(lambda: browsed.browser.driver.current_url.endswith("/situs/anjatan"))


def test_incidents_are_selected_acknowledged_and_snoozed_by_keyboard(
    browsed: IncidentsBrowser,
) -> None:
    browsed.open("insiden")
    eventually(lambda: len(browsed.texts("#incidents tbody")) == 8)
    browsed.press("j")
    eventually(lambda: browsed.text("#case-title") == "PoP Karangampel putus")
    assert "Listrik PLN di Karangampel padam." in browsed.text("#timeline")
    browsed.press("j")
    browsed.press("j")
    eventually(lambda: browsed.text("#case-title") == "Losarang putus")
    browsed.press("k")
    eventually(lambda: browsed.text("#case-title") == "Cikedung putus")
    browsed.press("a")
    assert "nama Anda" in browsed.text("#said")
    assert browsed.browser.run("return document.activeElement.id") == "who"
    browsed.browser.run(
        "document.getElementById('who').value = 'Dewi'; document.activeElement.blur()"
    )
    daemon = browsed.served.daemon
    assert daemon is not None
    number = browsed.number("cikedung/utama")
    browsed.press("a")
    eventually(lambda: browsed.text("#said") == "Tersimpan.")
    assert daemon.told[-1] == (f"/incidents/{number}/acknowledge", {"who": "Dewi", "why": ""})
    browsed.press("s")
    eventually(lambda: len(daemon.told) >= 2)
    snoozed = {"who": "Dewi", "why": "", "for_s": 1800}
    assert daemon.told[-1] == (f"/incidents/{number}/snooze", snoozed)
    now_s = time.time()
    taken = IncidentAction(number, ActionKind.ACKNOWLEDGE, "Dewi", now_s, "", now_s + 3600)
    browsed.served.ledger.add_action(taken)
    eventually(lambda: "✓ Dewi" in browsed.text(f'tbody[data-key="{number}"]'))
    eventually(lambda: browsed.browser.run("return document.getElementById('take').hidden"))
    assert browsed.browser.run("return window.same") is True


def test_the_list_is_filtered_sorted_and_updated(browsed: IncidentsBrowser) -> None:
    browsed.open("insiden")
    eventually(lambda: len(browsed.texts("#incidents tbody")) == 8)
    browsed.press("/")
    assert browsed.browser.run("return document.activeElement.id") == "filter"
    browsed.browser.run(
        "const f = document.getElementById('filter'); f.value = 'karang';"
        "f.dispatchEvent(new Event('input'))"
    )
    assert len(browsed.texts("#incidents tbody")) == 1
    browsed.press("Escape")
    assert len(browsed.texts("#incidents tbody")) == 8
    browsed.browser.run(
        "const s = document.getElementById('sort'); s.value = 'age';"
        "s.dispatchEvent(new Event('change'))"
    )
    assert browsed.texts("#incidents .row")[0] == "Cikedung"
    assert "sort=age" in browsed.browser.driver.current_url
    history = browsed.history
    browsed.history = history.later(
        time.time() - history.now_s, PastEvent("anjatan/utama", State.DOWN, 1.0)
    )
    fresh = [each for each in browsed.history.incidents() if each.target == "anjatan/utama"]
    ended = len(history.incidents())
    assert fresh[0].id == ended + 1
    browsed.served.ledger.record(browsed.history.decisions()[-1:])
    eventually(lambda: browsed.texts("#incidents .row")[0] == "Anjatan", within_s=8)
    assert browsed.browser.run("return document.querySelectorAll('thead').length") == 1


def test_the_wall_reloads_at_night(browsed: IncidentsBrowser) -> None:
    browsed.open("tv")
    script = (
        "const s = pantau.freshness.snapshot(), now = pantau.freshness.nowS();"
        "const at = pantau.words.local(now);"
        "const four = now + ((24 - at.hour) + 4) * 3600;"
        "pantau.page.draw(s, four, {level: arguments[0]})"
    )
    browsed.browser.run(script, "stale")
    eventually(lambda: browsed.browser.run("return performance.now()") > 1500)
    assert browsed.browser.run("return window.same === true"), "not while data is old"
    browsed.browser.run(script, "fresh")
    eventually(lambda: browsed.browser.run("return window.same !== true"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["", "tv", "insiden{open}", "insiden?view=history", "laporan/{month}", "serah-terima",
             "situs/terisi?range=1h", "i/{number}", "situs/bandung"],
)  # fmt: skip
def test_axe_finds_no_serious_violation(browsed: IncidentsBrowser, path: str, theme: str) -> None:
    number = browsed.number("losarang/utama")
    where = path.replace("{open}", f"#{number}").replace("{number}", str(number))
    browsed.open(where.replace("{month}", time.strftime("%Y-%m")), theme)
    if path.startswith("situs/terisi"):
        drawn = "return document.querySelectorAll('.js-plotly-plot .main-svg .trace').length"
        eventually(lambda: browsed.browser.run(drawn) >= 6, within_s=20)
    if path.startswith("insiden{"):
        eventually(lambda: browsed.text("#case-title") != "")
    browsed.browser.run(AXE.read_text("utf-8"))
    browsed.browser.driver.set_script_timeout(60)
    assert browsed.browser.driver.execute_async_script(FIND) == []


def test_axe_finds_a_planted_violation(browsed: IncidentsBrowser) -> None:
    browsed.open("serah-terima")
    browsed.browser.run("document.querySelector('main').append(new Image(20, 20))")
    browsed.browser.run(AXE.read_text("utf-8"))
    found = browsed.browser.driver.execute_async_script(FIND)
    assert [each.split(":")[0] for each in found] == ["image-alt"]


def test_a_phone_shows_each_page_without_scrolling_sideways(browsed: IncidentsBrowser) -> None:
    browsed.browser.size(390, 844, 2, phone=True)
    month = time.strftime("%Y-%m")
    number = browsed.number("losarang/utama")
    for path in (f"insiden#{number}", "tv", "serah-terima", f"laporan/{month}", f"i/{number}"):
        browsed.open(path)
        assert browsed.browser.run("return document.documentElement.scrollWidth") <= 390, path


def test_no_page_sends_a_request_to_another_host(browsed: IncidentsBrowser) -> None:
    month = time.strftime("%Y-%m")
    for path in ("tv", "insiden", f"laporan/{month}", "serah-terima"):
        browsed.open(path)
        eventually(lambda: browsed.browser.run(POLLS) >= 2)
        hosts = {request["url"].split("/")[2] for request in browsed.browser.requests()}
        assert hosts == {f"127.0.0.1:{browsed.served.port}"}
        assert browsed.browser.console == []
