"""The GET requests about incidents and alerts. The ledger is asked on a thread of its own."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from monitor.api.context import ApiContext, answer
from monitor.api.validation import limit_of, number_of, since_of, status_of
from monitor.status import queries

SHIFT_S = 28_800.0
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class GetHandlers:
    """Questions; nothing changes by them."""

    def __init__(self, office: ApiContext) -> None:
        self._office = office

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
        body = await self._office.metrics()
        return web.Response(body=body, headers={"Content-Type": METRICS_TYPE})

    async def _incidents(self, request: web.Request) -> web.Response:
        since_s = since_of(request)
        ask = partial(
            queries.incidents,
            self._office.ledger,
            self._office.now_s(),
            since_s=since_s,
            include_closed=since_s is not None or request.query.get("all") in ("1", "true"),
            limit=limit_of(request),
        )
        return answer(await self._office.aside(ask))

    async def _incident(self, request: web.Request) -> web.Response:
        office, number = self._office, number_of(request, "an incident")
        ask = partial(queries.case, office.ledger, number, office.now_s())
        return answer(await office.aside(ask))

    async def _maintenance(self, _: web.Request) -> web.Response:
        return answer(queries.maintenance(self._office.alerting_state, self._office.now_s()))

    async def _outbox(self, request: web.Request) -> web.Response:
        ask = partial(queries.outbox, self._office.ledger, status_of(request), limit_of(request))
        return answer(await self._office.aside(ask))

    async def _message(self, request: web.Request) -> web.Response:
        ask = partial(queries.message, self._office.ledger, number_of(request, "a message"))
        return answer(await self._office.aside(ask))

    async def _oncall(self, _: web.Request) -> web.Response:
        return answer(queries.oncall(self._office.alerting_state, self._office.now_s()))

    async def _router(self, request: web.Request) -> web.Response:
        return answer(self._office.router(request.match_info["name"]))

    async def _handover(self, request: web.Request) -> web.Response:
        office, now_s, since_s = self._office, self._office.now_s(), since_of(request)
        begin_s = now_s - SHIFT_S if since_s is None else since_s
        ask = partial(queries.handover, office.ledger, office.alerting_state, begin_s, now_s)
        return answer(await self._office.aside(ask))
