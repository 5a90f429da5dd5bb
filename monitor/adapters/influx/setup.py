"""Create buckets (databases) with their retention, and check that we may write and read them.

1.x  InfluxQL by POST /query: CREATE DATABASE, ALTER RETENTION POLICY
     https://docs.influxdata.com/influxdb/v1/query_language/manage-database/
2.x  /api/v2/orgs, /api/v2/buckets with retentionRules
     https://docs.influxdata.com/influxdb/v2/admin/buckets/create-bucket/
3.x  /api/v3/configure/database; a retention cannot be changed afterwards
     https://docs.influxdata.com/influxdb3/core/admin/databases/create/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from monitor.adapters.influx.client import InfluxClient, Response
from monitor.core.errors import InfluxError
from monitor.settings.model import InfluxSettings

JSON = {"Accept": "application/json", "Content-Type": "application/json"}
DAY_S = 86_400
PROBE = "pantau_setup"
"""The measurement of the one point that tests the right to write."""


@dataclass(frozen=True, slots=True)
class BucketSpec:
    """A bucket and its retention in days.

    shard_days: days in one shard group, None: the server's default. A query opens every group of
    its range: for years of hours 90 days answer twice as fast as the usual 7.
    """

    name: str
    days: int
    shard_days: int | None = None


@dataclass(frozen=True, slots=True)
class SetupResult:
    """The result for one bucket. missing: what a person has to do, None when all is well."""

    bucket: str
    result: str
    missing: str | None = None


class InfluxSetup:
    """One server. secret: as in InfluxClient; creating anything needs an administrator's."""

    def __init__(self, settings: InfluxSettings, secret: str | None) -> None:
        self._settings = settings
        self._secret = secret
        self._client = InfluxClient(settings, secret)

    def version(self) -> str:
        """The server's version, `1.6.7`. Raises InfluxError when it does not send one."""
        with self._client.errors():
            response = self._call("/ping", "GET", [])
            body = self._client.read_body(response)
        sent = response.headers.get("X-Influxdb-Version", "") or _version_in(body)
        found = re.search(r"\d+\.\d+[\w.+-]*", sent)
        if found is None:
            raise self._client.error("it does not tell its version: is url right?")
        return found[0]

    def prepare(self, wanted: Sequence[BucketSpec]) -> list[SetupResult]:
        """Create what is missing, set what differs, then write and read one point in each.

        Raises InfluxError when the server does not answer or does not know us at all.
        """
        major = self.version().partition(".")[0]
        if major == "3":
            self._client.use_bearer_token()
        create = {"1": self._database, "2": self._bucket, "3": self._database3}.get(major)
        if create is None:
            raise self._client.error(f"version {major} is not one of 1, 2, 3")
        return [self._prepare(create, each) for each in wanted]

    def close(self) -> None:
        self._client.close()

    def _prepare(self, create: Callable[[BucketSpec], str], wanted: BucketSpec) -> SetupResult:
        missing: str | None = None
        try:
            result = create(wanted)
        except InfluxError as error:
            if error.status is None:
                raise
            result = ""
            missing = f"{error}; an administrator may do it: {self._instruction(wanted)}"
        try:
            self._test(wanted.name)
        except InfluxError as error:
            if error.status is None:
                raise
            return SetupResult(wanted.name, result, missing or f"writing and reading: {error}")
        return SetupResult(wanted.name, result or "is there and may be written and read", missing)

    def _instruction(self, wanted: BucketSpec) -> str:
        return (
            f"create {wanted.name!r} with a retention of {wanted.days} days, and give the user or"
            " token of [storage.influxdb] the right to read and write it"
        )

    # 1.x

    def _database(self, wanted: BucketSpec) -> str:
        name = _identifier(wanted.name)
        length = f"{wanted.days * 24}h"
        group = None if wanted.shard_days is None else f"{wanted.shard_days * 24}h"
        shard = "" if group is None else f" SHARD DURATION {group}"
        [found] = self._query("SHOW DATABASES")
        there = wanted.name in [row[0] for series in found for row in series.values]
        if not there:
            self._query(
                f"CREATE DATABASE {name} WITH DURATION {length}{shard} NAME autogen", "POST"
            )
            return f"created, keeps {wanted.days} days"
        [policies] = self._query(f"SHOW RETENTION POLICIES ON {name}")
        defaults = [row for series in policies for row in series.values if row[-1] is True]
        if not defaults:
            self._query(
                f"CREATE RETENTION POLICY autogen ON {name} DURATION {length} REPLICATION 1"
                f"{shard} DEFAULT",
                "POST",
            )
            return f"had no retention policy, keeps {wanted.days} days now"
        policy, kept = str(defaults[0][0]), str(defaults[0][1])
        same = kept.startswith(f"{length}0m")
        if same and (group is None or str(defaults[0][2]).startswith(f"{group}0m")):
            return f"is there, keeps {wanted.days} days"
        self._query(
            f"ALTER RETENTION POLICY {_identifier(policy)} ON {name} DURATION {length}{shard}",
            "POST",
        )
        if same:
            return f"is there, keeps {wanted.days} days, from now on {wanted.shard_days} in a file"
        return f"kept {kept}, keeps {wanted.days} days now"

    def _query(self, statement: str, method: str = "GET") -> Any:
        return self._client.query([statement], {}, method)

    # 2.x

    def _bucket(self, wanted: BucketSpec) -> str:
        org = self._settings.org
        orgs = self._json("/api/v2/orgs", "GET", [("org", org)]).get("orgs", [])
        if not orgs:
            raise self._client.error(f"it has no organisation {org!r}, or does not show it", 404)
        rules: list[dict[str, Any]] = [{"type": "expire", "everySeconds": wanted.days * DAY_S}]
        if wanted.shard_days is not None:
            rules[0]["shardGroupDurationSeconds"] = wanted.shard_days * DAY_S
        found = self._buckets(org, wanted.name)
        if not found:
            body = {"orgID": orgs[0]["id"], "name": wanted.name, "retentionRules": rules}
            self._json("/api/v2/buckets", "POST", [], body)
            return f"created, keeps {wanted.days} days"
        kept = [
            {name: rule.get(name) for name in rules[0]}
            for rule in found[0].get("retentionRules", [])
        ]
        if kept == rules:
            return f"is there, keeps {wanted.days} days"
        self._json(f"/api/v2/buckets/{found[0]['id']}", "PATCH", [], {"retentionRules": rules})
        return f"had another retention, keeps {wanted.days} days now"

    def _buckets(self, org: str, name: str) -> list[dict[str, Any]]:
        try:
            found = self._json("/api/v2/buckets", "GET", [("org", org), ("name", name)])
        except InfluxError as error:
            if error.status == 404:
                return []
            raise
        return [each for each in found.get("buckets", []) if each.get("name") == name]

    # 3.x

    def _database3(self, wanted: BucketSpec) -> str:
        listed = self._json("/api/v3/configure/database", "GET", [("format", "json")])
        if any(wanted.name in each.values() for each in listed):
            return (
                "is there; version 3 cannot change a retention afterwards: see that it is"
                f" {wanted.days} days"
            )
        body = {"db": wanted.name, "retention_period": f"{wanted.days}d"}
        self._json("/api/v3/configure/database", "POST", [], body)
        return f"created, keeps {wanted.days} days"

    def _json(
        self, path: str, method: str, parameters: list[tuple[str, str]], body: object = None
    ) -> Any:
        with self._client.errors():
            text = self._client.read_body(self._call(path, method, parameters, body))
        try:
            return json.loads(text) if text.strip() else {}
        except ValueError as error:
            raise self._client.error(
                f"{path} answered something that is not JSON: is url right?", 200
            ) from error

    def _call(
        self, path: str, method: str, parameters: list[tuple[str, str]], body: object = None
    ) -> Response:
        answer: Response = self._client.call(
            path,
            method,
            parameters,
            dict(JSON),
            body=body,
            _return_http_data_only=True,
            _preload_content=False,
        )
        return answer

    def _test(self, bucket: str) -> None:
        """Write one point and query it. Raises InfluxError."""
        client = InfluxClient(replace(self._settings, bucket=bucket), self._secret)
        try:
            with client.errors():
                client.call(
                    "/api/v2/write",
                    "POST",
                    [("org", self._settings.org), ("bucket", bucket), ("precision", "ms")],
                    {"Content-Type": "text/plain; charset=utf-8"},
                    body=f"{PROBE} ok=1i".encode(),
                )
            client.query([f'SELECT "ok" FROM "{PROBE}" LIMIT 1'], {})  # noqa: S608
        finally:
            client.close()


def _identifier(name: str) -> str:
    """https://docs.influxdata.com/influxdb/v1/query_language/spec/#identifiers"""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _version_in(body: bytes) -> str:
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    return str(answer.get("version", "")) if isinstance(answer, dict) else ""
