"""A client of one InfluxDB: requests through the library, InfluxQL queries, errors as InfluxError.

Errors say what, where and how to mend it, and hold no secret.
"""

from __future__ import annotations

import json
import re
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from urllib3 import exceptions as http
from urllib3.exceptions import InsecureRequestWarning

from monitor.adapters.influx.refusals import Refusal, classify
from monitor.core.errors import InfluxError
from monitor.core.printable import one_line
from monitor.core.secret_forms import SecretForms
from monitor.settings.model import InfluxSettings

QUOTED_LENGTH = 300
"""How many characters of a server's answer are repeated in an error."""

_ORG_ID = re.compile(r"[0-9a-f]{16}")
"""https://docs.influxdata.com/influxdb/v2/admin/organizations/view-orgs/"""

CHUNK = 65_536
BODY_TIMEOUTS = 3
"""A body that arrives in small pieces may take this many time-outs altogether."""


@dataclass(frozen=True, slots=True)
class Series:
    """Rows with the same tags: each (at_ms, *the selected columns); what is absent is None.

    columns: their names, `time` first. A list without entries comes as a series without rows.
    """

    tags: Mapping[str, str]
    values: Sequence[Sequence[Any]]
    columns: Sequence[str] = ()


class Response(Protocol):
    """The part of urllib3's response that is used."""

    headers: Mapping[str, str]

    def stream(self, amt: int) -> Any: ...

    def release_conn(self) -> None: ...

    def close(self) -> None: ...


class _Pool(Protocol):
    def clear(self) -> None: ...


class _Rest(Protocol):
    pool_manager: _Pool


class _Api(Protocol):
    """The part of the library's untyped ApiClient that is used."""

    rest_client: _Rest
    default_headers: dict[str, str]

    def call_api(self, resource_path: str, method: str, **more: Any) -> Any: ...


