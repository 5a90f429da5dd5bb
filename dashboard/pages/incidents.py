"""`/insiden`: what is open, what nobody has in hand, what was; beside it one incident whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from markupsafe import Markup

from dashboard.components.icons import joined
from dashboard.i18n import Words
from monitor.core.alerting.handling import REPORTED_CAUSES

VIEWS = ("active", "untaken", "history")
SORTS = ("severity", "age", "taken")
SNOOZES = (30, 60, 120, 240, 480)
WINDOWS = (30, 60, 120, 240, 480, 1440)


def first_sort(view: str) -> str:
    """What is open is read by severity, what is over by age."""
    return "age" if view == "history" else "severity"


def body(
    view: str, sort: str, span: tuple[float, float], named: str | None, words: Words
) -> Markup:
    """The list is filled by its script. span: of the history; named: who is signed in."""
    return Markup(
        '<main class="ins" id="main"><h1 class="voice">{}</h1>'
        '<section class="card lst">{}<div class="wide" tabindex="0" role="region" '
        'aria-label="{}"><table class="tb it" id="incidents"><thead data-key="head"><tr>{}</tr>'
        "</thead></table>"
        '</div><p class="mutp" id="none" hidden></p><p class="mutp" id="truncated" hidden></p>'
        "</section>{}</main>"
    ).format(
        words.say("page.incidents"),
        _bar(view, sort, span, words),
        words.say("incident.views"),
        joined(
            Markup('<th scope="col"{}>{}</th>').format(
                Markup(' class="num"') if head == "length" else "", words.say(f"incident.{head}")
            )
            for head in ("status", "where", "link", "problem", "since", "length", "hands")
        ),
        _panel(named, words),
    )


def _bar(view: str, sort: str, span: tuple[float, float], words: Words) -> Markup:
    ways = joined(
        Markup('<a href="?view={}" data-view="{}"{}>{}<b></b></a>').format(
            name,
            name,
            Markup(' class="on" aria-current="true"') if name == view else "",
            words.say(f"incident.{name}"),
        )
        for name in VIEWS
    )
    orders = joined(
        Markup('<option value="{}"{}>{}</option>').format(
            name, Markup(" selected") if name == sort else "", words.say(f"incident.sort_{name}")
        )
        for name in SORTS
    )
    return Markup(
        '<div class="lbar"><nav class="pills" aria-label="{}">{}</nav>{}<label class="srt">'
        '<span>{}</span><select id="sort">{}</select></label><span class="sp"></span>'
        '<a class="btn" id="csv" href="insiden.csv?view={}">{}</a>'
        '<button type="button" class="btn" id="print">{}</button>'
        '<input type="search" id="filter" placeholder="{}" aria-label="{}" '
        'aria-keyshortcuts="/"></div>'
    ).format(
        words.say("incident.views"),
        ways,
        _dates(span, words) if view == "history" else "",
        words.say("incident.sort"),
        orders,
        view,
        words.say("incident.csv"),
        words.say("incident.print"),
        words.say("incident.filter_hint"),
        words.say("incident.filter"),
    )


def _dates(span: tuple[float, float], words: Words) -> Markup:
    first, last = (
        datetime.fromtimestamp(at_s, words.zone).date().isoformat()
        for at_s in (span[0], span[1] - 1)
    )
    return Markup(
        '<form class="dates" action="insiden" method="get"><input type="hidden" name="view" '
        'value="history"><label>{} <input type="date" name="from" value="{}"></label>'
        '<label>{} <input type="date" name="to" value="{}"></label>'
        '<button class="btn">{}</button></form>'
    ).format(
        words.say("incident.from"),
        first,
        words.say("incident.to"),
        last,
        words.say("incident.show"),
    )


def _panel(named: str | None, words: Words) -> Markup:
    """Every part has its place; hidden until an incident is chosen."""
    say = words.say
    who = (
        Markup("")
        if named is not None
        else Markup(
            '<label class="fld">{}<input id="who" maxlength="60" autocomplete="name" '
            'placeholder="{}"></label>'
        ).format(say("act.name"), say("act.name_hint"))
    )
    values: Mapping[str, object] = {
        "choose": say("incident.choose"),
        "keys": say("incident.keys"),
        "timeline": say("incident.timeline"),
        "members": say("incident.mass_members"),
        "paged": say("incident.paged"),
        "who": who,
        "take": say("act.take_key"),
        "release": say("act.release"),
        "snooze": say("act.snooze_key"),
        "snooze_for": say("act.snooze_for"),
        "snoozes": _minutes(SNOOZES, words),
        "site": say("act.open_site"),
        "note": say("act.note"),
        "note_hint": say("act.note_hint"),
        "note_save": say("act.note_save"),
        "ticket": say("act.ticket"),
        "save": say("act.save"),
        "cause": say("act.cause"),
        "causes": _causes(words),
        "window": say("act.window"),
        "window_for": say("act.window_for"),
        "windows": _minutes(WINDOWS, words),
        "window_why": say("act.window_why"),
        "window_save": say("act.window_save"),
    }
    return PANEL.format(**values)


PANEL = Markup(
    '<aside class="card pnl" id="panel" aria-live="off"><p class="mutp" id="choose">{choose}</p>'
    '<div id="case" hidden><div class="ph"><svg class="ic unknown" viewBox="0 0 16 16" '
    'aria-hidden="true"><use href="#i-unknown"/></svg><div><h2 id="case-title"></h2>'
    '<span id="case-sub"></span></div></div>'
    '<div class="acts" id="acts"><button type="button" class="btn main" id="take">{take}</button>'
    '<button type="button" class="btn" id="release" hidden>{release}</button>'
    '<button type="button" class="btn" id="snooze">{snooze}</button>'
    '<a class="btn one" id="to-site">{site}</a></div>'
    '<p class="said" id="said" role="status"></p>'
    '<div class="two" id="set">{who}<label class="fld">{snooze_for}<select id="snooze-for">'
    "{snoozes}</select></label></div>"
    '<div id="group" hidden><h3>{members}</h3><ul class="mem" id="members"></ul></div>'
    '<div class="one"><dl id="facts"></dl>'
    '<h3>{timeline}</h3><ol class="tl" id="timeline"></ol>'
    '<form id="note-form"><label class="fld">{note}<textarea id="note" rows="2" maxlength="1000" '
    'placeholder="{note_hint}"></textarea></label><button class="btn">{note_save}</button></form>'
    '<div class="two"><form id="ticket-form"><label class="fld">{ticket}<input id="ticket" '
    'maxlength="80"></label><button class="btn">{save}</button></form>'
    '<form id="cause-form"><label class="fld">{cause}<select id="cause">{causes}</select></label>'
    '<button class="btn">{save}</button></form></div>'
    '<h3>{paged}</h3><ol class="tl" id="told"></ol>'
    '<details id="window"><summary>{window}</summary><form id="window-form">'
    '<label class="fld">{window_for}<select id="window-for">{windows}</select></label>'
    '<label class="fld">{window_why}<input id="window-why" maxlength="200"></label>'
    '<button class="btn">{window_save}</button></form></details></div></div>'
    '<p class="keys" aria-hidden="true">{keys}</p></aside>'
)


def _minutes(lengths: tuple[int, ...], words: Words) -> Markup:
    return joined(
        Markup('<option value="{}">{}</option>').format(each, words.say(f"act.minutes_{each}"))
        for each in lengths
    )


def _causes(words: Words) -> Markup:
    return Markup('<option value="">{}</option>').format(words.say("act.cause_none")) + joined(
        Markup('<option value="{}">{}</option>').format(each, words.say(f"incident.cause_{each}"))
        for each in REPORTED_CAUSES
    )
