"""InfluxWriter and InfluxReader on InfluxDB 1.6.7 behind the deployed nginx file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.adapters.influx import InfluxReader, InfluxWriter
from monitor.core.errors import InfluxError
from monitor.core.samples.schema import MEASUREMENTS
from monitor.settings.model import InfluxSettings
from tests.influx_server import DEPLOYED, InfluxServer, with_addresses
from tests.sample_builders import LINK, MIDNIGHT_S, interface, one_of_each, ping


@pytest.fixture
def bucket(new_bucket: Callable[[], InfluxSettings]) -> InfluxSettings:
    return new_bucket()


@pytest.fixture
def writer(bucket: InfluxSettings) -> Iterator[InfluxWriter]:
    opened = InfluxWriter(bucket, None)
    yield opened
    opened.close()


def test_points_have_the_names_and_types_of_the_schema(
    influx_server: InfluxServer, bucket: InfluxSettings, writer: InfluxWriter
) -> None:
    writer.write(one_of_each())
    found = influx_server.query("SELECT * FROM \"ping\" WHERE link = 'utama'", bucket.bucket)
    assert dict(zip(found[0]["columns"], found[0]["values"][0], strict=True)) == {
        "time": 1_764_028_800_000,
        "site": "anjatan",
        "link": "utama",
        "node": None,
        "kind": "fibre",
        "provider": "Penyedia A",
        "sent": 10,
        "received": 10,
        "not_measured": 0,
        "state": 1,
        "rtt_min": 10,
        "rtt_avg": 12,
        "rtt_p50": 12,
        "rtt_p95": 18,
        "rtt_max": 20,
        "jitter": 0.25,
    }
    change = influx_server.query('SELECT * FROM "state_change"', bucket.bucket)[0]
    assert dict(zip(change["columns"], change["values"][0], strict=True)) == {
        "time": 1_764_028_800_000,
        "site": "anjatan",
        "link": "utama",
        "from": "up",
        "to": "down",
        "reason": 'said "no", \\ = ,',
        "previous_s": 86_400.5,
    }
    types = {"count": "integer", "rtt": "float", "number": "float", "text": "string"}
    for measurement in MEASUREMENTS:
        [series] = influx_server.query(f'SHOW FIELD KEYS FROM "{measurement.name}"', bucket.bucket)
        expected = {field.name: types[field.kind] for field in measurement.fields}
        assert dict(series["values"]).items() <= expected.items()


def test_a_bucket_that_does_not_exist_is_an_error(bucket: InfluxSettings) -> None:
    absent = replace(bucket, bucket="tidak_ada")
    with pytest.raises(InfluxError, match="does not know the bucket 'tidak_ada'") as caught:
        InfluxWriter(absent, None).write([ping(MIDNIGHT_S)])
    assert caught.value.status == 404
    with pytest.raises(InfluxError, match="database not found"):
        InfluxReader(absent, None).newest_s()


def test_a_field_of_another_type_is_refused_and_the_good_points_are_stored(
    influx_server: InfluxServer, bucket: InfluxSettings, writer: InfluxWriter
) -> None:
    """The shipper's search for the refused line relies on it."""
    influx_server.write(f'interface in_bps="a text" {MIDNIGHT_S:.0f}000', bucket.bucket)
    with pytest.raises(InfluxError, match="field type conflict") as caught:
        writer.write([ping(MIDNIGHT_S), interface(MIDNIGHT_S), ping(MIDNIGHT_S + 10)])
    assert caught.value.status == 400
    [found] = InfluxReader(bucket, None).latency(LINK, MIDNIGHT_S, MIDNIGHT_S + 60, 60.0)
    assert found.sent == 20


def test_five_thousand_lines_pass_the_proxy_in_one_request(
    bucket: InfluxSettings, writer: InfluxWriter
) -> None:
    writer.write([ping(MIDNIGHT_S + place, f"s{place % 50}/utama") for place in range(5000)])
    found = InfluxReader(bucket, None).latency_all(MIDNIGHT_S, MIDNIGHT_S + 5000, 5000.0)
    assert sum(bucket.sent for buckets in found.values() for bucket in buckets) == 50_000


def test_a_server_that_died_behind_the_proxy_is_an_error_until_it_is_back(tmp_path: Path) -> None:
    with InfluxServer(tmp_path) as server:
        bucket = server.bucket("pantau")
        writer, reader = InfluxWriter(bucket, None), InfluxReader(bucket, None)
        writer.write([ping(MIDNIGHT_S)])
        server.kill()
        for call in (lambda: writer.write([ping(MIDNIGHT_S)]), reader.newest_s):
            with pytest.raises(InfluxError, match="is not there, says what stands before it"):
                call()
        server.start()
        writer.write([ping(MIDNIGHT_S + 10)])
        assert reader.newest_s() == MIDNIGHT_S + 10


def test_tests_change_only_the_two_addresses_of_the_deployed_file() -> None:
    changed = with_addresses(DEPLOYED.read_text(), 1111, 2222)
    for port, deployed in ((1111, 8086), (2222, 8087)):
        changed = changed.replace(f"127.0.0.1:{port};", f"127.0.0.1:{deployed};")
    assert changed == DEPLOYED.read_text()
