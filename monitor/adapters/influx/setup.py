"""Create buckets (databases) with their retention, and check that we may write and read them.

1.x  InfluxQL by POST /query: CREATE DATABASE, ALTER RETENTION POLICY
     https://docs.influxdata.com/influxdb/v1/query_language/manage-database/
2.x  /api/v2/buckets with retentionRules; /api/v2/orgs only to create one
     https://docs.influxdata.com/influxdb/v2/admin/buckets/create-bucket/
3.x  /api/v3/configure/database; a retention may be changed from 3.2 on, not by every edition
     https://docs.influxdata.com/influxdb3/core/admin/databases/create/

Nothing is ever shortened without being asked to, and no probe stays behind.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from monitor.adapters.influx.client import InfluxClient, Response, org_parameter
from monitor.core.errors import InfluxError
from monitor.settings.model import InfluxSettings

JSON = {"Accept": "application/json", "Content-Type": "application/json"}
LINES = {"Content-Type": "text/plain; charset=utf-8"}
DAY_S = 86_400
HOUR_S = 3_600
PROBE = "pantau_setup"
"""The measurement of the point that tests 2.x, removed afterwards."""

NOTHING = b"# pantau"
"""A comment in line protocol: the rights are checked, and nothing is stored."""

_GO_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_NO_RIGHTS = (401, 403)


@dataclass(frozen=True, slots=True)
class BucketSpec:
    """A bucket and its retention in days.

    shard_days: days in one shard group, None: the server's default. A query opens every group of
    its range: for years of hours 90 days answer twice as fast as the usual 7.
    """

    name: str
    days: int
    shard_days: int | None = None

    @property
    def seconds(self) -> int:
        return self.days * DAY_S

    def shard_s(self, present_s: int = 0) -> int:
        """The length of a shard group. present_s: what it is now, kept where it may stay.

        A server refuses a retention below it. The defaults are InfluxDB's:
        https://docs.influxdata.com/influxdb/v2/reference/internals/shards/#shard-group-duration
        """
        if self.shard_days is not None:
            return self.shard_days * DAY_S
        if 0 < present_s <= self.seconds:
            return present_s
        if self.days < 2:
            return HOUR_S
        return DAY_S if self.days < 180 else 7 * DAY_S


@dataclass(frozen=True, slots=True)
class SetupResult:
    """The result for one bucket. missing: what a person has to do, None when all is well.

    may_write, may_read: whether the user (token) of [storage.influxdb] may.
    """

    bucket: str
    result: str
    missing: str | None = None
    may_write: bool = True
    may_read: bool = True


class InfluxSetup:
    """One server. secret: as in InfluxClient; creating anything needs an administrator's.

    shrink: shorten a retention that is longer than wanted; the server then deletes what is older.
    """

    def __init__(
        self, settings: InfluxSettings, secret: str | None, *, shrink: bool = False
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._shrink = shrink
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
        """Create what is missing, set what differs, then test writing and reading of each.

        Raises InfluxError when the server does not answer or does not know us at all.
        """
        version = self.version()
        major = version.partition(".")[0]
        if major == "3":
            self._client.use_bearer_token()
        create: Callable[[BucketSpec], str]
        match major:
            case "1":
                create = self._database
            case "2":
                self._require_org()
                create = self._bucket
            case "3":
                may_change = _minor(version) >= 2

                def create(bucket: BucketSpec) -> str:
                    return self._database3(bucket, may_change)
            case _:
                raise self._client.error(f"version {major} is not one of 1, 2, 3")
        return [self._prepare(major, create, each) for each in wanted]

    def close(self) -> None:
        self._client.close()

    def _require_org(self) -> None:
        if not self._settings.org:
            raise self._client.error(
                "org is missing in [storage.influxdb]: InfluxDB 2 needs the organisation's name or"
                " id"
            )

    def _prepare(
        self, major: str, create: Callable[[BucketSpec], str], wanted: BucketSpec
    ) -> SetupResult:
        missing: list[str] = []
        try:
            result = create(wanted)
        except InfluxError as error:
            if error.status is None:
                raise
            result = ""
            missing.append(f"{error}; an administrator may do it: {self._instruction(wanted)}")
        client = InfluxClient(replace(self._settings, bucket=wanted.name), self._secret)
        try:
            write_error = self._write_error(client)
            read_error = self._read_error(client)
            missing += [f"writing: {write_error}"] if write_error else []
            missing += [f"reading: {read_error}"] if read_error else []
            if major == "2" and not write_error and not read_error:
                missing += self._wrong_mapping(client)
        finally:
            client.close()
        return SetupResult(
            wanted.name,
            result,
            "; ".join(missing) or None,
            may_write=write_error is None,
            may_read=read_error is None,
        )

    def _instruction(self, wanted: BucketSpec) -> str:
        return (
            f"create {wanted.name!r} with a retention of {wanted.days} days, and give the user or"
            " token of [storage.influxdb] the right to read and write it"
        )

    def _longer(self, present_s: int, wanted: BucketSpec) -> str | None:
        """What is said of a bucket that keeps more than wanted; None: it may be set."""
        if self._shrink or 0 < present_s <= wanted.seconds:
            return None
        kept = "everything" if present_s == 0 else f"{present_s / DAY_S:g} days"
        return (
            f"is there, keeps {kept}, which is more than {wanted.days} days: left so (--shrink"
            " shortens it and deletes what is older)"
        )

    # 1.x

    def _database(self, wanted: BucketSpec) -> str:
        name = _identifier(wanted.name)
        [found] = self._query("SHOW DATABASES")
        there = wanted.name in [row[0] for series in found for row in series.values]
        terms = f"DURATION {wanted.days * 24}h"
        if not there:
            shard = f" SHARD DURATION {wanted.shard_s() // HOUR_S}h"
            self._query(f"CREATE DATABASE {name} WITH {terms}{shard} NAME autogen", "POST")
            return f"created, keeps {wanted.days} days"
        [policies] = self._query(f"SHOW RETENTION POLICIES ON {name}")
        defaults = [row for series in policies for row in series.values if row[-1] is True]
        if not defaults:
            self._query(
                f"CREATE RETENTION POLICY autogen ON {name} {terms} REPLICATION 1 SHARD DURATION"
                f" {wanted.shard_s() // HOUR_S}h DEFAULT",
                "POST",
            )
            return f"had no retention policy, keeps {wanted.days} days now"
        policy = str(defaults[0][0])
        present_s, present_shard_s = (_go_seconds(str(each)) for each in defaults[0][1:3])
        longer = self._longer(present_s, wanted)
        if longer is not None:
            return longer
        shard_s = wanted.shard_s(present_shard_s)
        if (present_s, present_shard_s) == (wanted.seconds, shard_s):
            return f"is there, keeps {wanted.days} days"
        self._query(
            f"ALTER RETENTION POLICY {_identifier(policy)} ON {name} {terms} SHARD DURATION"
            f" {shard_s // HOUR_S}h",
            "POST",
        )
        return _changed(present_s, wanted)

    def _query(self, statement: str, method: str = "GET") -> Any:
        return self._client.query([statement], {}, method)

    # 2.x

    def _bucket(self, wanted: BucketSpec) -> str:
        found = self._found_bucket(wanted.name)
        if found is None:
            rule = {
                "type": "expire",
                "everySeconds": wanted.seconds,
                "shardGroupDurationSeconds": wanted.shard_s(),
            }
            body = {"orgID": self._org_id(), "name": wanted.name, "retentionRules": [rule]}
            self._json("/api/v2/buckets", "POST", [], body)
            return f"created, keeps {wanted.days} days"
        rules = found.get("retentionRules") or [{}]
        present_s = int(rules[0].get("everySeconds") or 0)
        present_shard_s = int(rules[0].get("shardGroupDurationSeconds") or 0)
        longer = self._longer(present_s, wanted)
        if longer is not None:
            return longer
        shard_s = wanted.shard_s(present_shard_s)
        if (present_s, present_shard_s) == (wanted.seconds, shard_s):
            return f"is there, keeps {wanted.days} days"
        rule = {
            "type": "expire",
            "everySeconds": wanted.seconds,
            "shardGroupDurationSeconds": shard_s,
        }
        self._json(f"/api/v2/buckets/{found['id']}", "PATCH", [], {"retentionRules": [rule]})
        return _changed(present_s, wanted)

    def _found_bucket(self, name: str) -> dict[str, Any] | None:
        """The bucket of that name in our organisation; None: there is none that we may see.

        Without the right to read organisations a server does not know the name of ours: then the
        buckets that the token may see are listed without it.
        """
        try:
            listed = self._json(
                "/api/v2/buckets", "GET", [org_parameter(self._settings.org), ("name", name)]
            )
        except InfluxError as error:
            if error.status not in (*_NO_RIGHTS, 404):
                raise
            try:
                listed = self._json("/api/v2/buckets", "GET", [("name", name)])
            except InfluxError as second:
                if second.status == 404:
                    return None
                raise
        found = [each for each in listed.get("buckets", []) if each.get("name") == name]
        if len(found) > 1:
            raise self._client.error(
                f"several organisations have a bucket {name!r}: set org to the id of ours", 409
            )
        return found[0] if found else None

    def _org_id(self) -> str:
        """The id of our organisation, and of no other one. Raises InfluxError."""
        parameter, org = org_parameter(self._settings.org)
        if parameter == "orgID":
            return org
        orgs = self._json("/api/v2/orgs", "GET", [("org", org)]).get("orgs", [])
        for each in orgs:
            if each.get("name") == org:
                return str(each["id"])
        raise self._client.error(
            f"it has no organisation {org!r}, or the token may not see it: correct org, or give the"
            " organisation's id",
            404,
        )

    def _wrong_mapping(self, client: InfluxClient) -> list[str]:
        """Write a point and read it back; what is wrong when it does not come back.

        An explicit DBRP mapping, as an upgrade from 1.x leaves it, may send /query to another
        bucket: https://docs.influxdata.com/influxdb/v2/query-data/influxql/dbrp/
        """
        number = secrets.randbelow(10**9)
        bucket = client.settings.bucket
        where = [org_parameter(self._settings.org), ("bucket", bucket)]
        with client.errors():
            client.call(
                "/api/v2/write",
                "POST",
                [*where, ("precision", "ms")],
                dict(LINES),
                body=f"{PROBE} ok={number}i".encode(),
            )
        read = client.query([f'SELECT "ok" FROM "{PROBE}" WHERE "ok" = {number}'], {})  # noqa: S608
        problems = []
        if not any(series.values for result in read for series in result):
            problems.append(
                f"what is written to the bucket is not what /query reads as db={bucket}: an"
                " explicit DBRP mapping leads to another bucket; remove it (`influx v1 dbrp"
                f" delete`) or map {bucket} to this bucket"
            )
        body = {
            "start": "1970-01-01T00:00:00Z",
            "stop": "2200-01-01T00:00:00Z",
            "predicate": f'_measurement="{PROBE}"',
        }
        try:
            self._json("/api/v2/delete", "POST", where, body)
        except InfluxError as error:
            problems.append(f"the test point of {PROBE} could not be removed: {error}")
        return problems

    # 3.x

    def _database3(self, wanted: BucketSpec, may_change: bool) -> str:
        path = "/api/v3/configure/database"
        body = {"db": wanted.name, "retention_period": f"{wanted.days}d"}
        listed = self._json(path, "GET", [("format", "json")])
        if not any(wanted.name in each.values() for each in listed):
            self._json(path, "POST", [], body)
            return f"created, keeps {wanted.days} days"
        if not may_change:
            return (
                "is there; before 3.2 a retention cannot be changed afterwards: see that it is"
                f" {wanted.days} days"
            )
        if not self._shrink:
            return (
                f"is there; version 3 does not tell its retention: --shrink sets {wanted.days}"
                " days, also where it keeps more now"
            )
        try:
            self._json(path, "PUT", [], body)
        except InfluxError as error:
            if error.status in (None, *_NO_RIGHTS):
                raise
            return f"is there; this edition cannot change a retention afterwards ({error})"
        return f"is there, keeps {wanted.days} days now"

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

    # Rights

    def _write_error(self, client: InfluxClient) -> InfluxError | None:
        """Why we may not write to the client's bucket; nothing is stored by the test."""
        parameters = [
            org_parameter(self._settings.org),
            ("bucket", client.settings.bucket),
            ("precision", "ms"),
        ]
        try:
            with client.errors():
                client.call("/api/v2/write", "POST", parameters, dict(LINES), body=NOTHING)
        except InfluxError as error:
            if error.status is None:
                raise
            # Answers about the text come after those about rights and bucket.
            return None if error.status in (400, 422) and error.refusal is not None else error
        return None

    def _read_error(self, client: InfluxClient) -> InfluxError | None:
        try:
            client.query([f'SELECT "ok" FROM "{PROBE}" LIMIT 1'], {})  # noqa: S608
        except InfluxError as error:
            if error.status is None:
                raise
            return error
        return None


def _changed(present_s: int, wanted: BucketSpec) -> str:
    if present_s == wanted.seconds:
        return f"is there, keeps {wanted.days} days, in larger or smaller files from now on"
    kept = "everything" if present_s == 0 else f"{present_s / DAY_S:g} days"
    return f"kept {kept}, keeps {wanted.days} days now"


def _identifier(name: str) -> str:
    """https://docs.influxdata.com/influxdb/v1/query_language/spec/#identifiers"""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _go_seconds(text: str) -> int:
    """Seconds of a Go duration such as `720h0m0s`."""
    match = _GO_DURATION.fullmatch(text)
    hours, minutes, seconds = (int(each or 0) for each in match.groups()) if match else (0, 0, 0)
    return hours * HOUR_S + minutes * 60 + seconds


def _minor(version: str) -> int:
    """The second number of a version."""
    found = re.match(r"\d+\.(\d+)", version)
    return int(found[1]) if found else 0


def _version_in(body: bytes) -> str:
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    return str(answer.get("version", "")) if isinstance(answer, dict) else ""
