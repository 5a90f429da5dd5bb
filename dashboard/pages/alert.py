"""`/i/<id>`: where an alert's link leads: one incident on a phone at night, without a script.

Plain HTML with its style and its chart inside; nothing else is fetched. Two forms do what is
needed at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup

from dashboard.components import casefile
from dashboard.components.frame import Look
from dashboard.components.icons import SHAPES, joined, own
from dashboard.components.naming import Names
from dashboard.components.strip import strip
from dashboard.i18n import Words
from dashboard.reads.cases import File
from dashboard.reads.questions import Reads
from dashboard.reads.ranges import Span
from dashboard.theme import css, paints
from monitor.core.errors import StoreError
from monitor.core.model import Incident, Link, State

BEFORE_S = 1800.0
LONGEST_S = 21_600.0
SNOOZE_MIN = 30
PAINTS = ("bg", "card", "line", "fg", "mut", "hd", "acc", "up", "down", "on-down", "degraded",
          "on-degraded", "unreachable", "unknown", "unknown-bg", "down-bg")  # fmt: skip

STYLE = (
    "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);"
    "font:16px/1.4 Inter,system-ui,sans-serif}header{background:var(--hd);color:#F2F5F7;"
    "display:flex;"
    "justify-content:space-between;align-items:center;padding:.8rem 1rem}header a{color:inherit;"
    "text-decoration:none;font-weight:600;padding:.4rem 0}header span{font-size:.85rem;"
    "color:#AEB9C4}main{max-width:40rem;margin:0 auto;padding:.8rem;display:grid;gap:.8rem}"
    ".top{border-radius:.7rem;padding:1.1rem;display:flex;gap:1rem;align-items:center;"
    "background:var(--unknown-bg);border:2px solid var(--unknown)}.top svg{width:2.6rem;flex:none;"
    "color:var(--unknown);--glyph:var(--unknown-bg)}.top.down{background:var(--down);"
    "border-color:var(--down);color:var(--on-down)}.top.down svg{color:var(--on-down);"
    "--glyph:var(--down)}.top.degraded{background:var(--degraded);border-color:var(--degraded);"
    "color:var(--on-degraded)}.top.degraded svg{color:var(--on-degraded);--glyph:var(--degraded)}"
    ".top.up{background:var(--card);border-color:var(--up)}.top.up svg{color:var(--up)}"
    ".f{fill:currentColor}.g{fill:none;stroke:var(--glyph);stroke-width:2.2;stroke-linecap:round}"
    ".o,.c{fill:none;stroke:currentColor;stroke-width:2}h1{font-size:1.5rem;line-height:1.15;"
    "margin:0;overflow-wrap:anywhere}.card{background:var(--card);border:1px solid var(--line);"
    "border-radius:.7rem;padding:1rem}dl{display:grid;grid-template-columns:6.4rem 1fr;"
    "gap:.4rem .8rem;margin:0}dt{color:var(--mut)}dd{margin:0;overflow-wrap:anywhere}"
    "figure{margin:1rem 0 0}figure svg{width:100%;height:5rem;display:block;"
    "background:var(--bg)}.ln{fill:none;stroke:var(--acc);stroke-width:2;"
    "vector-effect:non-scaling-stroke}.sd{fill:var(--down);opacity:.3}.sh{fill:var(--unreachable);"
    "opacity:.3}.su{fill:var(--unknown);opacity:.3}figcaption{display:flex;gap:.6rem;"
    "justify-content:space-between;font-size:.8rem;color:var(--mut)}label{display:block;"
    "color:var(--mut);font-size:.9rem;margin-bottom:.7rem}input{display:block;width:100%;"
    "min-height:2.9rem;margin-top:.2rem;padding:.5rem .7rem;font:inherit;color:var(--fg);"
    "background:var(--bg);border:1px solid var(--mut);border-radius:.5rem}.b{display:block;"
    "width:100%;min-height:3.2rem;border-radius:.5rem;border:1.5px solid var(--fg);"
    "background:none;color:var(--fg);font:600 1.05rem system-ui,sans-serif;text-align:center;"
    "text-decoration:none;padding:.8rem;cursor:pointer}.main{background:var(--acc);"
    "border-color:var(--acc);color:var(--card)}.row{display:grid;grid-auto-flow:column;"
    "grid-auto-columns:1fr;gap:.6rem;margin-top:.6rem}.said{font-weight:600;margin:0 0 .8rem}"
    ".more{margin:.9rem 0 0}"
    ":focus-visible{outline:3px solid var(--acc);outline-offset:2px}"
)


def page(file: File, reads: Reads, prefix: str, look: Look, named: str | None, said: str) -> str:
    """The whole page. named: who is signed in; said: what became of the last action, else ''."""
    words = look.words
    incident, at_s = file.incident, reads.now()
    names = Names.of(reads.network)
    over = incident.ended_s is not None
    shape = State.UP.value if over else incident.state.value
    title = casefile.title(incident, names, words)
    return str(
        Markup(
            '<!doctype html><html lang="{}"{}><head><meta charset="utf-8"><meta name="viewport" '
            'content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
            "<title>{}</title><style>{}{}</style></head><body><header><a href='{}insiden'>‹ {}</a>"
            '<span>{}</span></header><main><div class="top {}"><svg viewBox="0 0 16 16" '
            'aria-hidden="true">{}</svg><div><h1>{}</h1>{}</div></div><section class="card"><dl>{}'
            "</dl>{}</section>{}</main></body></html>"
        ).format(
            words.lang.value,
            "" if look.theme is None else Markup(' data-theme="{}"').format(look.theme.value),
            title,
            own(_colours()),
            own(STYLE),
            prefix,
            words.say("page.incidents"),
            words.say("alert.as_of", clock=words.moment(at_s)),
            shape,
            own(SHAPES[shape]),
            title,
            _since(incident, at_s, words),
            _facts(file, reads, names, words),
            _chart(incident, reads, at_s, words),
            _doing(file, names, prefix, words, named, said, at_s),
        )
    )


def _since(incident: Incident, at_s: float, words: Words) -> str:
    since = words.moment(incident.started_s)
    if incident.ended_s is None:
        age = words.duration(at_s - incident.started_s)
        return words.say("alert.since", age=age, since=since)
    age = words.duration(incident.ended_s - incident.started_s)
    return words.say("alert.lasted", since=since, end=words.clock(incident.ended_s), age=age)


def _facts(file: File, reads: Reads, names: Names, words: Words) -> Markup:
    alerts, states = reads.cases.alerts, reads.link_states()
    pairs = casefile.facts(file, reads.network, alerts, states, words, reads.now())
    link = names.links.get(file.incident.target)
    if link is not None and link.via:
        pairs.append((words.say("alert.upstream"), _upstream(link, reads, names, words)))
    return joined(Markup("<dt>{}</dt><dd>{}</dd>").format(*pair) for pair in pairs)


def _upstream(link: Link, reads: Reads, names: Names, words: Words) -> str:
    states = reads.node_states()
    return ", ".join(
        words.say(
            "alert.upstream_state",
            name=names.nodes.get(node, node),
            state=words.say(f"alert.state_{states.get(node, State.UNKNOWN)}"),
        )
        for node in link.via
    )


def _chart(incident: Incident, reads: Reads, at_s: float, words: Words) -> Markup:
    """Nothing is drawn for the monitor itself."""
    if incident.scope == "monitor":
        return Markup("")
    start_s = incident.started_s - BEFORE_S
    end_s = min(at_s if incident.ended_s is None else incident.ended_s + BEFORE_S, at_s)
    end_s = max(min(end_s, start_s + LONGEST_S), start_s + BEFORE_S)
    width_s = max(10.0, (end_s - start_s) // 120 // 10 * 10)
    span = Span("alert", end_s - start_s, width_s, width_s)
    try:
        buckets = reads.latency(incident.target, span, end_s)
        stretches = reads.stretches(incident.target, start_s, min(end_s, at_s))
    except StoreError:
        return Markup("<p>{}</p>").format(words.say("alert.chart_none"))
    return strip(buckets, stretches, start_s, end_s, words)


def _doing(
    file: File,
    names: Names,
    prefix: str,
    words: Words,
    named: str | None,
    said: str,
    at_s: float,
) -> Markup:
    incident = file.incident
    taken = file.handling.active_acknowledgement(at_s)
    told: Sequence[str] = [said] if said else []
    if taken is not None:
        until = "" if taken.until_s is None else words.clock(taken.until_s)
        told = [*told, words.say("alert.taken", who=taken.who, until=until)]
    notes = joined(Markup('<p class="said">{}</p>').format(text) for text in told)
    call = _call(names.links.get(incident.target), words)
    if incident.ended_s is not None:
        inside = notes + (Markup('<div class="row">{}</div>').format(call) if call else "")
        return Markup('<section class="card">{}</section>').format(inside) if inside else inside
    who = (
        Markup("")
        if named is not None
        else Markup(
            '<label>{}<input name="who" required maxlength="60" autocomplete="name"></label>'
        ).format(words.say("act.name"))
    )
    return Markup(
        '<section class="card">{}<form method="post" action="{}i/{}">{}'
        '<button class="b main" name="verb" value="acknowledge">{}</button>'
        '<div class="row"><button class="b" name="verb" value="snooze">{}</button>{}</div>'
        '<label class="more">{}<input name="text" maxlength="1000" placeholder="{}"></label>'
        "</form></section>"
    ).format(
        notes,
        prefix,
        incident.id,
        who,
        words.say("act.take"),
        words.say("alert.snooze"),
        call,
        words.say("act.note"),
        words.say("act.note_hint"),
    )


def _call(link: Link | None, words: Words) -> Markup:
    """A telephone link, where the provider's contact is a number."""
    contact = "" if link is None or link.contact is None else link.contact
    found = re.search(r"\+?\d[\d\s().-]{4,}\d", contact)
    if found is None:
        return Markup("")
    number = re.sub(r"[^\d+]", "", found[0])
    return Markup('<a class="b" href="tel:{}">{}</a>').format(number, words.say("alert.call"))


def _colours() -> str:
    """Only those that this page has."""
    table = paints()
    return css({name: table[name] for name in PAINTS})
