"""What `pantau probe` measured, as a person reads it on a terminal of 80 columns."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from monitor.cli.probe import TargetPings, ping_table
from monitor.core.model import Lost, NotMeasured, ProbeRules, Reply, Target, TargetRole

TARGET = Target("haurgeulis/cadangan", "10.77.123.123", TargetRole.LINK, ProbeRules())


def drawn(*pings: TargetPings) -> list[str]:
    console = Console(width=80, file=StringIO(), markup=False)
    with console.capture() as said:
        console.print(ping_table([each.document() for each in pings]))
    return said.get().splitlines()


def test_each_target_is_one_uncut_line_on_80_columns() -> None:
    replies = [Reply(TARGET.name, 0.0, 0.6, rtt_ms) for rtt_ms in (575.12, 590.1, 1612.0)]
    heads, line = drawn(TargetPings(TARGET, [*replies, Lost(TARGET.name, 1.0, 4.0)]))
    assert heads.split()[:3] == ["Sasaran", "Alamat", "Dijawab"]
    assert line.split() == [TARGET.name, TARGET.address, "3/4", "25,0", "575,1/590,1/1612,0"]


def test_what_was_not_measured_is_neither_answered_nor_lost() -> None:
    pings = TargetPings(TARGET, [NotMeasured(TARGET.name, 0.0, 0.0, "ENETUNREACH")])
    document = pings.document()
    assert (document["sent"], document["not_measured"], document["loss_pct"]) == (0, 1, None)
    assert document["reasons"] == ["ENETUNREACH"]
    assert drawn(pings)[1].split()[2:] == ["0/0", "–", "–/–/–"]


def test_silence_has_a_loss_and_no_rtt() -> None:
    pings = TargetPings(TARGET, [Lost(TARGET.name, 0.0, 1.0, "host unreachable from 10.0.0.1")])
    document = pings.document()
    assert (document["loss_pct"], document["rtt_ms"]) == (100.0, None)
    assert document["reasons"] == ["host unreachable from 10.0.0.1"]
