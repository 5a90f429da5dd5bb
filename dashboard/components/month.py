"""The report of a month: five figures, and each link against its target, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from markupsafe import Markup

from dashboard.components.icons import icon, joined
from dashboard.i18n import Words
from dashboard.reads.months import LinkMonth, Report
from monitor.core.reports.availability import Availability, combine

LOWEST = 0.9
"""The bars begin here, or lower in steps of ten percent, where the worst link needs it."""

HEADS = ("site", "link", "kind", "provider", "ratio", "", "target", "down", "count", "longest",
         "excluded", "coverage")  # fmt: skip
NUMBERS = ("ratio", "target", "down", "count", "longest", "excluded", "coverage")


def percent(ratio: float | None, words: Words) -> str:
    """Two digits, rounded down: 99.996 % is not 100 %."""
    return "–" if ratio is None else words.percent(floor(ratio * 10_000 + 1e-9) / 100, 2)


def figures(report: Report, words: Words) -> Markup:
    """What a regent reads."""
    links = combine(each.told for each in report.links)
    known = [each for each in report.links if each.told.ratio is not None]
    missed = sum(1 for each in known if each.missed)
    repair = words.duration(links.down_s / links.outages) if links.outages else "–"
    note = words.say("report.met_note", count=missed) if missed else words.say("report.met_all")
    served = report.served
    sites = words.say("report.served_note", count=len(report.sites))
    excluded = words.say("report.down_note", excluded=words.duration(links.excluded_s))
    reached = f"{len(known) - missed} / {len(known)}"
    told = (
        ("served", percent(served.ratio, words), sites, ""),
        ("met", reached, note if known else "", "degraded" if missed else ""),
        ("down_sum", words.duration(links.down_s), excluded, ""),
        ("repair", repair, words.say("report.repair_note", count=links.outages), ""),
        ("coverage_all", percent(links.coverage, words), words.say("report.coverage_note"), ""),
    )
    return Markup('<section class="kpis five">{}</section>').format(
        joined(
            Markup('<div class="kpi {}"><span>{}</span><b>{}</b><i>{}</i></div>').format(
                state, words.say(f"report.{name}"), value, note
            )
            for name, value, note, state in told
        )
    )


def link_table(report: Report, prefix: str, words: Words) -> Markup:
    """A row a link; the bar is for the eye, the number beside it says the same."""
    low = lowest(report.links)
    heads = joined(
        Markup('<th scope="col"{}>{}</th>').format(
            Markup(' class="num"') if head in NUMBERS else "",
            words.say(f"report.{head}")
            if head
            else words.say("report.scale", low=words.percent(low * 100)),
        )
        for head in HEADS
    )
    return Markup(
        '<section class="card"><h2>{0}</h2><div class="wide" tabindex="0" role="region" '
        'aria-label="{0}"><table class="tb sla"><thead><tr>{1}</tr></thead><tbody>{2}</tbody>'
        '</table></div><p class="mutp">{3}</p></section>'
    ).format(
        words.say("report.table"),
        heads,
        joined(_row(each, low, prefix, words) for each in report.links),
        words.say("report.how"),
    )


def lowest(links: Sequence[LinkMonth]) -> float:
    """Where the bars begin, 0 to 1: 90 %, unless a link is lower."""
    ratios = [each.told.ratio for each in links if each.told.ratio is not None]
    return max(0.0, min([LOWEST, *(floor(ratio * 10) / 10 for ratio in ratios)]))


def _row(each: LinkMonth, low: float, prefix: str, words: Words) -> Markup:
    told = each.told
    shape = "unknown" if told.ratio is None else "down" if each.missed else "up"
    verdict = {"unknown": "nothing_row", "down": "missed_row", "up": "met_row"}[shape]
    numbers = (
        words.duration(told.down_s) if told.down_s else "–",
        str(told.outages) if told.outages else "–",
        words.duration(told.longest_s) if told.longest_s else "–",
        words.duration(told.excluded_s) if told.excluded_s else "–",
        percent(told.coverage, words),
    )
    kind = f"kind.{each.link.kind}"
    return Markup(
        '<tr class="{}"><th scope="row">{}<span class="voice">{}: </span>'
        '<a href="{}situs/{}">{}</a></th><td>{}</td><td>{}</td><td>{}</td>'
        '<td class="num"><b>{}</b></td><td class="barc">{}</td>'
        '<td class="num">{} <small>{}</small></td>{}</tr>'
    ).format(
        "missed" if each.missed else "",
        icon(shape),
        words.say(f"report.{verdict}"),
        prefix,
        each.site.id,
        each.site.name,
        each.link.id,
        words.say(kind) if words.has(kind) else each.link.kind,
        each.link.provider or "–",
        percent(told.ratio, words),
        _bar(told, each.aim.ratio, low, words),
        percent(each.aim.ratio, words),
        words.say(f"report.agreed_{each.aim.agreed}"),
        joined(Markup('<td class="num">{}</td>').format(number) for number in numbers),
    )


def _bar(told: Availability, target: float, low: float, words: Words) -> Markup:
    if told.ratio is None:
        return Markup("")
    full = max(1 - low, 1e-9)
    width, mark = 200 * max(told.ratio - low, 0.0) / full, 200 * (target - low) / full
    return Markup(
        '<svg class="slab" viewBox="0 0 200 8" preserveAspectRatio="none" role="img" '
        'aria-label="{}"><rect class="slot" width="200" height="8"/>'
        '<rect class="fill" width="{:.1f}" height="8"/>'
        '<rect class="mark" x="{:.1f}" width="2" height="8"/></svg>'
    ).format(
        words.say("report.bar", value=percent(told.ratio, words), target=percent(target, words)),
        width,
        mark,
    )


CSV_HEADS = ("site", "link", "kind", "provider", "ratio_pct", "target_pct", "agreed", "down_min",
             "count", "longest_min", "excluded_min", "coverage_pct")  # fmt: skip


def table(report: Report, words: Words) -> list[list[str]]:
    """The same as cells, numbers without units; what is not known is empty."""
    found = [[words.say(f"report.{head}") for head in CSV_HEADS]]
    for each in report.links:
        told = each.told
        found.append(
            [
                each.site.name,
                each.link.id,
                each.link.kind,
                each.link.provider or "",
                _cell(None if told.ratio is None else told.ratio * 100, 4, words),
                _cell(each.aim.ratio * 100, 4, words),
                words.say(f"report.agreed_{each.aim.agreed}"),
                _cell(told.down_s / 60, 2, words),
                str(told.outages),
                _cell(told.longest_s / 60, 2, words),
                _cell(told.excluded_s / 60, 2, words),
                _cell(None if told.coverage is None else told.coverage * 100, 4, words),
            ]
        )
    return found


def _cell(value: float | None, digits: int, words: Words) -> str:
    if value is None:
        return ""
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if words.lang == "id" else text
