"""Our lines are those of influxdb-client."""

from __future__ import annotations

from typing import Any, cast

import influxdb_client
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.samples.line_protocol import line_of
from monitor.core.samples.schema import Point, point_of, tag_value
from tests.sample_builders import MIDNIGHT_S, one_of_each


def library_line(point: Point) -> str:
    library = cast(Any, influxdb_client)
    made = library.Point(point.measurement)
    for name, text in point.tags.items():
        made = made.tag(name, text)
    for name, value in point.fields.items():
        made = made.field(name, value)
    line: str = made.time(point.at_ms, library.WritePrecision.MS).to_line_protocol()
    return line


def sorted_fields(point: Point) -> Point:
    """The library sorts the fields; their order does not matter."""
    return Point(point.measurement, point.tags, dict(sorted(point.fields.items())), point.at_ms)


def test_every_kind_of_sample_has_the_line_of_the_library() -> None:
    for sample in one_of_each():
        point = point_of(sample)
        assert point is not None
        ours = sorted_fields(point)
        assert _numbers(line_of(ours)) == _numbers(library_line(ours))


def test_a_line_with_characters_to_escape() -> None:
    point = Point(
        "ping",
        {"link": "utama", "provider": "Penyedia A, B=C"},
        {"sent": 10, "rtt_min": 0.25, "to": 'a "b" \\'},
        1_764_028_800_000,
    )
    assert line_of(point) == (
        'ping,link=utama,provider=Penyedia\\ A\\,\\ B\\=C sent=10i,rtt_min=0.25,to="a \\"b\\" \\\\"'
        " 1764028800000"
    )


TEXT = st.text(st.characters(codec="utf-8"), min_size=1).map(tag_value).filter(str.strip)


@given(TEXT, TEXT)
def test_any_text_has_the_line_of_the_library(tag: str, field: str) -> None:
    point = Point("ping", {"provider": tag}, {"reason": field}, round(MIDNIGHT_S * 1000))
    assert line_of(point) == library_line(point)
    assert "\n" not in line_of(point)


def _numbers(line: str) -> str:
    """The library writes 10.0 as 10: the same number."""
    return line.replace(".0,", ",").replace(".0 ", " ")
