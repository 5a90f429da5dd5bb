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
from monitor.adapters.influx.setup import BucketSpec, InfluxSetup
from monitor.core.errors import InfluxError
from monitor.settings.model import InfluxSettings
from tests.answering_server import AnsweringServer, Reply, Request
from tests.influx_server import InfluxServer
from tests.sample_builders import MIDNIGHT_S, ping

WANTED = [BucketSpec("pantau", 30), BucketSpec("pantau_1m", 180)]
EMPTY = json.dumps({"results": [{"statement_id": 0}]})
ADMIN = 'pantau:kata sandi "panjang"'


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
        "kept 0s, keeps 7 days now",
    ]
    assert policy(influx_server, "setup")["duration"] == "720h0m0s"
    assert policy(influx_server, kept.bucket)["duration"] == "168h0m0s"
    assert results(setup, wanted) == ["is there, keeps 30 days", "is there, keeps 180 days"]
    setup.close()


def test_1_6_stores_years_of_hours_in_large_shard_groups(
    influx_server: InfluxServer, new_bucket: Callable[[], InfluxSettings]
) -> None:
    old, fresh = new_bucket().bucket, "years_1h"
    setup = InfluxSetup(InfluxSettings(influx_server.url, bucket=fresh, timeout_s=5.0), None)
    setup.prepare([BucketSpec(old, 1826)])
    assert policy(influx_server, old)["shardGroupDuration"] == "168h0m0s"
    wanted = [BucketSpec(fresh, 1826, 90), BucketSpec(old, 1826, 90)]
    assert results(setup, wanted) == [
        "created, keeps 1826 days",
        "is there, keeps 1826 days, from now on 90 in a file",
    ]
    for name in (old, fresh):
        assert policy(influx_server, name)["shardGroupDuration"] == "2160h0m0s"
    assert results(setup, wanted) == ["is there, keeps 1826 days"] * 2
    setup.close()


def test_1_6_with_authentication(tmp_path: Path) -> None:
    """A server without any database; who is no administrator is told what is missing."""
    with InfluxServer(tmp_path, admin=ADMIN) as server:
        settings = InfluxSettings(url=server.url, bucket="pantau", timeout_s=5.0)
        admin = InfluxSetup(settings, ADMIN)
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
            "kept 168h0m0s, keeps 30 days now",
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


def of_two(
    buckets: dict[str, int], *, may_create: bool = True, groups: dict[str, int] | None = None
) -> AnsweringServer:
    """InfluxDB 2.7 as documented; buckets, groups: name to seconds of data, of a shard."""
    sharded = {} if groups is None else groups

    def keep(name: str, rule: dict[str, int]) -> None:
        buckets[name] = rule["everySeconds"]
        sharded[name] = rule.get("shardGroupDurationSeconds", 604_800)

    def answer(request: Request) -> Reply:
        match request.method, request.path:
            case _, "/ping":
                return Reply(204, headers={"X-Influxdb-Version": "v2.7.12"})
            case "GET", "/api/v2/orgs":
                return Reply(200, json.dumps({"orgs": [{"id": "0f", "name": "diskominfo"}]}))
            case "GET", "/api/v2/buckets":
                name = request.query["name"]
                if name not in buckets:
                    error = {"code": "not found", "message": f'bucket "{name}" not found'}
                    return Reply(404, json.dumps(error))
                rule = {"type": "expire", "everySeconds": buckets[name]}
                rules = [rule | {"shardGroupDurationSeconds": sharded.get(name, 604_800)}]
                found = {"id": f"b-{name}", "name": name, "retentionRules": rules}
                return Reply(200, json.dumps({"buckets": [found]}))
            case "POST", "/api/v2/buckets":
                if not may_create:
                    error = {"code": "forbidden", "message": "insufficient permissions for write"}
                    return Reply(403, json.dumps(error))
                body = json.loads(request.body)
                assert body["orgID"] == "0f"
                keep(body["name"], body["retentionRules"][0])
                return Reply(201, request.body)
            case "PATCH", path:
                name = path.removeprefix("/api/v2/buckets/b-")
                keep(name, json.loads(request.body)["retentionRules"][0])
                return Reply(200, "{}")
            case "POST", "/api/v2/write":
                known = request.query["bucket"] in buckets
                return Reply(204) if known else Reply(404, '{"code":"not found"}')
            case _:
                return Reply(200, EMPTY)

    return AnsweringServer(answer)


def test_2_7_gets_buckets_and_another_retention() -> None:
    buckets = {"pantau": 0}
    with of_two(buckets) as server:
        setup = InfluxSetup(server.settings(), "a-token")
        found = setup.prepare(WANTED)
        setup.close()
    assert [each.missing for each in found] == [None, None]
    assert buckets == {"pantau": 30 * 86_400, "pantau_1m": 180 * 86_400}
    assert {each.headers["authorization"] for each in server.requests} == {"Token a-token"}


def test_2_7_stores_years_of_hours_in_large_shard_groups() -> None:
    """https://docs.influxdata.com/influxdb/v2/reference/internals/shards/#shard-group-duration"""
    groups = {"old_1h": 604_800}
    with of_two({"old_1h": 1826 * 86_400}, groups=groups) as server:
        setup = InfluxSetup(server.settings(), "a-token")
        wanted = [BucketSpec("pantau_1h", 1826, 90), BucketSpec("old_1h", 1826, 90)]
        setup.prepare(wanted)
        again = setup.prepare(wanted)
        setup.close()
    assert groups == {"pantau_1h": 90 * 86_400, "old_1h": 90 * 86_400}
    assert [each.result for each in again] == ["is there, keeps 1826 days"] * 2


def test_a_token_of_2_7_that_may_not_create_is_told_what_is_missing() -> None:
    with of_two({"pantau": 30 * 86_400}, may_create=False) as server:
        setup = InfluxSetup(server.settings(), "a-token")
        first, second = setup.prepare(WANTED)
        setup.close()
    assert (first.result, first.missing) == ("is there, keeps 30 days", None)
    assert second.missing is not None
    assert "insufficient permissions" in second.missing
    assert "a retention of 180 days" in second.missing


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
    assert "cannot change a retention afterwards: see that it is 30 days" in first.result
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
