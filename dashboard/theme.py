"""Colours of the page, light and dark: one table for the style sheet and for the charts.

Normal is neutral; only what is abnormal has a filled colour, and never colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.core.model import State


class Theme(StrEnum):
    """Which of the two sets of colours."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Paint:
    """One colour in both themes, as #RRGGBB."""

    light: str
    dark: str

    def of(self, theme: Theme) -> str:
        """The colour in this theme."""
        return self.dark if theme is Theme.DARK else self.light


def paints() -> dict[str, Paint]:
    """Every colour by the name of its CSS variable (`--name`).

    `on-x` is for text on a solid fill of x; `x-bg`, `x-fg` for pale tiles and cards.
    """
    return {
        "bg": Paint("#E4E8EB", "#12161B"),
        "card": Paint("#FFFFFF", "#1D232A"),
        "line": Paint("#D3D9DE", "#323B45"),
        "fg": Paint("#18212B", "#E7EBEF"),
        "mut": Paint("#52606D", "#A3AFBA"),
        "hd": Paint("#232C36", "#0C1014"),
        "hd-fg": Paint("#F2F5F7", "#F2F5F7"),
        "hd-mut": Paint("#AEB9C4", "#A3AFBA"),
        "neut": Paint("#C9D1D8", "#3A444F"),
        "neut2": Paint("#DCE2E7", "#2A323B"),
        "acc": Paint("#1F5FA8", "#6FB1F0"),
        "acc2": Paint("#0B7A75", "#5CCFC4"),
        "up": Paint("#3F7D63", "#6FBF9B"),
        "down": Paint("#C1121F", "#FF5C5C"),
        "on-down": Paint("#FFFFFF", "#10151A"),
        "down-bg": Paint("#FCE4E6", "#4A1519"),
        "down-fg": Paint("#8C0B16", "#FFD9D9"),
        "degraded": Paint("#F0A202", "#FFB52E"),
        "degraded-line": Paint("#8A5A00", "#FFB52E"),
        "on-degraded": Paint("#1A1A1A", "#10151A"),
        "degraded-bg": Paint("#FFF3D6", "#3F2D08"),
        "degraded-fg": Paint("#6E4700", "#FFE0A3"),
        "unreachable": Paint("#3D1F66", "#D9C8FF"),
        "unreachable-bg": Paint("#ECE6F5", "#2C2440"),
        "unreachable-fg": Paint("#3D1F66", "#E5DAFF"),
        "maintenance": Paint("#2A7AB9", "#4A9FE0"),
        "maintenance-bg": Paint("#E3F0F9", "#14304A"),
        "maintenance-fg": Paint("#1A5683", "#BFE0FB"),
        "unknown": Paint("#6B7580", "#8B96A1"),
        "unknown-bg": Paint("#F0F2F4", "#262D35"),
        "unknown-fg": Paint("#4A545E", "#B7C1CB"),
        "loss1": Paint("#F7D774", "#F7D774"),
        "loss2": Paint("#E8910C", "#E8910C"),
        "loss3": Paint("#B5470B", "#D2622A"),
    }


def css(table: Mapping[str, Paint]) -> str:
    """The style sheet's variables: light, dark by the system's wish, or by `data-theme`."""

    def block(theme: Theme) -> str:
        return "".join(f"--{name}:{paint.of(theme)};" for name, paint in table.items())

    dark = block(Theme.DARK) + "color-scheme:dark;"
    return (
        f":root{{{block(Theme.LIGHT)}color-scheme:light;}}"
        f"@media(prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
        f":root[data-theme=dark]{{{dark}}}"
    )


MAINTENANCE = "maintenance"
"""An overlay that the page shows in place of a state."""


def state_paint(state: str) -> str:
    """The name of a state's colour; a word that is not a state is shown as no data."""
    known = {*State, MAINTENANCE}
    return state if state in known else State.UNKNOWN.value


def rgba(colour: str, alpha: float) -> str:
    """`#RRGGBB` as `rgba(r,g,b,a)`, for fills in charts."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"
