"""When so much begins at once that it is one event for whoever is watching. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

MANY = 10
WITHIN_S = 600.0
WORTH_FOLDING = 4


def flood(begun_s: Mapping[int, float], still_open: Collection[int]) -> set[int]:
    """Which open incidents belong to a mass outage: more than ten began within ten minutes.

    begun_s: when each incident of late was detected, by its id, those that are over included. They
    stay together until fewer than four are open: those are read faster one by one.
    """
    order = sorted(begun_s.items(), key=lambda item: (item[1], item[0]))
    together: set[int] = set()
    first = 0
    for last, (_, at_s) in enumerate(order):
        while at_s - order[first][1] > WITHIN_S:
            first += 1
        if last - first + 1 > MANY:
            together.update(number for number, _ in order[first : last + 1])
    found = together.intersection(still_open)
    return found if len(found) >= WORTH_FOLDING else set()
