"""The snapshot: deterministic, complete, and never fresher than its data."""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import Any

import brotli
import orjson
import pytest

from dashboard.reads.snapshot import Snapshots
from monitor.core.errors import ApiError, JournalError, LedgerError
from monitor.core.model import State
from monitor.core.warning import MonitorWarning
from tests.dashboard.reads_on_fakes import NOW_S, ReadsOnFakes, quiet_reads, trouble_reads
from tests.dashboard.synthetic_history import HOUR_S, PastEvent, SyntheticHistory, shipped_network


def snapshots(made: ReadsOnFakes) -> Snapshots:
    return Snapshots(made.reads, "build", lambda: made.clocks["now"])


def taken(made: ReadsOnFakes) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(snapshots(made).get().plain)
    return found


def test_all_31_sites_have_fixed_positions() -> None:
    made = trouble_reads()
    assert list(taken(made)["sites"]) == [site.id for site in made.history.network.sites]
    assert len(taken(made)["sites"]) == 31


@pytest.mark.parametrize(
    ("site", "state", "why"),
    [
        ("anjatan", "up", None),
        ("cikedung", "down", None),
        ("juntinyuat", "unreachable", ["upstream", "PoP Karangampel"]),
        ("karangampel", "degraded", ["link", "utama", "unreachable"]),
        ("gantar", "degraded", ["link", "utama", "down"]),
        ("terisi", "degraded", ["loss"]),
        ("bangodua", "degraded", ["rtt"]),
        ("sukra", "unknown", None),
        ("cantigi", "maintenance", None),
    ],
)
def test_each_state_has_a_text_and_a_reason(site: str, state: str, why: list[str] | None) -> None:
    told = taken(trouble_reads())["sites"][site]
    assert (told["s"], told["w"]) == (state, why)


def test_a_site_shows_the_link_that_is_up() -> None:
    told = taken(trouble_reads())["sites"]["gantar"]
    assert told["u"] == 1
    assert told["r"] > 400, "the satellite's time, not the silent radio's"
    assert [link[0] for link in told["ls"]] == ["down", "up"]
    assert told["ls"][0][2] is None


def test_a_silent_site_has_no_round_trip_time_and_never_a_zero() -> None:
    sites = taken(trouble_reads())["sites"]
    for name in ("cikedung", "juntinyuat", "sukra"):
        assert sites[name]["r"] is None
    assert sites["sukra"]["l"] is None, "nothing was measured: no loss either"


def test_what_is_open_is_listed_once_the_worst_first() -> None:
    opened = taken(trouble_reads())["open"]
    shown = [each.get("site") or each["name"] for each in opened]
    assert shown[:4] == ["PoP Karangampel", "cikedung", "losarang", "terisi"]
    assert shown[4:] == ["bangodua", "gantar", "cantigi", "sukra"]
    hub = opened[0]
    assert hub["aff"] == ["juntinyuat", "karangampel", "kedokan-bunder", "krangkeng", "sliyeg"]
    loss = opened[3]
    assert (loss["why"], loss["v"], loss["lim"], loss["link"]) == ("loss", 8.3, 5.0, "utama")
    slow = opened[4]
    assert (slow["v"], slow["lim"]) == (198.0, 150.0)
    assert "link" not in slow, "a site's only link needs no name"


def test_an_outage_of_one_link_is_shown_as_its_site_is() -> None:
    opened = {each.get("site"): each for each in taken(trouble_reads())["open"]}
    assert opened["gantar"]["s"] == "degraded"
    assert opened["losarang"]["s"] == "down"
    assert opened["cantigi"]["s"] == "maintenance"


def test_an_incident_that_another_explains_is_folded_under_it() -> None:
    made = trouble_reads()
    document = made.state.current
    incidents: Any = document["incidents"]
    covered = incidents[0] | {"id": 99, "target": "sliyeg/utama", "parent": 3}
    made.state.current = document | {"incidents": [*incidents, covered]}
    assert 99 not in [each["id"] for each in taken(made)["open"]]


def test_what_is_over_is_listed_once_a_target_the_newest_first() -> None:
    network = shipped_network()
    events = (
        PastEvent("lelea/utama", State.DOWN, 5 * HOUR_S, 60),
        PastEvent("lelea/utama", State.DOWN, 4 * HOUR_S, 60),
        PastEvent("bongas/utama", State.DOWN, 3 * HOUR_S, 60),
        PastEvent("bongas/utama", State.DOWN, 600),
        PastEvent("haurgeulis/cadangan", State.DOWN, 2 * HOUR_S, 60),
    )
    recent = taken(ReadsOnFakes.of(SyntheticHistory(network, NOW_S, events)))["recent"]
    assert [(each["site"], each.get("link")) for each in recent] == [
        ("haurgeulis", "cadangan"),
        ("lelea", None),
    ]
    assert recent[1]["e"] == int(NOW_S - 4 * HOUR_S + 60)


def test_the_hour_is_a_letter_a_minute_with_gaps_as_gaps() -> None:
    network = shipped_network()
    events = (PastEvent("anjatan/utama", State.DOWN, 1800, 600),)
    made = ReadsOnFakes.of(SyntheticHistory(network, NOW_S, events))
    rows = [
        row
        for row in made.history.pings(HOUR_S, 60.0)
        if not NOW_S - 600 < row.at_s < NOW_S - 300 and row.target == "anjatan/utama"
    ]
    made.samples.add(rows)
    line = taken(made)["sites"]["anjatan"]["k"]
    assert len(line) == 60
    assert line.count("!") in (9, 10), "ten minutes of silence"
    assert 4 <= line[45:58].count(".") <= 6, "five minutes without a sample"
    assert taken(made)["sites"]["arahan"]["k"] == "." * 60


