"""InfluxWriter and InfluxReader with answers of 2.x, 3.x and proxies, from a scripted server."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from monitor.adapters.influx import InfluxReader, InfluxWriter
from monitor.core.errors import InfluxError, WriteRefusal
from monitor.settings.model import InfluxSettings
from tests.answering_server import AnsweringServer, Reply, Request
from tests.influx_server import free_ports
from tests.sample_builders import MIDNIGHT_S, interface, ping
from tests.tls_certificates import TestAuthority

TOKEN = "Zm9ybWVybHktdGhlLXRva2Vu=="

NOW = "Tue, 24 Nov 2026 03:00:00 GMT"
PAGE = "<html><head><title>Masuk</title><style>b{}</style></head><body>Silakan masuk</body></html>"


def write(server: AnsweringServer, secret: str | None) -> None:
    writer = InfluxWriter(server.settings(), secret)
    writer.write([ping(MIDNIGHT_S)])
    writer.close()


def write_error(
    reply: Reply | None, secret: str | None = TOKEN, timeout_s: float = 5.0
) -> InfluxError:
    """The error of a write with this answer."""
    with AnsweringServer(lambda request: reply) as server:
        sink = InfluxWriter(server.settings(timeout_s), secret)
        with pytest.raises(InfluxError) as caught:
            sink.write([ping(MIDNIGHT_S)])
        sink.close()
    return caught.value


def query_error(answer: Callable[[Request], Reply | None], timeout_s: float = 5.0) -> InfluxError:
    """The error of a query with this answer."""
    with AnsweringServer(answer) as server:
        source = InfluxReader(server.settings(timeout_s), TOKEN)
        with pytest.raises(InfluxError) as caught:
            source.latency("anjatan/utama", MIDNIGHT_S, MIDNIGHT_S + 60, 60.0)
        source.close()
    return caught.value


def test_a_write_is_the_documented_request() -> None:
    with AnsweringServer(lambda request: Reply(204)) as server:
        sink = InfluxWriter(server.settings(), TOKEN)
        sink.write([ping(MIDNIGHT_S), interface(MIDNIGHT_S)])
        sink.close()
    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/api/v2/write")
    assert request.query == {"org": "diskominfo", "bucket": "pantau", "precision": "ms"}
    assert request.headers["authorization"] == f"Token {TOKEN}"
    assert request.headers["content-encoding"] == "gzip"
    assert request.headers["content-type"].startswith("text/plain")
    first, second = request.body.split("\n")
    assert first.startswith(
        "ping,kind=fibre,link=utama,provider=Penyedia\\ A,site=anjatan sent=10i,"
    )
    assert first.endswith(" 1764028800000")
    assert second.startswith(
        "interface,device=anjatan,ifname=ether1,link=utama,site=anjatan in_bps="
    )


def test_a_query_is_the_documented_request_and_binds_its_values() -> None:
    empty = json.dumps({"results": [{"statement_id": 0}, {"statement_id": 1}]})
    with AnsweringServer(lambda request: Reply(200, empty)) as server:
        source = InfluxReader(server.settings(), TOKEN)
        assert source.latency("anjatan/ut'ama", MIDNIGHT_S, MIDNIGHT_S + 60, 60.0) == []
        source.close()
    [request] = server.requests
    assert (request.method, request.path) == ("GET", "/query")
    assert request.headers["authorization"] == f"Token {TOKEN}"
    assert (request.query["db"], request.query["epoch"]) == ("pantau", "ms")
    assert json.loads(request.query["params"]) == {"site": "anjatan", "link": "ut'ama"}
    assert "ut'ama" not in request.query["q"]


def test_a_user_and_a_password_go_as_basic_authentication() -> None:
    with AnsweringServer(lambda request: Reply(204)) as server:
        write(server, "pantau:rahasia")
    assert server.requests[0].headers["authorization"] == "Basic cGFudGF1OnJhaGFzaWE="


@pytest.mark.parametrize("secret", [None, ""])
def test_without_a_secret_no_credentials_are_sent(secret: str | None) -> None:
    with AnsweringServer(lambda request: Reply(204)) as server:
        write(server, secret)
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (
            Reply(401, '{"code":"unauthorized","message":"unauthorized access"}'),
            "refuses our credentials (401: unauthorized access): correct the secret",
        ),
        (
            Reply(403, '{"code":"forbidden","message":"insufficient permissions for write"}'),
            "does not allow us the bucket 'pantau' (403: insufficient permissions for write)",
        ),
        (
            Reply(404, '{"code":"not found","message":"bucket \\"pantau\\" not found"}'),
            "does not know the bucket 'pantau', the organisation or the address",
        ),
        (Reply(413, '{"code":"request too large"}'), 'answered 413: {"code":"request too large"}'),
        (
            Reply(422, '{"code":"unprocessable entity","message":"partial write: dropped=1"}'),
            "answered 422: partial write: dropped=1",
        ),
        (
            Reply(
                400,
                '{"error":"partial write of line protocol occurred","data":'
                '[{"original_line":"ping x","line_number":2,"error_message":"no field"}]}',
            ),
            'partial write of line protocol occurred; [{"original_line": "ping x"',
        ),
        (Reply(400, "", {"X-Influxdb-Error": "unable to parse"}), "answered 400: unable to parse"),
        (Reply(500, "gründlich kaputt"), "answered 500: gründlich kaputt"),
        (Reply(502, PAGE), "is not there, says what stands before it (502: Masuk Silakan masuk)"),
        (Reply(503, ""), "(503: no reason given)"),
        (Reply(408, "x" * 9000), "x" * 300 + "…"),
    ],
)
def test_a_refusal_has_its_status_and_the_reason_of_the_server(reply: Reply, message: str) -> None:
    error = write_error(reply)
    assert error.status == reply.status
    assert error.retry_after_s is None
    assert str(error).startswith("InfluxDB at http://127.0.0.1:")
    assert message in str(error)
    assert "\n" not in str(error)


RETENTION = "partial write: points beyond retention policy dropped=3"
CONFLICT = (
    'partial write: field type conflict: input field "sent" on measurement "ping" is type float,'
    " already exists as type integer dropped=1"
)


def of_2_7(code: str, message: str) -> str:
    return json.dumps({"code": code, "message": message})


@pytest.mark.parametrize(
    ("reply", "about", "dropped", "advice"),
    [
        (
            Reply(400, of_2_7("invalid", "Please provide either orgID or org")),
            WriteRefusal.CONFIGURATION,
            0,
            "org is missing in [storage.influxdb]",
        ),
        (
            Reply(400, "Client sent an HTTP request to an HTTPS server.\n"),
            WriteRefusal.CONFIGURATION,
            0,
            "url must begin with https://",
        ),
        (
            Reply(400, "<html><center>The plain HTTP request was sent to HTTPS port</center>"),
            WriteRefusal.CONFIGURATION,
            0,
            "url must begin with https://",
        ),
        (
            Reply(400, of_2_7("invalid", "failed to decode id: id must have a length of 16 bytes")),
            WriteRefusal.CONFIGURATION,
            0,
            "correct org or bucket",
        ),
        (
            Reply(400, '{"error":"partial write: max-series-per-database limit exceeded: (1)"}'),
            WriteRefusal.CONFIGURATION,
            0,
            "raise the limit",
        ),
        (
            Reply(
                422,
                of_2_7("unprocessable entity", f"failure writing points to database: {RETENTION}"),
            ),
            WriteRefusal.OUTSIDE_RETENTION,
            3,
            "",
        ),
        (
            Reply(400, json.dumps({"error": RETENTION})),
            WriteRefusal.OUTSIDE_RETENTION,
            3,
            "",
        ),
        (
            Reply(
                422,
                of_2_7("unprocessable entity", f"failure writing points to database: {CONFLICT}"),
            ),
            WriteRefusal.SAMPLES,
            0,
            "",
        ),
        (Reply(400, json.dumps({"error": CONFLICT})), WriteRefusal.SAMPLES, 0, ""),
        (
            Reply(400, of_2_7("invalid", "unable to parse 'ping x': missing fields")),
            WriteRefusal.SAMPLES,
            0,
            "",
        ),
        (Reply(404, of_2_7("not found", 'bucket "pantau" not found')), None, 0, "create it"),
    ],
    ids=lambda value: value.body[:60] if isinstance(value, Reply) else None,
)
def test_a_refusal_says_whether_samples_or_the_configuration_are_at_fault(
    reply: Reply, about: WriteRefusal | None, dropped: int, advice: str
) -> None:
    error = write_error(reply)
    assert (error.refusal, error.dropped) == (about, dropped)
    assert advice in str(error)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_only_204_acknowledges(status: int) -> None:
    """A proxy's log-in page comes with 200."""
    error = write_error(Reply(status, PAGE))
    assert error.status == status
    assert f"the answer was {status} instead of 204" in str(error)


