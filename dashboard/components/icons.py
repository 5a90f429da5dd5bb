"""Each state's shape: a square, a diamond, a triangle, a circle, a dashed circle, a tick."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from markupsafe import Markup

from dashboard.theme import MAINTENANCE, state_paint
from monitor.core.model import State

SHAPES: Mapping[str, str] = {
    State.DOWN: (
        '<path class="f" d="M1 1h14v14H1z"/>'
        '<path class="g" d="M4.6 4.6l6.8 6.8M11.4 4.6l-6.8 6.8"/>'
    ),
    State.UNREACHABLE: (
        '<path class="f" d="M8 .6 15.4 8 8 15.4 .6 8z"/><path class="g" d="M5 8h6"/>'
    ),
    State.DEGRADED: (
        '<path class="f e" d="M8 1 15.3 14.4H.7z"/><path class="g" d="M8 5.6v4M8 11.4v1.2"/>'
    ),
    MAINTENANCE: (
        '<circle class="f" cx="8" cy="8" r="7"/><path class="g" d="M6 4.8v6.4M10 4.8v6.4"/>'
    ),
    State.UNKNOWN: '<circle class="o" cx="8" cy="8" r="6.3" stroke-dasharray="3 2.2"/>',
    State.UP: '<path class="c" d="M3 8.6l3.4 3.3L13 4.8"/>',
}
"""In the order in which they are counted: the worst first."""


def sprite() -> Markup:
    """The shapes, once a page; `icon` refers to them. Colours are inherited by `use`."""
    symbols = "".join(
        f'<symbol id="i-{state}" viewBox="0 0 16 16">{shape}</symbol>'
        for state, shape in SHAPES.items()
    )
    return Markup('<svg class="sprite" aria-hidden="true">{}</svg>').format(own(symbols))


def icon(state: str) -> Markup:
    """A state's shape in its colour, hidden from voices: the word stands beside it."""
    name = state_paint(state)
    return Markup(
        '<svg class="ic {0}" viewBox="0 0 16 16" aria-hidden="true"><use href="#i-{0}"/></svg>'
    ).format(name)


def own(text: str) -> Markup:
    """HTML or JSON that we made ourselves, from nothing that anybody else wrote."""
    return Markup(text)  # noqa: S704 - the one place where text becomes HTML unescaped


def joined(parts: Iterable[Markup]) -> Markup:
    """One after the other."""
    return Markup("").join(parts)
