"""What a visitor asked for: language, theme and range, from the address and from two cookies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from flask import Request, Response
from werkzeug.exceptions import BadRequest

from dashboard.i18n import Lang
from dashboard.theme import Theme

YEAR_S = 31_536_000
Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Visit:
    """chosen: what stood in the address and is to be remembered. theme None: as the system is."""

    lang: Lang
    theme: Theme | None
    chosen: Mapping[str, str]

    def remember(self, response: Response, path: str) -> Response:
        """Set a cookie for each choice; they hold a preference and nothing else."""
        for name, value in self.chosen.items():
            response.set_cookie(name, value, max_age=YEAR_S, path=path, samesite="Lax")
        return response


def read_visit(request: Request) -> Visit:
    """`?lang=` and `?theme=` win over the cookies; BadRequest for a value that we do not offer."""
    chosen: dict[str, str] = {}
    lang = _choice(Lang, "lang", request, chosen)
    theme = _choice(Theme, "theme", request, chosen)
    return Visit(Lang.ID if lang is None else lang, theme, chosen)


def read_cookies(request: Request) -> Visit:
    """The same from the cookies alone: cannot fail, for pages that say what failed."""
    lang = _known(Lang, request.cookies.get("lang"))
    theme = _known(Theme, request.cookies.get("theme"))
    return Visit(Lang.ID if lang is None else lang, theme, {})


def _choice(
    kind: type[Choice], name: str, request: Request, chosen: dict[str, str]
) -> Choice | None:
    asked = request.args.get(name)
    if asked is None:
        return _known(kind, request.cookies.get(name))
    value = _known(kind, asked)
    if value is None:
        raise BadRequest(name)
    chosen[name] = value.value
    return value


def _known(kind: type[Choice], text: str | None) -> Choice | None:
    return next((each for each in kind if each.value == text), None)
