"""The summary of a shift (`pantau handover`) and who is on call (`pantau oncall`). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.core.alerting import Action, Alerts, Person, Window
from monitor.core.casefile import window_document, with_handling
from monitor.core.documents import Document, rfc3339
from monitor.core.handling import by_incident
from monitor.core.model import Incident
from monitor.core.rota import Turn

AHEAD_S = 86_400.0
"""So far ahead the summary looks for maintenance."""


def handover_document(
    incidents: Sequence[Incident],
    actions: Sequence[Action],
    windows: Sequence[Window],
    oncall: Sequence[Document],
    since_s: float,
    at_s: float,
) -> Document:
    """What the next shift must know. Times UTC; incidents: open ones, and those over since then.

    actions: all those on these incidents. windows: in force now or ahead.
    """
    of_each = by_incident(actions)
    found = [(i, with_handling(i, of_each.get(i.id, ()), at_s)) for i in incidents]
    return {
        "at": rfc3339(at_s),
        "since": rfc3339(since_s),
        "open": [document for i, document in found if i.ended_s is None],
        "over": [document for i, document in found if i.ended_s is not None],
        "maintenance": [window_document(window, at_s) for window in windows],
        "oncall": list(oncall),
    }


def oncall_documents(alerts: Alerts, turns: Sequence[tuple[Turn, Turn | None]]) -> list[Document]:
    """Each rota: who is on call now, and who is next."""
    people = {person.id: person for person in alerts.people}
    return [
        {
            "rota": now.rota,
            "now": turn_document(now, people),
            "next": None if after is None else turn_document(after, people),
        }
        for now, after in turns
    ]


def turn_document(turn: Turn, people: Mapping[str, Person]) -> Document:
    """One stretch of being on call; person None: nobody."""
    person = None if turn.person is None else people.get(turn.person)
    return {
        "person": turn.person,
        "name": None if person is None else person.name,
        "phone": None if person is None else person.phone,
        "channels": [] if person is None else list(person.channels),
        "from": rfc3339(turn.start_s),
        "to": rfc3339(turn.end_s),
        "override": turn.override,
    }
