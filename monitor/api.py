"""The local API: HTTP on a Unix socket in the data directory, for `status` and the dashboard.

GET /state    the `status --json` document
GET /healthz  200 while rounds end, 503 when none has for 30 s
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
from aiohttp import web

from monitor.core.documents import Document
from monitor.core.errors import ApiError

SOCKET_MODE = 0o660


class Api:
    """Serves what it is given; opened and closed by the composition root."""

    def __init__(
        self, socket_path: Path, state: Callable[[], Document], healthy: Callable[[], bool]
    ) -> None:
        self._path = socket_path
        self._state = state
        self._healthy = healthy
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        """Listen. Raises ApiError when the socket cannot be made."""
        app = web.Application()
        app.router.add_get("/state", self._get_state)
        app.router.add_get("/healthz", self._get_health)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        try:
            # The lock on the data directory is ours: a socket that lies here is left over.
            self._path.unlink(missing_ok=True)
            await web.UnixSite(self._runner, str(self._path)).start()
            self._path.chmod(SOCKET_MODE)
        except OSError as error:
            raise ApiError(
                f"the local API cannot listen on {self._path} ({error}): "
                "a shorter data_dir or another owner of it may help"
            ) from error

    async def close(self) -> None:
        """Stop listening; takes the socket away."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._path.unlink(missing_ok=True)

    async def _get_state(self, _: web.Request) -> web.Response:
        return web.Response(body=orjson.dumps(self._state()), content_type="application/json")

    async def _get_health(self, _: web.Request) -> web.Response:
        if self._healthy():
            return web.json_response({"ok": True})
        return web.json_response({"ok": False}, status=503)
