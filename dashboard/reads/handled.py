"""What the snapshot says beside the states: who has what in hand, a flood, the month so far."""

from __future__ import annotations

from datetime import datetime

from dashboard.reads.flood import flood
from dashboard.reads.questions import Day, Reads
from dashboard.reads.told import Json
from dashboard.theme import MAINTENANCE
from monitor.core.errors import StoreError
from monitor.core.model import Incident


def handled(document: Json, reads: Reads, day: Day) -> Json:
    """The same document with more in it.

    open: `by` (who has it in hand), `m` (belongs to a mass outage), `e` (maintenance ends then);
    sites: `e` likewise; month: see `_month`.
    """
    standing = reads.cases.standing()
    begun_s = {each.id: each.detected_s for each in day.incidents if each.parent is None}
    mass = flood(begun_s, [item["id"] for item in document["open"]])
    ends = {
        site.id: max(
            standing.until[link.name] for link in site.links if link.name in standing.until
        )
        for site in reads.network.sites
        if any(link.name in standing.until for link in site.links)
    }
    opened = []
    for item in document["open"]:
        more: Json = {}
        if item["id"] in standing.taken:
            more["by"] = standing.taken[item["id"]]
        if item["id"] in mass:
            more["m"] = 1
        if item["s"] == MAINTENANCE and item.get("site") in ends:
            more["e"] = int(ends[item["site"]])
        opened.append(item | more)
    sites = {
        name: site | {"e": int(ends[name])} if site["s"] == MAINTENANCE and name in ends else site
        for name, site in document["sites"].items()
    }
    return document | {"open": opened, "sites": sites, "month": _month(reads, day)}


def _month(reads: Reads, day: Day) -> list[Json | float | str | int | None]:
    """[percent of the time that sites were served, the worst site, its percent, begun today]."""
    today = _begun_today(reads, day.incidents)
    try:
        report = reads.months.report(reads.months.period(None))
    except StoreError:
        return [None, None, None, today]
    worst = next((each for each in report.sites if each.told.ratio is not None), None)
    if worst is None or worst.told.ratio == 1:
        return [_percent(report.served.ratio), None, None, today]
    return [_percent(report.served.ratio), worst.site.id, _percent(worst.told.ratio), today]


def _begun_today(reads: Reads, incidents: tuple[Incident, ...]) -> int:
    zone = reads.zone
    midnight = datetime.fromtimestamp(reads.now(), zone).replace(hour=0, minute=0, second=0)
    start_s = int(midnight.timestamp())
    return sum(1 for each in incidents if each.parent is None and each.started_s >= start_s)


def _percent(ratio: float | None) -> float | None:
    """Rounded down, so that 99.996 % is never shown as 100 %."""
    return None if ratio is None else int(ratio * 10_000) / 100
