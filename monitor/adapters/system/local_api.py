"""Client of the daemon's local API: HTTP over a Unix socket, with the standard library only.

`pantau status` must answer at once, so nothing heavy is imported here.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from monitor.core.errors import RIGHTS, ApiError, Conflict, InvalidRequest, NotFound, PantauError

SOCKET_NAME = "pantau.sock"
REFUSALS: Mapping[int, type[PantauError]] = {400: InvalidRequest, 404: NotFound, 409: Conflict}
MOST_BYTES = 64 << 20
"""No answer of the daemon is as long as this."""


class _UnixConnection(HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("pantau", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class LocalApiClient:
    """Asks the daemon that holds a data directory. Every trouble is an ApiError.

    What cannot be is refused in the daemon's own words: Unfit, NoSuchThing or TooLate.
    """

    def __init__(self, data_dir: Path, timeout_s: float = 2.0) -> None:
        self._path = data_dir / SOCKET_NAME
        self._timeout_s = timeout_s

    def get(self, path: str) -> dict[str, object]:
        """The JSON object at `path` (`/state`)."""
        return self._ask("GET", path, None)

    def post(self, path: str, document: Mapping[str, object]) -> dict[str, object]:
        """Tell the daemon something; what it stored."""
        return self._ask("POST", path, json.dumps(document).encode())

    def _ask(self, method: str, path: str, body: bytes | None) -> dict[str, object]:
        connection = _UnixConnection(self._path, self._timeout_s)
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = response.read(MOST_BYTES)
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
            raise _refusal(path, response.status, answer)
        try:
            document = json.loads(answer)
        except ValueError as error:
            raise ApiError(f"the daemon's answer to {path} is no JSON: {error}") from error
        if not isinstance(document, dict):
            raise ApiError(f"the daemon's answer to {path} is no JSON object")
        return document


def _refusal(path: str, status: int, answer: bytes) -> PantauError:
    """The daemon's own sentence, where it gave one."""
    try:
        document = json.loads(answer)
    except ValueError:
        document = None
    words = document.get("error") if isinstance(document, dict) else None
    if not isinstance(words, str):
        return ApiError(f"the daemon refused {path} with status {status}")
    return REFUSALS.get(status, ApiError)(words)
