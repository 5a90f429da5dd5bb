"""Two figures of a site: this month against what is agreed, and the outages of 30 days."""

from __future__ import annotations

from markupsafe import Markup

from dashboard.components.month import percent
from dashboard.i18n import Words
from dashboard.reads.months import LinkMonth, Report
from monitor.core.model import Site
from monitor.core.reports.availability import Availability


def month_figure(site: Site, report: Report, words: Words) -> Markup:
    """How much of the running month the site was served, and what its worst link may still miss."""
    told = next((each.told for each in report.sites if each.site.id == site.id), None)
    period = report.period
    ahead_s = period.end_s - period.until_s
    links = [e for e in report.links if e.site.id == site.id and e.told.ratio is not None]
    worst = min(links, key=lambda each: each.left_s(ahead_s), default=None)
    ratio = None if told is None else told.ratio
    state = "" if worst is None or worst.left_s(ahead_s) >= 0 else "degraded"
    note = "" if worst is None else _left(worst, ahead_s, words)
    return _figure("month", percent(ratio, words), note, state, words)


def thirty_figure(thirty: Availability, words: Words) -> Markup:
    """How often and how long the site was without service in 30 days."""
    if thirty.ratio is None:
        return _figure("thirty", "–", "", "", words)
    note = words.say("site.thirty_sum", length=words.duration(thirty.down_s))
    if not thirty.outages:
        note = words.say("site.thirty_none")
    return _figure("thirty", f"{thirty.outages} ×", note, "", words)


def unread_figures(words: Words) -> Markup:
    """The ledger cannot be read: both places stay empty."""
    return Markup("").join(_figure(name, "–", "", "", words) for name in ("month", "thirty"))


def _left(each: LinkMonth, ahead_s: float, words: Words) -> str:
    left_s = each.left_s(ahead_s)
    key, length_s = ("month_left", left_s) if left_s >= 0 else ("month_over", -left_s)
    return words.say(
        f"site.{key}",
        link=each.link.id,
        target=percent(each.aim.ratio, words),
        length=words.duration(length_s),
    )


def _figure(name: str, value: str, note: str, state: str, words: Words) -> Markup:
    return Markup('<div class="kpi {}"><span>{}</span><b>{}</b><i>{}</i></div>').format(
        state, words.say(f"site.{name}"), value, note
    )
