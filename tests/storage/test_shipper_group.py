"""The state, document and warnings of all shippers together."""

from __future__ import annotations

import pytest

from monitor.core.alerting.self_checks import SelfCheck
from monitor.core.errors import InfluxError, WriteRefusal
from monitor.core.warning import MonitorWarning
from monitor.storage.shipper_group import REFUSED_WARNING_S, ShipperGroup
from tests.daemon_on_fakes import DaemonOnFakes
from tests.shipper_fixtures import ShipperOnFakes, refusal, rows


async def test_without_influxdb_there_is_no_state() -> None:
    group = ShipperGroup([], ShipperOnFakes().clock)
    assert group.state is None
    assert group.behind_s() is None
    assert group.document() is None
    assert group.warnings() == []


async def test_an_error_of_any_shipper_is_a_warning() -> None:
    raw, hours = ShipperOnFakes(), ShipperOnFakes()
    group = ShipperGroup([raw.shipper, hours.shipper], hours.clock)
    hours.journal.append(rows(30))
    hours.sink.answer = lambda samples: refusal(404)
    await hours.until(lambda: hours.elapsed_s >= 180)
    [warning] = group.warnings()
    assert warning.kind == "influx_bucket"
    assert warning.text == "InfluxDB: it does not do it"
    assert warning.values["count"] == 30
    behind_s = warning.values["behind_s"]
    assert isinstance(behind_s, int)
    assert 170 <= behind_s <= hours.elapsed_s
    document = group.document()
    assert document is not None
    lanes = document["lanes"]
    assert isinstance(lanes, list)
    assert [(lane["lag"], lane["last_error"]) for lane in lanes] == [
        (0, None),
        (30, "it does not do it"),
    ]
    hours.sink.answer = None
    await hours.until(lambda: hours.state.lag_lines == 0)
    assert group.warnings() == []
    assert group.behind_s() == 0.0


async def test_dead_letters_are_warned_of_for_a_day_and_counted_for_ever() -> None:
    shipper = ShipperOnFakes()
    group = ShipperGroup([shipper.shipper], shipper.clock)
    shipper.journal.append(rows(20))
    bad = rows(20)[3]
    shipper.sink.answer = lambda samples: refusal(400) if bad in samples else None
    await shipper.until(lambda: shipper.state.quarantined == 1)
    [warning] = group.warnings()
    assert (warning.kind, warning.values) == ("influx_quarantine", {"count": 1})
    shipper.clock.advance(REFUSED_WARNING_S)
    assert group.warnings() == []
    document = group.document()
    assert document is not None
    assert document["quarantined"] == 1


async def test_the_measurement_monitor_sums_all_shippers() -> None:
    raw, minutes = ShipperOnFakes(), ShipperOnFakes()
    daemon = DaemonOnFakes(convoy=ShipperGroup([raw.shipper, minutes.shipper], minutes.clock))
    minutes.journal.append(rows(7))
    minutes.sink.answer = lambda samples: refusal(503)
    await minutes.until(lambda: minutes.elapsed_s >= 60)
    await daemon.jobs["own figures"].run()
    own = daemon.self_metrics.latest
    assert own is not None
    assert (own.spool_lines, own.quarantined) == (7, 0)
    assert own.shipper_error == "it does not do it"
    assert own.shipper_lag_s is not None
    assert own.shipper_lag_s >= 50
    monitor = (await daemon.status.document())["monitor"]
    assert isinstance(monitor, dict)
    assert monitor["influxdb"]["lag"] == 7
    assert [MonitorWarning(each["text"], each["kind"]).kind for each in monitor["remarks"]] == [
        "influx_silent"
    ]
    assert monitor["warnings"] == ["InfluxDB: it does not do it"]


@pytest.mark.parametrize(
    ("answer", "failures"),
    [
        (None, []),
        (refusal(503), []),
        (refusal(401), [("", "it does not do it")]),
        (refusal(400, about=WriteRefusal.CONFIGURATION), [("", "it does not do it")]),
        (refusal(422), [("ping", "it does not do it")]),
    ],
    ids=["well", "away", "rights", "configuration", "every sample refused"],
)
async def test_what_a_person_must_mend_is_a_self_alert(
    answer: InfluxError | None, failures: list[tuple[str, str]]
) -> None:
    shipper = ShipperOnFakes()
    group = ShipperGroup([shipper.shipper], shipper.clock)
    shipper.journal.append(rows(30))
    shipper.sink.answer = lambda samples: answer
    await shipper.until(lambda: shipper.elapsed_s >= 180)
    found = group.failures()
    assert [(each.subject, each.why) for each in found] == failures
    assert {each.check for each in found} <= {SelfCheck.INFLUXDB}
