"""The words for where a path breaks off."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.path_text import hops_text, path_line, path_text
from monitor.core.paths.model import (
    SKIPPED,
    FindingKind,
    IncidentTrace,
    NamedHop,
    PathFinding,
    RouteHop,
)

NOON_S = 1_764_046_800.0  # 25 Nov 2025 12.00 WIB
ID, EN = (Language(name, ZoneInfo("Asia/Jakarta")) for name in ("id", "en"))
JATIBARANG = NamedHop(3, "10.77.0.11", "PoP Jatibarang")
NEXT = NamedHop(4, "10.77.0.12")
STOPPED = PathFinding(FindingKind.STOPPED, NOON_S, JATIBARANG, NEXT, NEXT, 5, NOON_S - 3600)


def test_the_last_hop_that_answered_before_and_now() -> None:
    assert path_text(STOPPED, ID, NOON_S, over=False) == (
        "terakhir menjawab: 10.77.0.11 PoP Jatibarang; biasanya 5 lompatan, kini berhenti di 3,"
        " sesudahnya biasanya 10.77.0.12"
    )
    assert path_text(STOPPED, EN, NOON_S, over=True) == (
        "last to answer: 10.77.0.11 PoP Jatibarang; usually 5 hops, then it ends at 3,"
        " usually followed by 10.77.0.12"
    )


def test_a_recent_change_and_what_the_router_says_are_added() -> None:
    finding = replace(STOPPED, changed_s=NOON_S - 7200, error="host unreachable")
    text = path_text(finding, ID, NOON_S, over=False)
    assert text.endswith("; katanya: host unreachable; jalur berubah pada 10.00 WIB")
    dated = path_text(finding, ID, 0.0, over=False)
    assert dated.endswith("jalur berubah pada 25 Nov 10.00 WIB")


@pytest.mark.parametrize("language", [ID, EN])
@pytest.mark.parametrize("kind", FindingKind)
def test_every_finding_has_words_with_and_without_a_last_router(
    kind: FindingKind, language: Language
) -> None:
    text = path_text(replace(STOPPED, kind=kind), language, NOON_S, over=False)
    assert text
    assert "{" not in text
    silent = (FindingKind.UNPROVEN, FindingKind.NO_BASELINE, FindingKind.DIRECT)
    if kind in silent:
        bare = path_text(PathFinding(kind, NOON_S), language, NOON_S, over=False)
        assert "  " not in bare
        assert "()" not in bare
        assert "None" not in bare


@pytest.mark.parametrize(
    ("kind", "said"),
    [(FindingKind.DIRECT, False), (FindingKind.REACHED, False), (FindingKind.STOPPED, True)],
)
def test_a_message_says_only_what_a_person_can_use(kind: FindingKind, said: bool) -> None:
    line = path_line(replace(STOPPED, kind=kind), ID, NOON_S)
    assert (line is not None) is said
    assert line is None or line.startswith("Terakhir menjawab: 10.77.0.11")
    assert path_line(None, ID, NOON_S) is None


def test_no_place_is_named_where_routers_are_usually_silent() -> None:
    text = path_text(replace(STOPPED, kind=FindingKind.UNPROVEN), ID, NOON_S, over=False)
    assert "tempat putusnya tidak diketahui" in text
    assert "berhenti" not in text


def test_hops_stand_in_one_line_and_a_skipped_trace_is_said() -> None:
    hops = (
        RouteHop(1, "10.77.0.10", "Pusat data", 1.0, None),
        RouteHop(2, None, None, None, None),
        RouteHop(3, "10.77.0.11", None, 2.0, "host unreachable"),
    )
    trace = IncidentTrace(1, "anjatan/utama", NOON_S, "stopped", hops)
    assert hops_text(trace, ID) == "1 10.77.0.10 Pusat data · 2 * · 3 10.77.0.11 (host unreachable)"
    assert hops_text(replace(trace, hops=()), ID) == "*"
    skipped = hops_text(replace(trace, result=SKIPPED, hops=()), ID)
    assert skipped == "jejak jalur dilewati: terlalu banyak sasaran putus bersamaan"
