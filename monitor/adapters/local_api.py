"""Client of the daemon's local API: HTTP over a Unix socket, with the standard library only.

`pantau status` must answer at once, so nothing heavy is imported here.
"""

from __future__ import annotations

import json
import socket
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from monitor.core.errors import ApiError

SOCKET_NAME = "pantau.sock"


class _UnixConnection(HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("pantau", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class LocalApi:
    """Asks the daemon that holds a data directory. Every trouble is an ApiError."""

    def __init__(self, data_dir: Path, timeout_s: float = 2.0) -> None:
        self._path = data_dir / SOCKET_NAME
        self._timeout_s = timeout_s

    def get(self, path: str) -> dict[str, object]:
        """The JSON object at `path` (`/state`)."""
        connection = _UnixConnection(self._path, self._timeout_s)
        try:
            connection.request("GET", path, headers={"Accept": "application/json"})
            response = connection.getresponse()
            body = response.read()
        except (OSError, HTTPException) as error:
            raise ApiError(
                f"the daemon does not answer on {self._path} ({error}): "
                "start it with `pantau run`, or look at its log"
            ) from error
        finally:
            connection.close()
        if response.status != 200:
            raise ApiError(f"the daemon refused {path} with status {response.status}")
        try:
            document = json.loads(body)
        except ValueError as error:
            raise ApiError(f"the daemon's answer to {path} is no JSON: {error}") from error
        if not isinstance(document, dict):
            raise ApiError(f"the daemon's answer to {path} is no JSON object")
        return document
