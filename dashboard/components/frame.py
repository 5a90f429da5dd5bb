"""What every page has: head, header with counts and freshness, banner, voices for changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from markupsafe import Markup

from dashboard.components.icons import SHAPES, icon, joined, own, sprite
from dashboard.i18n import Lang, Words
from dashboard.theme import Theme

FIRST_SCRIPTS = ("words.js", "freshness.js", "parts.js", "listed.js", "search.js", "sound.js",
                 "site.js")  # fmt: skip
LAST_SCRIPT = "start.js"
SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "overview": ("map.js", "overview.js"),
    "tv": ("map.js", "wall.js"),
    "incidents": ("mass.js", "incidents.js", "panel.js"),
}
"""Those of one page alone; they come between the others."""

STYLES: Mapping[str, tuple[str, ...]] = {
    "tv": ("wall.css",),
    "site": ("desk.css",),
    "incidents": ("desk.css",),
    "report": ("desk.css",),
    "shift": ("desk.css",),
}
NAV = (("overview", ""), ("incidents", "insiden"), ("report", "laporan"), ("shift", "serah-terima"))
"""The pages in the header, and their addresses."""


LENS = Markup(
    '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M7 1a6 6 0 103.5 10.9l3.3 3.2 '
    '1.3-1.3-3.2-3.3A6 6 0 007 1zm0 2a4 4 0 110 8 4 4 0 010-8z"/></svg>'
)
BELL = Markup(
    '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M8 1C5 1 3.6 3.3 3.6 6v3L2 12h12l-1.6-3V6'
    'C12.4 3.3 11 1 8 1zM6 13a2 2 0 004 0z"/><path class="off" d="M1.5 1.5l13 13"/></svg>'
)

PADLOCK = Markup(
    '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4 7V4.5a3.5 3.5 0 016.8-1.2l-1.4.5A2 2 '
    '0 005.5 4.5V7H13v8H3V7zm4 2.2a1.3 1.3 0 00-.6 2.4v1.6h1.2v-1.6A1.3 1.3 0 008 9.2z"/></svg>'
)
PERSON = Markup(
    '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M8 1.5a3.2 3.2 0 110 6.4 3.2 3.2 0 '
    '010-6.4zM2 14.5c0-3 2.7-5 6-5s6 2 6 5z"/></svg>'
)


@dataclass(frozen=True, slots=True)
class Look:
    """How a visitor wants it. theme None: as the system is set."""

    words: Words
    theme: Theme | None


@dataclass(frozen=True, slots=True)
class Assets:
    """Where the files of the page are, each with a version in its address; `css`: the colours."""

    urls: Mapping[str, str]
    css: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where this page is. prefix: of every address, ends in `/`; page: its name (see NAV)."""

    prefix: str
    page: str


def head(title: str, place: Place, assets: Assets) -> Markup:
    """<head>, with the colours inline."""
    return Markup(
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="theme-color" content="#232C36"><title>{}</title>'
        '<link rel="icon" type="image/svg+xml" href="{}">'
        '<link rel="preload" href="{}" as="font" type="font/woff2" crossorigin>'
        "<style>{}</style>{}"
    ).format(
        title,
        assets.urls["icon.svg"],
        f"{place.prefix}assets/inter-latin-wght-normal.woff2",
        own(assets.css),
        joined(
            Markup('<link rel="stylesheet" href="{}">').format(assets.urls[name])
            for name in ("pantau.css", "frame.css", *STYLES.get(place.page, ()))
        ),
    )


def bar(place: Place, organisation: str, words: Words, *rest: Markup) -> Markup:
    """The top of a page: whose it is, the ways to the pages, and what else belongs there."""
    ways = joined(
        Markup('<a href="{}{}"{}>{}</a>').format(
            place.prefix,
            address,
            Markup(' class="on" aria-current="page"') if place.page == name else "",
            words.say(f"page.{name}"),
        )
        for name, address in NAV
    )
    return Markup(
        '<a class="skip" href="#main">{}</a>'
        '<header><a class="brand" href="{}"><b>{}</b><span>{}</span></a>'
        '<nav aria-label="{}">{}</nav>{}</header>'
    ).format(
        words.say("page.skip"),
        place.prefix,
        words.say("page.title"),
        organisation,
        words.say("page.ways"),
        ways,
        joined(rest),
    )


