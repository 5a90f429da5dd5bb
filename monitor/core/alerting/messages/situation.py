"""Say of an incident what a page or a command shows beside it: the office now, and what to do.

The same words as in the messages.
"""

from __future__ import annotations

from collections.abc import Mapping

from monitor.core.alerting.messages.action_text import command_to_take, what_to_do
from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.office_text import office_line
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.office_status import Offices
from monitor.core.documents import Document
from monitor.core.model import Incident, Network, Scope, State


def office_now(
    incident: Incident, network: Network, states: Mapping[str, State], language: Language
) -> str | None:
    """Whether the office of a link is connected now; None: it is about no link, or not known."""
    if incident.scope is not Scope.LINK or not states:
        return None
    found = Offices(network).status([incident], states.get)
    is_over = incident.ended_s is not None
    return next((office_line(each, language, over=is_over) for each in found.values()), None)


def to_do(
    incident: Incident, names: TargetNames, language: Language, *, is_taken: bool
) -> str | None:
    """Whom to call, and the command that takes it; None: it is over, or explained by another."""
    if incident.ended_s is not None or incident.parent is not None:
        return None
    advice = what_to_do(incident, names, language)
    return advice if is_taken else f"{advice}; {command_to_take(incident, language)}"


def states_in(status: Document) -> dict[str, State]:
    """The states of all links in a `status --json` document; empty when it is stale."""
    if status.get("stale", True):
        return {}
    sites = status.get("sites")
    return {
        link["target"]: State(link["state"])
        for site in (sites if isinstance(sites, list) else [])
        for link in site["links"]
    }
