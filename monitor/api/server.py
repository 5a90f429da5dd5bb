"""The Unix socket, the routes, and the mapping of errors to responses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
from aiohttp import web

from monitor.api.context import ApiContext, json_response
from monitor.api.get_handlers import GetHandlers
from monitor.api.post_handlers import PostHandlers
from monitor.core.documents import Document
from monitor.core.errors import ApiError, Conflict, InvalidRequest, LedgerError, NotFound

SOCKET_MODE = 0o660
MAX_BODY_BYTES = 65_536

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ApiServer:
    """state: the document of `/state`. healthy: whether rounds end."""

    def __init__(
        self,
        socket_path: Path,
        state: Callable[[], Awaitable[Document]],
        healthy: Callable[[], bool],
        context: ApiContext,
    ) -> None:
        self._path = socket_path
        self._state = state
        self._healthy = healthy
        self._context = context
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        """Listen. Raises ApiError when the socket cannot be created."""
        app = web.Application(middlewares=[_error_responses], client_max_size=MAX_BODY_BYTES)
        app.router.add_get("/state", self._get_state)
        app.router.add_get("/healthz", self._get_health)
        app.router.add_routes(GetHandlers(self._context).routes())
        app.router.add_routes(PostHandlers(self._context).routes())
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        try:
            # We hold the lock on the data directory: an existing socket is left over.
            self._path.unlink(missing_ok=True)
            await web.UnixSite(self._runner, str(self._path)).start()
            self._path.chmod(SOCKET_MODE)
        except OSError as error:
            raise ApiError(
                f"the local API cannot listen on {self._path} ({error}): "
                "a shorter data_dir or another owner of it may help"
            ) from error

    async def close(self) -> None:
        """Stop listening and remove the socket."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._path.unlink(missing_ok=True)

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
    except Conflict as error:
        return json_response({"error": str(error)}, 409)
    except InvalidRequest as error:
        return json_response({"error": str(error)}, 400)
    except LedgerError as error:
        return json_response({"error": str(error)}, 503)
    except web.HTTPRequestEntityTooLarge:
        return json_response({"error": f"the body is longer than {MAX_BODY_BYTES} bytes"}, 413)
    except web.HTTPNotFound:
        return json_response({"error": "there is nothing at this address"}, 404)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        return json_response({"error": f"this address takes {allowed} only"}, 405)
