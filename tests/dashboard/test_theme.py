"""Contrast of colours: at least 4.5:1 for text."""

from __future__ import annotations

import pytest

from dashboard.theme import Theme, css, paints, rgba, state_paint

PAIRS = [
    *(("fg", "card"), ("fg", "bg"), ("mut", "card"), ("mut", "bg"), ("hd-fg", "hd")),
    *(("hd-mut", "hd"), ("on-down", "down"), ("on-degraded", "degraded"), ("acc", "card")),
    *((f"{state}-fg", f"{state}-bg") for state in ("down", "degraded", "unreachable")),
    *((f"{state}-fg", f"{state}-bg") for state in ("maintenance", "unknown")),
    *(("fg", f"{state}-bg") for state in ("down", "degraded", "unreachable", "maintenance")),
]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", list(Theme))
@pytest.mark.parametrize(("text", "fill"), PAIRS)
def test_text_can_be_read_on_its_fill(text: str, fill: str, theme: Theme) -> None:
    table = paints()
    assert contrast(table[text].of(theme), table[fill].of(theme)) >= 4.5


@pytest.mark.parametrize("theme", list(Theme))
def test_a_states_own_colour_stands_out_from_the_card(theme: Theme) -> None:
    """3:1 for what is not text (WCAG 1.4.11); Terganggu has a dark outline where it is pale."""
    table = paints()
    for name in ("up", "down", "unreachable", "maintenance", "unknown", "degraded-line"):
        assert contrast(table[name].of(theme), table["card"].of(theme)) >= 3, name


def test_the_sheet_follows_the_system_unless_a_theme_is_chosen() -> None:
    sheet = css(paints())
    assert sheet.startswith(":root{--bg:#E4E8EB;")
    assert "@media(prefers-color-scheme:dark){:root:not([data-theme=light]){--bg:#12161B;" in sheet
    assert ":root[data-theme=dark]{--bg:#12161B;" in sheet


def test_an_unknown_state_is_drawn_as_no_data() -> None:
    assert state_paint("down") == "down"
    assert state_paint("maintenance") == "maintenance"
    assert state_paint("<script>") == "unknown"


def test_a_colour_can_be_made_transparent() -> None:
    assert rgba("#1F5FA8", 0.2) == "rgba(31,95,168,0.2)"
