"""Why, in words: what the ledger keeps as a reason and numbers, as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.i18n import Words
from monitor.core.model import Incident, Scope

Names = Mapping[str, str]


def reason_text(incident: Incident, names: Names, words: Words) -> str:
    """One line, as a site's page tells it. names: what people call each node, by its id."""
    if incident.scope is Scope.NODE:
        return words.say("why.parent_down", name=names.get(incident.target, incident.target))
    return evidence_text(incident, words)


def evidence_text(incident: Incident, words: Words) -> str:
    """What was seen of the target itself, in words and numbers; one line."""
    if incident.scope is Scope.MONITOR:
        return words.say("why.monitor")
    proof = incident.evidence
    if incident.reason == "loss" and proof.loss_ratio is not None and proof.limit is not None:
        return words.say(
            "why.loss",
            value=words.percent(proof.loss_ratio * 100),
            limit=words.percent(proof.limit * 100),
        )
    if incident.reason == "rtt" and proof.rtt_ms is not None and proof.limit is not None:
        return words.say("why.rtt", value=words.rtt(proof.rtt_ms), limit=words.number(proof.limit))
    key = f"why.{incident.reason}"
    parts = [
        words.say(key)
        if incident.reason in ("silence", "not_measured")
        else words.say("why.other", reason=incident.reason)
    ]
    if proof.lost_in_row is not None and proof.silence_s is not None:
        silence = words.number(proof.silence_s, 1)
        parts.append(words.say("why.silence_proof", lost=proof.lost_in_row, silence=silence))
    if proof.loss_before is not None:
        parts.append(words.say("why.loss_before", value=words.percent(proof.loss_before * 100)))
    if proof.error is not None:
        parts.append(proof.error)
    return " · ".join(parts)
