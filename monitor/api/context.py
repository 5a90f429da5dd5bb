"""What the API serves: the parts of the daemon that people ask and tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson
from aiohttp import web

from monitor.alerting.channel_test import ChannelTests
from monitor.alerting.incident_actions import IncidentActions
from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.ports import AlertReader
from monitor.core.documents import Document
from monitor.core.executor import Executor


@dataclass(frozen=True, slots=True)
class ApiContext:
    """ledger: asked on the thread of `executor`. metrics: the text for Prometheus.

    router: what the router of a name told of itself; raises NoSuchThing.
    """

    ledger: AlertReader
    alerting_state: AlertingState
    actions: IncidentActions
    channel_tests: ChannelTests
    executor: Executor
    metrics: Callable[[], Awaitable[bytes]]
    router: Callable[[str], Document]

    def now_s(self) -> float:
        """The present moment (UTC)."""
        return self.actions.now_s()


def answer(document: Document, status: int = 200) -> web.Response:
    """A JSON document."""
    return web.Response(body=orjson.dumps(document), status=status, content_type="application/json")
