"""InfluxDB 1.6.7 itself, behind nginx with the file that is deployed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.adapters.influx import InfluxReader, InfluxWriter
from monitor.core.errors import InfluxError
from monitor.core.samples.schema import MEASUREMENTS
from monitor.settings.model import InfluxSettings
from tests.influx_server import DEPLOYED, InfluxServer, with_addresses
from tests.sample_builders import LINK, MIDNIGHT_S, interface, one_of_each, ping

ADMIN = 'pantau:kata sandi "panjang"'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    with InfluxServer(tmp_path_factory.mktemp("influx"), admin=ADMIN) as running:
        yield running


@pytest.fixture(scope="module")
def names() -> Iterator[int]:
    return itertools.count()


@pytest.fixture
def bucket(server: InfluxServer, names: Iterator[int]) -> InfluxSettings:
    return server.bucket(f"bucket_{next(names)}")


@pytest.fixture
def sink(bucket: InfluxSettings) -> Iterator[InfluxWriter]:
    made = InfluxWriter(bucket, ADMIN)
    yield made
    made.close()


def test_points_stand_there_under_the_names_of_the_schema(
    server: InfluxServer, bucket: InfluxSettings, sink: InfluxWriter
) -> None:
    sink.write(one_of_each())
    found = server.ask("SELECT * FROM \"ping\" WHERE link = 'utama'", bucket.bucket)
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
    change = server.ask('SELECT * FROM "state_change"', bucket.bucket)[0]
    assert dict(zip(change["columns"], change["values"][0], strict=True)) == {
        "time": 1_764_028_800_000,
        "site": "anjatan",
        "link": "utama",
        "from": "up",
        "to": "down",
        "reason": 'said "no", \\ = ,',
        "previous_s": 86_400.5,
    }


def test_every_field_has_the_type_of_the_schema(
    server: InfluxServer, bucket: InfluxSettings, sink: InfluxWriter
) -> None:
    sink.write(one_of_each())
    for measurement in MEASUREMENTS:
        [series] = server.ask(f'SHOW FIELD KEYS FROM "{measurement.name}"', bucket.bucket)
        types = {"count": "integer", "rtt": "float", "number": "float", "text": "string"}
        expected = {field.name: types[field.kind] for field in measurement.fields}
        assert dict(series["values"]).items() <= expected.items()


def test_a_wrong_password_is_said(bucket: InfluxSettings) -> None:
    sink, source = InfluxWriter(bucket, "pantau:salah"), InfluxReader(bucket, "pantau:salah")
    for ask in (lambda: sink.write([ping(MIDNIGHT_S)]), source.newest_s):
        with pytest.raises(InfluxError, match="refuses our credentials") as caught:
            ask()
        assert caught.value.status == 401


def test_a_bucket_that_does_not_exist_is_said(bucket: InfluxSettings) -> None:
    nowhere = replace(bucket, bucket="tidak_ada")
    with pytest.raises(InfluxError, match="does not know the bucket 'tidak_ada'") as caught:
        InfluxWriter(nowhere, ADMIN).write([ping(MIDNIGHT_S)])
    assert caught.value.status == 404
    with pytest.raises(InfluxError, match="database not found"):
        InfluxReader(nowhere, ADMIN).newest_s()


def test_a_field_of_another_type_is_refused_and_the_good_points_are_kept(
    server: InfluxServer, bucket: InfluxSettings, sink: InfluxWriter
) -> None:
    """What the shipper's search for the bad line rests on."""
    server.write(f'interface in_bps="a text" {MIDNIGHT_S:.0f}000', bucket.bucket)
    with pytest.raises(InfluxError, match="field type conflict") as caught:
        sink.write([ping(MIDNIGHT_S), interface(MIDNIGHT_S), ping(MIDNIGHT_S + 10)])
    assert caught.value.status == 400
    [found] = InfluxReader(bucket, ADMIN).latency(LINK, MIDNIGHT_S, MIDNIGHT_S + 60, 60.0)
    assert found.sent == 20


def test_five_thousand_lines_pass_the_proxy_at_once(
    bucket: InfluxSettings, sink: InfluxWriter
) -> None:
    sink.write([ping(MIDNIGHT_S + place, f"s{place % 50}/utama") for place in range(5000)])
    source = InfluxReader(bucket, ADMIN)
    found = source.latency_all(MIDNIGHT_S, MIDNIGHT_S + 5000, 5000.0)
    assert sum(bucket.sent for buckets in found.values() for bucket in buckets) == 50_000


def test_a_database_behind_the_proxy_that_is_dead_is_said(
    tmp_path: Path,
) -> None:
    with InfluxServer(tmp_path) as server:
        bucket = server.bucket("pantau")
        sink, source = InfluxWriter(bucket, None), InfluxReader(bucket, None)
        sink.write([ping(MIDNIGHT_S)])
        server.kill()
        for ask in (lambda: sink.write([ping(MIDNIGHT_S)]), source.newest_s):
            with pytest.raises(InfluxError, match="is not there, says what stands before it"):
                ask()
        server.start()
        sink.write([ping(MIDNIGHT_S + 10)])
        assert source.newest_s() == MIDNIGHT_S + 10


def test_only_the_two_addresses_of_the_deployed_file_are_exchanged() -> None:
    text = DEPLOYED.read_text()
    ours = with_addresses(text, 1111, 2222)
    assert (
        ours.replace("127.0.0.1:1111;", "127.0.0.1:8086;").replace(
            "127.0.0.1:2222;", "127.0.0.1:8087;"
        )
        == text
    )
