"""Tables as CSV files that a spreadsheet opens without harm.

A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, "CSV
Injection"). In Bahasa Indonesia the separator is `;`, for there the comma is the decimal sign.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from dashboard.i18n import Lang
from monitor.core.printable import spreadsheet_cell

BOM = "\ufeff"
"""Without it Excel reads UTF-8 as something else."""


def sheet(rows: Iterable[Sequence[str]], lang: Lang) -> str:
    """The file as text."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if lang is Lang.ID else ",", lineterminator="\r\n")
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
    return BOM + out.getvalue()


def harmless(cell: str) -> str:
    """One line, no control or direction characters, never a formula."""
    text = " ".join("".join(c if c.isprintable() else " " for c in cell).split())[:2000]
    return spreadsheet_cell(text)
