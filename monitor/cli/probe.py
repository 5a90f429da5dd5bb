"""`pantau probe TARGET`: ping one site, link or node now and read its router by SNMP."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.adapters.icmp import IcmpProber
from monitor.adapters.snmp import SnmpPoller
from monitor.adapters.system.clock import SystemClock
from monitor.cli.configuration import load_settings
from monitor.cli.formatting import (
    POLL_REASON_NAMES,
    explain_errno,
    format_duration,
    format_number,
    make_console,
    make_table,
    print_json,
)
from monitor.cli.options import config_option, json_option
from monitor.core.errors import ConfigError, PantauError
from monitor.core.model import Device, Lost, Network, Outcome, Reply, Target
from monitor.core.paths.model import PathTrace
from monitor.core.samples.ping_aggregator import median
from monitor.core.samples.snmp_poll import DevicePoll, PollFailed
from monitor.probing.hop_names import names_by_address
from monitor.settings.problems import nearest_word
from monitor.settings.secrets import SecretStore

PAUSE_BETWEEN_ROUNDS_S = 0.3


@dataclass(slots=True)
class TargetPings:
    """The outcomes of the requests to one target. path: None: it could not be traced."""

    target: Target
    outcomes: list[Outcome] = field(default_factory=list)
    path: PathTrace | None = None

    def document(self) -> dict[str, object]:
        rtts = sorted(o.rtt_ms for o in self.outcomes if isinstance(o, Reply))
        measured = [o for o in self.outcomes if isinstance(o, Reply | Lost)]
        reasons = {o.reason for o in self.outcomes if not isinstance(o, Reply) and o.reason}
        lost = len(measured) - len(rtts)
        return {
            "target": self.target.name,
            "address": self.target.address,
            "sent": len(measured),
            "received": len(rtts),
            "not_measured": len(self.outcomes) - len(measured),
            "loss_pct": 100.0 * lost / len(measured) if measured else None,
            "rtt_min_ms": rtts[0] if rtts else None,
            "rtt_ms": median(rtts) if rtts else None,
            "rtt_max_ms": rtts[-1] if rtts else None,
            "reasons": sorted(reasons),
            "path": None if self.path is None else [hop._asdict() for hop in self.path.hops],
        }


@click.command()
@config_option
@click.argument("target")
@click.option("--count", "-c", default=10, show_default=True, type=click.IntRange(1, 1000))
@json_option
def probe(config: Path, target: str, count: int, as_json: bool) -> None:
    """Pings one site, link or node now, reads its router by SNMP, and shows the path.

    \b
    Example: pantau probe anjatan
             pantau probe anjatan/utama --count 30
    """
    settings = load_settings(config, os.environ)
    targets, device = find_targets(settings.network, target)
    secrets: dict[str, str] = {}
    missing = ""
    if device is not None:
        try:
            store = SecretStore(config, os.environ)
            secrets[device.credential] = store.get(device.credential).reveal()
        except ConfigError as error:
            missing, device = str(error), None
    # The engine's warnings (buffers, lateness) are about thousands of targets, not about one.
    logging.getLogger("monitor.adapters.icmp").setLevel(logging.ERROR)
    pings, poll = asyncio.run(_measure(targets, device, secrets, count, settings.trace.max_hops))
    documents = [item.document() for item in pings]
    if as_json:
        answer = {"pings": documents, "snmp": _snmp_document(poll), "snmp_skipped": missing or None}
        print_json(answer)
    else:
        _print(documents, poll, missing)
        names = names_by_address(settings.network)
        for item in pings:
            if item.path is not None:
                click.echo(path_line(item.path, names))


def find_targets(network: Network, name: str) -> tuple[list[Target], Device | None]:
    """Targets and router of a site id or target name. Raises PantauError for an unknown one."""
    by_name = {target.name: target for target in network.targets()}
    devices = {device.name: device for device in network.devices}
    for site in network.sites:
        if name == site.id:
            return [by_name[link.name] for link in site.links], devices.get(site.id)
    if name in by_name:
        return [by_name[name]], devices.get(name.split("/", maxsplit=1)[0])
    known = [*by_name, *(site.id for site in network.sites)]
    guess = nearest_word(name, known, cutoff=0.5)
    hint = "" if guess is None else f" (did you mean {guess!r}?)"
    raise PantauError(f"nothing is called {name!r}{hint}: see `pantau status`")


def path_line(path: PathTrace, names: Mapping[str, str]) -> str:
    """`Jalur anjatan/utama: 1 10.77.0.10 Pusat data · 2 * · …`, and that it ends before the target.

    names: by address.
    """
    hops = []
    for hop in path.hops:
        name = None if hop.address is None else names.get(hop.address)
        error = None if hop.error is None else f"({hop.error})"
        words = (str(hop.ttl), hop.address or "*", name, error)
        hops.append(" ".join(word for word in words if word is not None))
    if not path.reached:
        hops.append("sasaran tidak menjawab")
    return f"Jalur {path.target}: {' · '.join(hops)}"


async def _measure(
    targets: Sequence[Target],
    device: Device | None,
    secrets: dict[str, str],
    count: int,
    max_hops: int,
) -> tuple[list[TargetPings], DevicePoll | PollFailed | None]:
    clock = SystemClock()
    pings = {target.name: TargetPings(target) for target in targets}
    expected = count * len(pings)
    done = asyncio.Event()

    def collect(outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            pings[outcome.target].outcomes.append(outcome)
        if sum(len(item.outcomes) for item in pings.values()) >= expected:
            done.set()

    prober, poller = IcmpProber(clock), SnmpPoller(clock)
    await prober.open(collect)
    try:
        prober.watch(targets)
        poll: DevicePoll | PollFailed | None = None
        async with asyncio.TaskGroup() as group:
            poll_task = None
            if device is not None:
                await poller.open([device], secrets)
                poll_task = group.create_task(poller.poll(device))
            traces = {name: group.create_task(prober.trace(name, max_hops)) for name in pings}
            for _ in range(count):
                await prober.round(list(pings), 0.0)
                await asyncio.sleep(PAUSE_BETWEEN_ROUNDS_S)
            await done.wait()
            for name, trace in traces.items():
                pings[name].path = await trace
            if poll_task is not None:
                poll = await poll_task
    finally:
        await prober.close()
        await poller.close()
    return list(pings.values()), poll


def _snmp_document(poll: DevicePoll | PollFailed | None) -> dict[str, object] | None:
    if poll is None:
        return None
    if isinstance(poll, PollFailed):
        return {"device": poll.device, "error": poll.reason, "detail": poll.detail}
    return asdict(poll)


def _print(
    documents: list[dict[str, object]], poll: DevicePoll | PollFailed | None, missing: str
) -> None:
    console = make_console()
    console.print(ping_table(documents))
    for item in documents:
        reasons = item["reasons"]
        if isinstance(reasons, list) and reasons:
            why = ", ".join(map(explain_errno, reasons))
            lead = "tidak terukur: " if not item["sent"] else ""
            console.print(f"{item['target']}: {lead}{why}")
    if missing:
        console.print(f"SNMP dilewati: {missing}", style="yellow")
    elif isinstance(poll, PollFailed):
        reason = POLL_REASON_NAMES.get(poll.reason, poll.reason)
        detail = f": {explain_errno(poll.detail)}" if poll.detail else ""
        console.print(f"SNMP: {reason}{detail}", style="red")
    elif poll is not None:
        _print_router(console, poll)


def ping_table(documents: Sequence[dict[str, object]]) -> Table:
    """One row a target, at most 80 columns wide."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Sasaran", "Alamat", "Dijawab", "Hilang %", "RTT ms min/med/maks"):
        table.add_column(title, no_wrap=True)
    for item in documents:
        rtts = (format_number(item[k]) for k in ("rtt_min_ms", "rtt_ms", "rtt_max_ms"))
        table.add_row(
            Text(str(item["target"])),
            str(item["address"]),
            f"{item['received']}/{item['sent']}",
            format_number(item["loss_pct"]),
            "/".join(rtts),
        )
    return table


def _print_router(console: Console, poll: DevicePoll) -> None:
    up = "" if poll.uptime_ticks is None else f", hidup {format_duration(poll.uptime_ticks / 100)}"
    console.print(f"Router {poll.sys_name or poll.device}{up}")
    table = make_table("Porta", "Keadaan", "Kecepatan Mbit/s", "Masuk GB", "Keluar GB", "Galat")
    for port in poll.interfaces:
        errors = [e for e in (port.in_errors, port.out_errors) if e is not None]
        table.add_row(
            Text(port.name),
            {1: "hidup", 2: "mati"}.get(port.oper or 0, "?"),
            format_number(None if port.speed_bps is None else port.speed_bps / 1e6, 0),
            format_number(None if port.in_octets is None else port.in_octets / 1e9, 2),
            format_number(None if port.out_octets is None else port.out_octets / 1e9, 2),
            str(sum(errors)) if errors else "–",
        )
    console.print(table)
