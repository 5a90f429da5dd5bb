"""Hostile requests to every address get a client error, never a server error."""

from __future__ import annotations

import csv
import io
import itertools
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.documents import Document
from tests.dashboard.access.protected_app import ORIGIN, ProtectedApp, app_with_users
from tests.dashboard.browser import Browser
from tests.dashboard.dashboard_server import DashboardServer
from tests.dashboard.router_documents import router_document_of
from tests.dashboard.synthetic_history import HOUR_S, in_time_order, shipped_network, trouble
from tests.fuzz.mutations import fuzzed, mutated
from tests.waiting import eventually

SAID = {200, 204, 302, 303, 304, 308, 400, 401, 403, 404, 405, 409, 413, 415, 429, 503}
HUGE = "9" * 40
WORDS = (
    "", "x", "-1", "0", HUGE, "-" + HUGE, "1e999", "NaN", "\x00", "\ud800", "\u202e", "../../etc",
    "<script>alert(1)</script>", "$\\href{javascript:1}{x}$", "=cmd()", "' OR 1=1 --", "%s%n{0}{x}",
    "A" * 1500, "2026-13-45", "0001-01-01", "9999-12-31", "1026-11-24", "2026-11", "24h,1h",
    "1000y", "[]", "{}", "null", "true", "१२", "1_0", "+1", " 1",
)  # fmt: skip
NAMES = ("range", "from", "to", "view", "lang", "token", "k")
BODIES = (
    b"", b"{", b"[]", b"null", b"0", b'"x"', b"\xff\xfe\x00", b"[" * 4000, b"{}" * 2000,
    b'{"text": {"a": []}, "who": 7, "minutes": "x"}', b'{"text": "x", "who": null}',
    b'{"who": "a", "text": "b", "minutes": 1e400}', b'{"who": "a", "target": ["x"]}',
    b'{"who": "a", "text": "b", "minutes": ' + HUGE.encode() + b"}", b"x" * 5000, b"a=b&" * 900,
    b'{"who": "\\ud800", "text": "\\u0000"}', b'{"who": "a", "target": "\\u0000", "minutes": true}',
)  # fmt: skip
KINDS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data", "x", "")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> ProtectedApp:
    return app_with_users(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def client(app: ProtectedApp) -> FlaskClient:
    """An administrator: no request is refused for its role."""
    return app.signed_in("rina")


def rules(app: ProtectedApp) -> list[str]:
    """Every route, with its parameters."""
    return sorted({str(rule) for rule in app.server.url_map.iter_rules()} - {"/keluar"})


def fine(client: FlaskClient, method: str, path: str, body: bytes = b"", kind: str = "") -> None:
    """Assert a quick response without a server error or internals."""
    began_s = time.monotonic()
    answer = client.open(
        path, method=method, data=body, content_type=kind, headers={"Origin": ORIGIN}
    )
    told = f"{method} {path[:90]!r} {body[:60]!r} {kind}: {answer.status_code}"
    assert answer.status_code in SAID, f"{told}\n{answer.text[:300]}"
    if answer.status_code >= 400:
        assert answer.text.strip(), told
        assert "Traceback" not in answer.text, told
        assert "werkzeug" not in answer.text.lower(), told
    text = answer.text if (answer.mimetype or "").startswith("text/html") else ""
    assert "<script>alert" not in text, told
    assert time.monotonic() - began_s < 60, f"{told} took too long"


def test_hostile_values_in_every_part_of_an_address(app: ProtectedApp, client: FlaskClient) -> None:
    for rule in rules(app):
        for word in WORDS:
            part = quote(word, safe="", errors="surrogatepass")
            path = re.sub(r"<[^>]*>", lambda _, part=part: part, rule)  # type: ignore[misc]
            if path != rule or word == "":
                fine(client, "GET", path)


PAGES = (
    "/", "/tv", "/situs/anjatan", "/insiden", "/laporan/2026-11", "/serah-terima", "/i/1",
    "/insiden.csv", "/situs/anjatan.csv", "/laporan/2026-11.csv", "/masuk",
    "/api/v1/incidents", "/api/v1/snapshot",
)  # fmt: skip
POSTS = (
    "/_dash-update-component", "/api/v1/incidents/1/note", "/api/v1/maintenance", "/i/1", "/masuk",
)  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_hostile_values_in_every_query(client: FlaskClient, page: str) -> None:
    for name in NAMES:
        for word in WORDS:
            fine(client, "GET", f"{page}?{name}={quote(word, errors='surrogatepass')}")


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-11-24&to=2026-11-01", "from=1026-11-24&to=2026-11-24",
        "from=2020-01-01&to=2026-11-24", "from=2026-11-24&to=3026-11-24", "from=0001-01-01",
        "to=9999-12-31", "from=2026-02-30", "from=2026-11-24T00:00:00Z&to=2026-11-24",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "path", ["/api/v1/incidents", "/insiden.csv", "/situs/anjatan", "/situs/anjatan.csv"]
)
def test_ranges_backwards_or_of_a_thousand_years_are_refused(
    client: FlaskClient, path: str, query: str
) -> None:
    answer = client.get(f"{path}?view=history&{query}")
    assert answer.status_code == 400
    assert "Permintaan ini tidak dimengerti" in answer.text


