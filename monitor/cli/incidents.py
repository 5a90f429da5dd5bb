"""`pantau incidents`: list incidents, open ones first, or show one with everything about it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.adapters.system.local_api_client import LocalApiClient
from monitor.cli.configuration import load_settings
from monitor.cli.formatting import (
    ACTION_NAMES,
    CAUSE_NAMES,
    ENDED_WITHIN_HOLD,
    EVENT_NAMES,
    POLICY_REASON_NAMES,
    WIDE_COLUMNS,
    as_dicts,
    format_duration,
    format_moment,
    format_number,
    format_reason,
    format_recipient,
    format_state,
    make_console,
    parse_rfc3339_s,
    print_json,
    zone_name,
)
from monitor.cli.ledger import open_ledger
from monitor.cli.options import config_option
from monitor.cli.time_arguments import current_utc_s, parse_past_s
from monitor.core.alerting.handling import handling_of
from monitor.core.alerting.messages.evidence_text import evidence_text, suspected_cause_text
from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.path_text import hop_at, hops_text, path_text, route_text
from monitor.core.alerting.messages.situation import office_now, states_in, to_do
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.model import EventKind
from monitor.core.alerting.ports import AlertReader
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.settings import AlertSettings
from monitor.core.documents import incident_document, rfc3339
from monitor.core.errors import ConfigError
from monitor.core.model import Incident, Network
from monitor.core.paths.model import SKIPPED, IncidentTrace
from monitor.settings.quick_settings import read_timezone
from monitor.status import queries
from monitor.status.current_state import CurrentState

MOST_ROWS = 50


@click.command()
@config_option
@click.argument("incident", type=click.IntRange(min=1), metavar="[ID]", required=False)
@click.option("--all", "every", is_flag=True, help="Also those that are over.")
@click.option(
    "--since",
    metavar="WHEN",
    help="Open at or after then: 24h, 7d, 2026-11-24 or 2026-11-24T14:30 (local time).",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document, by ascending id.")
def incidents(
    config: Path, incident: int | None, every: bool, since: str | None, as_json: bool
) -> None:
    """What went wrong: open incidents, with --all or --since also those that are over.

    With ID one incident whole: what was done about it, who was told, who was not, and why.

    \b
    Example: pantau incidents --since 24h
             pantau incidents --all --json
             pantau incidents 17
    """
    zone, now_s = read_timezone(config), current_utc_s()
    ledger = open_ledger(config)
    if incident is not None:
        document = queries.incident_details(ledger, incident, now_s)
        if as_json:
            print_json(document)
        else:
            found_one = queries.incident(ledger, incident)
            situation = _situation(config, ledger, found_one, zone)
            traces = ledger.incident_traces(incident)
            _print_one(found_one, document, traces, situation, zone, now_s)
        return
    since_s = None if since is None else parse_past_s(since, now_s, zone, "--since")
    found = ledger.incidents(since_s=since_s, include_closed=every or since is not None)
    if as_json:
        identity = ledger.identity().value
        print_json({"incidents": [incident_document(i, identity) for i in found]})
    else:
        _print(found, now_s, zone, open_only=since is None and not every)


def _print(found: list[Incident], now_s: float, zone: ZoneInfo, *, open_only: bool) -> None:
    console = make_console()
    if not found:
        console.print("Tidak ada insiden terbuka." if open_only else "Tidak ada insiden.")
        return
    ordered = sorted(found, key=lambda i: (i.ended_s is not None, -i.started_s, -i.id))
    wide = console.width >= WIDE_COLUMNS
    console.print(incident_table(ordered[:MOST_ROWS], now_s, zone, wide=wide))
    if len(ordered) > MOST_ROWS:
        console.print(
            f"… dan {len(ordered) - MOST_ROWS} lagi (--json menampilkan semua)", style="dim"
        )


def incident_table(found: list[Incident], now_s: float, zone: ZoneInfo, *, wide: bool) -> Table:
    """One row an incident, in the given order. wide: with a column for the end."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("No", no_wrap=True)
    table.add_column("Sasaran", no_wrap=True)
    table.add_column("Keadaan")
    table.add_column(f"Mulai ({zone_name(zone)})", no_wrap=True)
    if wide:
        table.add_column("Selesai", no_wrap=True)
    table.add_column("Lama")
    table.add_column("Sebab")
    for incident in found:
        document = incident_document(incident)
        is_open = incident.ended_s is None
        end_s = now_s if incident.ended_s is None else incident.ended_s
        length = format_duration(end_s - incident.started_s)
        ended = "terbuka" if is_open else format_moment(document["ended"], zone, zone_named=False)
        affected = f", {len(incident.affected)} jalur terdampak" if incident.affected else ""
        table.add_row(
            str(incident.id),
            Text(incident.target),
            format_state(incident.state.value),
            format_moment(document["started"], zone, zone_named=False),
            *([ended] if wide else []),
            length if wide or not is_open else f"{length}, terbuka",
            format_reason(incident.reason) + affected,
        )
    return table


