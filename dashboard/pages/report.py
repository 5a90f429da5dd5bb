"""`/laporan/<yyyy-mm>`: how available every link was in a month, against its target."""

from __future__ import annotations

from markupsafe import Markup

from dashboard.components import month
from dashboard.components.icons import joined
from dashboard.i18n import MONTHS, Words
from dashboard.reads.months import FIRST_YEAR, Period
from dashboard.reads.questions import Reads
from monitor.core.errors import StoreError


def body(period: Period, reads: Reads, prefix: str, words: Words) -> Markup:
    """A ledger that cannot be read is said in a sentence."""
    name = f"{words.say(f'months.{period.month}')} {period.year}"
    until = (
        words.say("report.running", until=words.moment(period.until_s)) if period.running else ""
    )
    try:
        report = reads.months.report(period)
        inside = month.figures(report, words) + month.link_table(report, prefix, words)
    except StoreError:
        inside = Markup('<section class="card"><p class="mutp">{}</p></section>').format(
            words.say("report.unread")
        )
    return Markup(
        '<main class="site rep" id="main"><div class="crumb"><h1>{}</h1><span>{}</span>{}</div>{}'
        "</main>"
    ).format(
        words.say("report.title", month=name), until, _ways(period, reads, prefix, words), inside
    )


def _ways(period: Period, reads: Reads, prefix: str, words: Words) -> Markup:
    """The month before, this one, the one after, CSV and paper."""
    before = _beside(period, -1)
    after = _beside(period, 1)
    newest = reads.months.period(None)
    links = []
    if before[0] >= FIRST_YEAR:
        links.append((f"{before[0]:04d}-{before[1]:02d}", f"‹ {_short(before, words)}", False))
    links.append((period.name, _short((period.year, period.month), words), True))
    if after <= (newest.year, newest.month):
        links.append((f"{after[0]:04d}-{after[1]:02d}", f"{_short(after, words)} ›", False))
    return Markup(
        '<nav class="rng" aria-label="{}">{}</nav>'
        '<a class="btn main" href="{}laporan/{}.csv">{}</a>'
        '<button type="button" class="btn" id="print">{}</button>'
    ).format(
        words.say("report.months"),
        joined(
            Markup('<a href="{}laporan/{}"{}>{}</a>').format(
                prefix, name, Markup(' class="on" aria-current="page"') if here else "", shown
            )
            for name, shown, here in links
        ),
        prefix,
        period.name,
        words.say("incident.csv"),
        words.say("incident.print"),
    )


def _beside(period: Period, by: int) -> tuple[int, int]:
    number = period.year * 12 + period.month - 1 + by
    return number // 12, number % 12 + 1


def _short(month_of: tuple[int, int], words: Words) -> str:
    return f"{MONTHS[words.lang.value][month_of[1] - 1]} {month_of[0]}"
