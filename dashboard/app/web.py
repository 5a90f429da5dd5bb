"""The web application: Flask for the pages and the snapshot, Dash for the pulse and the charts.

    GET /                   the overview       GET /situs/<id>            one kecamatan
    GET /tv                 the wall           GET /insiden               incidents
    GET /serah-terima       the shift's sheet  GET /laporan/<yyyy-mm>     availability
    GET /api/v1/snapshot    the state of everything, asked for each second by every open page

What else is asked and done stands in `desk`.

A page is HTML from the server with everything in its fixed place; the scripts in `assets/` fill
it from the snapshot: at once from the one that comes with the page, then at every tick of
Dash's interval. Dash's callback draws the charts of a site.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from dash.exceptions import DependencyException, PreventUpdate
from flask import Flask, Request, Response, g, request, send_from_directory
from markupsafe import Markup
from werkzeug.exceptions import HTTPException, NotFound

from dashboard.app.choosing import Chooser, Chosen
from dashboard.app.delivery import Compression, add_headers, content_policy, read_assets
from dashboard.app.desk import Desk, Named
from dashboard.app.gate.visitor import Way, visitor
from dashboard.app.shell import add_dash, check_callback, page_path
from dashboard.app.visit import YEAR_S, Visit, read_cookies, read_visit
from dashboard.components import frame
from dashboard.components.frame import Look, Place
from dashboard.components.icons import own
from dashboard.figures.geometry import read_map
from dashboard.i18n import Lang, Words, read_catalogue
from dashboard.pages import lost, site
from dashboard.reads.actions import Doer, NoDaemon
from dashboard.reads.questions import Reads
from dashboard.reads.snapshot import Snapshots

ASSETS = Path(__file__).parent.parent / "assets"
PLOTLY = "plotly-cartesian-4.1.1.min.js"
BODY_BYTES = 4096
SHARED_TEXTS = (
    "page",
    "state",
    "fresh",
    "tile",
    "why",
    "attention",
    "search",
    "sound",
    "listed",
    "wall",
    "remark",
)
BODIES = {
    403: "act.origin",
    405: "error.no_method",
    413: "error.too_large",
    415: "act.json",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose page this is, and where it is served. prefix starts and ends with `/`."""

    organisation: str
    zone: ZoneInfo
    prefix: str = "/"


