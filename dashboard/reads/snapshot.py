"""The one small document that every open page asks for each second.

Built at most twice a second however many browsers ask, packed once, and the same bytes as long
as nothing changed (an ETag; the server's clock travels in a header beside it). No language and
no colours in it: the page puts it into words.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import brotli
import orjson

from dashboard.reads.handled import handled
from dashboard.reads.intervals import Stretch
from dashboard.reads.kept import Kept
from dashboard.reads.listed import SEVERITY, open_item, recent_items
from dashboard.reads.questions import Day, Reads, Sparks, is_trouble
from dashboard.reads.told import Json, rounded, seconds, whole
from dashboard.theme import MAINTENANCE
from monitor.core.errors import PantauError
from monitor.core.model import Site, State
from monitor.core.samples.samples import LatencyBucket

KEPT_S = 0.25
LEVELS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
NO_SAMPLE, ALL_LOST = ".", "!"


@dataclass(frozen=True, slots=True)
class Packed:
    """A snapshot ready to send: plain, and compressed both ways."""

    etag: str
    plain: bytes
    brotli: bytes
    gzip: bytes

    @staticmethod
    def of(document: Json) -> Packed:
        """Pack a document."""
        plain = orjson.dumps(document)
        return Packed(
            hashlib.sha256(plain).hexdigest()[:20],
            plain,
            brotli.compress(plain, quality=5),
            gzip.compress(plain, 5, mtime=0),
        )


class Snapshots:
    """Makes snapshots and keeps the newest. build: names the version of page and network."""

    def __init__(self, reads: Reads, build: str, steady: Callable[[], float]) -> None:
        self._reads = reads
        self._build = build
        self._last: Json = {}
        self._kept = Kept(self._make, KEPT_S, steady)

    def get(self) -> Packed:
        """The newest, at most half a second old."""
        return self._kept.get()

    def _make(self) -> Packed:
        failed = []
        try:
            self._last = self._reads.state()
        except PantauError:
            # What was last known stays, and ages: the page judges it by its own time.
            failed.append("state")
        sparks, day = self._reads.sparks(), self._reads.day()
        failed += ["ledger"] * day.failed + ["samples"] * sparks.failed
        document = compose(self._reads, self._last, sparks, day, self._build, failed)
        return Packed.of(handled(document, self._reads, day))


def compose(
    reads: Reads, status: Json, sparks: Sparks, day: Day, build: str, failed: Sequence[str]
) -> Json:
    """The document. status: that of `pantau status --json`, {} when it was never known.

    build; round: when the last round ended, without a daemon its last sign of life; late: the
    states come from the ledger, or no round ends (the banner says so in place of warnings);
    samples: the newest sample's time; failed: of `state`, `ledger`, `samples`; warnings: [kind,
    text, values], see `monitor.core.warning`;
    changed: the daemon watches other sites than this process was started with;
    sites: by id, see `_site`; open, recent: incidents, see `listed`; day: the minute
    (since 1970) that the stretches of `sites.*.d` count from.
    """
    incidents = {each["target"]: each for each in status.get("incidents", ())}
    known = {each["id"]: each for each in status.get("sites", ())}
    names = reads.node_names()
    network = reads.network
    base_min = int(day.start_s // 86_400) * 1440
    sites = {
        site.id: _site(site, known.get(site.id, {}), incidents, names) for site in network.sites
    }
    for site in network.sites:
        told = sites[site.id]
        told["k"] = _spark(_buckets(site, told["u"], sparks), sparks.start_s)
        told["d"] = _stretches(day.sites.get(site.id, ()), base_min)
    homes = {link.name: site for site in network.sites for link in site.links}
    opened = [
        open_item(each, homes, names, sites)
        for each in incidents.values()
        if each.get("parent") is None
    ]
    opened.sort(key=lambda each: (SEVERITY.index(each["rank"]), -each["t"]))
    monitor, late = status.get("monitor", {}), bool(status.get("stale", True))
    return {
        "build": build,
        "round": seconds(monitor.get("last_round") or _last_sign_of_life(status)),
        "late": late,
        "samples": None if sparks.newest_s is None else round(sparks.newest_s),
        "failed": list(failed),
        "changed": bool(known) and known.keys() != sites.keys(),
        "warnings": [] if late else _remarks(monitor),
        "day": base_min,
        "sites": sites,
        "open": opened,
        "recent": recent_items(day.incidents, homes, names, set(incidents)),
    }


def _remarks(monitor: Json) -> list[list[Any]]:
    """The daemon's remarks on itself; of an older daemon its sentences."""
    remarks = monitor.get("remarks")
    if remarks is None:
        return [["other", str(text), {}] for text in monitor.get("warnings", ())]
    return [[each["kind"], each["text"], each["values"]] for each in remarks]


