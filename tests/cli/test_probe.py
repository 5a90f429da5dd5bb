"""The table and document of `pantau probe`."""

from __future__ import annotations

from monitor.cli.probe import TargetPings, path_line, ping_table
from monitor.core.model import Lost, NotMeasured, ProbeRules, Reply, Target, TargetRole
from monitor.core.paths.model import Hop, PathTrace
from tests.cli.cli_fixtures import drawn

TARGET = Target("haurgeulis/cadangan", "10.77.123.123", TargetRole.LINK, ProbeRules())


def lines(*pings: TargetPings) -> list[str]:
    """The table of `pantau probe` on a terminal of 80 columns."""
    return drawn(ping_table([each.document() for each in pings]), 80)


def test_80_columns_are_enough_for_each_target() -> None:
    replies = [Reply(TARGET.name, 0.0, 0.6, rtt_ms) for rtt_ms in (575.12, 590.1, 1612.0)]
    titles, line = lines(TargetPings(TARGET, [*replies, Lost(TARGET.name, 1.0, 4.0)]))
    assert titles.split()[:3] == ["Sasaran", "Alamat", "Dijawab"]
    assert line.split() == [TARGET.name, TARGET.address, "3/4", "25,0", "575,1/590,1/1612,0"]


def test_a_request_that_was_not_measured_is_neither_received_nor_lost() -> None:
    pings = TargetPings(TARGET, [NotMeasured(TARGET.name, 0.0, 0.0, "ENETUNREACH")])
    document = pings.document()
    assert (document["sent"], document["not_measured"], document["loss_pct"]) == (0, 1, None)
    assert document["reasons"] == ["ENETUNREACH"]
    assert lines(pings)[1].split()[2:] == ["0/0", "–", "–/–/–"]


def test_lost_requests_have_a_loss_and_no_rtt() -> None:
    pings = TargetPings(TARGET, [Lost(TARGET.name, 0.0, 1.0, "host unreachable from 10.0.0.1")])
    document = pings.document()
    assert (document["loss_pct"], document["rtt_ms"]) == (100.0, None)
    assert document["reasons"] == ["host unreachable from 10.0.0.1"]


def test_the_path_names_the_routers_and_says_when_it_ends_before_the_target() -> None:
    hops = (Hop(1, "10.77.0.10", 1.0), Hop(2), Hop(3, "10.77.0.14", 2.0, "host unreachable"))
    path = PathTrace(TARGET.name, TARGET.address, 0.0, hops, reached=False)
    assert path_line(path, {"10.77.0.10": "Pusat data"}) == (
        "Jalur haurgeulis/cadangan: 1 10.77.0.10 Pusat data · 2 * · 3 10.77.0.14 (host unreachable)"
        " · sasaran tidak menjawab"
    )
    document = TargetPings(TARGET, [], path).document()["path"]
    assert isinstance(document, list)
    assert document[0] == {"ttl": 1, "address": "10.77.0.10", "rtt_ms": 1.0, "error": None}