def _situation(config: Path, ledger: AlertReader, incident: Incident, zone: ZoneInfo) -> list[str]:
    """Whether the office is connected now, and what to do; as in the messages about it.

    Nothing that depends on a configuration with errors in it, and no state without the daemon.
    """
    try:
        settings = load_settings(config, os.environ)
    except ConfigError:
        return []
    network, language = settings.network, Language("id", zone)
    current = CurrentState(
        LocalApiClient(settings.data_dir), lambda: ledger, lambda: network, current_utc_s
    )
    office = office_now(incident, network, states_in(current.document()), language)
    actions = ledger.actions([incident.id])
    is_taken = handling_of(actions).active_acknowledgement(current_utc_s()) is not None
    names = TargetNames(network, settings.alerts)
    advice = to_do(incident, names, language, is_taken=is_taken)
    return [
        *([] if office is None else [f"{office}."]),
        *([] if advice is None else [f"Tindakan: {advice}"]),
    ]


def _print_one(
    incident: Incident,
    document: Mapping[str, object],
    traces: Sequence[IncidentTrace],
    situation: Sequence[str],
    zone: ZoneInfo,
    now_s: float,
) -> None:
    """document: of `queries.case`. situation: see `_situation`."""
    console = make_console()
    _print_summary(console, incident, document, traces, situation, zone, now_s)
    console.print()
    for _, line in sorted(_timeline(incident, document, zone), key=lambda each: each[0]):
        console.print(Text(line))


def _print_summary(
    console: Console,
    incident: Incident,
    document: Mapping[str, object],
    traces: Sequence[IncidentTrace],
    situation: Sequence[str],
    zone: ZoneInfo,
    now_s: float,
) -> None:
    title = Text(f"Insiden {incident.id}: {incident.target}  ", style="bold")
    console.print(title.append_text(format_state(incident.state.value)))
    end_s = now_s if incident.ended_s is None else incident.ended_s
    over = "masih terbuka" if incident.ended_s is None else "selesai"
    lines = [f"{over}, {format_duration(end_s - incident.started_s)}", *situation]
    speech, places = Language("id", zone), TargetNames(Network(), AlertSettings())
    lines.append(f"Bukti: {evidence_text(incident, speech)}")
    suspected = suspected_cause_text(incident, places, speech)
    if suspected is not None:
        lines.append(suspected)
    if incident.evidence.path is not None:
        where = path_text(incident.evidence.path, speech, now_s, over=incident.ended_s is not None)
        lines.append(f"Jejak jalur: {where}")
    if incident.parent is not None:
        lines.append(f"Akibat insiden {incident.parent}")
    if incident.affected:
        lines.append(f"Terdampak: {', '.join(incident.affected)}")
    lines += handling_lines(document["handling"], zone, over=incident.ended_s is not None)
    for trace in traces:
        lines += trace_lines(trace, speech, zone)
    for line in lines:
        console.print(Text(f"  {line}"))


def trace_lines(trace: IncidentTrace, speech: Language, zone: ZoneInfo) -> list[str]:
    """A line each hop: who answered, and who usually does where that is not the same."""
    lines = [f"Lompatan, {format_moment(rfc3339(trace.at_s), zone)}:"]
    if trace.result == SKIPPED:
        return [f"{lines[0]} {hops_text(trace, speech)}"]
    for ttl in range(1, max(len(trace.hops), len(trace.usual)) + 1):
        now, usual = hop_at(trace.hops, ttl), hop_at(trace.usual, ttl)
        text = "*" if now is None else route_text(now)
        if now is not None and now.rtt_ms is not None:
            text += f"  {format_number(now.rtt_ms)} ms"
        if usual is not None and usual.address not in (None, None if now is None else now.address):
            text += f"  (biasanya {route_text(usual)})"
        lines.append(f"  {ttl:2d}  {text}")
    return lines


