"""GET handlers. Ledger queries run in a worker thread."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from monitor.api.context import ApiContext, json_response
from monitor.api.validation import limit_of, number_of, since_of, status_of
from monitor.status import queries

SHIFT_S = 28_800.0
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class GetHandlers:
    """Handlers that change nothing."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/metrics", self._metrics),
            web.get("/incidents", self._incidents),
            web.get("/incidents/{number}", self._incident),
            web.get("/maintenance", self._maintenance),
            web.get("/outbox", self._outbox),
            web.get("/outbox/{number}", self._message),
            web.get("/oncall", self._oncall),
            web.get("/handover", self._handover),
            web.get("/routers/{name}", self._router),
        ]

    async def _metrics(self, _: web.Request) -> web.Response:
        body = await self._context.metrics()
        return web.Response(body=body, headers={"Content-Type": METRICS_TYPE})

    async def _incidents(self, request: web.Request) -> web.Response:
        since_s = since_of(request)
        ask = partial(
            queries.incidents,
            self._context.ledger,
            self._context.now_s(),
            since_s=since_s,
            include_closed=since_s is not None or request.query.get("all") in ("1", "true"),
            limit=limit_of(request),
        )
        return json_response(await self._context.executor(ask))

    async def _incident(self, request: web.Request) -> web.Response:
        context, number = self._context, number_of(request, "an incident")
        ask = partial(queries.incident_details, context.ledger, number, context.now_s())
        return json_response(await context.executor(ask))

    async def _maintenance(self, _: web.Request) -> web.Response:
        return json_response(
            queries.maintenance(self._context.alerting_state, self._context.now_s())
        )

    async def _outbox(self, request: web.Request) -> web.Response:
        ask = partial(queries.outbox, self._context.ledger, status_of(request), limit_of(request))
        return json_response(await self._context.executor(ask))

    async def _message(self, request: web.Request) -> web.Response:
        ask = partial(queries.message, self._context.ledger, number_of(request, "a message"))
        return json_response(await self._context.executor(ask))

    async def _oncall(self, _: web.Request) -> web.Response:
        return json_response(queries.oncall(self._context.alerting_state, self._context.now_s()))

    async def _router(self, request: web.Request) -> web.Response:
        return json_response(self._context.router(request.match_info["name"]))

    async def _handover(self, request: web.Request) -> web.Response:
        context, now_s, since_s = self._context, self._context.now_s(), since_of(request)
        begin_s = now_s - SHIFT_S if since_s is None else since_s
        ask = partial(queries.handover, context.ledger, context.alerting_state, begin_s, now_s)
        return json_response(await self._context.executor(ask))
