"""`pantau influx setup` on Debian's InfluxDB 1.6.7, and on the documented answers of 2.x and 3.x.

2.x  https://docs.influxdata.com/influxdb/v2/admin/buckets/create-bucket/
     https://docs.influxdata.com/influxdb/v2/api/ (Buckets, Organizations)
3.x  https://docs.influxdata.com/influxdb3/core/admin/databases/create/
     https://docs.influxdata.com/influxdb3/core/admin/databases/list/
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.adapters.influx import InfluxReader, InfluxWriter
from monitor.adapters.influx.setup import BucketSpec, InfluxSetup, SetupResult
from monitor.core.errors import InfluxError
from monitor.settings.model import InfluxSettings
from tests.answering_server import AnsweringServer, Reply, Request
from tests.influx_2_7 import ADMIN, DISKOMINFO, Bucket, InfluxTwo, Token
from tests.influx_server import InfluxServer
from tests.sample_builders import MIDNIGHT_S, ping

WANTED = [BucketSpec("pantau", 30), BucketSpec("pantau_1m", 180)]
EMPTY = json.dumps({"results": [{"statement_id": 0}]})
ROOT = 'pantau:kata sandi "panjang"'


def results(setup: InfluxSetup, wanted: list[BucketSpec]) -> list[str]:
    """What is reported for each bucket when nothing is missing."""
    found = setup.prepare(wanted)
    assert [each.missing for each in found] == [None] * len(wanted)
    return [each.result for each in found]


def policy(server: InfluxServer, bucket: str) -> dict[str, object]:
    [series] = server.query(f'SHOW RETENTION POLICIES ON "{bucket}"')
    return dict(zip(series["columns"], series["values"][0], strict=True))


def test_1_6_gets_databases_with_a_retention(
    influx_server: InfluxServer, new_bucket: Callable[[], InfluxSettings]
) -> None:
    kept = new_bucket()
    setup = InfluxSetup(replace(kept, bucket="setup"), None)
    assert setup.version().startswith("1.6")
    wanted = [BucketSpec("setup", 30), BucketSpec("setup_1m", 180)]
    assert results(setup, [*wanted, BucketSpec(kept.bucket, 7)]) == [
        "created, keeps 30 days",
        "created, keeps 180 days",
        "is there, keeps everything, which is more than 7 days: left so (--shrink shortens it and"
        " deletes what is older)",
    ]
    assert policy(influx_server, "setup")["duration"] == "720h0m0s"
    assert policy(influx_server, kept.bucket)["duration"] == "0s"
    shrinking = InfluxSetup(replace(kept, bucket="setup"), None, shrink=True)
    assert results(shrinking, [BucketSpec(kept.bucket, 7)]) == ["kept everything, keeps 7 days now"]
    assert policy(influx_server, kept.bucket)["duration"] == "168h0m0s"
    assert influx_server.query("SHOW MEASUREMENTS", kept.bucket) == []
    shrinking.close()
    assert results(setup, wanted) == ["is there, keeps 30 days", "is there, keeps 180 days"]
    setup.close()


def test_1_6_stores_years_of_hours_in_large_shard_groups(
    influx_server: InfluxServer, new_bucket: Callable[[], InfluxSettings]
) -> None:
    old, fresh = new_bucket().bucket, "years_1h"
    settings = InfluxSettings(influx_server.url, bucket=fresh, timeout_s=5.0)
    setup = InfluxSetup(settings, None, shrink=True)
    setup.prepare([BucketSpec(old, 1826)])
    assert policy(influx_server, old)["shardGroupDuration"] == "168h0m0s"
    wanted = [BucketSpec(fresh, 1826, 90), BucketSpec(old, 1826, 90)]
    assert results(setup, wanted) == [
        "created, keeps 1826 days",
        "is there, keeps 1826 days, in larger or smaller files from now on",
    ]
    for name in (old, fresh):
        assert policy(influx_server, name)["shardGroupDuration"] == "2160h0m0s"
    assert results(setup, wanted) == ["is there, keeps 1826 days"] * 2
    setup.close()


def test_1_6_with_authentication(tmp_path: Path) -> None:
    """A server without any database; who is no administrator is told what is missing."""
    with InfluxServer(tmp_path, admin=ROOT) as server:
        settings = InfluxSettings(url=server.url, bucket="pantau", timeout_s=5.0)
        admin = InfluxSetup(settings, ROOT)
        assert results(admin, [BucketSpec("pantau", 7)]) == ["created, keeps 7 days"]
        server.query("CREATE USER biasa WITH PASSWORD 'rahasia'")
        server.query("GRANT ALL ON pantau TO biasa")
        plain = InfluxSetup(settings, "biasa:rahasia")
        first, second = plain.prepare(WANTED)
        assert first.missing is not None
        assert second.missing is not None
        assert "admin privilege" in second.missing
        assert "create 'pantau_1m' with a retention of 180 days" in second.missing
        assert "rahasia" not in second.missing
        assert results(admin, WANTED) == [
            "kept 7 days, keeps 30 days now",
            "created, keeps 180 days",
        ]
        wrong = InfluxSetup(settings, "biasa:salah")
        assert all("refuses our credentials" in str(e.missing) for e in wrong.prepare(WANTED))
        writer, reader = InfluxWriter(settings, "biasa:salah"), InfluxReader(settings, "x:salah")
        for call in (lambda: writer.write([ping(MIDNIGHT_S)]), reader.newest_s):
            with pytest.raises(InfluxError, match="refuses our credentials") as caught:
                call()
            assert caught.value.status == 401
        for each in (plain, admin, wrong, writer, reader):
            each.close()


LEAST = "token-of-the-daemon"


def buckets_of(server: InfluxTwo) -> dict[str, tuple[int, int]]:
    """Name → days kept, days in a shard group."""
    return {
        each.name: (each.every_s // 86_400, each.shard_s // 86_400)
        for each in server.buckets.values()
    }


def prepared(
    server: InfluxTwo,
    *wanted: BucketSpec,
    org: str = "diskominfo",
    token: str = ADMIN,
    shrink: bool = False,
) -> list[SetupResult]:
    setup = InfluxSetup(replace(server.settings(), org=org), token, shrink=shrink)
    try:
        return setup.prepare(wanted)
    finally:
        setup.close()


def test_2_7_gets_buckets_with_retention_and_no_probe_stays_there() -> None:
    with InfluxTwo() as server:
        found = prepared(server, *WANTED, BucketSpec("pantau_1h", 1826, 90))
        assert buckets_of(server) == {
            "pantau": (30, 1),
            "pantau_1m": (180, 7),
            "pantau_1h": (1826, 90),
        }
        assert all(not each.stored for each in server.buckets.values())
        again = prepared(server, *WANTED)
    assert [each.missing for each in found] == [None] * 3
    assert [each.result for each in again] == [
        "is there, keeps 30 days",
        "is there, keeps 180 days",
    ]
    assert all(each.may_read and each.may_write for each in (*found, *again))


@pytest.mark.parametrize(
    ("present", "shrink", "kept", "said"),
    [
        ((365, 7), False, (365, 7), "keeps 365 days, which is more than 30 days: left so"),
        ((0, 7), False, (0, 7), "keeps everything, which is more than 30 days: left so"),
        ((365, 7), True, (30, 7), "kept 365 days, keeps 30 days now"),
        ((365, 90), True, (30, 1), "kept 365 days, keeps 30 days now"),
        ((7, 1), False, (30, 1), "kept 7 days, keeps 30 days now"),
        ((30, 7), False, (30, 7), "is there, keeps 30 days"),
    ],
)
def test_2_7_is_never_shortened_without_being_asked_to(
    present: tuple[int, int], shrink: bool, kept: tuple[int, int], said: str
) -> None:
    bucket = Bucket("pantau", every_s=present[0] * 86_400, shard_s=present[1] * 86_400)
    with InfluxTwo(bucket) as server:
        [found] = prepared(server, WANTED[0], shrink=shrink)
        assert buckets_of(server) == {"pantau": kept}
    assert found.missing is None
    assert said in found.result


def test_a_plain_setup_after_one_of_a_year_deletes_nothing() -> None:
    with InfluxTwo() as server:
        prepared(server, BucketSpec("pantau", 365))
        prepared(server, BucketSpec("pantau", 30))
        assert buckets_of(server)["pantau"][0] == 365


def test_the_daemons_token_needs_no_more_than_its_buckets() -> None:
    """Neither organisations nor other buckets: only to create one they are asked for."""
    names = frozenset({"pantau", "pantau_1m"})
    with InfluxTwo(
        Bucket("pantau", every_s=30 * 86_400), Bucket("pantau_1m", every_s=180 * 86_400)
    ) as server:
        server.tokens[LEAST] = Token(read=names, write=names)
        found = prepared(server, *WANTED, token=LEAST)
        assert not any(each.path == "/api/v2/orgs" for each in server.requests)
    assert [each.missing for each in found] == [None, None]


@pytest.mark.parametrize(
    ("read", "write", "missing"),
    [
        ({"pantau"}, set(), "writing: InfluxDB at"),
        (set(), {"pantau"}, "reading: InfluxDB at"),
    ],
)
def test_rights_to_write_and_to_read_are_reported_apart(
    read: set[str], write: set[str], missing: str
) -> None:
    with InfluxTwo(Bucket("pantau", every_s=30 * 86_400)) as server:
        server.tokens[LEAST] = Token(read=frozenset(read), write=frozenset(write))
        [found] = prepared(server, WANTED[0], token=LEAST)
    assert (found.may_read, found.may_write) == (bool(read), bool(write))
    assert missing in str(found.missing)
    assert "does not allow us the bucket 'pantau'" in str(found.missing)


def test_a_token_of_2_7_that_may_not_create_is_told_what_is_missing() -> None:
    with InfluxTwo() as server:
        server.tokens[LEAST] = Token(frozenset({"pantau"}), frozenset({"pantau"}))
        [found] = prepared(server, WANTED[1], token=LEAST)
    assert "has no organisation 'diskominfo', or the token may not see it" in str(found.missing)
    assert "a retention of 180 days" in str(found.missing)


def test_a_bucket_is_never_created_in_another_organisation() -> None:
    with InfluxTwo(orgs={"0f00000000000002": "dinas-lain"}) as server:
        [found] = prepared(server, WANTED[0])
        assert server.buckets == {}
    assert "has no organisation 'diskominfo'" in str(found.missing)


def test_an_organisation_may_be_given_by_its_id() -> None:
    with InfluxTwo() as server:
        [found] = prepared(server, WANTED[0], org=DISKOMINFO)
        assert buckets_of(server)["pantau"] == (30, 1)
        settings = replace(server.settings(), org=DISKOMINFO)
        writer = InfluxWriter(settings, ADMIN)
        writer.write([replace(ping(MIDNIGHT_S), at_s=server.now_s())])
        writer.close()
        assert server.buckets["pantau"].count("ping") == 1
    assert found.missing is None


def test_2_7_without_an_organisation_says_that_it_is_missing() -> None:
    with InfluxTwo() as server, pytest.raises(InfluxError, match="org is missing"):
        prepared(server, WANTED[0], org="")


def test_an_explicit_mapping_to_another_bucket_is_found() -> None:
    """As after an upgrade from 1.x: pantau is read from `pantau/autogen`."""
    with InfluxTwo(Bucket("pantau/autogen")) as server:
        server.mappings["pantau"] = "pantau/autogen"
        [found] = prepared(server, WANTED[0])
        assert server.buckets["pantau"].stored == {}
    assert "an explicit DBRP mapping leads to another bucket" in str(found.missing)


def test_3_core_gets_databases_and_cannot_change_their_retention() -> None:
    databases = {"pantau": "1d"}

    def answer(request: Request) -> Reply:
        match request.method, request.path:
            case _, "/ping":
                return Reply(200, json.dumps({"version": "3.4.1", "revision": "x"}))
            case "GET", "/api/v3/configure/database":
                assert request.query == {"format": "json"}
                return Reply(200, json.dumps([{"iox::database": name} for name in databases]))
            case "POST", "/api/v3/configure/database":
                body = json.loads(request.body)
                databases[body["db"]] = body["retention_period"]
                return Reply(200)
            case "POST", "/api/v2/write":
                return Reply(204)
            case _:
                return Reply(200, EMPTY)

    with AnsweringServer(answer) as server:
        setup = InfluxSetup(server.settings(), "apiv3_x")
        first, second = setup.prepare(WANTED)
        setup.close()
    assert "--shrink sets 30 days" in first.result
    assert second.result == "created, keeps 180 days"
    assert databases == {"pantau": "1d", "pantau_1m": "180d"}
    asked = [each for each in server.requests if each.path.startswith("/api/v3")]
    assert {each.headers["authorization"] for each in asked} == {"Bearer apiv3_x"}


def test_a_server_that_is_no_influxdb_is_an_error() -> None:
    with AnsweringServer(lambda request: Reply(200, "<html>hello</html>")) as server:
        setup = InfluxSetup(server.settings(), None)
        with pytest.raises(InfluxError, match="does not tell its version"):
            setup.prepare(WANTED)
        setup.close()