def _timeline(
    incident: Incident, document: Mapping[str, object], zone: ZoneInfo
) -> Iterator[tuple[float, str]]:
    """Lines with their times (Unix seconds), unsorted."""
    case = document["incident"]
    if isinstance(case, dict):
        for name, what in (("started", "mulai"), ("detected", "dinilai"), ("ended", "selesai")):
            why = case["end_reason"] if name == "ended" else case["reason"]
            reason = f": {format_reason(why)}" if name != "started" and why else ""
            yield from _timed_line(case[name], f"{what}{reason}", zone)
    for action in as_dicts(document["actions"]):
        until = f" sampai {format_moment(action['until'], zone)}" if action["until"] else ""
        text = f": {_action_text(action)}" if action["text"] else ""
        kind = ACTION_NAMES.get(str(action["kind"]), str(action["kind"]))
        yield from _timed_line(action["at"], f"{kind} oleh {action['who']}{until}{text}", zone)
    for decision in as_dicts(document["notices"]):
        yield from _timed_line(decision["at"], _decision_text(decision), zone)
    for message in as_dicts(document["outbox"]):
        if message["sent"] is not None:
            to = format_recipient(message["recipient"])
            yield from _timed_line(
                message["sent"],
                f"pesan {message['id']} ({message['code']}) diterima {message['channel']} → {to}",
                zone,
            )
        elif message["status"] == "dead":
            yield from _timed_line(
                message["next_try"],
                f"pesan {message['id']} GAGAL lewat {message['channel']}: "
                f"{message['last_error'] or 'tanpa keterangan'}",
                zone,
            )


def _action_text(action: Mapping[str, object]) -> str:
    text = str(action["text"])
    return CAUSE_NAMES.get(text, text) if action["kind"] == "cause" else text


def _decision_text(decision: Mapping[str, object]) -> str:
    """Who was notified, or that nobody was, and why."""
    reason = str(decision["reason"])
    why = POLICY_REASON_NAMES.get(reason, reason)
    if reason == Reason.WITHIN_HOLD and decision["event"] == EventKind.RESOLVED:
        why = ENDED_WITHIN_HOLD
    event = EVENT_NAMES.get(str(decision["event"]), str(decision["event"]))
    if not decision["told"]:
        return f"{event}: TIDAK diberitahukan ({why})"
    to = format_recipient(decision["recipient"])
    return f"{event}: diberitahukan ke {to} lewat {decision['channel']} ({why})"


def _timed_line(moment: object, text: str, zone: ZoneInfo) -> Iterator[tuple[float, str]]:
    at_s = parse_rfc3339_s(moment)
    if at_s is not None:
        yield at_s, f"  {format_moment(moment, zone)}  {text}"


def handling_lines(handling: object, zone: ZoneInfo, *, over: bool) -> list[str]:
    """Acknowledgement, snooze, ticket, cause and notes, a line each. over: it has ended."""
    if not isinstance(handling, dict):
        return []
    lines = []
    if handling["acknowledged_by"] is not None:
        why = f": {handling['acknowledged_why']}" if handling["acknowledged_why"] else ""
        until = format_moment(handling["acknowledged_until"], zone)
        lines.append(f"ditangani {handling['acknowledged_by']} sampai {until}{why}")
    elif not over:
        lines.append("belum ada yang menangani")
    if handling["snoozed_by"] is not None:
        until = format_moment(handling["snoozed_until"], zone)
        lines.append(f"ditunda {handling['snoozed_by']} sampai {until}")
    if handling["ticket"] is not None:
        lines.append(f"tiket penyedia {handling['ticket']}")
    if handling["cause"] is not None:
        lines.append(f"sebab: {CAUSE_NAMES.get(handling['cause'], handling['cause'])}")
    lines += [
        f"{format_moment(note['at'], zone)} {note['who']}: {note['text']}"
        for note in as_dicts(handling["notes"])
    ]
    return lines
