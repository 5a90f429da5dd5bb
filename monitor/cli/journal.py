"""`pantau journal`: what lies in the journal, and whether it is sound."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.table import Table

from monitor.adapters.journal import JournalReader
from monitor.adapters.journal.inspection import JournalSummary, check_journal, journal_summary
from monitor.cli import moments, words
from monitor.cli.loading import journal_of
from monitor.cli.options import config_option
from monitor.core.documents import rfc3339
from monitor.core.errors import PantauError

NAMES = {
    "samples": "hasil mentah",
    "evidence": "bukti (tiap permintaan)",
    "minutes": "per menit",
    "hours": "per jam",
}


@click.command()
@config_option
@click.option("--check", is_flag=True, help="Let SQLite look through every file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def journal(config: Path, check: bool, as_json: bool) -> None:
    """How large and how old the journal is, how far InfluxDB is behind; --check: is it sound.

    \b
    Example: pantau journal
             pantau journal --check
    """
    directory = journal_of(config)
    if check:
        _check(directory)
        return
    found = journal_summary(directory)
    newest_s = JournalReader(directory).newest_s()
    age_s = None if newest_s is None else max(0.0, moments.now_s() - newest_s)
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
        click.echo(json.dumps(document))
    else:
        _print(found, age_s)


def _print(found: list[JournalSummary], age_s: float | None) -> None:
    console = words.console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Isi", "Berkas", "Dari", "Sampai", "MB", "Baris", "Belum di InfluxDB"):
        table.add_column(title, justify="left" if title in ("Isi", "Dari", "Sampai") else "right")
    for each in found:
        table.add_row(
            NAMES[each.kind],
            str(each.files),
            each.first or "–",
            each.last or "–",
            words.number(each.size / 1e6),
            "–" if each.rows is None else str(each.rows),
            "–" if each.lag is None else str(each.lag),
        )
    console.print(table)
    console.print(f"Seluruhnya {words.number(sum(each.size for each in found) / 1e6)} MB.")
    if age_s is not None:
        console.print(f"Hasil terbaru {words.duration(age_s)} yang lalu.")


def _check(directory: Path) -> None:
    wrong = 0
    for path, said in check_journal(directory):
        wrong += said is not None
        click.echo(f"{path.name}: {'ok' if said is None else said}")
    if wrong:
        raise PantauError(
            f"{wrong} files are damaged: move them out of {directory}, new ones are begun"
        )
