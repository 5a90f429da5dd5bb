"""Availability as contracts mean it: intervals, never counters. Pure; times are UTC seconds.

Downtime is the union of the intervals in which a link was down, clipped to the period, less the
union of what is excluded (agreed maintenance). Time without evidence is never up and never down:
it lowers `coverage`, which is printed beside every availability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

TARGETS: Mapping[str, float] = MappingProxyType(
    {"fibre": 0.995, "radio": 0.99, "vsat": 0.98, "lte": 0.99}
)
"""What a link of a kind should reach in a calendar month, 0 to 1, where nothing is agreed."""


DEFAULT_TARGET = 0.99


class AgreedBy(StrEnum):
    """What says which availability a link should reach; each outranks what stands after it."""

    LINK = "link"
    PROVIDER = "provider"
    KIND = "kind"
    BUILT_IN = "built_in"


@dataclass(frozen=True, slots=True)
class AvailabilityTarget:
    """What a link should reach in a calendar month, 0 to 1, and by whose word."""

    ratio: float
    agreed: AgreedBy


def built_in_target(kind: str) -> AvailabilityTarget:
    """What a link of this kind should reach where nothing is agreed."""
    return AvailabilityTarget(TARGETS.get(kind, DEFAULT_TARGET), AgreedBy.BUILT_IN)
