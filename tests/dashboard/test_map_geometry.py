"""The map has 31 districts with common borders and a place for each name."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from dashboard.figures.geometry import Area, MapShape, read_map

Point = tuple[int, int]


@pytest.fixture(scope="module")
def shape() -> MapShape:
    return read_map()


def corners(area: Area) -> list[Point]:
    """The path read back as a browser would."""
    begin, _, rest = area.path.removesuffix("z").partition("l")
    x, y = (int(part) for part in begin.removeprefix("M").split())
    steps = [int(part) for part in re.findall(r"-?\d+", rest)]
    found = [(x, y)]
    for dx, dy in zip(steps[::2], steps[1::2], strict=True):
        x, y = x + dx, y + dy
        found.append((x, y))
    return found


def inside(x: float, y: float, ring: list[Point]) -> bool:
    hit = False
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            hit = not hit
    return hit


def test_there_are_31_kecamatan_in_the_order_of_their_codes(shape: MapShape) -> None:
    codes = [area.code for area in shape.areas]
    assert codes == [f"32.12.{number:02d}" for number in range(1, 32)]
    assert shape.areas[22].name == "Anjatan"


def test_neighbours_share_their_borders_without_a_gap(shape: MapShape) -> None:
    """Inside the regency every edge belongs to two areas: few are left for the coast and rim."""
    edges: Counter[frozenset[Point]] = Counter()
    for area in shape.areas:
        ring = corners(area)
        for one, other in zip(ring, [*ring[1:], ring[0]], strict=True):
            if one != other:
                edges[frozenset((one, other))] += 1
    assert set(edges.values()) == {1, 2}
    rim = [edge for edge, times in edges.items() if times == 1]
    ends = Counter(point for edge in rim for point in edge)
    assert all(times % 2 == 0 for times in ends.values()), "the rim is closed"
    assert sum(times == 2 for times in edges.values()) > 900


def test_every_name_stands_inside_its_own_area(shape: MapShape) -> None:
    for area in shape.areas:
        assert inside(area.x, area.y, corners(area)), area.name
        assert area.room > 40


def test_north_is_up_and_west_is_left(shape: MapShape) -> None:
    by_name = {area.name: area for area in shape.areas}
    assert by_name["Pasekan"].y < by_name["Sukagumiwang"].y
    assert by_name["Sukra"].x < by_name["Krangkeng"].x
    assert 600 < shape.height < 720


def test_the_map_is_small_enough_to_come_with_the_page(shape: MapShape) -> None:
    assert sum(len(area.path) for area in shape.areas) < 16_000
