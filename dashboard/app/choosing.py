"""Which page an address means, and what it is made of; 404 or 400 for what is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from flask import abort, request
from markupsafe import Markup

from dashboard.app import asked
from dashboard.app.desk import Named
from dashboard.components.frame import Look
from dashboard.figures.geometry import MapShape
from dashboard.pages import incidents, overview, report, shift, site, tv
from dashboard.reads.cases import HISTORY_DAYS
from dashboard.reads.questions import Reads

Body = Callable[[Look, Markup], Markup]
"""What stands under the header; the Markup is where Dash puts its parts."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """name: of the page. tables: of the catalogue, for its scripts; extra: for them, too."""

    name: str
    body: Body
    tables: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chooser:
    """All pages. named: who is signed in."""

    reads: Reads
    zone: ZoneInfo
    shape: MapShape
    prefix: str
    named: Named

    def choose(self, path: str) -> Chosen:
        """path: without the prefix. `laporan` alone is not here: it leads on to a month."""
        folder, slash, name = path.partition("/")
        if folder == "situs":
            return self._site(name)
        if folder == "laporan" and name:
            return self._report(name)
        plain = {
            "": self._overview,
            "tv": self._tv,
            "insiden": self._incidents,
            "serah-terima": self._shift,
        }
        if slash or folder not in plain:
            abort(404)
        return plain[folder]()

    def _overview(self) -> Chosen:
        def body(look: Look, entry: Markup) -> Markup:
            page = overview.body(self.reads.network, self.shape, self.prefix, look.words)
            return page + _aside(entry)

        return Chosen("overview", body, ("map", "day"))

    def _tv(self) -> Chosen:
        def body(look: Look, entry: Markup) -> Markup:
            page = tv.body(self.reads.network, self.shape, self.prefix, look.words)
            return page + _aside(entry)

        return Chosen("tv", body, ("map",))

    def _incidents(self) -> Chosen:
        """`?view=&sort=&from=&to=`."""
        view = asked.choice(request, "view", incidents.VIEWS, incidents.VIEWS[0])
        sort = asked.choice(request, "sort", incidents.SORTS, incidents.first_sort(view))
        span = asked.span(request, self.zone, self.reads.now(), HISTORY_DAYS)
        named = self.named(request)

        def body(look: Look, entry: Markup) -> Markup:
            return incidents.body(view, sort, span, named, look.words) + _aside(entry)

        extra = {"view": view, "sort": sort, "named": named or ""}
        return Chosen("incidents", body, ("incident", "act"), extra)

    def _shift(self) -> Chosen:
        """`?hours=&said=`. said: what became of a form that was sent from here."""
        offered = [str(each) for each in shift.HOURS]
        hours = int(asked.choice(request, "hours", offered, offered[0]))
        said = asked.choice(request, "said", ["", *shift.SAID.values()], "")
        named = self.named(request)

        def body(look: Look, entry: Markup) -> Markup:
            page = shift.body(hours, said, self.reads, self.prefix, named, look.words)
            return page + _aside(entry)

        return Chosen("shift", body)

    def _report(self, name: str) -> Chosen:
        try:
            period = self.reads.months.period(name)
        except ValueError:
            abort(404, name)

        def body(look: Look, entry: Markup) -> Markup:
            return report.body(period, self.reads, self.prefix, look.words) + _aside(entry)

        return Chosen("report", body)

    def _site(self, name: str) -> Chosen:
        """`?range=`, or `?from=&to=`."""
        found = self.reads.site(name)
        if found is None:
            abort(404, name)
        span = asked.drawn(request, self.zone, self.reads.now())

        def body(look: Look, entry: Markup) -> Markup:
            return site.body(found, span, self.reads, self.prefix, look.words, entry)

        return Chosen("site", body, ("site",), {"site": found.id, **site.told(span)})


def _aside(entry: Markup) -> Markup:
    """Where Dash is kept on a page that has no charts."""
    return Markup("<div hidden>{}</div>").format(entry)
