"""What stood in an address or a body, checked: everything else is a BadRequest in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

import orjson
from flask import Request
from werkzeug.exceptions import BadRequest, Forbidden, UnsupportedMediaType

from dashboard.app.gate.peers import is_own_page

FIRST_YEAR = 2020
LONGEST_DAYS = 400


def choice(request: Request, name: str, offered: Sequence[str], default: str) -> str:
    """One of those that we offer."""
    asked = request.args.get(name, default)
    if asked not in offered:
        raise BadRequest(name)
    return asked


def span(request: Request, zone: tzinfo, now_s: float, default_days: int) -> tuple[float, float]:
    """`from` and `to` (local days, both included) as [start, end) in UTC seconds."""
    today = datetime.fromtimestamp(now_s, zone).date()
    last = _day(request, "to", today, today)
    first = _day(request, "from", last - timedelta(days=default_days - 1), today)
    if first > last:
        raise BadRequest("from > to")
    if (last - first).days > LONGEST_DAYS:
        raise BadRequest(f"from, to: > {LONGEST_DAYS}")
    return _midnight(first, zone), _midnight(last + timedelta(days=1), zone)


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


def _day(request: Request, name: str, default: date, today: date) -> date:
    text = request.args.get(name)
    if not text:
        return default
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(name) from error
    if not FIRST_YEAR <= day.year <= today.year + 1:
        raise BadRequest(name)
    return day


def _midnight(day: date, zone: tzinfo) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
