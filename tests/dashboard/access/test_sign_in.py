"""Sign-in, sessions, roles, origins and alert links."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.app.gate.sessions import COOKIE, IDLE_S, LONGEST_S, WALL_COOKIE
from monitor.core.access import User, UserRole
from monitor.core.signing import link_code, sign_text
from tests.dashboard.access.protected_app import (
    KEY,
    LINK_KEY,
    ORIGIN,
    PASSWORD,
    ProtectedApp,
    app_with_users,
    app_without_users,
)

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


def test_failed_attempts_delay_one_address_and_not_others(app: ProtectedApp) -> None:
    for _ in range(10):
        assert app.sign_in(app.client(), "siti", "salah").status_code == 401
    stopped = app.sign_in(app.client())
    assert stopped.status_code == 429
    assert "Coba lagi dalam 15" in stopped.text
    assert int(stopped.headers["Retry-After"]) > 800
    asked = len(app.passwords.asked)
    assert app.sign_in(app.client(), "adi").status_code == 429
    assert len(app.passwords.asked) == asked, "no work is done for who must wait"
    elsewhere = {"REMOTE_ADDR": "10.1.2.3"}
    assert app.sign_in(app.client(), environ_base=elsewhere).status_code == 303
    app.made.wait(901)
    assert app.sign_in(app.client()).status_code == 303


def test_attempts_on_one_name_from_many_addresses_are_delayed(app: ProtectedApp) -> None:
    for number in range(30):
        base = {"REMOTE_ADDR": f"10.1.{number}.3"}
        assert app.sign_in(app.client(), "siti", "x", environ_base=base).status_code == 401
    base = {"REMOTE_ADDR": "10.2.0.1"}
    assert app.sign_in(app.client(), "siti", environ_base=base).status_code == 429
    assert app.sign_in(app.client(), "adi", environ_base=base).status_code == 303


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
    code = link_code(LINK_KEY, 1, now_s + 60)
    client = app.client()
    assert client.get(f"/i/1?k={code}").status_code == 200
    assert client.get("/i/1").status_code == 401
    for path in (f"/i/2?k={code}", f"/?k={code}", f"/i/1/x?k={code}", "/i/1?k=", "/i/1?k=%00"):
        assert client.get(path).status_code == 401, path
    forged = link_code(KEY, 1, now_s + 60)
    assert client.get(f"/i/1?k={forged}").status_code == 401
    posted = client.post(f"/i/1?k={code}", data={"verb": "snooze"}, headers={"Origin": ORIGIN})
    assert posted.status_code == 401
    assert 'name="ke" value="i/1"' in posted.text


def test_an_expired_alert_link_asks_to_sign_in(app: ProtectedApp) -> None:
    code = link_code(LINK_KEY, 1, app.made.clocks["now"] - 1)
    answer = app.client().get(f"/i/1?k={code}")
    assert answer.status_code == 401
    assert "Tautan ini sudah kedaluwarsa" in answer.text
    assert 'name="ke" value="i/1"' in answer.text


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
    app.users.change(lambda users: users.with_wall_token("another"))
    assert client.get("/tv").status_code == 401


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