class InfluxClient:
    """A client for one server and bucket.

    secret: a token (2.x, 3.x), `user:password` (1.x: sent as basic authentication, which 1.6
    knows and the token form it does not), or None or "". It appears in no message of ours.
    """

    def __init__(self, settings: InfluxSettings, secret: str | None) -> None:
        self.settings = settings
        self._address = _without_user(settings.url)
        self._secrets = SecretForms(_parts(secret))
        if not settings.verify_tls:
            # One warning when it is configured (see monitor.daemon.app), not one a request.
            warnings.filterwarnings("ignore", category=InsecureRequestWarning)
        client = InfluxDBClient(
            url=settings.url,
            token=secret or "",
            org=settings.org,
            timeout=round(settings.timeout_s * 1000),
            verify_ssl=settings.verify_tls,
            ssl_ca_cert=settings.ca_file,
            auth_basic=secret is not None and ":" in secret,
        )
        self._api = cast(_Api, client.api_client)

    def call(
        self,
        path: str,
        method: str,
        parameters: list[tuple[str, str]],
        headers: dict[str, str],
        **more: Any,
    ) -> Any:
        """Send one request by the library, which adds credentials, time-out and TLS settings."""
        return self._api.call_api(
            path, method, query_params=parameters, header_params=headers, auth_settings=[], **more
        )

    def query(
        self, statements: Sequence[str], params: Mapping[str, str], method: str = "GET"
    ) -> list[list[Series]]:
        """Run InfluxQL statements by /query; the series of each. Raises InfluxError.

        params: the values of `$name` in the statements. method: POST for what changes something.

        Errors come as HTTP 200 with an `error` beside the results, a cut answer with `partial`:
        https://docs.influxdata.com/influxdb/v1/tools/api/#query-http-endpoint
        """
        parameters = [
            ("db", self.settings.bucket),
            ("q", ";".join(statements)),
            ("epoch", "ms"),
            ("params", json.dumps(params)),
        ]
        with self.errors():
            response: Response = self.call(
                "/query",
                method,
                parameters,
                {"Accept": "application/json"},
                _return_http_data_only=True,
                _preload_content=False,
            )
            text = self.read_body(response)
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise self.error(
                "it answered a question with something that is not JSON: is url right?", 200
            ) from error
        return self._results(answer, len(statements))

    def read_body(self, response: Response) -> bytes:
        """The whole body, within bounded time."""
        deadline = time.monotonic() + self.settings.timeout_s * BODY_TIMEOUTS
        chunks = []
        for chunk in response.stream(CHUNK):
            chunks.append(chunk)
            if time.monotonic() > deadline:
                response.close()
                raise self.error("its answer would not end")
        response.release_conn()
        return b"".join(chunks)

    def use_bearer_token(self) -> None:
        """Send the token as 3.x documents it for /api/v3."""
        token = self._api.default_headers.get("Authorization", "")
        if token.startswith("Token "):
            self._api.default_headers["Authorization"] = f"Bearer {token[len('Token ') :]}"

    def close(self) -> None:
        """Close idle connections; a call that is under way goes on to its end or time-out."""
        self._api.rest_client.pool_manager.clear()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise errors of the library and of urllib3 inside as InfluxError."""
        try:
            yield
        except ApiException as error:
            raise self._refused(error) from error
        except UnicodeDecodeError as error:
            raise self.error("it sent what is no text: is url right?") from error
        except (http.HTTPError, InfluxDBError, OSError) as error:
            raise self.error(self._reason(error)) from error

    def error(self, why: str, status: int | None = None) -> InfluxError:
        """An error that names the server. why: any text of the server in it is redacted."""
        return InfluxError(f"InfluxDB at {self._address}: {why}", status=status)

    def redacted(self, text: str) -> str:
        """A text of the server without the secret: it may repeat what it was sent."""
        return one_line(self._secrets.hidden(text, "***"))

    def _results(self, answer: Any, expected: int) -> list[list[Series]]:
        results = answer.get("results", []) if isinstance(answer, dict) else []
        errors = [
            each["error"]
            for each in (answer, *results)
            if isinstance(each, dict) and "error" in each
        ]
        if errors:
            text = self.redacted(str(errors[0]))
            raise self.error(f"it could not answer a question ({text})", 200)
        if len(results) != expected:
            raise self.error("its answer is not that of an InfluxDB: is url right?", 200)
        if any(
            part.get("partial")
            for result in results
            for part in (result, *result.get("series", []))
        ):
            raise self.error("its answer was cut short: raise max-row-limit there", 200)
        return [
            [
                Series(each.get("tags", {}), each.get("values", ()), each.get("columns", ()))
                for each in result.get("series", [])
            ]
            for result in results
        ]

    def _refused(self, error: ApiException) -> InfluxError:
        status: int = error.status or 0
        if status == 0:  # how the library reports a failed TLS handshake
            return self.error(f"no TLS connection ({self._quoted(str(error.reason))})")
        headers: Mapping[str, str] = error.headers or {}
        reason = _error_text(error.body, headers)
        refusal = classify(status, reason)
        advice = self._advice(status, self._quoted(reason), headers, refusal)
        return InfluxError(
            f"InfluxDB at {self._address} {advice}",
            status=status,
            retry_after_s=retry_after_s(headers),
            refusal=refusal.kind,
            dropped=refusal.dropped,
        )

    def _quoted(self, text: str) -> str:
        """A text of the server in one short line."""
        line = self.redacted(" ".join(text.split()))
        return line if len(line) <= QUOTED_LENGTH else f"{line[:QUOTED_LENGTH]}…"

    def _advice(self, status: int, text: str, headers: Mapping[str, str], refusal: Refusal) -> str:
        if refusal.advice is not None:
            return f"refuses what is sent ({status}: {text}): {refusal.advice}"
        if 300 <= status < 400:
            place = self._quoted(_without_user(headers.get("Location", "somewhere else")))
            return f"sends us to {place} ({status}): set url to where it really is"
        match status:
            case 401:
                return (
                    f"refuses our credentials (401: {text}): correct the secret that token names,"
                    " then reload"
                )
            case 403:
                return (
                    f"does not allow us the bucket {self.settings.bucket!r} (403: {text}): give the"
                    " token (the user) the right to write and read it"
                )
            case 404:
                return (
                    f"does not know the bucket {self.settings.bucket!r}, the organisation or the "
                    f"address ({status}: {text}): create it, or correct url, org or bucket"
                )
            case 502 | 503 | 504:
                return f"is not there, says what stands before it ({status}: {text})"
            case _:
                return f"answered {status}: {text}"

    def _reason(self, error: Exception) -> str:
        match error:
            case http.NameResolutionError():  # before its ancestors, which say less
                return "its name cannot be resolved: is url right, does DNS work?"
            case http.NewConnectionError():
                return f"no connection ({_errno_text(error)}): is it running there?"
            case http.ReadTimeoutError() | http.ConnectTimeoutError() | TimeoutError():
                return f"no answer within {self.settings.timeout_s:g} s"
            case http.ProtocolError():
                return "the connection broke before the answer was there"
            case http.LocationParseError():
                return "url is no address"
            case _:
                return self._quoted(str(error)) or type(error).__name__


def org_parameter(org: str) -> tuple[str, str]:
    """The organisation in a request of 2.x, by its id or by its name."""
    return ("orgID" if _ORG_ID.fullmatch(org) else "org", org)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The wait that `Retry-After` asks for, in seconds or as a date (RFC 9110 10.2.3).

    A date is compared with the server's own clock. None without a value that can be read.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return max(0.0, wait.total_seconds())


def _error_text(body: object, headers: Mapping[str, str]) -> str:
    """The reason in an error's body: 2.x `message`, 1.x and 3.x `error`, else the page's text."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    try:
        answer = json.loads(text)
    except ValueError:
        plain = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL)
        return plain.strip() or headers.get("X-Influxdb-Error") or "no reason given"
    if not isinstance(answer, dict):
        return text
    reasons = [str(answer[key]) for key in ("message", "error") if answer.get(key)]
    if answer.get("data"):  # 3.x: the refused lines, https://docs.influxdata.com/influxdb3/core/
        reasons.append(json.dumps(answer["data"]))
    return "; ".join(reasons) or text


def _errno_text(error: Exception) -> str:
    cause = error.__cause__
    return cause.strerror if isinstance(cause, OSError) and cause.strerror else "refused"


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _parts(secret: str | None) -> tuple[str, ...]:
    """A token, or a name and password together and the password alone."""
    return () if not secret else (secret, secret.partition(":")[2])