def test_small_jitter_does_not_fill_the_axis() -> None:
    made = quiet_reads()
    letters = {letter for letter in taken(made)["sites"]["sindang"]["k"] if letter.isalpha()}
    assert max(letters.__len__(), 1) < 25


def test_the_day_counts_minutes_from_its_own_beginning() -> None:
    document = taken(trouble_reads())
    stretches = document["sites"]["terisi"]["d"]
    begin, end, state = stretches[-1]
    assert state == "degraded"
    assert (document["day"] + begin) * 60 == pytest.approx(NOW_S - 71 * 60, abs=60)
    assert (document["day"] + end) * 60 == pytest.approx(NOW_S, abs=60)


def test_before_the_first_evidence_the_day_is_empty_not_grey() -> None:
    made = ReadsOnFakes.of(SyntheticHistory(shipped_network(), NOW_S, watched_for_s=2 * HOUR_S))
    assert [each[2] for each in taken(made)["sites"]["anjatan"]["d"]] == ["none"]


def test_the_same_state_gives_the_same_etag_and_another_one_another() -> None:
    made = quiet_reads()
    one, other = snapshots(made).get(), snapshots(made).get()
    assert one.etag == other.etag
    later = made.history.later(1, PastEvent("anjatan/utama", State.DOWN, 1))
    made.state.current = later.document()
    assert snapshots(made).get().etag != one.etag


def test_a_snapshot_is_built_and_compressed_once_per_tick() -> None:
    made = quiet_reads()
    kept = snapshots(made)
    packed = kept.get()
    for _ in range(100):
        kept.get()
    assert made.state.reads == 1
    made.wait(0.5)
    kept.get()
    assert made.state.reads == 2
    assert brotli.decompress(packed.brotli) == packed.plain
    assert gzip.decompress(packed.gzip) == packed.plain


def test_it_is_small() -> None:
    """LOOK: at most 6 kB; here with everything wrong at once."""
    assert len(snapshots(trouble_reads(HOUR_S)).get().brotli) < 6_000


def test_without_a_state_the_last_one_is_shown_as_stale() -> None:
    made = quiet_reads()
    kept = snapshots(made)
    before = orjson.loads(kept.get().plain)
    made.state.trouble = ApiError("no answer")
    made.wait(60)
    after = orjson.loads(kept.get().plain)
    assert after["round"] == before["round"]
    assert after["failed"] == ["state"]
    assert after["sites"]["anjatan"]["s"] == "up", "the page greys it by its age"


def test_when_the_state_was_never_known_everything_is_without_data() -> None:
    made = quiet_reads()
    made.state.trouble = LedgerError("there is no ledger")
    document = taken(made)
    assert document["round"] is None
    assert document["late"]
    assert {site["s"] for site in document["sites"].values()} == {"unknown"}


def test_a_state_from_the_ledger_is_late_and_as_old_as_the_last_sign_of_life() -> None:
    made = quiet_reads()
    told = made.state.current
    monitor: Any = {"state": "unknown", "last_round": None, "warnings": ["the daemon is away"]}
    made.state.current = told | {"stale": True, "age_s": 7.0, "monitor": monitor}
    document = taken(made)
    assert document["late"]
    assert document["round"] == NOW_S
    assert document["warnings"] == []
    made.state.current = told | {"stale": True, "age_s": 0.0, "monitor": monitor}
    assert taken(made)["round"] is None, "no daemon ever said that it lives"


def test_stores_that_fail_are_named() -> None:
    made = quiet_reads()
    made.samples.trouble = JournalError("gone")
    made.ledger.trouble = LedgerError("gone")
    document = taken(made)
    assert document["failed"] == ["ledger", "samples"]
    assert document["samples"] is None
    assert document["sites"]["anjatan"]["k"] == "." * 60


def test_a_site_missing_in_the_state_has_no_data() -> None:
    made = quiet_reads()
    sites: Any = made.state.current["sites"]
    made.state.current = made.state.current | {"sites": sites[1:]}
    assert taken(made)["sites"][sites[0]["id"]]["s"] == "unknown"
    assert taken(made)["changed"], "the page was started with another network"
    assert not taken(trouble_reads())["changed"]


def test_warnings_of_the_monitor_are_in_the_snapshot() -> None:
    made = ReadsOnFakes.of(replace(quiet_reads().history, warnings=("journal: the disk is full",)))
    assert taken(made)["warnings"] == [["other", "journal: the disk is full", {}]]


def test_warnings_of_the_monitor_have_kind_and_values() -> None:
    made = quiet_reads()
    told: Any = made.state.current["monitor"]
    remark = MonitorWarning("InfluxDB: no answer", "influx_silent", {"behind_s": 180, "count": 7})
    made.state.current = made.state.current | {"monitor": told | {"remarks": [remark.document()]}}
    assert taken(made)["warnings"] == [
        ["influx_silent", "InfluxDB: no answer", {"behind_s": 180, "count": 7}]
    ]
