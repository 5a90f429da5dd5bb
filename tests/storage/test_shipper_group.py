"""All shippers as one: whoever of them is behind, it is seen in the status and the measurement."""

from __future__ import annotations

from monitor.core.errors import JournalError
from monitor.core.warning import MonitorWarning
from monitor.storage.influx_shipper import RefusalCause, cause_of
from monitor.storage.shipper_group import REFUSED_WARNING_S, ShipperGroup
from tests.daemon_on_fakes import DaemonOnFakes
from tests.shipper_fixtures import Harbour, down, rows


async def test_without_influxdb_there_is_nothing_to_say() -> None:
    convoy = ShipperGroup([], Harbour().clock)
    assert convoy.state is None
    assert convoy.behind_s() is None
    assert convoy.document() is None
    assert convoy.warnings() == []


async def test_the_trouble_of_hours_counts_as_that_of_raw_rows() -> None:
    raw, hours = Harbour(), Harbour()
    convoy = ShipperGroup([raw.shipper, hours.shipper], hours.clock)
    hours.journal.append(rows(30))
    hours.sink.answer = lambda samples: down(404)
    await hours.until(lambda: hours.passed_s >= 180)
    [remark] = convoy.warnings()
    assert remark.kind == "influx_bucket"
    assert remark.text == "InfluxDB: it does not do it"
    assert remark.values["count"] == 30
    behind_s = remark.values["behind_s"]
    assert isinstance(behind_s, int)
    assert 170 <= behind_s <= hours.passed_s
    document = convoy.document()
    assert document is not None
    lanes = document["lanes"]
    assert isinstance(lanes, list)
    assert [(lane["lag"], lane["last_error"]) for lane in lanes] == [
        (0, None),
        (30, "it does not do it"),
    ]
    hours.sink.answer = None
    await hours.until(lambda: hours.shipper.state.lag_lines == 0)
    assert convoy.warnings() == []
    assert convoy.behind_s() == 0.0


async def test_lines_set_aside_are_told_for_a_day_and_counted_for_ever() -> None:
    harbour = Harbour()
    convoy = ShipperGroup([harbour.shipper], harbour.clock)
    harbour.journal.append(rows(20))
    bad = rows(20)[3]
    harbour.sink.answer = lambda samples: down(400) if bad in samples else None
    await harbour.until(lambda: harbour.shipper.state.quarantined == 1)
    [remark] = convoy.warnings()
    assert (remark.kind, remark.values) == ("influx_quarantine", {"count": 1})
    harbour.clock.advance(REFUSED_WARNING_S)
    assert convoy.warnings() == []
    document = convoy.document()
    assert document is not None
    assert document["quarantined"] == 1


async def test_the_measurement_of_the_monitor_tells_of_all_lanes() -> None:
    raw, minutes = Harbour(), Harbour()
    house = DaemonOnFakes(convoy=ShipperGroup([raw.shipper, minutes.shipper], minutes.clock))
    minutes.journal.append(rows(7))
    minutes.sink.answer = lambda samples: down(503)
    await minutes.until(lambda: minutes.passed_s >= 60)
    await house.jobs["own figures"].run()
    own = house.self_metrics.latest
    assert own is not None
    assert (own.spool_lines, own.quarantined) == (7, 0)
    assert own.shipper_error == "it does not do it"
    assert own.shipper_lag_s is not None
    assert own.shipper_lag_s >= 50
    monitor = (await house.status.document())["monitor"]
    assert isinstance(monitor, dict)
    assert monitor["influxdb"]["lag"] == 7
    assert [MonitorWarning(each["text"], each["kind"]).kind for each in monitor["remarks"]] == [
        "influx_silent"
    ]
    assert monitor["warnings"] == ["InfluxDB: it does not do it"]


def test_an_answer_is_one_word() -> None:
    assert {status: cause_of(down(status)) for status in (None, 503, 401, 404, 429, 200)} == {
        None: RefusalCause.SILENT,
        503: RefusalCause.SILENT,
        401: RefusalCause.RIGHTS,
        404: RefusalCause.BUCKET,
        429: RefusalCause.BUSY,
        200: RefusalCause.OTHER,
    }
    assert cause_of(JournalError("damaged")) is RefusalCause.HERE
