"""One client of the library, and its errors as ours: what, where, how to mend it, no secret."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from urllib3 import exceptions as http

from monitor.core.errors import InfluxError
from monitor.settings.model import InfluxSettings

WORDS = 300
"""How much of a server's answer is repeated."""


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
        self.shown = _without_user(settings.url)
        self._secrets = _spellings(secret)
        client = InfluxDBClient(
            url=settings.url,
            token=secret or "",
            org=settings.org,
            timeout=round(settings.timeout_s * 1000),
            verify_ssl=settings.verify_tls,
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
        """One request by the library, which keeps the credentials, time-out and TLS settings."""
        return self._api.call_api(
            path, method, query_params=parameters, header_params=headers, auth_settings=[], **more
        )

    def speak_bearer(self) -> None:
        """The token as 3.x documents it for /api/v3."""
        token = self._api.default_headers.get("Authorization", "")
        if token.startswith("Token "):
            self._api.default_headers["Authorization"] = f"Bearer {token[len('Token ') :]}"

    def close(self) -> None:
        """Idle connections are closed; a call that is under way runs into its end or time-out."""
        self._api.rest_client.pool_manager.clear()

    @contextmanager
    def told(self) -> Iterator[None]:
        """The library's and urllib3's errors as InfluxError."""
        try:
            yield
        except ApiException as error:
            raise self._refused(error) from error
        except UnicodeDecodeError as error:
            raise self.failed("it sent what is no text: is url right?") from error
        except (http.HTTPError, InfluxDBError, OSError) as error:
            raise self.failed(self._why(error)) from error

    def failed(self, why: str, status: int | None = None) -> InfluxError:
        """An error that names the server; what others said stands in `why` only redacted."""
        return InfluxError(f"InfluxDB at {self.shown}: {why}", status=status)

    def redacted(self, text: str) -> str:
        """What others said, without the secret: a server may repeat what it was sent."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def _refused(self, error: ApiException) -> InfluxError:
        status: int = error.status or 0
        if status == 0:  # the library's way to tell of a failed TLS handshake
            return self.failed(f"no TLS connection ({self._quoted(str(error.reason))})")
        headers: Mapping[str, str] = error.headers or {}
        words = self._quoted(_words(error.body, headers))
        message = f"InfluxDB at {self.shown} {self._advice(status, words, headers)}"
        return InfluxError(message, status=status, retry_after_s=retry_after_s(headers))

    def _quoted(self, text: str) -> str:
        """Someone else's text in one short line."""
        line = " ".join(self.redacted(text).split())
        return line if len(line) <= WORDS else f"{line[:WORDS]}…"

    def _advice(self, status: int, words: str, headers: Mapping[str, str]) -> str:
        if 300 <= status < 400:
            place = self._quoted(_without_user(headers.get("Location", "somewhere else")))
            return f"sends us to {place} ({status}): set url to where it really is"
        match status:
            case 401 | 403:
                return f"refuses our credentials ({status}: {words}): check the secret of its token"
            case 404:
                return (
                    f"does not know the bucket {self.settings.bucket!r}, the organisation or the "
                    f"address ({status}: {words}): create it, or correct url, org or bucket"
                )
            case 502 | 503 | 504:
                return f"is not there, says what stands before it ({status}: {words})"
            case _:
                return f"answered {status}: {words}"

    def _why(self, error: Exception) -> str:
        match error:
            case http.NameResolutionError():  # before its ancestors, which say less
                return "its name cannot be resolved: is url right, does DNS work?"
            case http.NewConnectionError():
                return f"no connection ({_errno_words(error)}): is it running there?"
            case http.ReadTimeoutError() | http.ConnectTimeoutError() | TimeoutError():
                return f"no answer within {self.settings.timeout_s:g} s"
            case http.ProtocolError():
                return "the connection broke before the answer was there"
            case http.LocationParseError():
                return "url is no address"
            case _:
                return self._quoted(str(error)) or type(error).__name__


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How long the server asks us to wait: seconds, or a date compared with the server's own.

    RFC 9110 10.2.3. None when it asks for nothing that can be read.
    """
    asked = headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return float(asked)
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return max(0.0, wait.total_seconds())


def _words(body: object, headers: Mapping[str, str]) -> str:
    """What the server says: 2.x `message`, 1.x and 3.x `error`, else its page's text."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    try:
        answer = json.loads(text)
    except ValueError:
        plain = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL)
        return plain.strip() or headers.get("X-Influxdb-Error") or "no reason given"
    if not isinstance(answer, dict):
        return text
    said = [str(answer[key]) for key in ("message", "error") if answer.get(key)]
    if answer.get("data"):  # 3.x: the refused lines, https://docs.influxdata.com/influxdb3/core/
        said.append(json.dumps(answer["data"]))
    return "; ".join(said) or text


def _errno_words(error: Exception) -> str:
    cause = error.__cause__
    return cause.strerror if isinstance(cause, OSError) and cause.strerror else "refused"


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _spellings(secret: str | None) -> list[str]:
    """How a secret may appear in a text, the longest first."""
    if not secret:
        return []
    _, colon, password = secret.partition(":")
    known = {secret, base64.b64encode(secret.encode()).decode(), password if colon else secret}
    return sorted((each for each in known if each), key=len, reverse=True)
