"""Dash, as little of it as is needed: the pulse of every page, and the charts of a site.

Dash is typed loosely; what is asked of it is said here in our own types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import orjson
from dash import ClientsideFunction, Dash, Input, Output, dcc, html
from flask import Flask, abort, g, request

TICK_MS = 1000
UNUSED = re.compile(r'<script src="[^"]*/dash_table/[^"]*"></script>\n?')
"""Dash loads its table on every page, and no page of ours has one."""

OLD = re.compile(r'<script src="[^"]*/polyfill@[^"]*"></script>\n?')
"""What old browsers lack; of it Dash itself needs only what loads charts (regeneratorRuntime)."""

Render = Callable[[Mapping[str, str]], str]


class Shell(Dash):
    """Dash inside our own page: the page decides where Dash's parts go."""

    def interpolate_index(
        self,
        metas: str = "",
        title: str = "",
        css: str = "",
        config: str = "",
        scripts: str = "",
        app_entry: str = "",
        favicon: str = "",
        renderer: str = "",
    ) -> str:
        """The whole page around Dash's parts.

        `g.render`, and `g.draws` (has it charts?), were left by whoever chose the page.
        """
        render: Render = g.render
        needed = UNUSED.sub("", scripts)
        if not g.draws:
            needed = OLD.sub("", needed)
        return render({"config": config, "scripts": needed, "renderer": renderer})


def add_dash(
    server: Flask, prefix: str, assets_folder: str, charts: Callable[[object], list[Any]]
) -> list[str]:
    """Put Dash on the server; returns the hashes of its inline scripts, for the CSP.

    charts: what to draw, given what the browser asked for.
    """
    shell = Shell(
        "dashboard",
        server=cast("bool", server),  # Dash takes a Flask here, its types do not say so
        url_base_pathname=prefix,
        assets_folder=assets_folder,
        include_assets_files=False,
        update_title="",
        add_log_handler=False,
        enable_mcp=False,
    )
    shell.layout = html.Div(
        [
            dcc.Interval(id="tick", interval=TICK_MS),
            dcc.Store(id="ask"),
            html.Div(id="charts"),
        ]
    )
    clientside = cast("Callable[..., None]", shell.clientside_callback)
    clientside(
        ClientsideFunction("pantau", "tick"), Output("ask", "data"), Input("tick", "n_intervals")
    )
    callback = cast("Callable[..., Callable[..., object]]", shell.callback)
    callback(Output("charts", "children"), Input("ask", "data"), prevent_initial_call=True)(charts)
    return list(shell.csp_hashes())


def page_path() -> str | None:
    """The path of a page, without the prefix, when Dash is about to answer with one."""
    endpoint = request.endpoint or ""
    if endpoint.endswith("<path:path>"):
        return str((request.view_args or {}).get("path", ""))
    return "" if endpoint.endswith("/") else None


def check_callback() -> None:
    """Dash answers a malformed callback with a failure; only the one that we made gets through."""
    if not request.path.endswith("/_dash-update-component") or request.method != "POST":
        return
    try:
        asked = orjson.loads(request.get_data())
    except orjson.JSONDecodeError:
        abort(400, "JSON")
    if not isinstance(asked, dict) or not _is_ours(asked):
        abort(400, "callback")


def _is_ours(asked: Mapping[str, Any]) -> bool:
    """The one callback with the one question: a flat object."""
    inputs = asked.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        return False
    value = inputs[0].get("value")
    if not isinstance(value, dict) or any(isinstance(each, dict | list) for each in value.values()):
        return False
    return (
        asked.get("output") == "charts.children"
        and asked.get("outputs") == {"id": "charts", "property": "children"}
        and asked.get("changedPropIds") == ["ask.data"]
        and not asked.get("state")
        and inputs[0] == {"id": "ask", "property": "data", "value": value}
    )
