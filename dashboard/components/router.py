"""What a router told of itself by SNMP, as Dash components. Nothing that it says is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dash import html

from dashboard.components.charts import Part, card, message_card, spoken
from dashboard.components.numbers import NOTHING
from dashboard.components.ports import rate_text
from dashboard.figures.canvas import one_line
from dashboard.i18n import Words
from monitor.core.model import Device

OPER = {1: "up", 2: "down"}
Told = Mapping[str, Any]


def router_card(device: Device, told: Told | None, now_s: float, words: Words) -> Part:
    """told: the daemon's `GET /routers/<name>`; None: nobody knows."""
    title = words.say("router.title")
    if told is None:
        return message_card(title, words.say("router.unknown"))
    read_s = _moment(told.get("at"))
    how = words.say("router.never")
    if read_s is not None:
        age = words.duration(now_s - read_s)
        how = words.say("router.read", age=age, every=words.duration(device.interval_s))
    return card(
        title,
        how,
        *_warnings(told, words),
        html.Dl(
            [
                html.Div([html.Dt(words.say(f"router.{key}")), html.Dd(text)])
                for key, text in _facts(device, told, read_s, words)
            ],
            className="facts",
        ),
        _ports(told, title, words),
    )


def _facts(device: Device, told: Told, read_s: float | None, words: Words) -> list[tuple[str, str]]:
    uptime_s, cpu, memory = told.get("uptime_s"), told.get("cpu"), told.get("memory")
    celsius, volts = told.get("temperature_c"), told.get("voltage_v")
    return [
        ("name", _text(told.get("sys_name"))),
        ("model", _text(told.get("description"))),
        ("address", one_line(device.address)),
        ("uptime", NOTHING if uptime_s is None else words.duration(uptime_s)),
        ("cpu", NOTHING if cpu is None else words.percent(100 * cpu)),
        ("memory", NOTHING if memory is None else words.percent(100 * memory)),
        ("temperature", NOTHING if celsius is None else f"{words.number(celsius)} °C"),
        ("voltage", NOTHING if volts is None else f"{words.number(volts, 1)} V"),
        ("last", NOTHING if read_s is None else words.moment(read_s)),
    ]


def _warnings(told: Told, words: Words) -> list[Part]:
    """What is wrong with what the router says, in plain words."""
    found = []
    failed = told.get("failed")
    if failed:
        key = f"router.failed_{str(failed.get('reason')).replace('-', '_')}"
        reason = words.say(key) if words.has(key) else one_line(str(failed.get("reason")))
        at_s = _moment(failed.get("at"))
        moment = NOTHING if at_s is None else words.moment(at_s)
        found.append(words.say("router.failed", reason=reason, moment=moment))
    missing = [one_line(name) for name in told.get("missing", ())]
    if missing:
        found.append(words.say("router.missing", ports=", ".join(missing)))
    since_s = _moment(told.get("since"))
    for reason, each in told.get("dropped", {}).items():
        key = f"router.dropped_{reason.replace('-', '_')}"
        last_s = _moment(each.get("last"))
        if words.has(key) and last_s is not None:
            said = words.say(key, count=words.number(each["readings"]))
            since = NOTHING if since_s is None else words.moment(since_s)
            when = words.say("router.dropped_when", last=words.moment(last_s), since=since)
            found.append(f"{said} {when}")
    return [html.Ul([html.Li(each) for each in found], className="warns")] if found else []


def _ports(told: Told, title: str, words: Words) -> Part:
    heads = ("port", "alias", "link", "state", "speed", "capacity", "in", "out")
    missing = set(told.get("missing", ()))
    return html.Div(
        html.Table(
            [
                html.Thead(
                    html.Tr([html.Th(words.say(f"router.{head}"), scope="col") for head in heads])
                ),
                html.Tbody([_port(each, missing, words) for each in told.get("ports", ())]),
            ],
            className="tb",
        ),
        className="wide",
        tabIndex="0",
        role="region",
        **spoken(title),
    )


def _port(port: Told, missing: set[str], words: Words) -> Part:
    state = "missing" if port["name"] in missing else OPER.get(port.get("oper") or 0, "unknown")
    shape = {"up": "up", "down": "down", "missing": "degraded", "unknown": "unknown"}[state]
    rates = [port.get(key) for key in ("speed_bps", "capacity_bps", "in_bps", "out_bps")]
    link = port.get("link")
    cells: list[str | list[Part]] = [
        _text(port.get("alias")),
        NOTHING if link is None else one_line(link.rpartition("/")[2]),
        [html.I(className=f"shape {shape}"), words.say(f"router.oper_{state}")],
        *(NOTHING if rate is None else rate_text(rate, words) for rate in rates),
    ]
    name = html.Th(one_line(str(port["name"])), scope="row")
    return html.Tr([name, *(html.Td(cell) for cell in cells)])


def _text(text: str | None) -> str:
    return one_line(text or "") or NOTHING


def _moment(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()
