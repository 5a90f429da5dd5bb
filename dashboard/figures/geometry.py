"""The real borders as SVG paths: projected once at start, with a place for each name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, radians
from pathlib import Path

BORDERS = Path(__file__).parent.parent / "data" / "indramayu-kecamatan.geojson"
WIDTH = 1000
MARGIN = 6
ROWS = 48
"""Heights at which a name's place is tried in each area."""

Point = tuple[float, float]
Ring = list[Point]


@dataclass(frozen=True, slots=True)
class Area:
    """One kecamatan on the map, in the units of the drawing.

    code: Kemendagri. path: an SVG path. x, y: the middle of the best place for its name, `room`
    the width that is free there.
    """

    code: str
    name: str
    path: str
    x: int
    y: int
    room: int


@dataclass(frozen=True, slots=True)
class MapShape:
    """All areas, in the order of their codes, and the size of the drawing."""

    width: int
    height: int
    areas: tuple[Area, ...]


def read_map(path: Path = BORDERS) -> MapShape:
    """Read the borders and project them (equirectangular about the middle latitude).

    Over half a degree the projection is within 0.1 % of true; one unit of the drawing is about
    76 m, as fine as the borders themselves.
    """
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    features.sort(key=lambda feature: feature["properties"]["code"])
    rings = [feature["geometry"]["coordinates"][0] for feature in features]
    lons = [lon for ring in rings for lon, _ in ring]
    lats = [lat for ring in rings for _, lat in ring]
    west, north = min(lons), max(lats)
    squeeze = cos(radians((min(lats) + north) / 2))
    scale = (WIDTH - 2 * MARGIN) / ((max(lons) - west) * squeeze)
    height = round((north - min(lats)) * scale) + 2 * MARGIN
    areas = []
    for feature, ring in zip(features, rings, strict=True):
        drawn = [
            (
                float(round((lon - west) * squeeze * scale) + MARGIN),
                float(round((north - lat) * scale) + MARGIN),
            )
            for lon, lat in ring
        ]
        x, y, room = _place(drawn)
        properties = feature["properties"]
        areas.append(Area(properties["code"], properties["name"], svg_path(drawn), x, y, room))
    return MapShape(WIDTH, height, tuple(areas))


def svg_path(ring: Sequence[Point]) -> str:
    """A closed ring as `M… l… z` in whole units; points that fall together are one."""
    x, y = (int(value) for value in ring[0])
    parts = [f"M{x} {y}l"]
    for point in ring[1:-1]:
        dx, dy = int(point[0]) - x, int(point[1]) - y
        if dx or dy:
            gap = "" if parts[-1].endswith("l") or dx < 0 else " "
            parts.append(f"{gap}{dx}{'' if dy < 0 else ' '}{dy}")
            x, y = x + dx, y + dy
    return "".join(parts) + "z"


def _crossings(ring: Sequence[Point], y: float) -> list[float]:
    found = []
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 <= y) != (y2 <= y):
            found.append(x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return sorted(found)


def _spans(ring: Sequence[Point], y: float) -> list[tuple[float, float]]:
    crossings = _crossings(ring, y)
    return list(zip(crossings[::2], crossings[1::2], strict=False))


def _place(ring: Sequence[Point]) -> tuple[int, int, int]:
    """Where a line of text (18 units high) has the most room, not far from the middle."""
    low, high = min(y for _, y in ring), max(y for _, y in ring)
    middle = (low + high) / 2
    best = (-1e9, 0.0, middle, 0.0)
    for row in range(1, ROWS):
        y = low + (high - low) * row / ROWS
        for left, right in _common(ring, (y - 9, y, y + 9)):
            room = right - left
            score = min(room, 110.0) - 0.35 * abs(y - middle)
            best = max(best, (score, (left + right) / 2, y, room))
    _, x, y, room = best
    return round(x), round(y), round(room)


def _common(ring: Sequence[Point], heights: Sequence[float]) -> list[tuple[float, float]]:
    """The stretches that lie inside at all of these heights."""
    common = _spans(ring, heights[0])
    for y in heights[1:]:
        common = [
            (max(left, other_left), min(right, other_right))
            for left, right in common
            for other_left, other_right in _spans(ring, y)
            if min(right, other_right) > max(left, other_left)
        ]
    return common
