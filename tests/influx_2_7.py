"""InfluxDB 2.7 over real HTTP on loopback, with its documented answers and status codes.

Not the server itself, which was not at hand: what a client sees of it. Requests are checked in its
order: token, organisation, bucket, right, line protocol, field types, retention.
  https://docs.influxdata.com/influxdb/v2/api/
  https://docs.influxdata.com/influxdb/v2/write-data/troubleshoot/
  github.com/influxdata/influxdb (2.7): http/write_handler.go, tenant/http_server_bucket.go,
  tsdb/shard.go, v1/coordinator/points_writer.go
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field

from tests.answering_server import AnsweringServer, Reply, Request

DAY_S = 86_400
DISKOMINFO = "0f00000000000001"
ADMIN = "token-of-the-operator"

_LINE = re.compile(r"^(?P<key>(?:\\.|[^ \\])+) (?P<fields>.+?)(?: (?P<time>-?\d+))?$")


@dataclass
class Bucket:
    """A bucket. every_s: its retention, 0: for ever. stored: (series, ms) → fields."""

    name: str
    org: str = DISKOMINFO
    every_s: int = 0
    shard_s: int = 604_800
    stored: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)
    types: dict[tuple[str, str], str] = field(default_factory=dict)

    def count(self, measurement: str) -> int:
        return sum(key.split(",")[0] == measurement for key, _ in self.stored)

    def document(self) -> dict[str, object]:
        rule = {
            "type": "expire",
            "everySeconds": self.every_s,
            "shardGroupDurationSeconds": self.shard_s,
        }
        return {
            "id": f"b-{self.name}",
            "orgID": self.org,
            "name": self.name,
            "retentionRules": [rule],
        }


@dataclass
class Token:
    """What a token may do. read, write: names of buckets; None: all, and everything else."""

    read: frozenset[str] | None = None
    write: frozenset[str] | None = None

    @property
    def is_operator(self) -> bool:
        return self.read is None and self.write is None


class InfluxTwo(AnsweringServer):
    """Started by `with`. orgs: id → name. mappings: db → bucket, explicit DBRP mappings.

    speaks_tls: it answers plain HTTP as a server behind TLS does. now_s: its clock.
    """

    def __init__(self, *buckets: Bucket, orgs: dict[str, str] | None = None) -> None:
        super().__init__(self._answer)
        self.orgs = {DISKOMINFO: "diskominfo"} if orgs is None else orgs
        self.buckets = {each.name: each for each in buckets}
        self.tokens = {ADMIN: Token()}
        self.mappings: dict[str, str] = {}
        self.speaks_tls = False
        self.now_s = time.time

    def _answer(self, request: Request) -> Reply:
        if self.speaks_tls:
            return Reply(400, "Client sent an HTTP request to an HTTPS server.\n")
        if request.path == "/ping":
            return Reply(204, headers={"X-Influxdb-Version": "v2.7.12"})
        secret = request.headers.get("authorization", "").removeprefix("Token ")
        token = self.tokens.get(secret)
        if token is None:
            return _error(401, "unauthorized", "unauthorized access")
        match request.method, request.path:
            case "GET", "/api/v2/orgs":
                return self._list_orgs(request, token)
            case "GET", "/api/v2/buckets":
                return self._list_buckets(request, token)
            case "POST", "/api/v2/buckets":
                return self._create_bucket(request, token)
            case "PATCH", path if path.startswith("/api/v2/buckets/b-"):
                return self._change_bucket(request, token)
            case "POST", "/api/v2/write":
                return self._write(request, token)
            case "POST", "/api/v2/delete":
                return self._delete(request, token)
            case "GET", "/query":
                return self._query(request, token)
        return _error(404, "not found", "path not found")

    def _list_orgs(self, request: Request, token: Token) -> Reply:
        wanted = request.query.get("org")
        found = [
            {"id": number, "name": name}
            for number, name in self.orgs.items()
            if token.is_operator and wanted in (None, name)
        ]
        return Reply(200, json.dumps({"orgs": found}))

    def _list_buckets(self, request: Request, token: Token) -> Reply:
        org: str | None = None
        if "org" in request.query or "orgID" in request.query:
            named = self._org_of(request)
            if isinstance(named, Reply):
                return named
            if "org" in request.query and not token.is_operator:
                hidden = request.query["org"]
                return _error(404, "not found", f'organization name "{hidden}" not found')
            org = named
        name = request.query.get("name")
        found = [
            each.document()
            for each in self.buckets.values()
            if name in (None, each.name)
            and org in (None, each.org)
            and (token.is_operator or each.name in (token.read or ()))
        ]
        if name is not None and not found:
            return _error(404, "not found", f'bucket "{name}" not found')
        return Reply(200, json.dumps({"buckets": found}))

    def _create_bucket(self, request: Request, token: Token) -> Reply:
        body = json.loads(request.body)
        if not token.is_operator:
            return _error(403, "forbidden", "insufficient permissions for write")
        if body["orgID"] not in self.orgs:
            return _error(404, "not found", "organization not found")
        made = Bucket(body["name"], body["orgID"])
        refused = _set_rule(made, body["retentionRules"][0])
        if refused is not None:
            return refused
        self.buckets[made.name] = made
        return Reply(201, json.dumps(made.document()))

    def _change_bucket(self, request: Request, token: Token) -> Reply:
        if not token.is_operator:
            return _error(403, "forbidden", "insufficient permissions for write")
        bucket = self.buckets[request.path.removeprefix("/api/v2/buckets/b-")]
        refused = _set_rule(bucket, json.loads(request.body)["retentionRules"][0])
        return refused or Reply(200, json.dumps(bucket.document()))

    def _org_of(self, request: Request) -> str | Reply:
        """The id of the organisation that a request names."""
        number, name = request.query.get("orgID"), request.query.get("org")
        if not number and not name:
            return _error(400, "invalid", "Please provide either orgID or org")
        if number:
            if number not in self.orgs:
                return _error(404, "not found", "organization not found")
            return number
        found = [each for each, its_name in self.orgs.items() if its_name == name]
        if found:
            return found[0]
        return _error(404, "not found", f'organization name "{name}" not found')

    def _target(self, request: Request, token: Token) -> Bucket | Reply:
        """The bucket of a write, if it may be written."""
        org = self._org_of(request)
        if isinstance(org, Reply):
            return org
        bucket = self.buckets.get(request.query.get("bucket", ""))
        if bucket is None or bucket.org != org:
            return _error(404, "not found", f'bucket "{request.query.get("bucket")}" not found')
        if token.write is not None and bucket.name not in token.write:
            return _error(403, "forbidden", "insufficient permissions for write")
        return bucket

    def _write(self, request: Request, token: Token) -> Reply:
        bucket = self._target(request, token)
        if isinstance(bucket, Reply):
            return bucket
        points: list[tuple[str, dict[str, str], int]] = []
        for line in filter(None, request.body.split("\n")):
            if line.startswith("#"):
                continue
            found = _LINE.match(line)
            if found is None:
                return _error(400, "invalid", f"unable to parse '{line}': missing fields")
            fields = dict(each.split("=", 1) for each in found["fields"].split(","))
            at_ms = int(found["time"]) if found["time"] else round(self.now_s() * 1000)
            points.append((found["key"], fields, at_ms))
        return self._store(bucket, points)

    def _store(self, bucket: Bucket, points: list[tuple[str, dict[str, str], int]]) -> Reply:
        """Store what is good; the reason for the rest."""
        too_old = conflicts = 0
        reason = ""
        for key, fields, at_ms in points:
            measurement = key.split(",")[0]
            if bucket.every_s and at_ms < (self.now_s() - bucket.every_s) * 1000:
                too_old += 1
                continue
            conflict = next(
                (
                    (name, bucket.types[measurement, name])
                    for name, value in fields.items()
                    if bucket.types.setdefault((measurement, name), _type(value)) != _type(value)
                ),
                None,
            )
            if conflict is not None:
                conflicts += 1
                name, present = conflict
                reason = (
                    f'field type conflict: input field "{name}" on measurement "{measurement}" is'
                    f" type {_type(fields[name])}, already exists as type {present}"
                )
                continue
            bucket.stored.setdefault((key, at_ms), {}).update(fields)
        if conflicts:
            return _partial(f"{reason} dropped={conflicts}")
        if too_old:
            return _partial(f"points beyond retention policy dropped={too_old}")
        return Reply(204)

    def _delete(self, request: Request, token: Token) -> Reply:
        bucket = self._target(request, token)
        if isinstance(bucket, Reply):
            return bucket
        found = re.fullmatch(r'_measurement="(\w+)"', json.loads(request.body)["predicate"])
        assert found is not None
        for key, at_ms in list(bucket.stored):
            if key.split(",")[0] == found[1]:
                del bucket.stored[key, at_ms]
        return Reply(204)

    def _query(self, request: Request, token: Token) -> Reply:
        """SELECT "field" FROM "measurement" [WHERE "field" = number], of the mapped bucket."""
        name = self.mappings.get(request.query["db"], request.query["db"])
        if token.read is not None and name not in token.read:
            return _error(403, "forbidden", "insufficient permissions for read")
        bucket = self.buckets.get(name)
        if bucket is None:
            error = {"error": f"database not found: {request.query['db']}"}
            return Reply(200, json.dumps({"results": [{"statement_id": 0, **error}]}))
        found = re.match(
            r'SELECT "(\w+)" FROM "(\w+)"(?: WHERE "\w+" = (\d+))?', request.query["q"]
        )
        values = []
        if found is not None:
            values = [
                [at_ms, int(fields[found[1]].rstrip("i"))]
                for (key, at_ms), fields in bucket.stored.items()
                if key.split(",")[0] == found[2]
                and found[1] in fields
                and found[3] in (None, fields[found[1]].rstrip("i"))
            ]
        series = [{"columns": ["time", "value"], "values": values}] if values else []
        return Reply(200, json.dumps({"results": [{"statement_id": 0, "series": series}]}))


def _type(value: str) -> str:
    if value.startswith('"'):
        return "string"
    return "integer" if value.endswith("i") else "float"


def _set_rule(bucket: Bucket, rule: dict[str, int]) -> Reply | None:
    every_s = rule["everySeconds"]
    shard_s = rule.get("shardGroupDurationSeconds") or bucket.shard_s
    if every_s and shard_s > every_s:
        return _error(
            422,
            "unprocessable entity",
            "shard group duration must be less than or equal to the retention period",
        )
    bucket.every_s, bucket.shard_s = every_s, shard_s
    return None


def _partial(reason: str) -> Reply:
    return _error(
        422,
        "unprocessable entity",
        f"failure writing points to database: partial write: {reason}",
    )


def _error(status: int, code: str, message: str) -> Reply:
    return Reply(status, json.dumps({"code": code, "message": message}))
