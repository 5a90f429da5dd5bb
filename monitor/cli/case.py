"""One incident whole on the terminal: what happened, who did what, who was told and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

from monitor.cli import alert_words, words
from monitor.cli.handover import handling_lines
from monitor.core.alerting.messages.incident_message import evidence_text, suspected_cause_text
from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.settings import AlertSettings
from monitor.core.model import Incident, Network


def print_case(
    incident: Incident, document: Mapping[str, object], zone: ZoneInfo, now_s: float
) -> None:
    """Everything that is known of it. document: of `questions.case`."""
    console = words.console()
    _print_head(console, incident, document, zone, now_s)
    console.print()
    for _, line in sorted(_timeline(incident, document, zone), key=lambda each: each[0]):
        console.print(Text(line))


def _print_head(
    console: Console,
    incident: Incident,
    document: Mapping[str, object],
    zone: ZoneInfo,
    now_s: float,
) -> None:
    title = Text(f"Insiden {incident.id}: {incident.target}  ", style="bold")
    console.print(title.append_text(words.state_text(incident.state.value)))
    end_s = now_s if incident.ended_s is None else incident.ended_s
    over = "masih terbuka" if incident.ended_s is None else "selesai"
    lines = [f"{over}, {words.duration(end_s - incident.started_s)}"]
    speech, places = Language("id", zone), TargetNames(Network(), AlertSettings())
    lines.append(f"Bukti: {evidence_text(incident, speech)}")
    suspected = suspected_cause_text(incident, places, speech)
    if suspected is not None:
        lines.append(suspected)
    if incident.parent is not None:
        lines.append(f"Akibat insiden {incident.parent}")
    if incident.affected:
        lines.append(f"Terdampak: {', '.join(incident.affected)}")
    lines += handling_lines(document["handling"], zone, over=incident.ended_s is not None)
    for line in lines:
        console.print(Text(f"  {line}"))


def _timeline(
    incident: Incident, document: Mapping[str, object], zone: ZoneInfo
) -> Iterator[tuple[float, str]]:
    """Each moment (UTC seconds) with its line."""
    case = document["incident"]
    if isinstance(case, dict):
        for name, what in (("started", "mulai"), ("detected", "dinilai"), ("ended", "selesai")):
            why = case["end_reason"] if name == "ended" else case["reason"]
            reason = f": {words.reason_text(why)}" if name != "started" and why else ""
            yield from _at(case[name], f"{what}{reason}", zone)
    for action in words.dicts(document["actions"]):
        until = f" sampai {words.moment(action['until'], zone)}" if action["until"] else ""
        text = f": {_told(action)}" if action["text"] else ""
        kind = alert_words.ACTIONS.get(str(action["kind"]), str(action["kind"]))
        yield from _at(action["at"], f"{kind} oleh {action['who']}{until}{text}", zone)
    for notice in words.dicts(document["notices"]):
        yield from _at(notice["at"], _notice(notice), zone)
    for message in words.dicts(document["outbox"]):
        if message["sent"] is not None:
            to = alert_words.recipient(message["recipient"])
            yield from _at(
                message["sent"],
                f"pesan {message['id']} ({message['code']}) diterima {message['channel']} → {to}",
                zone,
            )
        elif message["status"] == "dead":
            yield from _at(
                message["next_try"],
                f"pesan {message['id']} GAGAL lewat {message['channel']}: "
                f"{message['last_error'] or 'tanpa keterangan'}",
                zone,
            )


def _told(action: Mapping[str, object]) -> str:
    text = str(action["text"])
    return alert_words.CAUSES.get(text, text) if action["kind"] == "cause" else text


def _notice(notice: Mapping[str, object]) -> str:
    """`diberitahukan …` or `tidak diberitahukan …`, and why."""
    reason = str(notice["reason"])
    why = alert_words.NOTICE_REASONS.get(reason, reason)
    event = alert_words.EVENTS.get(str(notice["event"]), str(notice["event"]))
    if not notice["told"]:
        return f"{event}: TIDAK diberitahukan ({why})"
    to = alert_words.recipient(notice["recipient"])
    return f"{event}: diberitahukan ke {to} lewat {notice['channel']} ({why})"


def _at(moment: object, line: str, zone: ZoneInfo) -> Iterator[tuple[float, str]]:
    at_s = words.seconds_of(moment)
    if at_s is not None:
        yield at_s, f"  {words.moment(moment, zone)}  {line}"
