"""Availability over months and days, from the ledger of a synthetic history."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dashboard.components.ninety import filled, ninety
from dashboard.components.standing import month_figure, thirty_figure
from dashboard.i18n import Lang, Words, read_catalogue
from dashboard.reads.months import DAYS, DayBar, Months
from monitor.core.alerting.model import MaintenanceWindow
from monitor.core.model import State
from tests.dashboard.reads_on_fakes import NOW_S
from tests.dashboard.synthetic_history import (
    DAY_S,
    HOUR_S,
    PastEvent,
    SyntheticHistory,
    shipped_network,
)
from tests.fakes.ledger import MemoryLedger

ZONE = ZoneInfo("Asia/Jakarta")


def months_of(
    *events: PastEvent,
    watched_for_s: float = 60 * DAY_S,
    windows: tuple[MaintenanceWindow, ...] = (),
) -> Months:
    history = SyntheticHistory(shipped_network(), NOW_S, events, watched_for_s=watched_for_s)
    ledger = MemoryLedger()
    ledger.record(history.decisions())
    ledger.record_alive(NOW_S)
    for window in windows:
        ledger.add_window(window)
    return Months(history.network, ledger, (), ZONE, lambda: NOW_S, lambda: NOW_S)


def test_a_month_begins_and_ends_at_midnight_of_the_zone() -> None:
    period = months_of().period("2026-10")
    assert datetime.fromtimestamp(period.start_s, UTC) == datetime(2026, 9, 30, 17, tzinfo=UTC)
    assert datetime.fromtimestamp(period.end_s, UTC) == datetime(2026, 10, 31, 17, tzinfo=UTC)
    assert not period.running
    assert months_of().period("2025-12").end_s == months_of().period("2026-01").start_s
    now = months_of().period(None)
    assert (now.name, now.until_s, now.running) == ("2026-11", NOW_S, True)


@pytest.mark.parametrize(
    "name", ["", "2026", "2026-1", "2026-13", "2026-00", "26-01", "2026-+1", "2019-12", "2026-12",
             "x", "2026-1 ", "２０２６-11"],
)  # fmt: skip
def test_an_invalid_month_is_refused(name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any will do
        months_of().period(name)


def test_an_outage_of_an_hour_is_an_hour_of_its_link_and_not_of_a_site_that_has_another() -> None:
    months = months_of(PastEvent("anjatan/utama", State.DOWN, 5 * HOUR_S, HOUR_S))
    report = months.report(months.period(None))
    link = next(each for each in report.links if each.link.name == "anjatan/utama")
    assert link.told.down_s == HOUR_S
    assert link.told.outages == 1
    assert link.told.coverage == pytest.approx(1.0)
    assert link.told.ratio == pytest.approx(1 - HOUR_S / (NOW_S - report.period.start_s))
    site = next(each for each in report.sites if each.site.id == "anjatan")
    assert site.told.down_s == 0
    assert report.links[0].link.name == "anjatan/utama", "the worst first"


def test_an_outage_of_the_node_counts_for_the_site_and_not_for_the_link() -> None:
    months = months_of(PastEvent("pop-karangampel", State.DOWN, 5 * HOUR_S, HOUR_S))
    report = months.report(months.period(None))
    link = next(each for each in report.links if each.link.site == "juntinyuat")
    assert (link.told.down_s, link.told.blank_s) == (0.0, HOUR_S)
    site = next(each for each in report.sites if each.site.id == "juntinyuat")
    assert site.told.down_s == HOUR_S


def test_maintenance_does_not_count_as_downtime() -> None:
    window = MaintenanceWindow(("losarang",), NOW_S - 5 * HOUR_S, NOW_S - 4.5 * HOUR_S, "x", "y")
    outage = PastEvent("losarang/utama", State.DOWN, 5 * HOUR_S, HOUR_S)
    months = months_of(outage, windows=(window,))
    link = next(
        each for each in months.report(months.period(None)).links if each.link.site == "losarang"
    )
    assert (link.told.down_s, link.told.excluded_s) == (HOUR_S / 2, HOUR_S / 2)


def test_time_before_the_first_and_after_the_last_data_does_not_count() -> None:
    months = months_of(watched_for_s=2 * DAY_S)
    link = months.report(months.period(None)).links[0]
    assert link.told.up_s == pytest.approx(2 * DAY_S)
    assert link.told.ratio == 1.0
    history = SyntheticHistory(shipped_network(), NOW_S, (), watched_for_s=60 * DAY_S)
    ledger = MemoryLedger()
    ledger.record(history.decisions())
    ledger.record_alive(NOW_S - DAY_S)
    dead = Months(history.network, ledger, (), ZONE, lambda: NOW_S, lambda: NOW_S)
    told = dead.report(dead.period(None)).links[0].told
    assert told.blank_s == pytest.approx(DAY_S - 30)
    assert told.down_s == 0


def test_ninety_days_end_today_and_each_holds_its_own_minutes() -> None:
    months = months_of(PastEvent("losarang/utama", State.DOWN, 24 * HOUR_S + 30 * 60, HOUR_S))
    site = next(each for each in shipped_network().sites if each.id == "losarang")
    bars = months.lately(site).bars
    assert len(bars) == DAYS
    assert sum(each.down_s for each in bars) == HOUR_S
    assert bars[-2].down_s == HOUR_S
    assert bars[-1].length_s < DAY_S
    assert bars[0].blank_s == DAY_S, "before the first evidence"
    assert all(each.length_s == DAY_S for each in bars[:-1])


def test_the_coverage_of_the_ninety_days_is_shown() -> None:
    """A day of 90 without an outage is no 100 % of 90 days; today's hour is no day without data."""
    words = Words(Lang.ID, read_catalogue()[Lang.ID], ZONE)
    full, hour = DayBar(0.0, DAY_S, 0.0, 0.0, 0.0), DayBar(DAY_S, DAY_S, 0.0, 0.0, 23 * HOUR_S)
    nothing = DayBar(0.0, DAY_S, 0.0, 0.0, DAY_S)
    said = ninety([*[nothing] * 88, full, hour], words)
    assert "100,00\u00a0% · cakupan 1,15\u00a0%" in said
    assert "88 hari tanpa data" in said