def header(place: Place, organisation: str, words: Words, account: Markup) -> Markup:
    """The bar with counts by state, freshness, switches and a clock; the banner under it.

    account: see `account`.
    """
    counts = joined(
        Markup('<span class="cnt {0} z" data-count="{0}">{1}<b>0</b> <i>{2}</i></span>').format(
            state, icon(state), words.say(f"state.{state}")
        )
        for state in SHAPES
    )
    group = Markup('<div class="cnts" role="group" aria-label="{}">{}</div>').format(
        words.say("page.counts"), counts
    )
    return bar(place, organisation, words, group, _switches(words, account)) + Markup(
        '<div class="ban" id="banner" role="alert" hidden><b></b> <span></span></div>'
    )


def account(prefix: str, name: str | None, is_open: bool, words: Words) -> Markup:
    """The way to the sign-in. name: who is signed in; is_open: nobody need be, said to who may
    change that; else nothing is shown.
    """
    if name is None and not is_open:
        return Markup("")
    label = words.say("door.open") if name is None else words.say("door.who", name=name)
    return Markup(
        '<a class="who" id="who" href="{}masuk" aria-label="{}" title="{}">{}<span>{}</span></a>'
    ).format(prefix, label, label, PADLOCK if name is None else PERSON, name or "")


def _switches(words: Words, account: Markup) -> Markup:
    other = Lang.EN if words.lang is Lang.ID else Lang.ID
    return Markup(
        '<div class="hr"><span class="fresh" id="fresh"><i class="dot"></i><span>{none}</span>'
        '</span><span class="sw"><button type="button" id="find-open" aria-label="{find}" '
        'title="{find}" aria-keyshortcuts="/">{lens}</button>'
        '<button type="button" id="sound" aria-pressed="false" aria-label="{sound}" '
        'title="{sound}">{bell}</button><button type="button" id="mute" hidden></button>'
        '<a href="?lang={other}" lang="{other}" hreflang="{other}" '
        'aria-label="{language}: {other}" data-lang="{other}">{shown}</a>'
        '<button type="button" id="theme" aria-label="{theme}" title="{theme}">'
        '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M8 1a7 7 0 100 14A7 7 0 008 1zm0 '
        '2v10A5 5 0 018 3z"/></svg></button>{account}</span>'
        '<span class="clock" id="clock" aria-hidden="true"></span></div>'
    ).format(
        none=words.say("fresh.none"),
        find=words.say("search.open"),
        lens=LENS,
        sound=words.say("sound.off"),
        bell=BELL,
        other=other.value,
        shown=other.value.upper(),
        language=words.say("page.language"),
        theme=words.say("page.theme"),
        account=account,
    )


def finder(words: Words) -> Markup:
    """The search of every page: opened by `/`, filled by its script."""
    return Markup(
        '<dialog id="find" aria-label="{0}"><input type="search" id="find-text" role="combobox" '
        'aria-expanded="true" aria-controls="find-list" aria-autocomplete="list" '
        'autocomplete="off" placeholder="{1}" aria-label="{0}">'
        '<ul id="find-list" role="listbox" aria-label="{0}"></ul><p>{2}</p></dialog>'
    ).format(words.say("search.open"), words.say("search.hint"), words.say("search.keys"))


def voices() -> Markup:
    """Where changes are spoken: politely, and at once for an outage."""
    return Markup(
        '<div class="voice" id="polite" aria-live="polite"></div>'
        '<div class="voice" id="urgent" aria-live="assertive"></div>'
    )


def scripts(place: Place, assets: Assets, config: Mapping[str, Any]) -> Markup:
    """Our scripts, and what they need to know; before those of Dash, which call them."""
    data = orjson.dumps(config).decode().replace("<", "\\u003c").replace("\u2028", "\\u2028")
    names = (*FIRST_SCRIPTS, *SCRIPTS.get(place.page, ()), LAST_SCRIPT)
    return Markup('<script type="application/json" id="config">{}</script>{}').format(
        own(data),
        joined(Markup('<script src="{}"></script>').format(assets.urls[name]) for name in names),
    )


def document(look: Look, head_part: Markup, body: Markup) -> str:
    """A whole page."""
    theme = "" if look.theme is None else Markup(' data-theme="{}"').format(look.theme.value)
    return str(
        Markup('<!doctype html><html lang="{}"{}><head>{}</head><body>{}{}</body></html>').format(
            look.words.lang.value, theme, head_part, sprite(), body
        )
    )
