"""`pantau export` and `pantau journal`: copy samples and evidence out, inspect the files."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from monitor.adapters.journal import JournalReader
from monitor.adapters.journal.inspection import (
    JournalSummary,
    check_journal,
    journal_summary,
)
from monitor.adapters.system.atomic_file import new_file
from monitor.cli.configuration import journal_dir
from monitor.cli.formatting import format_duration, format_number, make_console, print_json
from monitor.cli.options import config_option, json_option
from monitor.cli.time_arguments import current_utc_s, parse_past_s
from monitor.core.documents import rfc3339
from monitor.core.errors import PantauError
from monitor.core.printable import spreadsheet_cell
from monitor.core.samples.histogram import counts_of
from monitor.core.samples.packed_requests import MAX_SPAN_S, RecordedRequest, requests_in_order
from monitor.core.samples.samples import Sample
from monitor.core.samples.schema import (
    HOURS,
    MEASUREMENTS,
    MINUTES,
    FieldKind,
    Measurement,
    value_of,
)
from monitor.settings.quick_settings import read_timezone

SERIES: dict[str, Measurement] = {each.name: each for each in (*MEASUREMENTS, *MINUTES, *HOURS)}
PROGRESS_EVERY_ROWS = 5000

ReportProgress = Callable[[float], None]
"""Takes the time (Unix seconds) of the row written last."""


@click.command()
@config_option
@click.argument("series", required=False, type=click.Choice(sorted(SERIES)))
@click.option("--evidence", is_flag=True, help="Every request, as JSON lines for `pantau replay`.")
@click.option("--since", default="24h", show_default=True, metavar="WHEN", help="From then on.")
@click.option("--until", metavar="WHEN", help="Before then [default: now].")
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="NAME",
    help="Only this target, device or host (may be repeated).",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
def export(
    config: Path,
    series: str | None,
    evidence: bool,
    since: str,
    until: str | None,
    targets: tuple[str, ...],
    output: Path | None,
) -> None:
    """What the journal keeps: a SERIES as CSV, or every request for `pantau replay`.

    WHEN is 24h, 7d, 2026-11-24 or 2026-11-24T14:30 (local time). CSV has UTC and one row a sample.

    \b
    Example: pantau export ping --since 24h --target anjatan/utama > anjatan.csv
             pantau export ping_1h --since 2026-01-01 -o jam.csv
             pantau export --evidence --since 35d -o bukti.jsonl
    """
    if evidence == (series is not None):
        raise click.UsageError("name either a SERIES or --evidence")
    zone, now_s = read_timezone(config), current_utc_s()
    start_s = parse_past_s(since, now_s, zone, "--since")
    end_s = now_s if until is None else parse_past_s(until, now_s, zone, "--until")
    if end_s <= start_s:
        raise click.UsageError("--until must lie behind --since")
    directory = journal_dir(config)
    wanted = frozenset(targets) or None
    with _destination(output) as file, _progress(start_s, end_s) as report:
        if series is None:
            _write_evidence(file, JournalReader(directory), (start_s, end_s), wanted, report)
        else:
            rows = JournalReader(directory).rows(SERIES[series], start_s, end_s)
            _write_csv(file, SERIES[series], rows, wanted, report)


def _write_evidence(
    file: TextIO,
    journal: JournalReader,
    span: tuple[float, float],
    wanted: Collection[str] | None,
    report: ReportProgress,
) -> None:
    """JSON lines of the requests sent in the span. Their rows may be stored up to REACH_S later."""
    start_s, end_s = span
    rows = journal.evidence(start_s, end_s + MAX_SPAN_S, wanted)
    for number, request in enumerate(requests_in_order(rows)):
        at_s = request.sent_ms / 1000
        if start_s <= at_s < end_s:
            file.write(_evidence_line(request))
        if number % PROGRESS_EVERY_ROWS == 0:
            report(at_s)


def _evidence_line(request: RecordedRequest) -> str:
    line: dict[str, object] = {"t": request.sent_ms / 1000, "target": request.target}
    if request.error is not None:
        line["error"] = request.error
    else:
        line["rtt_ms"] = None if request.rtt_us is None else request.rtt_us / 1000
    return orjson.dumps(line).decode() + "\n"


def _write_csv(
    file: TextIO,
    measurement: Measurement,
    rows: Iterable[Sample],
    wanted: Collection[str] | None,
    report: ReportProgress,
) -> None:
    writer = csv.writer(file)
    named = [field.name for field in measurement.fields]
    writer.writerow(["time", *measurement.identity, *named])
    first_tag = measurement.identity[0]
    for number, row in enumerate(rows):
        if number % PROGRESS_EVERY_ROWS == 0:
            report(row.at_s)
        if wanted is None or getattr(row, first_tag) in wanted:
            tags = [getattr(row, name) for name in measurement.identity]
            cells = map(_cell, (*tags, *_values(measurement, row)))
            writer.writerow([rfc3339(row.at_s), *cells])


def _cell(value: object) -> object:
    return spreadsheet_cell(value) if isinstance(value, str) else value


def _values(measurement: Measurement, row: Sample) -> Iterator[object]:
    """A histogram as `bucket:count …`; None stays empty."""
    for field in measurement.fields:
        raw = getattr(row, field.attribute)
        if field.kind is FieldKind.HISTOGRAM:
            yield " ".join(f"{bucket}:{count}" for bucket, count in counts_of(raw).items())
        else:
            yield value_of(field.kind, raw)


@contextmanager
def _destination(output: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that appears only once it is complete."""
    if output is None:
        yield sys.stdout
        return
    try:
        with new_file(output) as file, io.TextIOWrapper(file, "utf-8", newline="") as text:
            yield text
    except OSError as error:
        raise PantauError(f"{output} cannot be written: {error.strerror}") from error


