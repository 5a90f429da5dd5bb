"""`/serah-terima`: what the next shift must know, on one sheet of paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from markupsafe import Markup

from dashboard.components.casefile import provider_text
from dashboard.components.cases import cause_text
from dashboard.components.icons import icon, joined
from dashboard.components.naming import Names
from dashboard.components.reasons import evidence_text
from dashboard.i18n import Words
from dashboard.reads.actions import LONGEST_NAME
from dashboard.reads.cases import Case
from dashboard.reads.questions import Reads
from monitor.core.alerting.model import MaintenanceWindow
from monitor.core.alerting.rota import Turn
from monitor.core.errors import StoreError
from monitor.core.reports.handover import MAINTENANCE_AHEAD_S

HOURS = (8, 12, 24)

SAID: Mapping[int, str] = MappingProxyType(
    {
        200: "ended",
        400: "not_ended",
        404: "no_window",
        409: "window_over",
        503: "silent",
        507: "not_kept",
    }
)
"""What is said of a form that ended maintenance, by the status of the answer."""


@dataclass(frozen=True, slots=True)
class Form:
    """Ends maintenance. action: where it goes; named: who is signed in, None: it asks."""

    action: str
    named: str | None


def body(
    hours: int, said: str, reads: Reads, prefix: str, named: str | None, words: Words
) -> Markup:
    """hours: how long the shift was; said: one of SAID, or ''.

    A ledger that cannot be read is said in a sentence.
    """
    at_s = reads.now()
    since_s = at_s - hours * 3600
    ways = joined(
        Markup('<a href="?hours={}"{}>{}</a>').format(
            each,
            Markup(' class="on" aria-current="true"') if each == hours else "",
            words.say(f"shift.hours_{each}"),
        )
        for each in HOURS
    )
    try:
        form = Form(f"{prefix}serah-terima/akhiri?hours={hours}", named)
        inside = _inside(since_s, at_s, reads, form, words)
    except StoreError:
        inside = Markup('<section class="card"><p class="mutp">{}</p></section>').format(
            words.say("report.unread")
        )
    told = Markup("")
    if said:
        told = Markup('<p class="said" role="status">{}</p>').format(words.say(f"act.{said}"))
    return Markup(
        '<main class="site shf" id="main"><div class="crumb"><h1>{}</h1><span>{}</span>'
        '<nav class="rng" aria-label="{}">{}</nav>'
        '<button type="button" class="btn" id="print">{}</button></div>{}{}</main>'
    ).format(
        words.say("shift.title"),
        words.say("shift.since", since=words.moment(since_s), at=words.moment(at_s)),
        words.say("shift.hours"),
        ways,
        words.say("incident.print"),
        told,
        inside,
    )


def _inside(since_s: float, at_s: float, reads: Reads, form: Form, words: Words) -> Markup:
    names = Names.of(reads.network)
    cases, desk = reads.cases, reads.cases.desk()
    opened = sorted(cases.open(), key=lambda case: case.incident.started_s)
    over = cases.ended_since(since_s)
    windows = desk.maintenance.windows_between(at_s, at_s + MAINTENANCE_AHEAD_S)
    people = {person.id: person.name for person in cases.alerts.people}
    phones = {person.id: person.phone for person in cases.alerts.people}
    turns = [_turn(*each, people, phones, words) for each in desk.routing.turns(at_s)]
    sign = Markup('<section class="sign"><div>{}</div><div>{}</div></section>').format(
        words.say("shift.signed"), words.say("shift.taken")
    )
    return Markup('<div class="cols"><div>{}{}</div><div>{}{}</div></div>{}').format(
        _card("open", [_case(case, names, words, at_s) for case in opened], words),
        _card("over", [_case(case, names, words, at_s) for case in over], words),
        _card("oncall", turns, words),
        _card("maintenance", [_window(each, names, at_s, form, words) for each in windows], words),
        sign,
    )


def _card(name: str, items: Sequence[Markup], words: Words) -> Markup:
    inside = (
        Markup('<ul class="shl">{}</ul>').format(joined(items))
        if items
        else Markup('<p class="mutp">{}</p>').format(words.say(f"shift.{name}_none"))
    )
    number = Markup(" <small>{}</small>").format(len(items)) if items else ""
    return Markup('<section class="card"><h2>{}{}</h2>{}</section>').format(
        words.say(f"shift.{name}"), number, inside
    )


def _case(case: Case, names: Names, words: Words, at_s: float) -> Markup:
    incident, handling = case.incident, case.handling
    end_s = incident.ended_s
    link = names.link(incident)
    place = names.place(incident, words) + (f" · {link}" if link else "")
    if end_s is None:
        age = words.duration(at_s - incident.started_s)
        when = words.say("incident.open_since", since=words.moment(incident.started_s), age=age)
    else:
        age = words.duration(end_s - incident.started_s)
        when = words.say(
            "incident.was", since=words.moment(incident.started_s), end=words.clock(end_s), age=age
        )
    held = handling.active_acknowledgement(at_s)
    hands = words.say("wall.untaken") if held is None else words.say("wall.taken", who=held.who)
    more = [
        evidence_text(incident, words),
        provider_text(incident, names, words),
        f"{words.say('incident.ticket')}: {handling.ticket}" if handling.ticket else "",
        f"{words.say('incident.cause')}: {cause_text(handling.cause, words)}"
        if handling.cause
        else "",
    ]
    notes = joined(
        Markup("<li>{} {}: {}</li>").format(words.clock(note.at_s), note.who, note.text)
        for note in handling.notes
    )
    return Markup(
        '<li class="{}">{}<div><b>{}: {}</b> <span>{}</span> <em>{}</em><p>{}</p>{}</div></li>'
    ).format(
        incident.state,
        icon(incident.state),
        place,
        words.say(f"state.{incident.state}"),
        when,
        hands if end_s is None else "",
        " · ".join(part for part in more if part),
        Markup("<ul>{}</ul>").format(notes) if notes else "",
    )


def _window(
    window: MaintenanceWindow, names: Names, at_s: float, form: Form, words: Words
) -> Markup:
    state = words.say("shift.now" if window.is_active(at_s) else "shift.ahead")
    sites = {site.id: site.name for site in names.sites.values()}
    targets = [sites.get(each) or names.targets([each])[0] for each in window.targets]
    return Markup(
        '<li class="maintenance">{}<div><b>{}</b> <span>{} – {}</span> <em>{}</em><p>{} · {}</p>'
        "{}</div></li>"
    ).format(
        icon("maintenance"),
        ", ".join(targets),
        words.moment(window.start_s),
        words.moment(window.effective_end_s),
        state,
        window.why,
        window.who,
        _end(window, at_s, form, words),
    )


def _end(window: MaintenanceWindow, at_s: float, form: Form, words: Words) -> Markup:
    """The way to end it; a line of maintenance.toml that is not yet in force has none."""
    name = str(window.id) if window.id else window.recurring
    if name is None or not (window.id or window.is_active(at_s)):
        return Markup("")
    who = Markup("")
    if form.named is None:
        who = Markup(
            '<input name="who" required maxlength="{}" autocomplete="name" aria-label="{}" '
            'placeholder="{}">'
        ).format(LONGEST_NAME, words.say("act.name"), words.say("act.name"))
    return Markup(
        '<form class="end" method="post" action="{}"><input type="hidden" name="name" value="{}">'
        '{}<button class="btn">{}</button></form>'
    ).format(form.action, name, who, words.say("shift.end"))


def _turn(
    now: Turn,
    after: Turn | None,
    people: dict[str, str],
    phones: dict[str, str | None],
    words: Words,
) -> Markup:
    person = now.person
    name = words.say("shift.nobody") if person is None else people.get(person, person)
    phone = None if person is None else phones.get(person)
    parts: Iterable[str] = (
        words.say("shift.until", until=words.moment(now.end_s)) if now.end_s is not None else "",
        words.say("shift.next", name=people.get(after.person, after.person))
        if after is not None and after.person is not None
        else "",
    )
    return Markup("<li><div><b>{}: {}</b> <span>{}</span><p>{}</p></div></li>").format(
        now.rota, name, phone or "", " · ".join(part for part in parts if part)
    )
