"""`pantau influx setup` on Debian's InfluxDB 1.6.7, and on the documented answers of 2.x and 3.x.

2.x  https://docs.influxdata.com/influxdb/v2/admin/buckets/create-bucket/
     https://docs.influxdata.com/influxdb/v2/api/ (Buckets, Organizations)
3.x  https://docs.influxdata.com/influxdb3/core/admin/databases/create/
     https://docs.influxdata.com/influxdb3/core/admin/databases/list/
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.adapters.influx.setup import BucketSpec, InfluxSetup
from monitor.core.errors import InfluxError
from monitor.settings.model import InfluxSettings
from tests.answering_server import AnsweringServer, Reply, Request
from tests.influx_server import InfluxServer

WANTED = [BucketSpec("pantau", 30), BucketSpec("pantau_1m", 180)]
EMPTY = json.dumps({"results": [{"statement_id": 0}]})
ADMIN = "admin:sandi"


def policies(server: InfluxServer, bucket: str) -> list[tuple[str, str]]:
    [series] = server.ask(f'SHOW RETENTION POLICIES ON "{bucket}"')
    return [(row[0], row[1]) for row in series["values"]]


def test_a_fresh_1_6_gets_databases_that_forget(tmp_path: Path) -> None:
    with InfluxServer(tmp_path) as server:
        settings = replace(server.bucket("kept"), bucket="pantau")
        setup = InfluxSetup(settings, None)
        assert setup.version().startswith("1.6")
        found = setup.prepare([*WANTED, BucketSpec("kept", 7)])
        assert [(each.result, each.missing) for each in found] == [
            ("created, keeps 30 days", None),
            ("created, keeps 180 days", None),
            ("kept 0s, keeps 7 days now", None),
        ]
        assert policies(server, "pantau") == [("autogen", "720h0m0s")]
        assert policies(server, "kept") == [("autogen", "168h0m0s")]
        again = setup.prepare(WANTED)
        assert [each.result for each in again] == [
            "is there, keeps 30 days",
            "is there, keeps 180 days",
        ]
        setup.close()


def test_a_1_6_that_was_just_installed_has_no_database_at_all(tmp_path: Path) -> None:
    with InfluxServer(tmp_path) as server:
        settings = InfluxSettings(url=server.url, bucket="pantau", timeout_s=5.0)
        setup = InfluxSetup(settings, None)
        assert [each.result for each in setup.prepare(WANTED)] == [
            "created, keeps 30 days",
            "created, keeps 180 days",
        ]
        setup.close()


def test_years_of_hours_lie_in_few_files_of_1_6(tmp_path: Path) -> None:
    def grouped(server: InfluxServer, bucket: str) -> str:
        [series] = server.ask(f'SHOW RETENTION POLICIES ON "{bucket}"')
        return str(series["values"][0][series["columns"].index("shardGroupDuration")])

    with InfluxServer(tmp_path) as server:
        setup = InfluxSetup(replace(server.bucket("old_1h"), bucket="pantau"), None)
        setup.prepare([BucketSpec("old_1h", 1826)])
        assert grouped(server, "old_1h") == "168h0m0s"
        wanted = [BucketSpec("pantau_1h", 1826, 90), BucketSpec("old_1h", 1826, 90)]
        assert [each.result for each in setup.prepare(wanted)] == [
            "created, keeps 1826 days",
            "is there, keeps 1826 days, from now on 90 in a file",
        ]
        assert grouped(server, "pantau_1h") == grouped(server, "old_1h") == "2160h0m0s"
        assert [each.result for each in setup.prepare(wanted)] == ["is there, keeps 1826 days"] * 2
        setup.close()


def test_who_is_no_administrator_of_1_6_is_told_what_is_missing(tmp_path: Path) -> None:
    with InfluxServer(tmp_path, admin=ADMIN) as server:
        settings = replace(server.bucket("pantau"), bucket="pantau")
        server.ask("CREATE USER biasa WITH PASSWORD 'rahasia'")
        server.ask("GRANT ALL ON pantau TO biasa")
        plain = InfluxSetup(settings, "biasa:rahasia")
        first, second = plain.prepare(WANTED)
        assert first.missing is not None
        assert second.missing is not None
        assert "admin privilege" in second.missing
        assert "create 'pantau_1m' with a retention of 180 days" in second.missing
        assert "rahasia" not in second.missing
        plain.close()
        admin = InfluxSetup(settings, ADMIN)
        assert [each.missing for each in admin.prepare(WANTED)] == [None, None]
        admin.close()
        wrong = InfluxSetup(settings, "biasa:salah")
        assert all("refuses our credentials" in str(e.missing) for e in wrong.prepare(WANTED))
        wrong.close()


def of_two(
    buckets: dict[str, int], *, may_create: bool = True, groups: dict[str, int] | None = None
) -> AnsweringServer:
    """InfluxDB 2.7 as its documents tell; buckets, groups: name to seconds of data, of a shard."""
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
                    told = {"code": "not found", "message": f'bucket "{name}" not found'}
                    return Reply(404, json.dumps(told))
                rule = {"type": "expire", "everySeconds": buckets[name]}
                rules = [rule | {"shardGroupDurationSeconds": sharded.get(name, 604_800)}]
                found = {"id": f"b-{name}", "name": name, "retentionRules": rules}
                return Reply(200, json.dumps({"buckets": [found]}))
            case "POST", "/api/v2/buckets":
                if not may_create:
                    told = {"code": "forbidden", "message": "insufficient permissions for write"}
                    return Reply(403, json.dumps(told))
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


def test_a_2_7_gets_buckets_and_another_retention() -> None:
    buckets = {"pantau": 0}
    with of_two(buckets) as server:
        setup = InfluxSetup(server.settings(), "a-token")
        found = setup.prepare(WANTED)
        setup.close()
    assert [each.missing for each in found] == [None, None]
    assert buckets == {"pantau": 30 * 86_400, "pantau_1m": 180 * 86_400}
    assert {each.headers["authorization"] for each in server.requests} == {"Token a-token"}


def test_years_of_hours_lie_in_few_files_of_2_7() -> None:
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


def test_a_token_of_2_7_that_may_not_create_is_told_what_an_administrator_does() -> None:
    with of_two({"pantau": 30 * 86_400}, may_create=False) as server:
        setup = InfluxSetup(server.settings(), "a-token")
        first, second = setup.prepare(WANTED)
        setup.close()
    assert (first.result, first.missing) == ("is there, keeps 30 days", None)
    assert second.missing is not None
    assert "insufficient permissions" in second.missing
    assert "a retention of 180 days" in second.missing


def test_a_3_core_gets_databases_and_cannot_change_their_retention() -> None:
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


def test_what_is_no_influxdb_is_said() -> None:
    with AnsweringServer(lambda request: Reply(200, "<html>hello</html>")) as server:
        setup = InfluxSetup(server.settings(), None)
        with pytest.raises(InfluxError, match="does not tell its version"):
            setup.prepare(WANTED)
        setup.close()
