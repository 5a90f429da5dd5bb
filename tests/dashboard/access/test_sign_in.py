"""Sign-in, sessions, roles, origins and alert links."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.app.gate.attempts import MOST_KEYS, Attempts
from dashboard.app.gate.sessions import COOKIE, DEVICE_COOKIE, IDLE_S, LONGEST_S, WALL_COOKIE
from monitor.adapters.system.sign_outs_file import SIGN_OUTS_FILE, SignOutsFile
from monitor.core.access import User, UserRole
from monitor.core.signing import link_code, sign_text
from tests.dashboard.access.protected_app import (
    KEY,
    LEDGER,
    LINK_KEY,
    ORIGIN,
    PASSWORD,
    ProtectedApp,
    app_with_users,
    app_without_users,
)
from tests.waiting import eventually

EVERYTHING = (
    "/", "/tv", "/situs/anjatan", "/insiden", "/laporan", "/laporan/2026-11", "/serah-terima",
    "/insiden.csv", "/laporan/2026-11.csv", "/i/1", "/api/v1/snapshot", "/api/v1/incidents",
    "/api/v1/incidents/1", "/api/v1/places", "/assets/pantau.css", "/assets/plotly.js",
    "/assets/inter-latin-wght-normal.woff2", "/_dash-layout", "/_dash-dependencies",
    "/_dash-component-suites/dash/dcc/async-graph.js", "/_reload-hash", "/_favicon.ico",
    "/nothing/of/the/kind", "/x//masuk", "/masuk/", "/keluar/x", "/masuk%00", "/MASUK",
    "/_dash-component-suites/plotly/package_data/plotly.min.js", "/robots.txt",
)  # fmt: skip
ACT = "/api/v1/incidents/1/note"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> ProtectedApp:
    return app_with_users(tmp_path_factory.mktemp("app"))


@pytest.fixture
def app(built: ProtectedApp) -> ProtectedApp:
    return built.fresh()


def act(client: FlaskClient, **more: Any) -> TestResponse:
    headers = {"Origin": ORIGIN} | more.pop("headers", {})
    return client.post(ACT, json={"text": "sudah ditelepon", "who": "x"}, headers=headers, **more)


@pytest.mark.parametrize("path", EVERYTHING)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"])
def test_every_request_without_a_session_is_refused(
    app: ProtectedApp, path: str, method: str
) -> None:
    answer = app.client().open(path, method=method, headers={"Origin": ORIGIN})
    assert answer.status_code in (308, 401), answer.text[:200]
    assert "Anjatan" not in answer.text
    if answer.status_code == 308:
        assert answer.headers["Location"] == "http://localhost/masuk"


def test_a_lost_file_of_users_closes_the_page(app: ProtectedApp) -> None:
    assert app.client().get("/").status_code == 401
    app.users.path.unlink()
    for path in ("/", "/tv", "/insiden", "/masuk", "/i/1"):
        answer = app.client().get(path)
        assert answer.status_code == 503, path
        assert "Daftar pengguna atau kuncinya tidak dapat dibaca" in answer.text


def test_every_route_requires_sign_in(app: ProtectedApp) -> None:
    """All routes of the URL map, including future ones."""
    rules = {str(rule) for rule in app.server.url_map.iter_rules()}
    assert len(rules) > 15
    for rule in rules - {"/masuk", "/keluar"}:
        path = re.sub(r"<[^>]*>", "1", rule)
        for method in ("GET", "POST"):
            answer = app.client().open(path, method=method, headers={"Origin": ORIGIN})
            assert answer.status_code == 401, (method, path)


def test_browsers_get_a_form_and_programs_a_line(app: ProtectedApp) -> None:
    page = app.client().get("/situs/anjatan?range=6h")
    assert '<input type="hidden" name="ke" value="situs/anjatan?range=6h">' in page.text
    assert "<script" not in page.text
    assert re.findall(r'(?:src|href)="([^"]*)"', page.text) == ["data:,", "/masuk?lang=en"]
    line = app.client().get("/api/v1/snapshot")
    assert line.text == "Silakan masuk dulu.\n"
    assert line.headers["Cache-Control"] == "no-store"
    english = app.client().get("/?lang=en").text
    assert "Password" in english


def test_sign_in_redirects_to_the_requested_page(app: ProtectedApp) -> None:
    client = app.client()
    answer = app.sign_in(client, ke="situs/anjatan?range=6h")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/situs/anjatan?range=6h"
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for word in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"):
        assert word in cookie
    assert "Secure" not in cookie
    assert client.get("/situs/anjatan").status_code == 200
    assert client.get("/assets/pantau.css").status_code == 200
    assert client.get("/api/v1/snapshot").status_code == 200


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example", "/evil.example", "https://evil.example", "\\\\evil.example", "x" * 501,
        "javascript:alert(1)", "a//b", "a\r\nSet-Cookie: x=y", "%0d%0aX: y\n", "@evil.example",
    ],
)  # fmt: skip
def test_sign_in_never_redirects_to_another_host(app: ProtectedApp, back: str) -> None:
    answer = app.sign_in(app.client(), ke=back)
    assert answer.status_code == 303
    assert answer.headers["Location"] in ("/", "/%0d%0aX: y") or back.startswith("%0d")
    assert answer.headers["Location"].startswith("/")
    assert not answer.headers["Location"].startswith("//")


def test_an_unknown_name_and_a_wrong_password_get_the_same_response(
    app: ProtectedApp,
) -> None:
    wrong = app.sign_in(app.client(), "siti", "salah sekali")
    unknown = app.sign_in(app.client(), "tidak-ada", "salah sekali")
    none = app.sign_in(app.client(), "", "")
    assert [each.status_code for each in (wrong, unknown, none)] == [401, 401, 401]
    assert wrong.text.replace("siti", "?") == unknown.text.replace("tidak-ada", "?")
    assert [kept is None for kept, _ in app.passwords.asked] == [False, True, True]
    assert "Set-Cookie" not in wrong.headers


def test_a_name_in_the_form_is_escaped(app: ProtectedApp) -> None:
    text = app.sign_in(app.client(), '"><script>alert(1)</script>', "x").text
    assert "<script" not in text


def test_a_user_without_a_password_cannot_give_one(app: ProtectedApp) -> None:
    app.users.change(lambda users: users.with_user(User("proksi", UserRole.ADMIN)))
    for password in ("", "None", "null"):
        assert app.sign_in(app.client(), "proksi", password).status_code == 401


def fail(app: ProtectedApp, name: str, address: str, client: FlaskClient | None = None) -> int:
    """The status of a sign-in with a wrong password."""
    base = {"REMOTE_ADDR": address}
    return app.sign_in(client or app.client(), name, "salah", environ_base=base).status_code


def test_after_five_failures_each_next_attempt_waits_twice_as_long(app: ProtectedApp) -> None:
    for _ in range(5):
        assert fail(app, "siti", "10.1.2.3") == 401
    for wait_s in (5, 10, 20, 40, 80, 160, 320, 640, 900, 900):
        asked = len(app.passwords.asked)
        answer = app.sign_in(app.client(), environ_base={"REMOTE_ADDR": "10.1.2.3"})
        assert (answer.status_code, int(answer.headers["Retry-After"])) == (429, wait_s + 1)
        assert len(app.passwords.asked) == asked, "no work is done for who must wait"
        app.made.wait(wait_s)
        assert fail(app, "siti", "10.1.2.3") == 401
    assert app.sign_in(app.client(), environ_base={"REMOTE_ADDR": "10.1.2.4"}).status_code == 303
    app.made.wait(3601)
    assert app.sign_in(app.client(), environ_base={"REMOTE_ADDR": "10.1.2.3"}).status_code == 303


def test_the_waiting_time_is_said_in_seconds_or_minutes(app: ProtectedApp) -> None:
    for _ in range(5):
        fail(app, "siti", "10.1.2.3")
    answer = app.sign_in(app.client(), environ_base={"REMOTE_ADDR": "10.1.2.3"})
    assert "Coba lagi dalam 5\N{NO-BREAK SPACE}dtk." in answer.text


def test_a_stranger_cannot_lock_a_user_out(app: ProtectedApp) -> None:
    """From a browser in which she has signed in before, and from one that is new."""
    known = app.client()
    assert app.sign_in(known, "siti").status_code == 303
    known.post("/keluar", headers={"Origin": ORIGIN})
    for number in range(60):
        fail(app, "siti", f"10.1.{number}.3")
        fail(app, "siti", "127.0.0.1")
    new = {"REMOTE_ADDR": "10.2.0.1"}
    assert app.sign_in(app.client(), "siti", environ_base=new).status_code == 303
    assert app.sign_in(app.client(), "siti").status_code == 429, "where the stranger is"
    assert app.sign_in(known, "siti").status_code == 303, "but not in her own browser"


def test_a_name_under_attack_leaves_each_new_address_one_attempt(app: ProtectedApp) -> None:
    for number in range(30):
        assert fail(app, "siti", f"10.1.{number}.3") == 401
    assert fail(app, "siti", "10.2.0.1") == 401
    assert fail(app, "siti", "10.2.0.1") == 429
    assert fail(app, "adi", "10.2.0.1") == 401
    app.made.wait(61)
    assert fail(app, "siti", "10.2.0.1") == 401


def test_the_cookie_of_a_known_browser_is_of_one_user_and_does_not_end_the_counting(
    app: ProtectedApp,
) -> None:
    known = app.signed_in("adi")
    for _ in range(5):
        assert fail(app, "siti", "10.1.2.3", known) == 401
    assert fail(app, "siti", "10.1.2.3", known) == 429
    for _ in range(10):
        assert fail(app, "adi", "10.1.2.3", known) == 401
    assert fail(app, "adi", "10.1.2.3", known) == 429
    forged = app.client()
    forged.set_cookie(DEVICE_COOKIE, sign_text(b"o" * 32, "device", "siti|0011223344556677"))
    assert fail(app, "siti", "10.1.2.3", forged) == 429


def test_an_account_of_ones_own_does_not_reset_the_counting_of_an_address(
    app: ProtectedApp,
) -> None:
    for number in range(20):
        assert fail(app, f"nama-{number}", "10.1.2.3") == 401
        if number % 4 == 3:
            base = {"REMOTE_ADDR": "10.1.2.3"}
            assert app.sign_in(app.client(), "adi", environ_base=base).status_code in (303, 429)
    assert fail(app, "siti", "10.1.2.3") == 429


def test_a_flood_of_names_and_addresses_does_not_flush_the_counting(app: ProtectedApp) -> None:
    attempts = Attempts(lambda: 100.0)
    while attempts.begin("10.1.2.3", "siti") == 0:
        pass
    for number in range(3 * MOST_KEYS):
        attempts.begin(f"2001:db8:{number // 65536:x}:{number % 65536:x}::/64", f"n{number}")
    assert attempts.begin("10.1.2.3", "siti") > 0


def test_no_more_than_six_passwords_are_checked_at_once(
    app: ProtectedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify, may_end, began = app.passwords.verify, threading.Event(), threading.Semaphore(0)

    def slow(password_hash: str | None, password: str) -> bool:
        began.release()
        may_end.wait(10)
        return verify(password_hash, password)

    monkeypatch.setattr(app.passwords, "verify", slow)
    with ThreadPoolExecutor(6) as threads:
        results = [threads.submit(fail, app, "siti", f"10.4.0.{number}") for number in range(6)]
        for _ in range(6):
            assert began.acquire(timeout=10)
        assert fail(app, "siti", "10.4.0.9") == 429
        may_end.set()
        assert {each.result() for each in results} == {401}


def test_viewers_may_not_act_and_operators_may(app: ProtectedApp) -> None:
    looks = act(app.signed_in("adi"))
    assert (looks.status_code, app.actions.told) == (403, [])
    assert looks.text == "Peran Anda tidak mengizinkan ini; mintalah kepada administrator.\n"
    assert act(app.signed_in("siti")).status_code == 200
    assert act(app.signed_in("rina")).status_code == 200
    assert [body["who"] for _, body in app.actions.told] == ["siti", "rina"]


def test_viewers_may_load_charts(app: ProtectedApp) -> None:
    body: dict[str, object] = {
        "output": "charts.children",
        "outputs": {"id": "charts", "property": "children"},
        "inputs": [{"id": "ask", "property": "data", "value": {"site": "anjatan", "range": "1h"}}],
        "changedPropIds": ["ask.data"],
    }
    answer = app.signed_in("adi").post(
        "/_dash-update-component", json=body, headers={"Origin": ORIGIN}
    )
    assert answer.status_code in (200, 204)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": ""},
        {"Origin": "http://["}, {"Origin": "localhost"},
        {"Origin": "http://localhost:8051"}, {"Origin": "http://localhost.evil.example"},
        {"Origin": "ftp://localhost"}, {"Origin": "http://localhost:99999"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
    ],
)  # fmt: skip
def test_requests_of_another_origin_are_refused(app: ProtectedApp, headers: dict[str, str]) -> None:
    client = app.signed_in("siti")
    for path in (ACT, "/i/1", "/masuk", "/keluar", "/_dash-update-component"):
        answer = client.post(path, json={}, headers=headers)
        assert answer.status_code == 403, path
    assert client.post(ACT, json={"text": "x"}).status_code == 403, "no Origin at all"
    assert app.actions.told == []
    assert client.get("/").status_code == 200, "and is not signed out by it"


def test_the_own_origin_is_accepted_on_any_port(app: ProtectedApp) -> None:
    for origin, host in (
        ("http://pantau.example", "pantau.example"),
        ("https://pantau.example", "pantau.example"),
        ("https://pantau.example", "pantau.example:443"),
        ("http://10.1.1.1:8080", "10.1.1.1:8080"),
        ("http://[fd00::1]:8080", "[fd00::1]:8080"),
    ):
        answer = app.sign_in(
            app.client(), headers={"Origin": origin, "Host": host}, base_url=f"http://{host}"
        )
        assert answer.status_code == 303, origin


def test_signing_out_ends_the_session_also_for_a_copy_of_the_cookie(app: ProtectedApp) -> None:
    client = app.signed_in()
    copy = client.get_cookie(COOKIE)
    assert copy is not None
    answer = client.post("/keluar", headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/masuk")
    assert client.get("/").status_code == 401
    other = app.client()
    other.set_cookie(COOKIE, copy.value)
    assert other.get("/").status_code == 401


def test_a_signed_out_session_stays_ended_when_the_page_restarts(tmp_path: Path) -> None:
    app = app_with_users(tmp_path)
    client = app.signed_in()
    copy = client.get_cookie(COOKIE)
    assert copy is not None
    client.post("/keluar", headers={"Origin": ORIGIN})
    restarted = app_with_users(tmp_path).client()
    restarted.set_cookie(COOKIE, copy.value)
    assert restarted.get("/").status_code == 401


def test_a_sign_out_without_the_daemon_is_told_to_it_later(tmp_path: Path) -> None:
    app = app_with_users(tmp_path)
    client = app.signed_in()
    copy = client.get_cookie(COOKIE)
    assert copy is not None
    app.actions.refuses = True
    client.post("/keluar", headers={"Origin": ORIGIN})
    client.set_cookie(COOKIE, copy.value)
    assert client.get("/").status_code == 401, "here it is over at once"
    app.actions.refuses = False
    app.made.wait(11)
    client.get("/")
    eventually(lambda: SignOutsFile(tmp_path).read().sessions)


def test_a_damaged_list_of_sign_outs_lets_nobody_in(app: ProtectedApp) -> None:
    client = app.signed_in()
    list_of = app.users.path.with_name(SIGN_OUTS_FILE)
    list_of.write_text("[")
    try:
        assert client.get("/").status_code == 503
    finally:
        list_of.unlink()
    assert client.get("/").status_code == 200


def test_only_administrators_see_the_users(
    app: ProtectedApp,
) -> None:
    app.users.change(lambda users: users.with_user(User("proksi", UserRole.VIEWER, None)))
    shown = app.signed_in("rina").get("/masuk").text
    for row in ("siti</th><td>operate", "proksi</th><td>see</td><td>lewat proksi"):
        assert row in shown
    assert "plain:" not in shown
    for name in ("siti", "adi"):
        assert "proksi" not in app.signed_in(name).get("/masuk").text
    assert "proksi" not in app.client().get("/masuk").text


def test_removal_role_and_password_count_at_once(app: ProtectedApp) -> None:
    client = app.signed_in("siti")
    app.users.change(
        lambda users: users.with_user(User("siti", UserRole.VIEWER, f"plain:{PASSWORD}"))
    )
    assert act(client).status_code == 403
    app.users.change(lambda users: users.with_user(User("siti", UserRole.VIEWER, "plain:other")))
    assert client.get("/").status_code == 401
    client = app.signed_in("rina")
    app.users.change(lambda users: users.without_user("rina"))
    assert client.get("/").status_code == 401


def test_a_session_ends_when_it_is_not_used(app: ProtectedApp) -> None:
    client = app.signed_in()
    for _ in range(5):
        app.made.wait(IDLE_S - 60)
        assert client.get("/api/v1/snapshot").status_code == 200
    app.made.wait(IDLE_S + 60)
    assert client.get("/").status_code == 401


def test_no_session_lasts_longer_than_a_month(app: ProtectedApp) -> None:
    client, waited_s = app.signed_in(), 0.0
    while waited_s < LONGEST_S - IDLE_S:
        app.made.wait(IDLE_S - 60)
        waited_s += IDLE_S - 60
        assert client.get("/api/v1/snapshot").status_code == 200
    app.made.wait(IDLE_S - 60)
    app.made.wait(120)
    assert client.get("/api/v1/snapshot").status_code == 401


@pytest.mark.parametrize(
    "cookie",
    [
        "", "x", "a.b", "\x01", "é", sign_text(KEY, "link", "0|rina|x|1|1"),
        sign_text(b"o" * 32, "session", "a|rina|x|1|1"),
        sign_text(KEY, "session", "too|few"),
        sign_text(KEY, "session", "a|nobody|x|1795505267|1795505267"),
        sign_text(KEY, "session", "a|rina|0000000000000000|1795505267|1795505267"), "A" * 3000,
    ],
)  # fmt: skip
def test_a_forged_cookie_is_refused(app: ProtectedApp, cookie: str) -> None:
    client = app.client()
    answer = client.get("/", headers={"Cookie": f"{COOKIE}={cookie}; {WALL_COOKIE}={cookie}"})
    assert answer.status_code == 401


def test_an_alert_link_opens_only_its_own_page(app: ProtectedApp) -> None:
    now_s = app.made.clocks["now"]
    code = link_code(LINK_KEY, LEDGER.value, 1, now_s + 60)
    client = app.client()
    assert client.get(f"/i/1?k={code}").status_code == 200
    assert client.get("/i/1").status_code == 401
    for path in (f"/i/2?k={code}", f"/?k={code}", f"/i/1/x?k={code}", "/i/1?k=", "/i/1?k=%00"):
        assert client.get(path).status_code == 401, path
    forged = link_code(KEY, LEDGER.value, 1, now_s + 60)
    assert client.get(f"/i/1?k={forged}").status_code == 401
    posted = client.post(f"/i/1?k={code}", data={"verb": "snooze"}, headers={"Origin": ORIGIN})
    assert posted.status_code == 401
    assert 'name="ke" value="i/1"' in posted.text


def test_an_expired_alert_link_asks_to_sign_in(app: ProtectedApp) -> None:
    code = link_code(LINK_KEY, LEDGER.value, 1, app.made.clocks["now"] - 1)
    answer = app.client().get(f"/i/1?k={code}")
    assert answer.status_code == 401
    assert "Tautan ini sudah kedaluwarsa" in answer.text
    assert 'name="ke" value="i/1"' in answer.text


def test_a_link_of_another_ledger_opens_nothing_and_says_why(app: ProtectedApp) -> None:
    code = link_code(LINK_KEY, "zzzzzzzz", 1, app.made.clocks["now"] + 60)
    without_identity = link_code(LINK_KEY, "", 1, app.made.clocks["now"] + 60)
    for client in (app.client(), app.signed_in()):
        for each in (code, without_identity):
            answer = client.get(f"/i/1?k={each}")
            assert answer.status_code == 410
            assert "dari catatan gangguan yang lain atau lama" in answer.text
    assert app.signed_in().get("/i/1").status_code == 200


def test_the_wall_token_starts_a_read_only_session(app: ProtectedApp) -> None:
    app.users.change(lambda users: users.with_wall_token("t0ken"))
    client = app.client()
    assert client.get("/tv?token=t0kem").status_code == 401
    answer = client.get("/tv?token=t0ken&lang=en")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/tv?lang=en")
    for word in (f"{WALL_COOKIE}=", "HttpOnly", "SameSite=Strict", "Max-Age=34560000"):
        assert word in answer.headers["Set-Cookie"]
    assert client.get("/tv").status_code == 200
    assert client.get("/api/v1/snapshot").status_code == 200
    assert act(client).status_code == 403
    cookie = client.get_cookie(WALL_COOKIE)
    assert cookie is not None
    assert "t0ken" not in cookie.value
    assert app.client().get(f"/tv?token={cookie.value}").status_code == 401
    app.users.change(lambda users: users.with_wall_token("another"))
    assert client.get("/tv").status_code == 401
    app.users.change(lambda users: users.with_wall_token(None))
    assert client.get("/tv").status_code == 401


def test_a_wall_of_the_earlier_version_goes_on_with_a_new_cookie(app: ProtectedApp) -> None:
    app.users.change(lambda users: users.with_wall_token("t0ken"))
    client = app.client()
    client.set_cookie(WALL_COOKIE, "t0ken")
    assert client.get("/tv").status_code == 200
    cookie = client.get_cookie(WALL_COOKIE)
    assert cookie is not None
    assert cookie.value != "t0ken"
    assert client.get("/tv").status_code == 200
    app.made.wait(31 * 86_400.0)
    assert f"{WALL_COOKIE}=" in client.get("/tv").headers["Set-Cookie"], "before it expires"


def test_a_link_from_another_site_reloads_once_with_the_cookie(
    app: ProtectedApp,
) -> None:
    client = app.client()
    answer = client.get("/situs/anjatan?range=6h&x=<", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert 'content="0;url=/situs/anjatan?range=6h&amp;x=' in answer.text
    assert "<script" not in answer.text
    assert "Anjatan" not in answer.text
    again = client.get("/situs/anjatan", headers={"Sec-Fetch-Site": "same-origin"})
    assert again.status_code == 401


def test_under_a_prefix_everything_stays_there(tmp_path: Path) -> None:
    app = app_with_users(tmp_path, "/pantau/")
    for path in ("/pantau/", "/", "/masuk", "/pantau/tv", "/api/v1/snapshot"):
        assert app.client().get(path).status_code == 401, path
    client = app.client()
    answer = app.sign_in(client, ke="tv")
    assert answer.headers["Location"] == "/pantau/tv"
    assert "Path=/pantau/" in answer.headers["Set-Cookie"]
    assert client.get("/pantau/tv").status_code == 200
    assert 'action="/pantau/masuk"' in app.client().get("/pantau/tv").text


def test_an_unreadable_user_list_refuses_everybody(app: ProtectedApp) -> None:
    client = app.signed_in()
    app.users.path.write_text("{")
    for browser in (client, app.client()):
        answer = browser.get("/")
        assert answer.status_code == 503
        assert answer.text.startswith("Daftar pengguna atau kuncinya tidak dapat dibaca")


def test_a_body_that_is_too_large_is_refused_at_sign_in(app: ProtectedApp) -> None:
    answer = app.sign_in(app.client(), "siti", "x" * 5000)
    assert answer.status_code == 413
    assert "terlalu besar" in answer.text


def test_the_sign_in_page_shows_the_user_and_signs_out(app: ProtectedApp) -> None:
    text = app.signed_in("siti").get("/masuk").text
    assert "<h1>siti</h1>" in text
    assert "Anda boleh melihat dan menangani gangguan." in text
    assert 'action="/keluar"' in text
    assert "<form" in app.client().get("/masuk").text
    page = app.signed_in("siti").get("/").text
    assert 'aria-label="Masuk sebagai siti"' in page


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> ProtectedApp:
    return app_without_users(tmp_path_factory.mktemp("open"))


def test_without_users_everybody_may_view_and_only_local_visitors_may_act(
    opened: ProtectedApp,
) -> None:
    app = opened
    here, there = app.client(), {"REMOTE_ADDR": "10.1.2.3"}
    assert here.get("/").status_code == 200
    assert here.get("/", environ_base=there).status_code == 200
    assert act(here).status_code == 200
    assert app.actions.told[0][1]["who"] == "x", "people give their own name"
    refused = act(here, environ_base=there)
    assert refused.status_code == 403
    assert "hanya dapat dilakukan dari server ini sendiri" in refused.text


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "10.1.2.3"}, {"Forwarded": "for=10.1.2.3"}, {"X-Real-IP": "10.1.2.3"},
        {"X-Forwarded-Proto": "https"}, {"Via": "1.1 nginx"}, {"X-Forwarded-For": "127.0.0.1"},
        {"Host": "pantau.example", "Origin": "http://pantau.example"},
        {"Host": "localhost.evil.example", "Origin": "http://localhost.evil.example"},
    ],
)  # fmt: skip
def test_requests_through_a_proxy_are_not_local(
    opened: ProtectedApp, headers: dict[str, str]
) -> None:
    app = opened
    assert act(app.client(), headers=headers).status_code == 403
    assert app.client().get("/", headers=headers).status_code == 200


def test_only_local_visitors_see_how_to_require_sign_in(opened: ProtectedApp) -> None:
    app = opened
    there = {"REMOTE_ADDR": "10.1.2.3"}
    assert 'aria-label="Terbuka untuk semua"' in app.client().get("/").text
    assert 'id="who"' not in app.client().get("/", environ_base=there).text
    assert "pantau user add" in app.client().get("/masuk").text
    assert "pantau user add" not in app.client().get("/masuk", environ_base=there).text


def test_the_first_user_closes_the_page_while_it_is_served(tmp_path: Path) -> None:
    app = app_without_users(tmp_path)
    client = app.client()
    assert client.get("/").status_code == 200
    user = User("siti", UserRole.OPERATOR, app.passwords.hash(PASSWORD))
    app.users.change(lambda users: users.with_user(user))
    assert client.get("/").status_code == 401