class Web:
    """The views, and what they share."""

    def __init__(
        self,
        reads: Reads,
        identity: Identity,
        steady: Callable[[], float],
        doer: Doer,
        named: Named,
    ) -> None:
        self.reads = reads
        self.identity = identity
        self.prefix = identity.prefix
        self.assets = read_assets(ASSETS, self.prefix)
        self.chooser = Chooser(reads, identity.zone, read_map(), self.prefix, named)
        catalogue = read_catalogue()
        self.words = {lang: Words(lang, catalogue[lang], identity.zone) for lang in Lang}
        parts = repr((sorted(self.assets.urls.items()), reads.network, catalogue))
        build = hashlib.sha256(parts.encode()).hexdigest()[:12]
        self.desk = Desk(reads, doer, self.words, self.prefix, named)
        self.snapshots = Snapshots(reads, build, steady)

    def choose_page(self) -> Response | None:
        """Before Dash answers with a page: which one, and how. 404 for an address that is none."""
        path = page_path()
        if path is None:
            return None
        if path in ("laporan", "laporan/"):
            newest = self.reads.months.period(None).name
            return Response(status=302, headers={"Location": f"{self.prefix}laporan/{newest}"})
        self._prepare(self.chooser.choose(path))
        return None

    def finish_page(self, response: Response) -> Response:
        """A page is asked for anew each time, and a choice in its address is remembered."""
        visit: Visit | None = g.get("visit")
        if visit is None or response.status_code != 200:
            return response
        response.headers["Cache-Control"] = "no-cache"
        return visit.remember(response, self.prefix)

    def snapshot(self) -> Response:
        """The newest snapshot, or 304. X-Now is this server's clock in ms, for ages."""
        packed = self.snapshots.get()
        headers = {
            "X-Now": f"{self.reads.now() * 1000:.0f}",
            "Cache-Control": "no-cache",
            "Vary": "Accept-Encoding",
            "ETag": f'W/"{packed.etag}"',
        }
        if request.if_none_match.contains_weak(packed.etag):
            return Response(status=304, headers=headers)
        way = request.accept_encodings.best_match(("br", "gzip"))
        body = {"br": packed.brotli, "gzip": packed.gzip}.get(way or "", packed.plain)
        if way is not None:
            headers["Content-Encoding"] = way
        return Response(body, headers=headers, mimetype="application/json")

    def plotly(self) -> Response:
        """Dash asks for all of plotly.js here; the cartesian part is all that we draw with."""
        return send_from_directory(ASSETS, PLOTLY, max_age=86_400)

    def charts(self, data: object) -> list[Any]:
        """Dash's callback: the charts of a site, as the browser asked for them."""
        ask = site.read_ask(data, self.reads)
        if ask is None:
            raise PreventUpdate
        return site.chart_cards(ask, self.reads, self.words[ask.lang])

    def refuse(self, error: HTTPException) -> Response:
        """A page, or for programs a line, that says in a sentence what is wrong."""
        visit = read_cookies(request)
        words = self.words[visit.lang]
        code = error.code or 500
        sentence = self._sentence(code, error.description or "", words)
        if "/api/" in request.path or request.path.endswith(".csv") or "/_dash-" in request.path:
            return Response(f"{sentence}\n", code, mimetype="text/plain")
        look, place = Look(words, visit.theme), Place(self.prefix, "lost")
        page = frame.document(
            look,
            frame.head(f"{code} · {words.say('page.title')}", place, self.assets),
            frame.bar(place, self.identity.organisation, words)
            + lost.body(code, sentence, self.prefix, words),
        )
        return Response(page, code)

    def missing(self, _: Exception) -> Response:
        """Dash raises its own error for a file that it does not serve."""
        return self.refuse(NotFound())

    def _sentence(self, code: int, detail: str, words: Words) -> str:
        if code == 404:
            if request.path.startswith(f"{self.prefix}situs/"):
                return words.say("error.no_site", name=detail[:60])
            if request.path.startswith(f"{self.prefix}laporan/"):
                return words.say("error.no_month", name=detail[:60])
            if request.path.startswith(f"{self.prefix}i/"):
                return words.say("act.no_incident")
            return words.say("error.no_page")
        if 400 <= code < 500 and code not in BODIES:
            what = words.say(detail) if words.has(detail) else detail[:120]
            return words.say("error.bad_query", what=what)
        return words.say(BODIES.get(code, "error.broken"))

    def _prepare(self, chosen: Chosen) -> None:
        """Leave in `g` how to make the page, for Dash to call with its own parts."""
        visit = read_visit(request)
        look = Look(self.words[visit.lang], visit.theme)
        place = Place(self.prefix, chosen.name)
        config = {**self._config(look, place, chosen.tables), **chosen.extra}

        def render(parts: Mapping[str, str]) -> str:
            entry = Markup('<div id="react-entry-point"></div>')
            return frame.document(
                look,
                frame.head(look.words.say("page.title"), place, self.assets),
                frame.header(
                    place, self.identity.organisation, look.words, self._account(look.words)
                )
                + chosen.body(look, entry)
                + frame.voices()
                + frame.finder(look.words)
                + Markup("<noscript>{}</noscript>").format(look.words.say("page.noscript"))
                + frame.scripts(place, self.assets, config)
                + own("".join(parts.values())),
            )

        g.visit, g.render, g.draws = visit, render, chosen.name == "site"

    def _account(self, words: Words) -> Markup:
        asks = visitor()
        return frame.account(self.prefix, asks.name, asks.way is Way.OPEN and asks.local, words)

    def _config(self, look: Look, place: Place, tables: tuple[str, ...]) -> dict[str, Any]:
        now_s = self.reads.now()
        return {
            "lang": look.words.lang.value,
            "zone": self.identity.zone.key,
            "zoneName": look.words.zone_name(now_s),
            "texts": look.words.subset(SHARED_TEXTS + tables),
            "prefix": place.prefix,
            "page": place.page,
            "now": round(now_s * 1000),
            "sites": [
                [each.id, each.name, [link.id for link in each.links]]
                for each in self.reads.network.sites
            ],
            "snapshot": orjson.Fragment(self.snapshots.get().plain),
        }


def nobody_named(_: Request) -> None:
    """Until people sign in: they give their own name."""


def build(
    reads: Reads,
    identity: Identity,
    steady: Callable[[], float],
    doer: Doer | None = None,
    named: Named = nobody_named,
) -> Flask:
    """The application, ready to be served. steady: seconds that never jump.

    doer: the daemon, for what people do; named: who is signed in.
    """
    server = Flask("dashboard", static_folder=None)
    server.config["SEND_FILE_MAX_AGE_DEFAULT"] = YEAR_S
    server.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
    daemon = NoDaemon() if doer is None else doer
    web, prefix = Web(reads, identity, steady, daemon, named), identity.prefix
    web.desk.add_to(server)
    server.add_url_rule(f"{prefix}api/v1/snapshot", "snapshot", web.snapshot)
    server.add_url_rule(
        f"{prefix}_dash-component-suites/plotly/package_data/plotly.min.js", "plotly", web.plotly
    )
    server.before_request(check_callback)
    server.before_request(web.choose_page)
    server.register_error_handler(HTTPException, web.refuse)
    server.register_error_handler(DependencyException, web.missing)
    hashes = add_dash(server, prefix, str(ASSETS), web.charts)
    server.after_request(Compression().apply)
    server.after_request(web.finish_page)
    add_headers(server, content_policy(hashes))
    return server
