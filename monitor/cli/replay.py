"""`pantau replay FILE`: run recorded evidence through the detector of the daemon."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from monitor.cli.configuration import load_settings
from monitor.cli.formatting import (
    format_moment,
    format_number,
    format_reason,
    format_state,
    make_console,
    make_table,
    print_json,
)
from monitor.cli.options import config_option
from monitor.core.detection.detector import Detector
from monitor.core.detection.replay import (
    IncidentPair,
    ReplayComparison,
    ReplayLine,
    compare_replays,
    read_evidence,
)
from monitor.core.documents import Document, incident_document, transition_document
from monitor.core.errors import PantauError
from monitor.core.model import Incident, IncidentChange, Network, Transition
from monitor.settings.model import Settings

PROGRESS_EVERY_LINES = 20_000
NUMBER = (int, float)


@click.command()
@config_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Try another value of monitor.toml: --set ping.confirm_s=8 (may be repeated).",
)
@click.option(
    "--compare",
    is_flag=True,
    help="Judge without and with --set, and say what would be reported more, less, sooner, later.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document, all incidents.")
def replay(
    config: Path, file: Path, overrides: tuple[str, ...], compare: bool, as_json: bool
) -> None:
    """Judges recorded evidence (JSON lines) with the present configuration.

    \b
    Example: pantau replay bukti.jsonl
             pantau replay bukti.jsonl --json > hasil.json
             pantau replay bukti.jsonl --set ping.confirm_s=8 --compare
    """
    if compare and not overrides:
        raise click.UsageError("--compare needs at least one --set to compare with")
    settings = load_settings(config, os.environ, overrides=overrides)
    incidents, transitions = _replay_file(file, settings.network, "mengadili")
    comparison = None
    if compare:
        plain = load_settings(config, os.environ)
        before, _ = _replay_file(file, plain.network, "tanpa --set")
        comparison = compare_replays(before, incidents)
    if as_json:
        document: dict[str, object] = {
            "incidents": [incident_document(i) for i in incidents],
            "transitions": [transition_document(t) for t in transitions],
        }
        if comparison is not None:
            document["compare"] = comparison_document(comparison)
        print_json(document)
    elif comparison is not None:
        print_comparison(comparison, settings.timezone)
    else:
        _print_result(incidents, settings)


def _replay_file(
    file: Path, network: Network, what: str
) -> tuple[list[Incident], list[Transition]]:
    with (
        Progress(
            what,
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        ) as progress,
        file.open("rb") as source,
    ):
        task = progress.add_task("", total=file.stat().st_size)
        return replay_lines(network, _read_lines(file, source, progress, task))


def replay_lines(
    network: Network, lines: Iterator[ReplayLine]
) -> tuple[list[Incident], list[Transition]]:
    """The final form of each incident by id, and transitions by `detected`, then target."""
    timeouts_s = {target.name: target.rules.timeout_s for target in network.targets()}
    decisions = Detector(network).advance(read_evidence(lines, timeouts_s))
    last = {d.incident.id: d.incident for d in decisions if isinstance(d, IncidentChange)}
    transitions = [d for d in decisions if isinstance(d, Transition)]
    transitions.sort(key=lambda t: (t.detected_s, t.target))
    return [last[i] for i in sorted(last)], transitions


def _read_lines(
    file: Path, source: BufferedReader, progress: Progress, task: TaskID
) -> Iterator[ReplayLine]:
    before = float("-inf")
    for number, raw in enumerate(source, start=1):
        if number % PROGRESS_EVERY_LINES == 0:
            progress.update(task, completed=source.tell())
        if not raw.strip():
            continue
        line = _parse_line(file, number, raw)
        if line.t < before:
            raise PantauError(
                f"{file}:{number}: time goes back ({line.t} after {before}): sort the file by t"
            )
        before = line.t
        yield line


def _parse_line(file: Path, number: int, raw: bytes) -> ReplayLine:
    try:
        item = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise PantauError(
            f"{file}:{number}: this line is no JSON ({error}): "
            'each line is like {"t": 1764000000.0, "target": "anjatan/utama", "rtt_ms": 12.4}'
        ) from error
    if isinstance(item, dict):
        get = item.get
        t, target, rtt_ms, error_name = get("t"), get("target"), get("rtt_ms"), get("error")
        if (
            isinstance(t, NUMBER)
            and isinstance(target, str)
            and (rtt_ms is None or (isinstance(rtt_ms, NUMBER) and rtt_ms >= 0))
            and (error_name is None or isinstance(error_name, str))
            and (rtt_ms is not None or error_name is not None or "rtt_ms" in item)
        ):
            return ReplayLine(float(t), target, rtt_ms, error_name)
    raise PantauError(
        f"{file}:{number}: a line needs a number `t`, a text `target`, and "
        "`rtt_ms` (a number, null for lost) or `error` (an errno name)"
    )


def _print_result(incidents: list[Incident], settings: Settings) -> None:
    console = make_console()
    table = make_table("No", "Sasaran", "Keadaan", "Mulai", "Selesai", "Sebab", "Terdampak")
    for incident in incidents:
        document = incident_document(incident)
        table.add_row(
            str(incident.id),
            Text(incident.target),
            format_state(incident.state.value),
            format_moment(document["started"], settings.timezone),
            format_moment(document["ended"], settings.timezone),
            format_reason(incident.reason),
            f"{len(incident.affected)} jalur" if incident.affected else "",
        )
    console.print(table)
    console.print(f"{len(incidents)} insiden akan dilaporkan.")


def comparison_document(comparison: ReplayComparison) -> Document:
    """The key `compare` of `replay --json`."""
    return {
        "more": [incident_document(i) for i in comparison.more],
        "less": [incident_document(i) for i in comparison.less],
        "sooner": [_pair_document(pair) for pair in comparison.sooner],
        "later": [_pair_document(pair) for pair in comparison.later],
        "same": len(comparison.both) - len(comparison.sooner) - len(comparison.later),
    }


def _pair_document(pair: IncidentPair) -> Document:
    return {
        "target": pair.after.target,
        "before": pair.before.id,
        "after": pair.after.id,
        "detected_later_s": round(pair.detected_later_s, 3),
        "longer_s": None if pair.longer_s is None else round(pair.longer_s, 3),
    }


def print_comparison(comparison: ReplayComparison, zone: ZoneInfo) -> None:
    """Counts first, then each difference."""
    console = make_console()
    console.print(
        f"Dengan --set: {len(comparison.more)} insiden lebih, {len(comparison.less)} kurang, "
        f"{len(comparison.sooner)} lebih cepat, {len(comparison.later)} lebih lambat diketahui."
    )
    _print_incidents(console, "Lebih (hanya dengan --set)", comparison.more, zone)
    _print_incidents(console, "Kurang (hanya tanpa --set)", comparison.less, zone)
    changed = [*comparison.sooner, *comparison.later]
    if changed:
        table = Table(title="Waktu diketahui berubah", box=None, title_justify="left")
        for title in ("Sasaran", "Keadaan", "Mulai", "Selisih diketahui", "Selisih lama"):
            table.add_column(title)
        for pair in changed:
            table.add_row(
                Text(pair.after.target),
                format_state(pair.after.state.value),
                format_moment(incident_document(pair.after)["started"], zone),
                f"{format_number(pair.detected_later_s)} dtk",
                f"{format_number(pair.longer_s)} dtk",
            )
        console.print(table)


def _print_incidents(
    console: Console, title: str, incidents: tuple[Incident, ...], zone: ZoneInfo
) -> None:
    if not incidents:
        return
    table = Table(title=title, box=None, title_justify="left")
    for name in ("Sasaran", "Keadaan", "Mulai", "Selesai", "Sebab"):
        table.add_column(name)
    for incident in incidents:
        document = incident_document(incident)
        table.add_row(
            Text(incident.target),
            format_state(incident.state.value),
            format_moment(document["started"], zone),
            format_moment(document["ended"], zone),
            format_reason(incident.reason),
        )
    console.print(table)
