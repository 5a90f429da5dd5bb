"""The last 90 days of a site, a bar a day, filled by the minutes without service."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from markupsafe import Markup

from dashboard.components.icons import joined
from dashboard.components.month import percent
from dashboard.i18n import Words
from dashboard.reads.months import DayBar

WIDTH, GAP, HEIGHT = 11, 2, 40
HOUR_S = 3600.0


def ninety(bars: Sequence[DayBar], words: Words) -> Markup:
    """The card; hatched: no data, not counted."""
    known_s = sum(each.length_s - each.blank_s for each in bars)
    down_s = sum(each.down_s for each in bars)
    length_s = sum(each.length_s for each in bars)
    ratio = 1 - down_s / known_s if known_s > 0 else None
    note = words.say(
        "ninety.sum",
        ratio=percent(ratio, words),
        coverage=percent(known_s / length_s if length_s > 0 else None, words),
        count=sum(1 for each in bars if each.down_s > HOUR_S),
        blank=sum(1 for each in bars if each.blank_s >= each.length_s),
    )
    width = len(bars) * (WIDTH + GAP) - GAP
    return Markup(
        '<section class="card"><h2>{title}<small>{note}</small></h2>'
        '<svg class="ninety" viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img" '
        'aria-label="{title}: {note}"><defs><pattern id="nodata" width="6" height="6" '
        'patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V6" '
        'class="hatchl"/></pattern></defs>{bars}</svg>'
        '<div class="hax ends" aria-hidden="true"><span class="first">{first}</span>'
        '<span class="last">{today}</span></div></section>'
    ).format(
        title=words.say("ninety.title"),
        note=note,
        width=width,
        height=HEIGHT,
        bars=joined(_bar(number, each, words) for number, each in enumerate(bars)),
        first=words.day(bars[0].start_s) if bars else "",
        today=words.say("ninety.today"),
    )


def filled(seconds: float, length_s: float) -> float:
    """How high a part is, 0 to 1: by the root, so that ten minutes of a day are still seen."""
    if seconds <= 0 or length_s <= 0:
        return 0.0
    return min(1.0, max(0.12, sqrt(seconds / length_s)))


def _is_blank(each: DayBar) -> bool:
    return each.blank_s > each.length_s / 2


def _bar(number: int, each: DayBar, words: Words) -> Markup:
    x, day = number * (WIDTH + GAP), words.day(each.start_s)
    if _is_blank(each) and not each.down_s:
        return _rect(x, 0, HEIGHT, "day blank", words.say("ninety.blank", day=day))
    if not each.down_s and not each.degraded_s:
        return _rect(x, 0, HEIGHT, "day up", words.say("ninety.fine", day=day))
    key, seconds = ("down", each.down_s) if each.down_s else ("degraded", each.degraded_s)
    text = words.say(f"ninety.{key}", day=day, length=words.duration(seconds))
    high = HEIGHT * filled(seconds, each.length_s)
    return _rect(x, 0, HEIGHT, "day up", text) + _rect(x, 0, high, f"day {key}", text)


def _rect(x: int, y: float, height: float, name: str, title: str) -> Markup:
    return Markup(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{:.1f}"><title>{}</title></rect>'
    ).format(name, x, y, WIDTH, height, title)