def _last_sign_of_life(status: Json) -> str | None:
    """When the ledger's states were last true; None when no daemon ever said that it lives."""
    at: str | None = status.get("at")
    return at if status.get("stale") and status.get("age_s", 0.0) > 0 else None


def _site(
    site: Site, status: Json, incidents: Mapping[str, Json], names: Mapping[str, str]
) -> Json:
    """s: state, t: since, r: RTT in ms and l: loss in percent of the link that is shown (its
    index u), w: why, in a word and its values, ls: the same of each link."""
    told = {each["target"]: each for each in status.get("links", ())}
    links = [told.get(link.name, {}) for link in site.links]
    shown = _shown(links)
    state = _shown_state(status.get("state", State.UNKNOWN.value), links)
    return {
        "s": state,
        "t": whole(status.get("since")),
        "u": shown,
        "r": rounded(links[shown].get("rtt_ms")) if links else None,
        "l": rounded(links[shown].get("loss_pct")) if links else None,
        "w": _why(site, state, links, incidents, names),
        "ls": [
            [
                _shown_state(link.get("state", State.UNKNOWN.value), [link]),
                whole(link.get("since")),
                rounded(link.get("rtt_ms")),
                rounded(link.get("loss_pct")),
            ]
            for link in links
        ],
    }


def _shown(links: Sequence[Json]) -> int:
    """Which link speaks for the site: the first that answers, else the first."""
    for index, link in enumerate(links):
        if link.get("state") in (State.UP, State.DEGRADED):
            return index
    return 0


def _shown_state(state: str, links: Sequence[Json]) -> str:
    """Planned work is shown in place of what it explains."""
    ailing = [link for link in links if link.get("state") != State.UP] or links
    planned = links and all(MAINTENANCE in link.get("overlays", ()) for link in ailing)
    return MAINTENANCE if planned else state


def _why(
    site: Site,
    state: str,
    links: Sequence[Json],
    incidents: Mapping[str, Json],
    names: Mapping[str, str],
) -> list[str] | None:
    if state == State.UNREACHABLE:
        parent = _hidden_by(site, incidents)
        return ["upstream", names.get(parent, parent)] if parent else None
    if state != State.DEGRADED:
        return None
    for link, told in zip(site.links, links, strict=True):
        if told.get("state", State.UNKNOWN) not in (State.UP, State.DEGRADED):
            return ["link", link.id, str(told.get("state", State.UNKNOWN.value))]
    for index, link in enumerate(site.links):
        incident = incidents.get(link.name)
        if incident is not None and incident["reason"] in ("loss", "rtt"):
            if index == _shown(links):
                return [incident["reason"]]
            return ["link", link.id, State.DEGRADED.value]
    return None


def _hidden_by(site: Site, incidents: Mapping[str, Json]) -> str | None:
    links = {link.name for link in site.links}
    for target, incident in incidents.items():
        if incident["scope"] == "node" and links.intersection(incident["affected"]):
            return target
    return None


def _buckets(site: Site, shown: int, sparks: Sparks) -> list[LatencyBucket]:
    """The last hour of the link that speaks for the site; one without samples gives way."""
    for link in site.links[shown:] + site.links[:shown]:
        buckets = sparks.buckets.get(link.name)
        if buckets:
            return buckets
    return []


def _spark(buckets: Iterable[LatencyBucket], start_s: float) -> str:
    """An hour as 60 letters, a to Z from low to high; `.` no sample, `!` every request lost.

    The scale is the site's own and never finer than half of its lowest median, so that a
    millisecond of jitter stays a quiet line.
    """
    line = [NO_SAMPLE] * 60
    mids = [bucket.rtt_mid for bucket in buckets if bucket.rtt_mid is not None]
    low, high = (min(mids) * 0.75, max(max(mids) * 1.1, min(mids) * 1.5)) if mids else (0.0, 1.0)
    for bucket in buckets:
        index = int((bucket.start_s - start_s) // 60)
        if not 0 <= index < len(line):
            continue
        if bucket.rtt_mid is not None:
            share = (bucket.rtt_mid - low) / max(high - low, 1e-9)
            line[index] = LEVELS[min(int(share * len(LEVELS)), len(LEVELS) - 1)]
        elif bucket.sent > 0:
            line[index] = ALL_LOST
    return "".join(line)


def _stretches(stretches: Iterable[Stretch], base_min: int) -> list[list[Any]]:
    """[from, to, state] in minutes after base_min; up is left out, `none` is before the start."""
    return [
        [
            int(each.start_s // 60) - base_min,
            max(int(each.end_s // 60), int(each.start_s // 60) + 1) - base_min,
            each.state.value if each.state is not None else "none",
        ]
        for each in stretches
        if each.state is None or is_trouble(each.state)
    ]
