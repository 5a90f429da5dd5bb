"""JSON documents of states, incidents and transitions, as CONTRACT defines them.

Times are UTC, RFC 3339, to the millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.core.detection.site_state import site_since, site_state
from monitor.core.ledger_identity import incident_uid
from monitor.core.model import Incident, IncidentEvidence, Network, State, Transition
from monitor.core.paths.model import IncidentTrace, NamedHop, PathFinding

Document = dict[str, object]


def rfc3339(utc_s: float | None) -> str | None:
    """`2026-11-24T03:00:00.000Z` of a Unix time; None stays None."""
    if utc_s is None:
        return None
    moment = datetime.fromtimestamp(round(utc_s, 3), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def evidence_document(evidence: IncidentEvidence) -> Document:
    """Measured values behind an incident; those that do not apply are left out."""
    found: Document = {
        name: value
        for name in IncidentEvidence.__dataclass_fields__
        if (value := getattr(evidence, name)) is not None
    }
    if evidence.path is not None:
        found["path"] = path_document(evidence.path)
    return found


def path_document(finding: PathFinding) -> Document:
    """Where a path breaks off; what is not known is left out."""
    found: Document = {
        "kind": finding.kind.value,
        "at": rfc3339(finding.at_s),
        "last": _hop_document(finding.last),
        "usual_last": _hop_document(finding.usual_last),
        "next": _hop_document(finding.next),
        "usual_hops": finding.usual_hops,
        "usual_at": rfc3339(finding.usual_at_s),
        "changed": rfc3339(finding.changed_s),
        "error": finding.error,
    }
    return {name: value for name, value in found.items() if value is not None}


def trace_document(trace: IncidentTrace) -> Document:
    """One trace of an incident with its hops, and those of the usual path then."""
    return {
        "target": trace.target,
        "at": rfc3339(trace.at_s),
        "result": trace.result,
        "hops": [hop._asdict() for hop in trace.hops],
        "usual": [hop._asdict() for hop in trace.usual],
    }


def _hop_document(hop: NamedHop | None) -> Document | None:
    return None if hop is None else {"ttl": hop.ttl, "address": hop.address, "name": hop.name}


def incident_document(incident: Incident, ledger: str = "") -> Document:
    """As in `incidents --json` and `replay --json`.

    ledger: the identity of the ledger that it is numbered in; "": none (a replay), without `uid`.
    """
    return {
        "id": incident.id,
        **({"uid": incident_uid(ledger, incident.id)} if ledger else {}),
        "scope": incident.scope.value,
        "target": incident.target,
        "state": incident.state.value,
        "started": rfc3339(incident.started_s),
        "started_earliest": rfc3339(incident.started_earliest_s),
        "detected": rfc3339(incident.detected_s),
        "ended": rfc3339(incident.ended_s),
        "ended_earliest": rfc3339(incident.ended_earliest_s),
        "reason": incident.reason,
        "end_reason": incident.end_reason,
        "parent": incident.parent,
        "affected": list(incident.affected),
        "suspected_cause": incident.suspected_cause,
        "evidence": evidence_document(incident.evidence),
    }


def transition_document(transition: Transition) -> Document:
    """As in `replay --json`."""
    return {
        "target": transition.target,
        "at": rfc3339(transition.at_s),
        "detected": rfc3339(transition.detected_s),
        "from": transition.before.value,
        "to": transition.after.value,
        "reason": transition.reason,
    }


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """What is shown of one target now. since_s: UTC; None: it has no state yet."""

    state: State = State.UNKNOWN
    since_s: float | None = None
    rtt_ms: float | None = None
    loss_pct: float | None = None
    overlays: tuple[str, ...] = ()


def status_document(
    network: Network,
    status_of: Callable[[str], TargetStatus],
    monitor: Mapping[str, object],
    incidents: Sequence[Incident],
    at_s: float,
    age_s: float,
    stale: bool,
    ledger: str = "",
) -> Document:
    """`status --json`: every site, link and node. at_s: when it was true (UTC).

    ledger: see `incident_document`.
    """
    sites: list[Document] = []
    for site in network.sites:
        statuses = [(link, status_of(link.name)) for link in site.links]
        states = [(status.state, status.since_s or 0.0) for _, status in statuses]
        since_s = site_since(states)
        sites.append(
            {
                "id": site.id,
                "name": site.name,
                "code": site.code,
                "state": site_state([state for state, _ in states]).value,
                "since": rfc3339(since_s) if since_s else None,
                "links": [
                    _target(link.name, status)
                    | {"id": link.id, "kind": link.kind, "provider": link.provider}
                    for link, status in statuses
                ],
            }
        )
    return {
        "at": rfc3339(at_s),
        "age_s": round(age_s, 3),
        "stale": stale,
        "monitor": dict(monitor),
        "sites": sites,
        "nodes": [
            _target(node.id, status_of(node.id)) | {"name": node.name, "address": node.address}
            for node in network.nodes
        ],
        "anchors": [_target(anchor.name, status_of(anchor.name)) for anchor in network.anchors],
        "incidents": [incident_document(incident, ledger) for incident in incidents],
    }


def _target(name: str, status: TargetStatus) -> Document:
    return {
        "target": name,
        "state": status.state.value,
        "since": rfc3339(status.since_s) if status.since_s else None,
        "rtt_ms": None if status.rtt_ms is None else round(status.rtt_ms, 3),
        "loss_pct": None if status.loss_pct is None else round(status.loss_pct, 2),
        "overlays": list(status.overlays),
    }