def test_bad_bodies_of_every_kind_to_every_address(app: ProtectedApp, client: FlaskClient) -> None:
    for rule in rules(app):
        path = re.sub(r"<verb>", "note", re.sub(r"<int:[^>]*>", "1", rule))
        path = re.sub(r"<[^>]*>", "x", path)
        for number, body in enumerate(BODIES):
            fine(client, "POST", path, body, KINDS[number % len(KINDS)])
    for body in BODIES:
        for path in ("/api/v1/incidents/1/note", "/api/v1/maintenance", "/_dash-update-component"):
            fine(client, "POST", path, body, "application/json")
        fine(client, "POST", "/i/1", body, "application/x-www-form-urlencoded")


CALLBACK = (
    b'{"output":"page.children","outputs":{"id":"page","property":"children"},"inputs":'
    b'[{"id":"url","property":"search","value":"?range=24h"}],"changedPropIds":["url.search"],'
    b'"state":[{"id":{"index":1,"type":"x"},"property":"data","value":null}]}'
)
QUERIES = [
    b"range=24h&lang=id", b"from=2026-11-01&to=2026-11-24&view=history", b"k=17.a.b&token=x",
    b"a[]=1&a[]=%00&=&&%", CALLBACK,
]  # fmt: skip


@fuzzed(60)
@given(query=mutated(QUERIES), page=st.sampled_from(PAGES))
def test_queries_that_a_program_makes_up(client: FlaskClient, query: bytes, page: str) -> None:
    fine(client, "GET", f"{page}?{quote(query, safe='&=%+[];')}")


@fuzzed(40)
@given(body=mutated(QUERIES), path=st.sampled_from(POSTS), kind=st.sampled_from(KINDS))
def test_bodies_that_a_program_makes_up(
    client: FlaskClient, body: bytes, path: str, kind: str
) -> None:
    fine(client, "POST", path, body, kind)


@pytest.mark.parametrize("size", [4097, 100_000, 3_000_000])
def test_a_body_that_is_too_large_is_not_read(client: FlaskClient, size: int) -> None:
    for path in (
        "/api/v1/incidents/1/note", "/api/v1/maintenance", "/_dash-update-component", "/i/1",
        "/masuk",
    ):  # fmt: skip
        for kind in ("application/json", "application/x-www-form-urlencoded"):
            answer = client.post(
                path, data=b"x" * size, content_type=kind, headers={"Origin": ORIGIN}
            )
            assert answer.status_code in (413, 415), (path, kind)


def test_unusual_headers_cause_no_server_error(client: FlaskClient) -> None:
    for name in ("Accept-Encoding", "Accept-Language", "If-None-Match", "If-Modified-Since",
                 "Range", "Referer", "Host", "X-Forwarded-For", "X-Forwarded-Proto", "Forwarded",
                 "Sec-Fetch-Site", "Content-Length"):  # fmt: skip
        for word in ("", "\x7f", "é", ",;=\"'", "[", "x" * 4000, HUGE, "*;q=NaN", "bytes=9-1"):
            if name == "Content-Length" and not word.isascii():
                continue
            answer = client.get("/api/v1/snapshot", headers={name: word})
            assert answer.status_code in SAID, (name, word, answer.status_code)


