"""What the ledger knows of a stretch of time, and what of it counts as down, or as not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dashboard.reads.intervals import Stretch, site_stretches, target_stretches
from monitor.core.model import Site, State, Transition
from monitor.core.reports.availability import Availability, Interval, availability, intersect, union

NOT_SERVED = (State.DOWN, State.UNREACHABLE)
"""A site is without service in both; of a link itself, `unreachable` says nothing."""


@dataclass(frozen=True, slots=True)
class Past:
    """[start_s, end_s): transitions and what is excluded, each by target.

    alive_until_s: after it nothing is known, for the daemon gave no sign of life since.
    """

    start_s: float
    end_s: float
    changes: Mapping[str, Sequence[Transition]]
    alive_until_s: float
    excluded: Mapping[str, Sequence[Interval]]

    def of_target(self, target: str) -> list[Stretch]:
        """The states of one target, without a hole."""
        return target_stretches(self.changes.get(target, ()), self.start_s, self.end_s)

    def of_site(self, site: Site) -> list[Stretch]:
        """The states of one site, derived from its links."""
        links = [self.of_target(link.name) for link in site.links]
        return site_stretches(links, self.start_s, self.end_s)

    def blank(self, stretches: Iterable[Stretch], hidden: Sequence[State] = ()) -> list[Interval]:
        """Without evidence: before the first verdict, unknown, and since the daemon fell silent.

        hidden: states that say nothing of the target itself.
        """
        silent = (max(self.alive_until_s, self.start_s), self.end_s)
        return union([*intervals(stretches, (None, State.UNKNOWN, *hidden)), silent])

    def link(self, target: str) -> Availability:
        """One link, as its provider has to answer for it."""
        told = self.of_target(target)
        return availability(
            (self.start_s, self.end_s),
            intervals(told, (State.DOWN,)),
            self.blank(told, (State.UNREACHABLE,)),
            self.excluded.get(target, ()),
        )

    def site(self, site: Site, since_s: float | None = None) -> Availability:
        """One site, as those who work there have it: served while any of its links answers.

        since_s: from then on only; None: from the start.
        Excluded only while every one of its links is: else another should have carried it.
        """
        told = self.of_site(site)
        excluded = list(self.excluded.get(site.links[0].name, ()))
        for link in site.links[1:]:
            excluded = intersect(excluded, self.excluded.get(link.name, ()))
        start_s = self.start_s if since_s is None else max(self.start_s, since_s)
        return availability(
            (start_s, self.end_s), intervals(told, NOT_SERVED), self.blank(told), excluded
        )


def intervals(stretches: Iterable[Stretch], states: Sequence[State | None]) -> list[Interval]:
    """Those in one of these states."""
    return [(each.start_s, each.end_s) for each in stretches if each.state in states]
