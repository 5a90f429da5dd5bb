"""What the pages of the desk ask and do beside the snapshot.

    GET  /api/v1/incidents?view=active|untaken|history   GET  /api/v1/incidents/<id>
    POST /api/v1/incidents/<id>/<verb>                   POST /api/v1/maintenance
    POST /serah-terima/akhiri: the form of the handover page that ends a maintenance window
    GET  /api/v1/places      GET /insiden.csv            GET  /laporan/<yyyy-mm>.csv
    GET  /situs/<id>.csv?range=&from=&to=&what=latency|traffic|errors
    GET  /i/<id>, POST /i/<id>: the page behind an alert's link, a plain form

Whatever changes something goes through the daemon, and only from our own page (Origin).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import orjson
from flask import Flask, Request, Response, abort, request

from dashboard.app import asked
from dashboard.app.visit import read_visit
from dashboard.components import casefile, cases, month, series
from dashboard.components.frame import Look
from dashboard.components.naming import Names
from dashboard.components.sheet import sheet
from dashboard.i18n import Lang, Words
from dashboard.pages import alert, shift
from dashboard.pages.incidents import VIEWS
from dashboard.reads import actions
from dashboard.reads.actions import Doer, Verb, Wrong
from dashboard.reads.cases import HISTORY_DAYS, MOST, Case, File
from dashboard.reads.questions import Reads
from monitor.core.errors import (
    ApiError,
    Conflict,
    InvalidRequest,
    NotFound,
    NotRecorded,
    StoreError,
)

ALERT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

Named = Callable[[Request], str | None]
"""Who is signed in; None: nobody need be, and people give their own name."""


class Desk:
    """The views. named: see `Named`."""

    def __init__(
        self, reads: Reads, doer: Doer, words: Mapping[Lang, Words], prefix: str, named: Named
    ) -> None:
        self._reads = reads
        self._doer = doer
        self._words = words
        self._prefix = prefix
        self.named = named

    def add_to(self, server: Flask) -> None:
        """All routes, under the prefix."""
        api = f"{self._prefix}api/v1/"
        rules: tuple[tuple[str, str, Callable[..., Response], str], ...] = (
            (f"{api}incidents", "incident_list", self.listed, "GET"),
            (f"{api}incidents/<int:number>", "incident_file", self.file, "GET"),
            (f"{api}incidents/<int:number>/<verb>", "incident_act", self.act, "POST"),
            (f"{api}maintenance", "maintenance_plan", self.plan, "POST"),
            (f"{self._prefix}serah-terima/akhiri", "maintenance_end", self.end, "POST"),
            (f"{api}places", "places", self.places, "GET"),
            (f"{self._prefix}insiden.csv", "incident_csv", self.incidents_csv, "GET"),
            (f"{self._prefix}laporan/<name>.csv", "report_csv", self.report_csv, "GET"),
            (f"{self._prefix}situs/<name>.csv", "site_csv", self.site_csv, "GET"),
            (f"{self._prefix}i/<int:number>", "alert_page", self.alert, "GET"),
            (f"{self._prefix}i/<int:number>", "alert_act", self.alert_act, "POST"),
        )
        for rule, name, view, method in rules:
            server.add_url_rule(rule, name, view, methods=[method])

    def listed(self) -> Response:
        """Rows of a list. failed: the ledger could not be read; more: there are more of them."""
        words = self._spoken()
        view = asked.choice(request, "view", VIEWS, "active")
        try:
            found = self._found(view)
        except StoreError:
            return _json({"failed": True, "more": False, "rows": []})
        reads = self._reads
        names, work = Names.of(reads.network), reads.cases.standing().work
        rows = cases.rows(found[:MOST], names, words, reads.now(), work)
        return _json({"failed": False, "more": len(found) > MOST, "rows": rows})

    def file(self, number: int) -> Response:
        """One incident whole."""
        words, reads = self._spoken(), self._reads
        try:
            found = reads.cases.file(number)
        except StoreError:
            return _sentence(words.say("incident.unread"), 503)
        if found is None:
            return _sentence(words.say("act.no_incident"), 404)
        alerts, states = reads.cases.alerts, reads.link_states()
        told = casefile.document(found, reads.network, alerts, states, words, reads.now())
        return _json(told)

    def act(self, number: int, verb: str) -> Response:
        """Somebody does something about an incident."""
        words = self._spoken()
        body = asked.json_body(request)
        if verb not in {*Verb}:
            return _sentence(words.say("act.no_verb"), 404)
        return self._do(lambda: self._request(number, Verb(verb), body), words)

    def plan(self) -> Response:
        """Somebody plans maintenance."""
        body = asked.json_body(request)
        return self._do(lambda: actions.window_of(body, self.named(request)), self._spoken())

    def end(self) -> Response:
        """Somebody ends maintenance by the form of the handover page, which then comes back.

        What became of it stands on that page in a sentence.
        """
        asked.see_origin(request)
        body = {key: request.form.get(key, "") for key in ("who", "name")}
        answer = self._do(lambda: actions.end_of(body, self.named(request)), self._spoken())
        hours = asked.choice(request, "hours", [str(each) for each in shift.HOURS], "8")
        back = urlencode({"hours": hours, "said": shift.SAID[answer.status_code]})
        where = f"{self._prefix}serah-terima?{back}"
        return Response(status=303, headers={"Location": where})

    def places(self) -> Response:
        """What the search looks through."""
        return _json(cases.places(Names.of(self._reads.network)))

    def incidents_csv(self) -> Response:
        """The list as a file."""
        words = self._spoken()
        view = asked.choice(request, "view", VIEWS, "active")
        try:
            found = self._found(view)
        except StoreError:
            return _sentence(words.say("incident.unread"), 503)
        names = Names.of(self._reads.network)
        rows = cases.table(found[:MOST], names, words, self._reads.now())
        return _file(sheet(rows, words.lang), f"insiden-{view}.csv")

    def report_csv(self, name: str) -> Response:
        """A month as a file."""
        words = self._spoken()
        try:
            period = self._reads.months.period(name)
        except ValueError:
            abort(404, name)
        try:
            report = self._reads.months.report(period)
        except StoreError:
            return _sentence(words.say("report.unread"), 503)
        return _file(sheet(month.table(report, words), words.lang), f"laporan-{period.name}.csv")

    def site_csv(self, name: str) -> Response:
        """What the charts of a site are drawn from, as a file."""
        words, reads = self._spoken(), self._reads
        found = reads.site(name)
        if found is None:
            abort(404, name)
        span = asked.drawn(request, words.zone, reads.now())
        what = asked.choice(request, "what", list(series.TABLES), "latency")
        try:
            rows = series.TABLES[what](found, span, reads, words)
        except StoreError:
            return _sentence(words.say("site.no_store"), 503)
        return _file(sheet(rows, words.lang), f"{found.id}-{what}-{span.label}.csv")

    def alert(self, number: int) -> Response:
        """The page behind an alert's link."""
        return self._alert(number, "", 200)

    def alert_act(self, number: int) -> Response:
        """Its form: take it, or snooze it; the page comes back and says what became of it."""
        asked.see_origin(request)
        words = self._spoken()
        verb = request.form.get("verb")
        if verb not in (Verb.ACKNOWLEDGE, Verb.SNOOZE):
            return self._alert(number, words.say("act.no_verb"), 400)
        body: dict[str, Any] = {key: request.form.get(key, "") for key in ("who", "text")}
        if verb == Verb.SNOOZE:
            body["minutes"] = alert.SNOOZE_MIN
        answer = self._do(lambda: self._request(number, Verb(verb), body), words)
        return self._alert(number, answer.get_data(as_text=True).strip(), answer.status_code)

    def _alert(self, number: int, said: str, code: int) -> Response:
        words = self._spoken()
        try:
            found: File | None = self._reads.cases.file(number)
        except StoreError:
            return _sentence(words.say("incident.unread"), 503)
        if found is None:
            abort(404, str(number))
        named = self.named(request)
        look = Look(words, read_visit(request).theme)
        text = alert.page(found, self._reads, self._prefix, look, named, said)
        headers = {"Content-Security-Policy": ALERT_POLICY, "Cache-Control": "no-store"}
        return Response(text, code, headers=headers, mimetype="text/html")

    def _request(self, number: int, verb: Verb, body: Mapping[str, Any]) -> actions.Request:
        return actions.request_of(number, verb, body, self.named(request))

    def _do(self, make: Callable[[], actions.Request], words: Words) -> Response:
        """Check, hand to the daemon, and say in a sentence what became of it."""
        try:
            made = make()
            self._doer.post(made.path, made.body)
        except Wrong as error:
            return _sentence(words.say(error.key), 400)
        except Conflict:
            return _sentence(words.say("act.too_late"), 409)
        except NotFound:
            return _sentence(words.say("act.no_incident"), 404)
        except InvalidRequest as error:
            return _sentence(words.say("act.refused", why=str(error)), 400)
        except NotRecorded:
            return _sentence(words.say("act.not_kept"), 507)
        except ApiError:
            return _sentence(words.say("act.silent"), 503)
        return _sentence(words.say("act.ok"), 200)

    def _found(self, view: str) -> list[Case]:
        now_s = self._reads.now()
        if view == "history":
            zone: ZoneInfo = self._spoken().zone
            return self._reads.cases.over(*asked.span(request, zone, now_s, HISTORY_DAYS))
        return cases.by_view(self._reads.cases.open(), view, now_s)

    def _spoken(self) -> Words:
        return self._words[read_visit(request).lang]


def _json(document: object) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(document), headers=headers, mimetype="application/json")


def _sentence(text: str, code: int) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(f"{text}\n", code, headers=headers, mimetype="text/plain")


def _file(text: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text.encode(), headers=headers, content_type="text/csv; charset=utf-8")
