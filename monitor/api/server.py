"""The Unix socket, the routes, and the mapping of errors to responses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
from aiohttp import web

from monitor.api.account_handlers import AccountHandlers
from monitor.api.connections import ConnectionLimits, Connections
from monitor.api.context import ApiContext, json_response
from monitor.api.get_handlers import GetHandlers
from monitor.api.post_handlers import PostHandlers
from monitor.core.documents import Document
from monitor.core.errors import (
    ApiError,
    ConfigError,
    Conflict,
    InvalidRequest,
    LedgerError,
    NotAllowed,
    NotFound,
    NotRecorded,
)

SOCKET_MODE = 0o660
MAX_BODY_BYTES = 65_536
SHUTDOWN_S = 2.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ApiServer:
    """state: the document of `/state`. healthy: whether rounds end."""

    def __init__(
        self,
        socket_path: Path,
        state: Callable[[], Awaitable[Document]],
        healthy: Callable[[], bool],
        context: ApiContext,
        limits: ConnectionLimits | None = None,
    ) -> None:
        self._path = socket_path
        self._state = state
        self._healthy = healthy
        self._context = context
        self._limits = limits or ConnectionLimits()
        self._runner: web.AppRunner | None = None
        self._connections: Connections | None = None
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen. Raises ApiError when the socket cannot be created."""
        limits = self._limits
        app = web.Application(
            middlewares=[self._read_request, _error_responses], client_max_size=MAX_BODY_BYTES
        )
        app.router.add_get("/state", self._get_state)
        app.router.add_get("/healthz", self._get_health)
        app.router.add_routes(GetHandlers(self._context).routes())
        app.router.add_routes(PostHandlers(self._context).routes())
        app.router.add_routes(AccountHandlers(self._context).routes())
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            keepalive_timeout=limits.idle_s,
            shutdown_timeout=SHUTDOWN_S,
        )
        await self._runner.setup()
        self._connections = Connections(self._make_protocol, limits)
        try:
            # We hold the lock on the data directory: an existing socket is left over.
            self._path.unlink(missing_ok=True)
            self._server = await asyncio.get_running_loop().create_unix_server(
                self._connections, str(self._path)
            )
            self._path.chmod(SOCKET_MODE)
        except OSError as error:
            raise ApiError(
                f"the local API cannot listen on {self._path} ({error}): "
                "a shorter data_dir or another owner of it may help"
            ) from error

    def _make_protocol(self) -> asyncio.Protocol:
        if self._runner is None or self._runner.server is None:
            raise ApiError("the local API is closed")
        return self._runner.server()

    async def close(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._path.unlink(missing_ok=True)

    @web.middleware
    async def _read_request(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Read the body, for a limited time."""
        if self._connections is not None:
            self._connections.header_arrived(request.transport)
        try:
            async with asyncio.timeout(self._limits.body_s):
                await request.read()
        except TimeoutError:
            response = json_response({"error": "the body did not arrive in time"}, 408)
            response.force_close()
            return response
        except web.HTTPRequestEntityTooLarge:
            return json_response({"error": f"the body is longer than {MAX_BODY_BYTES} bytes"}, 413)
        return await handler(request)

    async def _get_state(self, _: web.Request) -> web.Response:
        document = await self._state()
        return web.Response(body=orjson.dumps(document), content_type="application/json")

    async def _get_health(self, _: web.Request) -> web.Response:
        healthy = self._healthy()
        return json_response({"ok": healthy}, 200 if healthy else 503)


@web.middleware
async def _error_responses(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into `{"error": sentence}` with its status."""
    try:
        return await handler(request)
    except NotFound as error:
        return json_response({"error": str(error)}, 404)
    except NotAllowed as error:
        return json_response({"error": str(error)}, 403)
    except Conflict as error:
        return json_response({"error": str(error)}, 409)
    except InvalidRequest as error:
        return json_response({"error": str(error)}, 400)
    except NotRecorded as error:
        return json_response({"error": str(error)}, 507)
    except (LedgerError, ConfigError) as error:
        return json_response({"error": str(error)}, 503)
    except web.HTTPNotFound:
        return json_response({"error": "there is nothing at this address"}, 404)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        return json_response({"error": f"this address takes {allowed} only"}, 405)