@contextmanager
def _progress(start_s: float, end_s: float) -> Iterator[ReportProgress]:
    with Progress(
        TextColumn("menyalin"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task("", total=end_s - start_s)
        yield lambda at_s: progress.update(task, completed=at_s - start_s)


KIND_NAMES = {
    "samples": "hasil mentah",
    "evidence": "bukti (tiap permintaan)",
    "minutes": "per menit",
    "hours": "per jam",
}


@click.command()
@config_option
@click.option("--check", is_flag=True, help="Let SQLite look through every file.")
@json_option
def journal(config: Path, check: bool, as_json: bool) -> None:
    """How large and how old the journal is, how far InfluxDB is behind; --check: is it sound.

    \b
    Example: pantau journal
             pantau journal --check
    """
    directory = journal_dir(config)
    if check:
        _check_files(directory)
        return
    found = journal_summary(directory)
    newest_s = JournalReader(directory).newest_s()
    age_s = None if newest_s is None else max(0.0, current_utc_s() - newest_s)
    if as_json:
        document = {
            "newest": None if newest_s is None else rfc3339(newest_s),
            "age_s": age_s,
            "bytes": sum(each.size for each in found),
            "kinds": [
                {
                    "kind": each.kind,
                    "files": each.files,
                    "first": each.first,
                    "last": each.last,
                    "bytes": each.size,
                    "rows": each.rows,
                    "lag": each.lag,
                }
                for each in found
            ],
        }
        print_json(document)
    else:
        _print_summary(found, age_s)


def _print_summary(found: list[JournalSummary], age_s: float | None) -> None:
    console = make_console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Isi", "Berkas", "Dari", "Sampai", "MB", "Baris", "Belum di InfluxDB"):
        table.add_column(title, justify="left" if title in ("Isi", "Dari", "Sampai") else "right")
    for each in found:
        table.add_row(
            KIND_NAMES[each.kind],
            str(each.files),
            each.first or "–",
            each.last or "–",
            format_number(each.size / 1e6),
            "–" if each.rows is None else str(each.rows),
            "–" if each.lag is None else str(each.lag),
        )
    console.print(table)
    console.print(f"Seluruhnya {format_number(sum(each.size for each in found) / 1e6)} MB.")
    if age_s is not None:
        console.print(f"Hasil terbaru {format_duration(age_s)} yang lalu.")


def _check_files(directory: Path) -> None:
    damaged = 0
    for path, error in check_journal(directory):
        damaged += error is not None
        click.echo(f"{path.name}: {'ok' if error is None else error}")
    if damaged:
        raise PantauError(
            f"{damaged} files are damaged: move them out of {directory}, new ones are begun"
        )
