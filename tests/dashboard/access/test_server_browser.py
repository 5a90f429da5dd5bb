"""Sign-in and configuration reload on a real server."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from monitor.adapters.system.key_file import SESSION_KEY
from monitor.adapters.system.users_file import USERS_FILE, UsersFile
from monitor.core.access import User, UserRole
from monitor.settings import load, settings_snapshot
from monitor.settings.paths import LOADED_CONFIG_FILE
from tests.dashboard.access.nginx_proxy import nginx
from tests.dashboard.access.protected_app import PASSWORD
from tests.dashboard.browser import Browser
from tests.dashboard.dashboard_server import PANTAU, TOP, DashboardServer
from tests.dashboard.synthetic_history import quiet, shipped_network
from tests.dashboard.test_incidents_browser import AXE, FIND
from tests.waiting import eventually


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DashboardServer]:
    work = tmp_path_factory.mktemp("gate") / "work"
    running = DashboardServer(work, quiet(shipped_network(), time.time()))
    monitor = running.config / "monitor.toml"
    text = monitor.read_text("utf-8").replace('prefix = "/" ', 'prefix = "/pantau/" ')
    monitor.write_text(text, "utf-8")
    running.write_states()
    running.start()
    yield running
    running.close()


def get(served: DashboardServer, path: str = "", **headers: str) -> tuple[int, str]:
    """Of a page under the prefix, over a connection of its own."""
    connection = HTTPConnection("127.0.0.1", served.port, timeout=20)
    try:
        connection.request("GET", f"/pantau/{path}", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


class BackgroundRequests:
    """Sends requests continuously over keep-alive connections."""

    def __init__(self, served: DashboardServer) -> None:
        self.answers: list[int | str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(served.port,))

    def __enter__(self) -> BackgroundRequests:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self, port: int) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        while not self._stop.wait(0.01):
            try:
                connection.request("GET", "/pantau/api/v1/snapshot")
                answer = connection.getresponse()
                answer.read()
                self.answers.append(answer.status)
            except ConnectionError:
                # An idle connection may be closed by a server that ends: browsers ask again.
                connection.close()
                self.answers.append("again")
            except (HTTPException, OSError) as error:
                connection.close()
                self.answers.append(repr(error))
        connection.close()


def rename(served: DashboardServer, site: str, name: str) -> None:
    path = served.config / "sites" / f"{site}.toml"
    text = re.sub(
        r'^name = ".*?"', f"name = {json.dumps(name)}", path.read_text("utf-8"), count=1, flags=re.M
    )
    path.write_text(text, "utf-8")


def daemon_took_it(served: DashboardServer) -> None:
    """What the daemon leaves behind when it has taken a configuration."""
    settings = load(served.config, {"PANTAU_SECRET_ROUTER_RO": "public"}).settings
    assert settings is not None
    (served.data / LOADED_CONFIG_FILE).write_text(json.dumps(settings_snapshot(settings)), "utf-8")


def test_the_page_follows_the_configuration_without_delay(
    served: DashboardServer,
) -> None:
    assert "Anjatan" in get(served)[1]
    rename(served, "anjatan", "Anjatan Baru")
    assert "Anjatan Baru" not in get(served)[1]
    with BackgroundRequests(served) as asking:
        daemon_took_it(served)
        eventually(lambda: "Anjatan Baru" in get(served)[1], within_s=20)
    assert set(asking.answers) == {200}
    assert "followed" in served.log.read_text()


def test_a_new_site_gets_its_page(served: DashboardServer) -> None:
    old = served.config / "sites" / "anjatan.toml"
    text = old.read_text("utf-8").replace('id = "anjatan"', 'id = "anjatan-dua"', 1)
    assert get(served, "situs/anjatan-dua")[0] == 404
    old.unlink()
    (served.config / "sites" / "anjatan-dua.toml").write_text(text, "utf-8")
    daemon_took_it(served)
    eventually(lambda: get(served, "situs/anjatan-dua")[0] == 200, within_s=20)
    assert get(served, "situs/anjatan")[0] == 404


def test_an_invalid_configuration_does_not_change_the_page(
    served: DashboardServer,
) -> None:
    monitor = served.config / "monitor.toml"
    good = monitor.read_text("utf-8")
    monitor.write_text(good.replace("[ping]", "[pingg]"), "utf-8")
    (served.data / LOADED_CONFIG_FILE).write_text("{}", "utf-8")
    eventually(
        lambda: get(served)[0] == 200 and "going on with the conf" in served.log.read_text(),
        within_s=20,
    )
    monitor.write_text(good, "utf-8")
    assert get(served)[0] == 200


def test_sighup_reads_the_configuration_anew_without_losing_a_request(
    served: DashboardServer,
) -> None:
    assert served.web is not None
    rename(served, "bongas", "Bongas Baru")
    with BackgroundRequests(served) as asking:
        served.web.send_signal(signal.SIGHUP)
        eventually(lambda: "Bongas Baru" in get(served)[1], within_s=20)
    assert set(asking.answers) == {200}
    assert served.web.poll() is None


def test_sighup_with_an_invalid_configuration_changes_nothing(served: DashboardServer) -> None:
    assert served.web is not None
    monitor = served.config / "monitor.toml"
    good, before = monitor.read_text("utf-8"), served.log.read_text().count("going on with")
    monitor.write_text(good.replace("[ping]", "[pingg]"), "utf-8")
    served.web.send_signal(signal.SIGHUP)
    eventually(lambda: served.log.read_text().count("going on with") > before, within_s=20)
    assert get(served)[0] == 200
    monitor.write_text(good, "utf-8")


def test_a_missing_proxy_secret_is_one_error_at_the_start(
    served: DashboardServer,
) -> None:
    monitor = served.config / "monitor.toml"
    good = monitor.read_text("utf-8")
    text = '\n[dashboard.proxy]\npeers = "127.0.0.1"\nsecret = "proksi"\n'
    monitor.write_text(good + text, "utf-8")
    told = subprocess.run(
        [*PANTAU, "dashboard", "--config", str(served.config)],
        capture_output=True, text=True, timeout=30, cwd=TOP, check=False,
    )  # fmt: skip
    monitor.write_text(good, "utf-8")
    assert told.returncode == 1
    assert len(told.stderr.splitlines()) == 1
    assert "the secret proksi is missing" in told.stderr


def test_sign_in_and_sign_out_in_a_browser_behind_nginx_under_a_prefix(
    served: DashboardServer, browser: Browser, tmp_path: Path
) -> None:
    driver = browser.driver

    def path() -> str:
        return str(browser.run("return location.pathname + location.search"))

    def fill(name: str, password: str) -> None:
        browser.run(
            "document.querySelector('[name=nama]').value = arguments[0];"
            "document.querySelector('[name=sandi]').value = arguments[1];"
            "document.querySelector('form').requestSubmit();",
            name, password,
        )  # fmt: skip

    with nginx(tmp_path / "nginx", served.port, "/pantau/") as proxy:
        browser.cdp("Security.setIgnoreCertificateErrors", ignore=True)
        site = f"https://127.0.0.1:{proxy.port}/pantau/"
        browser.cdp("Network.clearBrowserCookies")
        browser.forget()
        driver.get(site)
        eventually(lambda: browser.run("return document.querySelectorAll('.tile.up').length > 25"))
        addresses = [request["url"] for request in browser.requests()]
        assert addresses
        assert [each for each in addresses if not each.startswith(site)] == []
        assert browser.console == []

        added = subprocess.run(
            [*PANTAU, "user", "--config", str(served.config), "add", "siti", "--role", "operate"],
            input=f"{PASSWORD}\n", text=True, capture_output=True, cwd=TOP, check=True, timeout=30,
        )  # fmt: skip
        assert "ditambahkan" in added.stdout
        # The open page notices by itself, and becomes the sign-in.
        eventually(lambda: browser.run("return !!document.querySelector('[name=sandi]')"), 20)

        driver.get(f"{site}situs/losarang?range=6h")
        fill("siti", "bukan kata sandinya")
        eventually(lambda: "Nama atau kata sandi salah." in driver.page_source)
        fill("siti", PASSWORD)
        eventually(lambda: path() == "/pantau/situs/losarang?range=6h")
        eventually(lambda: browser.run("return document.querySelectorAll('#charts h2').length"))
        assert browser.run("return document.getElementById('who').textContent") == "siti"
        assert browser.run("return document.cookie").count("pantau_masuk") == 0

        # A link on another site leads here: the browser holds the cookie back, and is asked again.
        elsewhere = f"https://localhost:{proxy.port}/pantau/masuk"
        driver.get(elsewhere)
        browser.run(
            "const a = document.createElement('a'); a.href = arguments[0];"
            "document.body.append(a); a.click()",
            f"{site}situs/losarang",
        )
        eventually(lambda: path() == "/pantau/situs/losarang")
        eventually(lambda: browser.run("return !!document.getElementById('who')"))

        driver.get(f"{site}masuk")
        browser.run("document.querySelector('form').requestSubmit()")
        eventually(lambda: browser.run("return !!document.querySelector('[name=sandi]')"))
        driver.get(site)
        assert "Kata sandi" in driver.page_source
    assert (served.data / SESSION_KEY).stat().st_mode & 0o777 == 0o600
    assert (served.data / USERS_FILE).exists()
    assert "siti" not in served.log.read_text()


def test_a_session_survives_a_restart_of_the_dashboard(served: DashboardServer) -> None:
    connection = HTTPConnection("127.0.0.1", served.port, timeout=20)
    host = f"127.0.0.1:{served.port}"
    form = f"nama=siti&sandi={PASSWORD.replace(' ', '+')}&ke="
    headers = {"Origin": f"http://{host}", "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/pantau/masuk", form, headers)
    answer = connection.getresponse()
    cookie = answer.headers["Set-Cookie"].split(";")[0]
    connection.close()
    assert answer.status == 303
    served.stop_web()
    served.start_web()
    assert get(served, Cookie=cookie)[0] == 200
    assert get(served)[0] == 401


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_sign_in(
    served: DashboardServer, browser: Browser, theme: str
) -> None:
    users = UsersFile(served.data)
    users.change(lambda known: known.with_user(User("adi", UserRole.VIEWER)))
    browser.cdp("Network.clearBrowserCookies")
    for path in ("masuk", "situs/losarang"):
        browser.driver.get(f"http://127.0.0.1:{served.port}/pantau/{path}?theme={theme}")
        eventually(lambda: browser.run("return !!document.querySelector('[name=sandi]')"))
        browser.run(AXE.read_text("utf-8"))
        browser.driver.set_script_timeout(60)
        assert browser.driver.execute_async_script(FIND) == []