@pytest.mark.parametrize(
    ("headers", "expected_s"),
    [
        ({"Retry-After": "17"}, 17.0),
        ({"Retry-After": "Tue, 24 Nov 2026 03:00:30 GMT", "Date": NOW}, 30.0),
        ({"Retry-After": "Tue, 24 Nov 2026 02:00:00 GMT", "Date": NOW}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(
    headers: dict[str, str], expected_s: float | None
) -> None:
    error = write_error(Reply(429, '{"code":"too many requests"}', headers))
    assert error.retry_after_s == expected_s


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_error_and_not_followed(status: int) -> None:
    with AnsweringServer(lambda request: Reply(204)) as elsewhere:
        location = f"{elsewhere.url.replace('//', '//user:pass@')}/api/v2/write"
        error = write_error(Reply(status, "", {"Location": location}))
    assert elsewhere.requests == []
    assert error.status == status
    assert f"sends us to {elsewhere.url}/api/v2/write ({status}): set url" in str(error)


@contextmanager
def closing() -> Iterator[str]:
    with AnsweringServer(lambda request: None) as server:
        yield server.url


@contextmanager
def plain_http() -> Iterator[str]:
    with AnsweringServer(lambda request: Reply(204)) as server:
        yield server.url.replace("http:", "https:")


@contextmanager
def silent() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        (closing, "the connection broke before the answer was there"),
        (
            lambda: nullcontext(f"http://127.0.0.1:{free_ports(1)[0]}"),
            "no connection (Connection refused): is it running there?",
        ),
        (
            lambda: nullcontext("http://influx.invalid:8086"),
            "its name cannot be resolved: is url right, does DNS work?",
        ),
        (silent, "no answer within 0.5 s"),
        (plain_http, "no TLS connection"),
    ],
    ids=["connection closed", "connection refused", "unknown host", "silent", "plain HTTP"],
)
def test_a_failure_of_the_connection_has_no_status(
    endpoint: Callable[[], AbstractContextManager[str]], message: str
) -> None:
    with endpoint() as url:
        writer = InfluxWriter(InfluxSettings(url, timeout_s=0.5), TOKEN)
        with pytest.raises(InfluxError) as caught:
            writer.write([ping(MIDNIGHT_S)])
    assert caught.value.status is None
    assert str(caught.value).startswith(f"InfluxDB at {url}: {message}")


@pytest.mark.parametrize("status", [200, 400, 503])
def test_a_stalled_answer_to_a_write_is_no_answer_after_the_time_out(status: int) -> None:
    error = write_error(Reply(status, "half an ans", stalls=True), timeout_s=0.2)
    assert error.status is None
    assert "no answer within 0.2 s" in str(error)


def test_a_stalled_answer_to_a_query_is_no_answer_after_the_time_out() -> None:
    error = query_error(lambda request: Reply(200, '{"results": [', stalls=True), timeout_s=0.2)
    assert "no answer within 0.2 s" in str(error)


@pytest.mark.parametrize("secret", [TOKEN, "pantau:rahasia"])
def test_an_error_never_holds_the_secret(secret: str) -> None:
    """Not even from a server that repeats what it was sent."""

    def echo(request: Request) -> Reply:
        return Reply(400, json.dumps({"message": f"bad: {request.headers} {secret} http://a:b@c"}))

    with AnsweringServer(echo) as server:
        settings = InfluxSettings(server.url.replace("//", "//admin:geheim@"), timeout_s=2.0)
        sink = InfluxWriter(settings, secret)
        with pytest.raises(InfluxError) as caught:
            sink.write([ping(MIDNIGHT_S)])
    for hidden in (TOKEN, "rahasia", "cGFudGF1OnJhaGFzaWE=", "geheim"):
        assert hidden not in str(caught.value)
    assert "***" in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(401, '{"code":"unauthorized","message":"unauthorized access"}'), "(401: unauth"),
        (Reply(200, PAGE), "something that is not JSON: is url right?"),
        (Reply(200, '{"error":"database not found"}'), "could not answer a question (database not"),
        (
            Reply(
                200, '{"results":[{"statement_id":0},{"statement_id":1,"error":"not executed"}]}'
            ),
            "could not answer a question (not executed)",
        ),
        (Reply(200, '{"results":[{}]}'), "its answer is not that of an InfluxDB"),
        (Reply(200, "[1]"), "its answer is not that of an InfluxDB"),
        (
            Reply(
                200,
                '{"results":[{"series":[{"name":"ping","columns":["time"],"values":[],'
                '"partial":true}]},{}]}',
            ),
            "its answer was cut short",
        ),
    ],
)
def test_a_query_without_an_answer_is_an_error_and_never_empty(reply: Reply, message: str) -> None:
    assert message in str(query_error(lambda request: reply))


