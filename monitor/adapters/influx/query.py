"""One request to /query, and its answer as rows.

Errors come as HTTP 200 with an `error` beside the results, a cut answer with `partial`:
https://docs.influxdata.com/influxdb/v1/tools/api/#query-http-endpoint
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from monitor.adapters.influx.client import InfluxClient

CHUNK = 65_536
PATIENCE = 3
"""An answer that trickles in may take this many time-outs altogether, not for ever."""


@dataclass(frozen=True, slots=True)
class Series:
    """Rows with the same tags: each (at_ms, *the selected columns); what is absent is None.

    columns: their names, `time` first. A list without entries comes as a series without rows.
    """

    tags: Mapping[str, str]
    values: Sequence[Sequence[Any]]
    columns: Sequence[str] = ()


class Response(Protocol):
    """The part of urllib3's answer that is used."""

    headers: Mapping[str, str]

    def stream(self, amt: int) -> Any: ...

    def release_conn(self) -> None: ...

    def close(self) -> None: ...


def ask(
    connection: InfluxClient,
    statements: Sequence[str],
    bound: Mapping[str, str],
    method: str = "GET",
) -> list[list[Series]]:
    """The series of each statement. bound: the values of `$name` in them. Raises InfluxError.

    method: POST for what changes something.
    """
    parameters = [
        ("db", connection.settings.bucket),
        ("q", ";".join(statements)),
        ("epoch", "ms"),
        ("params", json.dumps(bound)),
    ]
    with connection.told():
        response: Response = connection.call(
            "/query",
            method,
            parameters,
            {"Accept": "application/json"},
            _return_http_data_only=True,
            _preload_content=False,
        )
        text = read(connection, response)
    try:
        answer = json.loads(text)
    except ValueError as error:
        raise connection.failed(
            "it answered a question with something that is not JSON: is url right?", 200
        ) from error
    return _results(connection, answer, len(statements))


def read(connection: InfluxClient, response: Response) -> bytes:
    """The whole body, within bounded time."""
    deadline = time.monotonic() + connection.settings.timeout_s * PATIENCE
    chunks = []
    for chunk in response.stream(CHUNK):
        chunks.append(chunk)
        if time.monotonic() > deadline:
            response.close()
            raise connection.failed("its answer would not end")
    response.release_conn()
    return b"".join(chunks)


def _results(connection: InfluxClient, answer: Any, expected: int) -> list[list[Series]]:
    results = answer.get("results", []) if isinstance(answer, dict) else []
    said = [
        each["error"] for each in (answer, *results) if isinstance(each, dict) and "error" in each
    ]
    if said:
        words = connection.redacted(str(said[0]))
        raise connection.failed(f"it could not answer a question ({words})", 200)
    if len(results) != expected:
        raise connection.failed("its answer is not that of an InfluxDB: is url right?", 200)
    cut = any(
        part.get("partial") for result in results for part in (result, *result.get("series", []))
    )
    if cut:
        raise connection.failed("its answer was cut short: raise max-row-limit there", 200)
    return [
        [
            Series(each.get("tags", {}), each.get("values", ()), each.get("columns", ()))
            for each in result.get("series", [])
        ]
        for result in results
    ]
