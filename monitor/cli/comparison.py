"""Two judgements side by side, for an admin who tunes a limit."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.cli import words
from monitor.core.detection.replay_comparison import IncidentPair, ReplayComparison
from monitor.core.documents import Document, incident_document
from monitor.core.model import Incident


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
    """For people: counts first, then each difference."""
    console = words.console()
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
                words.state_text(pair.after.state.value),
                words.moment(incident_document(pair.after)["started"], zone),
                f"{words.number(pair.detected_later_s)} dtk",
                f"{words.number(pair.longer_s)} dtk",
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
            words.state_text(incident.state.value),
            words.moment(document["started"], zone),
            words.moment(document["ended"], zone),
            words.reason_text(incident.reason),
        )
    console.print(table)
