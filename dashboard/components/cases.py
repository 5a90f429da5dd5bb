"""Incidents in words: the rows of a list, as JSON for the page and as cells for a CSV file.

Times stay numbers (UTC seconds): the page puts them into words as they age.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dashboard.components.naming import Names
from dashboard.components.reasons import evidence_text
from dashboard.i18n import Words
from dashboard.reads.cases import Case

Json = dict[str, Any]

RANKS = ("monitor", "node", "down", "degraded", "unknown")


def rows(
    cases: Sequence[Case], names: Names, words: Words, at_s: float, work: Mapping[str, str]
) -> list[Json]:
    """Each incident of a list; one that another of the list explains stands in its `fold`.

    rank: 0 is the worst. by, until: who has it in hand; mute: until when it is snoozed.
    work: what maintenance is in force for, by target.
    """
    listed = {case.incident.id for case in cases}
    under: dict[int, list[str]] = {}
    for case in cases:
        parent = case.incident.parent
        if parent in listed and parent is not None:
            under.setdefault(parent, []).append(case.incident.target)
    return [
        _row(case, names, words, at_s, under.get(case.incident.id, []))
        | {"work": work.get(case.incident.target, "")}
        for case in cases
        if case.incident.parent not in listed
    ]


def _row(case: Case, names: Names, words: Words, at_s: float, under: Sequence[str]) -> Json:
    incident = case.incident
    taken, muted = case.handling.active_acknowledgement(at_s), case.handling.active_snooze(at_s)
    site = names.site(incident)
    folded = names.targets(dict.fromkeys((*incident.affected, *under)))
    return {
        "id": incident.id,
        "uid": case.uid,
        "rank": rank(incident.scope.value, incident.state.value),
        "s": incident.state.value,
        "site": None if site is None else site.id,
        "name": names.place(incident, words),
        "link": names.link(incident),
        "why": evidence_text(incident, words),
        "t": round(incident.started_s),
        "e": None if incident.ended_s is None else round(incident.ended_s),
        "by": None if taken is None else taken.who,
        "until": None if taken is None else _whole(taken.until_s),
        "mute": None if muted is None else _whole(muted.until_s),
        "ticket": case.handling.ticket,
        "fold": words.say("incident.folded", count=len(folded), names=", ".join(folded))
        if folded
        else "",
    }


def rank(scope: str, state: str) -> int:
    """Where it stands by severity."""
    name = scope if scope in RANKS else state
    return RANKS.index(name) if name in RANKS else len(RANKS) - 1


HEADS = ("number", "status", "where", "link", "problem", "since", "ended", "length", "hands")


def table(cases: Sequence[Case], names: Names, words: Words, at_s: float) -> list[list[str]]:
    """The same as cells: a row of heads, then a row each. Times are local, with their offset."""
    heads = [words.say(f"incident.{head}", id="").strip() for head in HEADS]
    heads += [
        words.say("incident.ticket"),
        words.say("incident.cause"),
        words.say("incident.notes"),
    ]
    found = [heads]
    for case in cases:
        incident, handling = case.incident, case.handling
        held = handling.active_acknowledgement(at_s) or handling.acknowledged
        end_s = incident.ended_s
        found.append(
            [
                str(incident.id),
                words.say(f"state.{incident.state}"),
                names.place(incident, words),
                names.link(incident),
                evidence_text(incident, words),
                _moment(incident.started_s, words),
                "" if end_s is None else _moment(end_s, words),
                words.duration((at_s if end_s is None else end_s) - incident.started_s),
                "" if held is None else held.who,
                handling.ticket or "",
                cause_text(handling.cause, words),
                " | ".join(f"{note.who}: {note.text}" for note in handling.notes),
            ]
        )
    return found


def cause_text(cause: str | None, words: Words) -> str:
    """A cause that a person named."""
    if cause is None:
        return ""
    key = f"incident.cause_{cause}"
    return words.say(key) if words.has(key) else cause


def _whole(at_s: float | None) -> int | None:
    return None if at_s is None else round(at_s)


def _moment(at_s: float, words: Words) -> str:
    return datetime.fromtimestamp(round(at_s), words.zone).isoformat(sep=" ")


def places(names: Names) -> list[Any]:
    """What the search looks through, a site each: id, name, code, and its links."""
    return [
        [
            site.id,
            site.name,
            site.code,
            [[link.id, link.address, link.provider or ""] for link in site.links],
        ]
        for site in names.sites.values()
    ]


def by_view(cases: Sequence[Case], view: str, at_s: float) -> list[Case]:
    """`untaken` leaves out what somebody has in hand."""
    if view != "untaken":
        return list(cases)
    return [case for case in cases if case.handling.active_acknowledgement(at_s) is None]
