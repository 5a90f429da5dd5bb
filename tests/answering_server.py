"""A loopback HTTP server with settable answers: InfluxDB 2 and 3, proxies, and malformed ones.

The answers that tests give it are those of the documents:
  2.x  https://docs.influxdata.com/influxdb/v2/write-data/troubleshoot/
  3.x  https://docs.influxdata.com/influxdb3/core/write-data/troubleshoot/
"""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from monitor.settings.model import InfluxSettings


@dataclass(frozen=True, slots=True)
class Request:
    """A received request: header names in lower case, the body decompressed."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer. stalls: headers that promise more than the body that follows."""

    status: int = 204
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    stalls: bool = False


class AnsweringServer:
    """Started by `with`. answer: what to reply to a request; None: close without an answer.

    tls: serve HTTPS with this context.
    """

    def __init__(
        self, answer: Callable[[Request], Reply | None], tls: ssl.SSLContext | None = None
    ) -> None:
        self.requests: list[Request] = []
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, answer))
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http{'' if tls is None else 's'}://127.0.0.1:{self._server.server_port}"

    def settings(self, timeout_s: float = 5.0) -> InfluxSettings:
        """A bucket on it."""
        return InfluxSettings(self.url, org="diskominfo", bucket="pantau", timeout_s=timeout_s)

    def wait_until_over(self) -> None:
        """For a handler that stalls."""
        self._over.wait(60)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(
    server: AnsweringServer, answer: Callable[[Request], Reply | None]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            request = self._read()
            server.requests.append(request)
            reply = answer(request)
            if reply is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            body = reply.body.encode()
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status != 204:
                length = len(body) + (1000 if reply.stalls else 0)
                self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
            if reply.stalls:
                server.wait_until_over()

        do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - the names that http.server asks for

        def _read(self) -> Request:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            if headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            return Request(self.command, parts.path, query, headers, body.decode())

        def log_message(self, format: str, *args: object) -> None:
            """No log."""

    return Handler