def test_a_range_too_long_for_3_core_is_queried_in_parts() -> None:
    """https://docs.influxdata.com/influxdb3/core/reference/config-options/#query-file-limit"""
    spans: list[tuple[int, int]] = []

    def answer(request: Request) -> Reply:
        bounds = re.findall(r"time (?:>=|<) (\d+)ms", request.query["q"])
        if not bounds:
            return Reply(200, json.dumps({"results": [{"statement_id": 0}]}))
        start, end = int(bounds[0]), int(bounds[1])
        if end - start > 72 * 3_600_000:
            error = {"error": "Query would exceed file limit of 432 parquet files"}
            return Reply(500, json.dumps(error))
        spans.append((start, end))
        statements = request.query["q"].count("SELECT")
        return Reply(200, json.dumps({"results": [{"statement_id": n} for n in range(statements)]}))

    with AnsweringServer(answer) as server:
        source = InfluxReader(server.settings(), TOKEN)
        end_s = MIDNIGHT_S + 10 * 86_400
        assert source.latency("anjatan/utama", MIDNIGHT_S, end_s, 3600.0) == []
        source.close()
    assert spans[0][0] == MIDNIGHT_S * 1000
    assert spans[-1][1] == end_s * 1000
    assert all(before[1] == after[0] for before, after in pairwise(spans))


def test_a_certificate_of_an_own_authority_is_accepted_with_its_file_and_only_with_it(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    authority = TestAuthority(tmp_path)
    with AnsweringServer(lambda request: Reply(204), authority.server_context()) as server:
        own = replace(server.settings(), ca_file=str(authority.ca_file))
        unchecked = replace(server.settings(), verify_tls=False)
        for settings in (own, unchecked):
            writer = InfluxWriter(settings, TOKEN)
            for _ in range(3):
                writer.write([ping(MIDNIGHT_S)])
            writer.close()
        assert len(server.requests) == 6
        refused = InfluxWriter(server.settings(), TOKEN)
        with pytest.raises(InfluxError, match="no TLS connection"):
            refused.write([ping(MIDNIGHT_S)])
        refused.close()
    assert list(recwarn) == [], "verify_tls = false warns once, at the start, not at each request"
