"""What every chart shares: the frame of time and colours, axes, limits, and safe texts.

Every text that comes from a device or a file goes through `plain`: Plotly reads a small HTML in
its texts, and `$…$` as mathematics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.theme import Theme, paints, rgba, state_paint

Json = dict[str, Any]
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Frame:
    """What all charts of a page share. colon: between hours and minutes (`.` or `:`).

    size_px: of the page's letters; those of a chart are a little smaller.
    """

    start_s: float
    end_s: float
    theme: Theme
    zone: ZoneInfo
    colon: str
    phone: bool = False
    size_px: int = 14

    @property
    def letters_px(self) -> int:
        """The size of letters in a chart."""
        return max(11, round(self.size_px * 0.86))

    @property
    def line_px(self) -> float:
        """How thick a line is: as the letters are, on a wall too."""
        return round(max(1.7, self.letters_px * 0.14), 2)

    def colour(self, name: str) -> str:
        """A colour of the table in this theme."""
        return paints()[name].of(self.theme)

    def local(self, at_s: float) -> str:
        """A moment as plotly.js takes it: local time without a zone."""
        return datetime.fromtimestamp(at_s, self.zone).strftime("%Y-%m-%d %H:%M:%S")


def one_line(text: str) -> str:
    """A text of a device as people may see it: one short line, no character that turns others."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:400]).split())[:80]


def plain(text: str) -> str:
    """A text that Plotly shows as it is: no tags, no entities, no mathematics, one line."""
    return escape(one_line(text), quote=False).replace("$", "&#36;")


def config(lang: str, months: Sequence[str]) -> Json:
    """The `config` of every dcc.Graph: no toolbar, nothing that leaves this host, our own locale.

    plotly's own Indonesian locale has slips, so ours is handed over here.
    """
    id_format = {
        "decimal": ",",
        "thousands": ".",
        "shortMonths": list(months),
        "date": "%d/%m/%Y",
        "time": "%H.%M.%S",
    }
    return {
        "displayModeBar": False,
        "displaylogo": False,
        "showSendToCloud": False,
        "plotlyServerURL": "",
        "showTips": False,
        "responsive": True,
        "doubleClick": "reset",
        "locale": lang,
        "locales": {"id": {"dictionary": {}, "format": id_format}},
    }


def layout(frame: Frame) -> Json:
    mut, letters = frame.colour("mut"), frame.letters_px
    hours = "%H" + frame.colon + "%M"
    marks = hours if frame.end_s - frame.start_s < 2 * DAY_S else "%-d %b"
    return {
        "margin": {"l": round(letters * 5.4), "r": 10, "t": 8, "b": round(letters * 2.1)},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "Inter, sans-serif", "size": letters, "color": mut},
        "showlegend": False,
        "hovermode": "x unified",
        "hoverlabel": {
            "bgcolor": frame.colour("card"),
            "bordercolor": frame.colour("line"),
            "font": {"color": frame.colour("fg"), "family": "Inter, sans-serif"},
        },
        "dragmode": False if frame.phone else "zoom",
        "uirevision": "kept",
        "xaxis": {
            "type": "date",
            "range": [frame.local(frame.start_s), frame.local(frame.end_s)],
            "tickformat": marks,
            "hoverformat": "%d %b " + hours,
            "showgrid": False,
            "linecolor": frame.colour("line"),
            "nticks": 5 if frame.phone else 10,
        },
    }


def axis(frame: Frame) -> Json:
    line = frame.colour("line")
    return {
        "gridcolor": line,
        "zeroline": False,
        "fixedrange": True,
        "nticks": 5,
        "separatethousands": True,
    }


def shade(part: tuple[float, float, str], frame: Frame) -> Json:
    start_s, end_s, state = part
    return {
        "type": "rect",
        "xref": "x",
        "yref": "y domain",
        "x0": frame.local(max(start_s, frame.start_s)),
        "x1": frame.local(min(end_s, frame.end_s)),
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"width": 0},
        "fillcolor": rgba(frame.colour(state_paint(state)), 0.16),
    }


def limit_line(value: float, frame: Frame) -> Json:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": value,
        "y1": value,
        "line": {"color": frame.colour("degraded-line"), "width": 1.2, "dash": "6px,5px"},
    }


def note(text: str, value: float, top: float, frame: Frame) -> Json:
    """The name of a limit, on its line; out of sight it stands at the top with an arrow."""
    in_sight = value <= top
    return {
        "text": text if in_sight else f"{text} ↑",
        "xref": "paper",
        "x": 1,
        "xanchor": "right",
        "yref": "y" if in_sight else "y domain",
        "y": value if in_sight else 1,
        "yanchor": "bottom" if in_sight and value < 0.9 * top else "top",
        "showarrow": False,
        "font": {"color": frame.colour("degraded-line"), "size": frame.letters_px},
        "bgcolor": rgba(frame.colour("card"), 0.75),
    }