HTML = "<img src=x onerror=window.hit=1>"
TEX = "$\\href{javascript:window.hit=1}{x}$"
FORMULA = "=cmd()|'/C calc'!A0"
TURNED = "\u202e\u2066gnp.exe\u200f"
LONG = "<b>60 kB</b>" * 5000


def hostile_router(running: DashboardServer, name: str) -> Document:
    """Hostile text in every field of a router document."""
    told = router_document_of(running.history, name)
    ports: Any = told["ports"]
    texts = itertools.cycle((HTML + TEX, FORMULA + TURNED, LONG))
    harm = {
        "sys_name": HTML + TURNED + TEX,
        "description": LONG,
        "missing": [HTML, TEX + TURNED, LONG],
        "ports": [{**port, "name": next(texts), "alias": next(texts)} for port in ports],
        "failed": {"at": told["at"], "reason": HTML + TURNED, "detail": LONG},
        "dropped": {HTML: {"readings": 1, "last": None}, **told["dropped"]},  # type: ignore[dict-item]
    }
    return told | harm


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DashboardServer]:
    """Sites and links with such names, and a router whose ports have the rest."""
    work = tmp_path_factory.mktemp("hostile") / "work"
    history = trouble(shipped_network(), time.time())
    names = {"losarang": f"{HTML}{TEX}", "anjatan": FORMULA}
    running = DashboardServer(work, history, names)
    running.write_states()
    running.write_hour()
    rows = [each for each in history.ports(HOUR_S, 60.0) if each.device == "anjatan"]
    for name in (HTML + TEX, FORMULA + TURNED, LONG):
        running.journal.append(in_time_order([replace(row, ifname=name) for row in rows[::2]]))
    running.router = lambda name: hostile_router(running, name)
    running.start()
    yield running
    running.close()


@pytest.mark.parametrize("path", ["", "tv", "situs/losarang", "situs/anjatan", "insiden",
                                  "insiden?view=history", "serah-terima", "laporan/"])  # fmt: skip
def test_hostile_names_are_escaped_on_every_page(
    served: DashboardServer, browser: Browser, path: str
) -> None:
    browser.cdp("Network.clearBrowserCookies")
    browser.forget()
    browser.driver.get(served.url + path)
    eventually(lambda: browser.run("return document.readyState") == "complete")
    if path.startswith("situs"):
        eventually(lambda: browser.run("return document.querySelectorAll('#charts h2').length > 2"))
    assert browser.run("return window.hit") is None
    assert (
        browser.run("return document.querySelectorAll('img, b b, a[href^=javascript]').length") == 0
    )
    assert browser.run("return document.documentElement.innerHTML.length") < 250_000
    assert [each["url"] for each in browser.requests() if "127.0.0.1" not in each["url"]] == []
    assert browser.console == []


def test_bidirectional_control_characters_are_removed(
    served: DashboardServer, browser: Browser
) -> None:
    browser.driver.get(f"{served.url}situs/anjatan")
    eventually(lambda: browser.run("return document.querySelectorAll('#charts h2').length > 2"))
    text = str(browser.run("return document.documentElement.innerHTML"))
    assert "gnp.exe" in text, "the port is there"
    assert "Router (SNMP)" in text
    assert "&lt;img src=x" in text, "and what the router calls itself, as words"
    assert re.findall("[\u202a-\u202e\u2066-\u2069\u200e\u200f]", text) == []


def test_names_are_never_formulas_in_a_file(served: DashboardServer, browser: Browser) -> None:
    month = time.strftime("%Y-%m", time.gmtime())
    for path in (
        *(f"situs/anjatan.csv?range=1h&what={what}" for what in ("traffic", "errors")),
        f"laporan/{month}.csv",
        "insiden.csv?view=active",
        "insiden.csv?view=history",
    ):
        text = browser.run(
            "const r = new XMLHttpRequest(); r.open('GET', arguments[0], false); r.send();"
            "return r.responseText", served.url + path,
        )  # fmt: skip
        rows = list(csv.reader(io.StringIO(str(text).lstrip("\ufeff")), delimiter=";"))
        assert len(rows) > 1
        cells = [cell for row in rows for cell in row]
        assert [cell for cell in cells if re.match(r"[=@\t\r]|[+-][^\d]", cell)] == []
