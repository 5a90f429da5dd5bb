"""The page of a site in a real browser: date selection, tables, keyboard."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.dashboard.browser import Browser
from tests.dashboard.dashboard_server import DashboardServer
from tests.dashboard.synthetic_history import shipped_network, trouble
from tests.dashboard.test_incidents_browser import AXE, FIND
from tests.waiting import eventually

CHARTS = "return document.querySelectorAll('#charts .js-plotly-plot .main-svg .trace').length"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DashboardServer]:
    running = DashboardServer(
        tmp_path_factory.mktemp("site") / "work", trouble(shipped_network(), time.time())
    )
    running.write_states()
    running.write_hour()
    running.start()
    yield running
    running.close()


@pytest.fixture
def site(served: DashboardServer, browser: Browser) -> Browser:
    """The page of a site that is in trouble, drawn."""
    browser.cdp("Network.clearBrowserCookies")
    browser.forget()
    browser.driver.get(f"{served.url}situs/terisi?range=1h")
    eventually(lambda: browser.run(CHARTS) >= 6, within_s=20)
    return browser


def today(served: DashboardServer) -> date:
    return datetime.fromtimestamp(served.history.now_s, ZoneInfo("Asia/Jakarta")).date()


def press(browser: Browser, *keys: str) -> None:
    """To what has the focus when the key arrives, even if it was drawn anew just before."""
    for key in keys:
        ActionChains(browser.driver).send_keys(key).perform()


def text_of(browser: Browser, selector: str) -> str:
    return str(browser.run(f"return document.querySelector({selector!r}).textContent"))


def test_days_are_selected_by_keyboard_and_kept_in_the_address(
    served: DashboardServer, site: Browser
) -> None:
    first = today(served) - timedelta(days=2)
    site.run("document.querySelector('[name=from]').focus()")
    press(site, first.strftime("%m%d%Y"), Keys.ENTER)
    wanted = f"situs/terisi?from={first}&to={today(served)}"
    eventually(lambda: site.driver.current_url == served.url + wanted)
    eventually(lambda: site.run(CHARTS) >= 6, within_s=20)
    assert f"{first.day}\u00a0" in text_of(site, "#charts h2")
    assert str(first.year) in text_of(site, "#charts h2")
    assert site.run("return document.querySelector('.dates').classList.contains('on')")
    site.driver.refresh()
    value = "return document.querySelector('[name=from]').value"
    eventually(lambda: site.run(value) == str(first))
    assert site.run("return document.querySelectorAll('.rng .on').length") == 0
    assert site.console == []


def test_the_date_field_refuses_future_days(served: DashboardServer, site: Browser) -> None:
    site.run("document.querySelector('[name=to]').focus()")
    press(site, (today(served) + timedelta(days=2)).strftime("%m%d%Y"), Keys.ENTER)
    assert not site.run("return document.querySelector('.dates').checkValidity()")
    assert site.driver.current_url.endswith("?range=1h")


def test_the_table_of_a_chart_opens_by_keyboard_and_stays_open(
    site: Browser,
) -> None:
    site.run("document.querySelector('.beside summary').focus()")
    press(site, Keys.ENTER)
    opened = "return document.querySelector('.beside').open"
    eventually(lambda: site.run(opened))
    rows: Any = site.run("return document.querySelectorAll('.beside[open] tbody tr').length")
    assert 6 <= rows <= 13
    site.run("document.getElementById('theme').click()")  # which leaves the focus where it is
    line = "return document.querySelector('.gridlayer path').style.stroke"
    eventually(lambda: site.run(line) == "rgb(50, 59, 69)", within_s=10)
    eventually(lambda: site.run(opened))
    eventually(lambda: site.run("return document.activeElement.matches('.beside > summary')"))
    press(site, Keys.ENTER)
    eventually(lambda: not site.run(opened))
    site.run("document.getElementById('theme').click()")
    eventually(lambda: site.run(line) == "rgb(211, 217, 222)", within_s=10)
    assert not site.run(opened), "nor is a closed one opened"


def test_the_router_stands_under_its_ports_with_what_is_wrong(site: Browser) -> None:
    found = site.run("return [...document.querySelectorAll('.warns li')].map(e => e.textContent)")
    assert [text.split(":")[0] for text in found] == [
        "Tidak ada di router",
        "Pencacah melompat terlalu cepat",
    ]
    assert "r-terisi" in text_of(site, ".facts")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_with_every_table_open(
    served: DashboardServer, site: Browser, theme: str
) -> None:
    day = today(served)
    site.driver.get(f"{served.url}situs/terisi?from={day}&to={day}&theme={theme}")
    eventually(lambda: site.run(CHARTS) >= 6, within_s=20)
    site.run("for (const each of document.querySelectorAll('details')) each.open = true")
    site.run(AXE.read_text("utf-8"))
    site.driver.set_script_timeout(60)
    assert site.driver.execute_async_script(FIND) == []


def test_touch_targets_are_large_enough_on_a_phone(site: Browser) -> None:
    site.size(390, 844, 2, phone=True)
    try:
        site.driver.refresh()
        eventually(lambda: site.run(CHARTS) >= 6, within_s=20)
        pressed = ".rng a, .dates input, .tools .btn, .beside summary"
        heights = f"return [...document.querySelectorAll('{pressed}')].map(e => e.offsetHeight)"
        assert min(site.run(heights)) >= 44
        assert site.run("return document.documentElement.scrollWidth") <= 390
    finally:
        site.size(1920, 1080)
