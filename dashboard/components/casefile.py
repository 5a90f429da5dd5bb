"""One incident whole, in words: facts with their evidence, timeline, and why anybody was told."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from dashboard.components.cases import Json, cause_text, rank
from dashboard.components.naming import Names
from dashboard.components.reasons import evidence_text
from dashboard.i18n import Words
from dashboard.reads.cases import File
from monitor.core.alerting.messages.evidence_text import suspected_cause_text
from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.path_text import hops_text, path_text
from monitor.core.alerting.messages.situation import office_now, to_do
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.model import (
    ActionKind,
    EventKind,
    IncidentAction,
    OutboxRow,
    PolicyDecision,
)
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.settings import AlertSettings
from monitor.core.model import Incident, Network, State

Fact = tuple[str, str]

_ALWAYS_DATED = 0.0
"""Stands for now where a time shall have its date."""

REASON_KEYS = {"resolved": "was_resolved", "digest": "in_digest", "test": "a_test"}
"""Reasons that bear the name of an event have a text of their own."""


def document(
    file: File,
    network: Network,
    alerts: AlertSettings,
    states: Mapping[str, State],
    words: Words,
    at_s: float,
) -> Json:
    """What the side panel shows. target: for maintenance; texts are plain, never markup."""
    names, incident = Names.of(network), file.incident
    taken, muted = file.handling.active_acknowledgement(at_s), file.handling.active_snooze(at_s)
    site = names.site(incident)
    return {
        "id": incident.id,
        "uid": file.uid,
        "open": incident.ended_s is None,
        "s": incident.state.value,
        "rank": rank(incident.scope.value, incident.state.value),
        "title": title(incident, names, words),
        "site": None if site is None else site.id,
        "target": incident.target,
        "t": round(incident.started_s),
        "e": None if incident.ended_s is None else round(incident.ended_s),
        "by": None if taken is None else taken.who,
        "until": None if taken is None or taken.until_s is None else round(taken.until_s),
        "mute": None if muted is None or muted.until_s is None else round(muted.until_s),
        "ticket": file.handling.ticket or "",
        "cause": file.handling.cause or "",
        "suspect": incident.suspected_cause or "",
        "facts": [
            *facts(file, network, alerts, states, words, at_s),
            (words.say("incident.detected"), _detected(incident, words)),
        ],
        "timeline": timeline(file, words),
        "told": told(file, alerts, words),
    }


def title(incident: Incident, names: Names, words: Words) -> str:
    """`Losarang · utama putus`."""
    link = names.link(incident)
    place = names.place(incident, words) + (f" · {link}" if link else "")
    return words.say("alert.title", name=place, state=words.say(f"alert.state_{incident.state}"))


def facts(
    file: File,
    network: Network,
    alerts: AlertSettings,
    states: Mapping[str, State],
    words: Words,
    at_s: float,
) -> list[Fact]:
    """(label, text), in the order in which they are asked for at night.

    states: of all links now, by full name; empty when nobody knows.
    """
    names, incident = Names.of(network), file.incident
    language, targets = Language(words.lang.value, words.zone), TargetNames(network, alerts)
    found: list[Fact] = []
    office = office_now(incident, network, states, language)
    if office is not None:
        found.append((words.say("incident.office"), office))
    is_taken = file.handling.active_acknowledgement(at_s) is not None
    advice = to_do(incident, targets, language, is_taken=is_taken)
    if advice is not None:
        found.append((words.say("incident.to_do"), advice.replace("`", "")))
    found.append((words.say("incident.evidence"), evidence_text(incident, words)))
    if incident.evidence.path is not None:
        over = incident.ended_s is not None
        where = path_text(incident.evidence.path, language, _ALWAYS_DATED, over=over)
        found.append((words.say("incident.path"), where))
    found += [(words.say("incident.hops"), hops_text(each, language)) for each in file.traces[-1:]]
    guess = suspected_cause_text(incident, targets, language)
    if guess is not None:
        found.append((words.say("incident.suspect"), guess))
    if file.handling.cause is not None:
        found.append((words.say("incident.cause"), cause_text(file.handling.cause, words)))
    hidden = dict.fromkeys((*incident.affected, *(each.target for each in file.folded)))
    if incident.scope != "link" or hidden:
        shown = ", ".join(names.targets(hidden)) or words.say("incident.hidden_none")
        found.append((words.say("incident.hidden"), shown))
    provider = provider_text(incident, names, words)
    if provider:
        found.append((words.say("incident.provider"), provider))
    if file.handling.ticket:
        found.append((words.say("incident.ticket"), file.handling.ticket))
    return found


def provider_text(incident: Incident, names: Names, words: Words) -> str:
    """Provider, telephone and circuit of a link, as far as they are configured."""
    link = names.links.get(incident.target)
    if link is None:
        return ""
    circuit = words.say("incident.circuit", circuit=link.circuit) if link.circuit else ""
    return " · ".join(part for part in (link.provider, link.contact, circuit) if part)


def timeline(file: File, words: Words) -> list[Json]:
    """What happened, in order: {t, text, more, kind}; kind: state, told, done."""
    incident = file.incident
    silent = incident.reason in ("silence", "still_silent")
    began = words.say("incident.began" if silent else "incident.began_other")
    found = [_entry(incident.started_s, "state", began)]
    if incident.started_earliest_s is not None:
        found[0]["more"] = words.say(
            "incident.bounds",
            early=words.clock(incident.started_earliest_s),
            since=words.clock(incident.started_s),
        )
    state = words.say(f"state.{incident.state}")
    found.append(_entry(incident.detected_s, "state", words.say("incident.judged", state=state)))
    found += [_done(action, incident, words) for action in file.actions]
    if incident.ended_s is not None:
        found.append(_entry(incident.ended_s, "state", words.say("incident.over")))
    return sorted(found, key=lambda each: float(each["t"]))


def told(file: File, alerts: AlertSettings, words: Words) -> list[Json]:
    """Each decision to tell somebody or nobody, with its reason: {t, yes, text}.

    The same no, said again and again, is one line with a count.
    """
    people = {person.id: person.name for person in alerts.people}
    sent = {(row.recipient, row.channel, row.sequence, row.incident): row for row in file.messages}
    found: list[Json] = []
    for _, group in groupby(
        file.notices, key=lambda each: (each.notified, each.reason, each.recipient)
    ):
        same = list(group)
        first = same[0]
        text = _notice(first, people, sent.get(_message(first)), words)
        if len(same) > 1 and not first.notified:
            found.append(_told(first, words.say("notice.times", text=text, count=len(same))))
        else:
            found += [
                _told(each, _notice(each, people, sent.get(_message(each)), words)) for each in same
            ]
    return found


def _message(notice: PolicyDecision) -> tuple[Any, ...]:
    return (notice.recipient, notice.channel, notice.sequence, notice.thread)


def _told(notice: PolicyDecision, text: str) -> Json:
    return {"t": round(notice.at_s, 1), "yes": notice.notified, "text": text}


def _notice(
    notice: PolicyDecision, people: dict[str, str], row: OutboxRow | None, words: Words
) -> str:
    key = f"notice.{_reason_key(notice)}"
    why = words.say(key) if words.has(key) else words.say("notice.other", reason=notice.reason)
    if not notice.notified:
        return words.say("notice.nobody", why=why)
    name = notice.recipient or ""
    kind, colon, channel = name.partition(":")
    who = words.say("notice.channel", name=channel) if colon and kind == "channel" else name
    said = words.say(
        "notice.told",
        what=words.say(f"notice.{notice.event}"),
        who=people.get(name, who),
        way=notice.channel or "",
    )
    return " · ".join(part for part in (said, why, _status(row, words)) if part)


def _reason_key(notice: PolicyDecision) -> str:
    if notice.reason is Reason.WITHIN_HOLD and notice.event is EventKind.RESOLVED:
        return "ended_within_hold"
    return REASON_KEYS.get(notice.reason, notice.reason)


def _status(row: OutboxRow | None, words: Words) -> str:
    if row is None:
        return ""
    clock = "" if row.sent_s is None else words.clock(row.sent_s)
    text = words.say(f"notice.status_{row.status}", clock=clock)
    return f"{text} ({row.last_error})" if row.status == "dead" and row.last_error else text


def _detected(incident: Incident, words: Words) -> str:
    late_s = incident.detected_s - incident.started_s
    clock = words.clock(incident.detected_s)
    if late_s < 0.5:
        return clock
    return words.say("incident.detected_after", clock=clock, seconds=words.number(late_s, 1))


def _done(action: IncidentAction, incident: Incident, words: Words) -> Json:
    of_cause = action.kind is ActionKind.CAUSE
    more = cause_text(action.text, words) if of_cause else action.text
    parts = [more] if more else []
    if action.until_s is not None:
        parts.append(words.say("act.done_until", clock=words.clock(action.until_s)))
    key = f"act.done_{action.kind}"
    if of_cause and incident.suspected_cause is not None:
        agrees = action.text == incident.suspected_cause
        key = "act.cause_confirmed" if agrees else "act.cause_corrected"
    text = words.say(key, who=action.who)
    return _entry(action.at_s, "done", text) | {"more": " · ".join(parts)}


def _entry(at_s: float, kind: str, text: str) -> Json:
    return {"t": round(at_s, 1), "kind": kind, "text": text, "more": ""}
