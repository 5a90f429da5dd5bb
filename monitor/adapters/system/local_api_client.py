"""Client of the daemon's local API: HTTP over a Unix socket, standard library only.

Imports nothing heavy: `pantau status` must start fast.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from monitor.core.errors import (
    RIGHTS,
    ApiError,
    Conflict,
    InvalidRequest,
    NotAllowed,
    NotFound,
    NotRecorded,
    PantauError,
)

SOCKET_NAME = "pantau.sock"
ERRORS_BY_STATUS: Mapping[int, type[PantauError]] = {
    400: InvalidRequest,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    507: NotRecorded,
}
MAX_RESPONSE_BYTES = 64 << 20


class _UnixConnection(HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("pantau", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class LocalApiClient:
    """Sends requests to the daemon of a data directory.

    Raises ApiError when the daemon cannot be reached or fails, and InvalidRequest, NotFound or
    Conflict with the daemon's message when it refuses a request, NotRecorded when it cannot store.
    """

    def __init__(self, data_dir: Path, timeout_s: float = 2.0) -> None:
        self._path = data_dir / SOCKET_NAME
        self._timeout_s = timeout_s

    def get(self, path: str) -> dict[str, object]:
        """The JSON object at `path`, such as `/state`."""
        return self._request("GET", path, None)

    def post(self, path: str, document: Mapping[str, object]) -> dict[str, object]:
        """Send a JSON object; return the response, which is what the daemon stored."""
        return self._request("POST", path, json.dumps(document).encode())

    def _request(self, method: str, path: str, body: bytes | None) -> dict[str, object]:
        connection = _UnixConnection(self._path, self._timeout_s)
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read(MAX_RESPONSE_BYTES)
        except PermissionError as error:
            raise ApiError(
                f"the daemon's socket {self._path} is not for this user: {RIGHTS}"
            ) from error
        except (OSError, HTTPException) as error:
            raise ApiError(
                f"the daemon does not answer on {self._path} ({error}): "
                "start it with `pantau run`, or look at its log"
            ) from error
        finally:
            connection.close()
        if response.status != 200:
            raise _error_of(path, response.status, content)
        try:
            document = json.loads(content)
        except ValueError as error:
            raise ApiError(f"the daemon's answer to {path} is no JSON: {error}") from error
        if not isinstance(document, dict):
            raise ApiError(f"the daemon's answer to {path} is no JSON object")
        return document


def _error_of(path: str, status: int, content: bytes) -> PantauError:
    """The error of a response other than 200, with the daemon's message where there is one."""
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    message = document.get("error") if isinstance(document, dict) else None
    if not isinstance(message, str):
        return ApiError(f"the daemon refused {path} with status {status}")
    return ERRORS_BY_STATUS.get(status, ApiError)(message)
