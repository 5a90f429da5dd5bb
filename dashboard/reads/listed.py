"""The two lists of the overview: what is open, the worst first, and what has just ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dashboard.reads.told import Json, rounded, whole
from dashboard.theme import MAINTENANCE
from monitor.core.model import Incident, Site, State

SEVERITY = ("monitor", "node", "down", "degraded", "unknown")
RECENT = 5


def _where(scope: str, target: str, homes: Mapping[str, Site], names: Mapping[str, str]) -> Json:
    """site and link (left out for a site's only link) of a link, name of a node."""
    if scope == "link":
        site = homes.get(target)
        if site is None:
            return {"name": target}
        link = {"link": target.partition("/")[2]} if len(site.links) > 1 else {}
        return {"site": site.id} | link
    return {"name": names.get(target, target)} if scope == "node" else {}


def open_item(
    incident: Json,
    homes: Mapping[str, Site],
    names: Mapping[str, str],
    sites: Mapping[str, Json],
) -> Json:
    """One open incident: s, t as of a site; why with v (value) and lim (limit); aff: sites.

    A link that is down while its site answers by another is shown as the site is: degraded.
    """
    scope, target, state = incident["scope"], incident["target"], incident["state"]
    where = _where(scope, target, homes, names)
    shown = sites.get(where.get("site", ""), {}).get("s")
    if state == State.DOWN and shown == State.DEGRADED:
        state = State.DEGRADED.value
    elif shown == MAINTENANCE:
        state = MAINTENANCE
    rank = scope if scope in ("monitor", "node") else state
    proof = incident.get("evidence") or {}
    behind = {homes[name].id for name in incident.get("affected", ()) if name in homes}
    found = {
        "id": incident["id"],
        "scope": scope,
        "rank": rank if rank in SEVERITY else "unknown",
        "s": state,
        "t": whole(incident["started"]) or 0,
        "why": incident["reason"],
        "v": _value(incident["reason"], proof),
        "lim": _limit(incident["reason"], proof),
        "aff": [site for site in sites if site in behind],
    }
    return found | where


def _value(reason: str, proof: Json) -> float | None:
    ratio = proof.get("loss_ratio")
    if reason == "loss":
        return None if ratio is None else rounded(ratio * 100)
    return rounded(proof.get("rtt_ms")) if reason == "rtt" else None


def _limit(reason: str, proof: Json) -> float | None:
    limit = proof.get("limit")
    if limit is None:
        return None
    return rounded(limit * 100 if reason == "loss" else limit)


def recent_items(
    incidents: Iterable[Incident],
    homes: Mapping[str, Site],
    names: Mapping[str, str],
    still: set[str],
) -> list[Json]:
    """What is over, the newest of each target: s, t, e (its end), and where; none begun anew."""
    last: dict[str, tuple[float, Incident]] = {}
    for each in incidents:
        if each.ended_s is not None and each.target not in still:
            last[each.target] = max(
                last.get(each.target, (each.ended_s, each)),
                (each.ended_s, each),
                key=lambda pair: (pair[0], pair[1].id),
            )
    over = sorted(last.values(), key=lambda pair: (pair[0], pair[1].id), reverse=True)
    return [
        {
            "id": each.id,
            "scope": each.scope.value,
            "s": each.state.value,
            "t": int(each.started_s),
            "e": int(ended_s),
        }
        | _where(each.scope.value, each.target, homes, names)
        for ended_s, each in over[:RECENT]
    ]
