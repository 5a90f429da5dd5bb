"""The socket, the routes, and the one place where an error becomes an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
from aiohttp import web

from monitor.api.context import ApiContext, answer
from monitor.api.get_handlers import GetHandlers
from monitor.api.post_handlers import PostHandlers
from monitor.core.documents import Document
from monitor.core.errors import ApiError, Conflict, InvalidRequest, LedgerError, NotFound

SOCKET_MODE = 0o660
LONGEST_BODY = 65_536

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ApiServer:
    """Serves what it is given; opened and closed by the composition root."""

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
        """Listen. Raises ApiError when the socket cannot be made."""
        app = web.Application(middlewares=[_in_words], client_max_size=LONGEST_BODY)
        app.router.add_get("/state", self._get_state)
        app.router.add_get("/healthz", self._get_health)
        app.router.add_routes(GetHandlers(self._context).routes())
        app.router.add_routes(PostHandlers(self._context).routes())
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
        document = await self._state()
        return web.Response(body=orjson.dumps(document), content_type="application/json")

    async def _get_health(self, _: web.Request) -> web.Response:
        healthy = self._healthy()
        return answer({"ok": healthy}, 200 if healthy else 503)


@web.middleware
async def _in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal is `{"error": sentence}`."""
    try:
        return await handler(request)
    except NotFound as error:
        return answer({"error": str(error)}, 404)
    except Conflict as error:
        return answer({"error": str(error)}, 409)
    except InvalidRequest as error:
        return answer({"error": str(error)}, 400)
    except LedgerError as error:
        return answer({"error": str(error)}, 503)
    except web.HTTPRequestEntityTooLarge:
        return answer({"error": f"the body is longer than {LONGEST_BODY} bytes"}, 413)
    except web.HTTPNotFound:
        return answer({"error": "there is nothing at this address"}, 404)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        return answer({"error": f"this address takes {allowed} only"}, 405)
