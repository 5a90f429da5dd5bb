"""The availability that a link should reach, and which setting says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

TARGETS: Mapping[str, float] = MappingProxyType(
    {"fibre": 0.995, "radio": 0.99, "vsat": 0.98, "lte": 0.99}
)
"""By kind of link, in a calendar month, 0 to 1, where nothing is agreed."""

DEFAULT_TARGET = 0.99


class AgreedBy(StrEnum):
    """Which setting gives the target; each has precedence over those after it."""

    LINK = "link"
    PROVIDER = "provider"
    KIND = "kind"
    BUILT_IN = "built_in"


@dataclass(frozen=True, slots=True)
class AvailabilityTarget:
    """ratio: of a calendar month, 0 to 1."""

    ratio: float
    agreed: AgreedBy


def built_in_target(kind: str) -> AvailabilityTarget:
    """The target of a kind of link where nothing is agreed."""
    return AvailabilityTarget(TARGETS.get(kind, DEFAULT_TARGET), AgreedBy.BUILT_IN)