def test_ten_minutes_of_a_day_are_seen_and_a_whole_day_fills_the_bar() -> None:
    assert filled(0, DAY_S) == 0
    assert filled(600, DAY_S) >= 0.12
    assert filled(600, DAY_S) < filled(HOUR_S, DAY_S) < filled(DAY_S, DAY_S) == 1


def test_thirty_days_are_the_last_thirty_whatever_the_ninety_hold() -> None:
    months = months_of(
        PastEvent("losarang/utama", State.DOWN, 31 * DAY_S, HOUR_S),
        PastEvent("losarang/utama", State.DOWN, 30 * DAY_S + 30 * 60, HOUR_S),
        PastEvent("losarang/utama", State.DOWN, 2 * HOUR_S, HOUR_S),
    )
    site = next(each for each in shipped_network().sites if each.id == "losarang")
    lately = months.lately(site)
    assert (lately.thirty.outages, lately.thirty.down_s) == (2, 1.5 * HOUR_S)
    assert sum(each.down_s for each in lately.bars) == 3 * HOUR_S


def test_the_remaining_downtime_is_counted_to_the_end_of_the_month() -> None:
    """November has 720 hours; a target of 99 % lets 7.2 of them go."""
    months = months_of(PastEvent("terisi/utama", State.DOWN, 5 * HOUR_S, 2 * HOUR_S))
    report = months.report(months.period(None))
    link = next(each for each in report.links if each.link.name == "terisi/utama")
    assert link.aim.ratio == 0.99
    ahead_s = report.period.end_s - report.period.until_s
    assert link.left_s(ahead_s) == pytest.approx(5.2 * HOUR_S)
    assert link.left_s(0.0) == pytest.approx(0.01 * (720 * HOUR_S - ahead_s) - 2 * HOUR_S)


def test_the_month_of_a_site_is_that_of_its_worst_link() -> None:
    words = Words(Lang.ID, read_catalogue()[Lang.ID], ZONE)
    months = months_of(
        PastEvent("terisi/utama", State.DOWN, 50 * HOUR_S, 8 * HOUR_S + 30),
        PastEvent("terisi/cadangan", State.DOWN, 20 * HOUR_S, 2 * HOUR_S),
    )
    site = next(each for each in shipped_network().sites if each.id == "terisi")
    told = str(month_figure(site, months.report(months.period(None)), words))
    assert "<b>100,00\N{NO-BREAK SPACE}%</b>" in told, "one of its links always answered"
    assert "utama: target 99,00\N{NO-BREAK SPACE}% · lewat 48\N{NO-BREAK SPACE}mnt" in told
    assert "kpi degraded" in told
    assert "<b>0 ×</b><i>tidak pernah putus</i>" in str(
        thirty_figure(months.lately(site).thirty, words)
    )
