"""The parts of the daemon that the API handlers use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson
from aiohttp import web

from monitor.alerting.channel_test import ChannelTests
from monitor.alerting.incident_actions import IncidentActions
from monitor.api.accounts import Accounts
from monitor.api.peer import PeerCheck
from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.ports import AlertReader
from monitor.core.documents import Document
from monitor.core.executor import Executor


@dataclass(frozen=True, slots=True)
class ApiContext:
    """executor: runs ledger calls. metrics: the body of `/metrics`.

    router: the document of the router of that name; raises NotFound.
    resend: see ShipperGroup.resend. accounts: of the page, and the sessions that were ended.
    """

    ledger: AlertReader
    alerting_state: AlertingState
    actions: IncidentActions
    channel_tests: ChannelTests
    executor: Executor
    metrics: Callable[[], Awaitable[bytes]]
    router: Callable[[str], Document]
    resend: Callable[[float, float, str | None], Awaitable[int]]
    peers: PeerCheck
    accounts: Accounts

    def now_s(self) -> float:
        """The present time (Unix seconds)."""
        return self.actions.now_s()


def json_response(document: Document, status: int = 200) -> web.Response:
    """A response with a JSON document."""
    return web.Response(body=orjson.dumps(document), status=status, content_type="application/json")
