"""POST handlers: actions of people, each with the name of the person (`who`)."""

from __future__ import annotations

from aiohttp import web

from monitor.api.context import ApiContext, json_response
from monitor.api.validation import (
    MAX_LINE_LENGTH,
    MAX_NAME_LENGTH,
    RequestFields,
    clean_line,
    number_of,
)
from monitor.core.alerting.documents import action_document, outbox_document, window_document
from monitor.core.errors import InvalidRequest


class PostHandlers:
    """Handlers that change something; it is in the ledger before the response."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context
        self._actions = context.actions

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/incidents/{number}/acknowledge", self._acknowledge),
            web.post("/incidents/{number}/snooze", self._snooze),
            web.post("/incidents/{number}/release", self._release),
            web.post("/incidents/{number}/note", self._note),
            web.post("/incidents/{number}/ticket", self._ticket),
            web.post("/incidents/{number}/cause", self._cause),
            web.post("/maintenance", self._plan),
            web.post("/maintenance/{name}/end", self._end),
            web.post("/outbox/{number}/retry", self._retry),
            web.post("/alert-test", self._test),
            web.post("/influx/resend", self._resend),
        ]

    async def _acknowledge(self, request: web.Request) -> web.Response:
        incident = number_of(request, "an incident")
        fields = await self._fields(request, "why", "until", "for_s")
        action = await self._actions.acknowledge(
            incident,
            fields.who(),
            fields.text("why"),
            fields.until("until", self._context.now_s()),
        )
        also = self._actions.acknowledged_with(action)
        return json_response(action_document(action) | {"also": also})

    async def _snooze(self, request: web.Request) -> web.Response:
        incident = number_of(request, "an incident")
        fields = await self._fields(request, "why", "until", "for_s")
        who, until_s = fields.who(), fields.until("until", self._context.now_s())
        if until_s is None:
            raise InvalidRequest('give "until" or "for_s": a snooze has an end')
        action = await self._actions.snooze(incident, who, until_s, fields.text("why"))
        return json_response(action_document(action))

    async def _release(self, request: web.Request) -> web.Response:
        incident = number_of(request, "an incident")
        fields = await self._fields(request, "why")
        action = await self._actions.release(incident, fields.who(), fields.text("why"))
        return json_response(action_document(action))

    async def _note(self, request: web.Request) -> web.Response:
        incident = number_of(request, "an incident")
        fields = await self._fields(request, "text")
        action = await self._actions.note(incident, fields.who(), fields.text("text"))
        return json_response(action_document(action))

    async def _ticket(self, request: web.Request) -> web.Response:
        incident = number_of(request, "an incident")
        fields = await self._fields(request, "number")
        number = fields.text("number", MAX_LINE_LENGTH)
        return json_response(
            action_document(await self._actions.ticket(incident, fields.who(), number))
        )

    async def _cause(self, request: web.Request) -> web.Response:
        incident = number_of(request, "an incident")
        fields = await self._fields(request, "cause")
        cause = fields.text("cause", MAX_LINE_LENGTH)
        return json_response(
            action_document(await self._actions.cause(incident, fields.who(), cause))
        )

    async def _plan(self, request: web.Request) -> web.Response:
        fields = await self._fields(request, "targets", "from", "to", "for_s", "why")
        who, why = fields.who(), fields.text("why")
        start_s, now_s = fields.time("from"), self._context.now_s()
        end_s = fields.until("to", now_s if start_s is None else start_s)
        if end_s is None:
            raise InvalidRequest('give "to" or "for_s": maintenance has an end')
        if not why:
            raise InvalidRequest('"why" is missing: whoever is not called must be able to read why')
        targets = fields.targets("targets")
        window = await self._actions.plan_maintenance(targets, start_s, end_s, who, why)
        return json_response(window_document(window, now_s))

    async def _end(self, request: web.Request) -> web.Response:
        fields = await self._fields(request)
        name = clean_line(request.match_info["name"], MAX_NAME_LENGTH)
        window = await self._actions.end_maintenance(name, fields.who())
        return json_response(window_document(window, self._context.now_s()))

    async def _retry(self, request: web.Request) -> web.Response:
        number = number_of(request, "a message")
        fields = await self._fields(request)
        row = await self._actions.retry_message(number, fields.who())
        return json_response(outbox_document(row))

    async def _test(self, request: web.Request) -> web.Response:
        fields = await self._fields(request, "channel")
        rows = await self._context.channel_tests.send(fields.optional("channel"), fields.who())
        return json_response({"outbox": [outbox_document(row) for row in rows]})

    async def _resend(self, request: web.Request) -> web.Response:
        fields = await self._fields(request, "since", "until", "measurement")
        fields.who()
        since_s, until_s = fields.time("since"), fields.time("until")
        if since_s is None:
            raise InvalidRequest('"since" is missing: from when on samples are sent again')
        until_s = self._context.now_s() if until_s is None else until_s
        if until_s <= since_s:
            raise InvalidRequest('"until" must be later than "since"')
        rows = await self._context.resend(since_s, until_s, fields.optional("measurement"))
        return json_response({"rows": rows})

    async def _fields(self, request: web.Request, *known: str) -> RequestFields:
        return await self._context.peers.fields(request, *known)
