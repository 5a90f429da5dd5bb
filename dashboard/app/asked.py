"""What stood in an address or a body, checked: everything else is a BadRequest in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta, tzinfo
from typing import Any

import orjson
from flask import Request
from werkzeug.exceptions import BadRequest, Forbidden, UnsupportedMediaType

from dashboard.app.gate.peers import is_own_page
from dashboard.reads import ranges


def choice(request: Request, name: str, offered: Sequence[str], default: str) -> str:
    """One of those that we offer."""
    asked = request.args.get(name, default)
    if asked not in offered:
        raise BadRequest(name)
    return asked


def span(request: Request, zone: tzinfo, now_s: float, default_days: int) -> tuple[float, float]:
    """`from` and `to` (local days, both included) as [start, end) in UTC seconds."""
    try:
        first, last = ranges.days(request.args, zone, now_s, default_days)
    except ValueError as error:
        raise BadRequest(str(error)) from error
    return ranges.midnight(first, zone), ranges.midnight(last + timedelta(days=1), zone)


def drawn(request: Request, zone: tzinfo, now_s: float) -> ranges.Span:
    """What charts are asked to draw: `range`, or `from` and `to`."""
    try:
        return ranges.span_of(request.args, zone, now_s)
    except ValueError as error:
        raise BadRequest(str(error)) from error


def json_body(request: Request) -> Mapping[str, Any]:
    """The JSON object of a POST that our own page sent."""
    see_origin(request)
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        body = orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        raise BadRequest("JSON") from error
    if not isinstance(body, dict):
        raise BadRequest("JSON")
    return body


def see_origin(request: Request) -> None:
    """Refuses what another site's page sends with this visitor's browser.

    The gate before the application asks the same; this holds for an application without one.
    """
    if not is_own_page(request):
        raise Forbidden
