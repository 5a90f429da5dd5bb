"""Write the text of every kind of message into a file, to be read by people.

    python -m tests.core.alerting.print_messages FILE

Each kind in both languages, as plain text, as Telegram's markup with its buttons, as an e-mail
with its subject, and as the webhook's JSON. `test_printed_messages.py` checks that none is left
out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from monitor.adapters.notify.email import EmailAccount, compose_email
from monitor.adapters.notify.telegram import message_values
from monitor.adapters.notify.webhook import notification_json
from monitor.core.alerting.documents import with_handling
from monitor.core.alerting.messages.message_writer import MessageWriter
from monitor.core.alerting.model import (
    ActionKind,
    EventKind,
    IncidentAction,
    NotificationContext,
    OutboxRow,
    Recipient,
)
from monitor.core.alerting.office_status import Offices
from monitor.core.alerting.outbox import decode_notification, encode_body, with_code
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.self_checks import SelfCheck, SelfCheckReport
from monitor.core.alerting.settings import AlertSettings, ChannelSettings, Person
from monitor.core.alerting.unrecorded import mark_unrecorded
from monitor.core.model import (
    Incident,
    IncidentEvidence,
    Link,
    Network,
    Node,
    ProbeRules,
    Scope,
    Site,
    State,
)
from monitor.core.paths.model import FindingKind, NamedHop, PathFinding

WIB = ZoneInfo("Asia/Jakarta")
LEDGER = "k3v7q2ma"
ACCOUNT = EmailAccount(
    "127.0.0.1", 25, "insecure", ("Pantau", "pantau@noc.example"), (("NOC", "noc@noc.example"),)
)


def at(text: str) -> float:
    """A time of the night of 24 November 2026 (Unix seconds)."""
    return datetime.fromisoformat(f"2026-11-24T{text}").replace(tzinfo=WIB).timestamp()


def _site(number: int, name: str, *links: Link) -> Site:
    return Site(links[0].site, name, f"32.12.{number:02}", links)


def _link(site: str, name: str, kind: str, provider: str, via: str) -> Link:
    contact = {"Penyedia A": "0800-1-000", "Penyedia B": "0811-200-300"}.get(provider)
    return Link(
        name,
        f"{site}/{name}",
        site,
        "10.77.9.1",
        kind,
        ProbeRules(),
        (via,) if via else (),
        provider,
        None,
        f"FO-{site[:3].upper()}-17" if kind == "fibre" else None,
        contact,
    )


NAMES = ("Anjatan", "Sukra", "Patrol", "Kandanghaur", "Losarang", "Lohbener", "Jatibarang",
         "Widasari", "Sliyeg", "Juntinyuat", "Balongan", "Karangampel", "Krangkeng", "Kertasemaya",
         "Bangodua")  # fmt: skip


def _sites() -> Iterator[Site]:
    for number, name in enumerate(NAMES, start=1):
        site = name.lower()
        via = "pop-patrol" if number <= 3 else "pop-jatibarang"
        links = [_link(site, "utama", "fibre", "Penyedia B" if number == 3 else "Penyedia A", via)]
        if number != 2:
            links.append(_link(site, "cadangan", "lte", "Penyedia B", ""))
        if number == 4:
            links.append(_link(site, "satelit", "vsat", "Penyedia C", ""))
        yield _site(number, name, *links)


NETWORK = Network(
    sites=tuple(_sites()),
    nodes=(
        Node("pop-patrol", "PoP Patrol", "10.77.0.14", ProbeRules()),
        Node("pop-jatibarang", "PoP Jatibarang", "10.77.0.11", ProbeRules()),
    ),
)
ALERTS = AlertSettings(
    channels=(ChannelSettings("telegram-noc", "telegram", buttons=True),),
    people=(
        Person("ani", "Ani", ("telegram-noc",)),
        Person("budi", "Budi", ("telegram-noc",)),
    ),
    base_url="https://pantau.example.go.id",
)
T = at("02:05:10")
SILENCE = IncidentEvidence(lost_in_row=22, silence_s=5.2, loss_before=0.004)
DOWN = Incident(17, Scope.LINK, "anjatan/utama", State.DOWN, T, T + 5, "silence", SILENCE)
RESERVE = replace(DOWN, id=18, target="anjatan/cadangan", started_s=T + 180)
ONLY = replace(DOWN, id=19, target="sukra/utama")
THREE = replace(DOWN, id=20, target="kandanghaur/utama")
LOSS = replace(
    DOWN,
    id=21,
    state=State.DEGRADED,
    reason="loss",
    evidence=IncidentEvidence(loss_ratio=0.124, limit=0.05),
)
SLOW = replace(LOSS, reason="rtt", evidence=IncidentEvidence(rtt_ms=84.0, limit=50.0))
NODE = replace(
    DOWN,
    id=22,
    scope=Scope.NODE,
    target="pop-patrol",
    affected=("anjatan/utama", "sukra/utama", "patrol/utama"),
)
CUT_OFF = Incident(
    *(23, Scope.MONITOR, "monitor", State.UNKNOWN, T, T + 5, "silence"),
    IncidentEvidence(silent_share=1.0),
)
NO_SENDING = replace(CUT_OFF, reason="send_failure", evidence=IncidentEvidence(error="ENETUNREACH"))
UNMEASURED = replace(DOWN, id=24, state=State.UNKNOWN, reason="not_measured",
                     evidence=IncidentEvidence(error="EPERM"))  # fmt: skip
PATH = PathFinding(
    FindingKind.STOPPED, T + 8, NamedHop(3, "10.77.0.11", "PoP Jatibarang"), usual_hops=5
)
TAKEN = (IncidentAction(17, ActionKind.ACKNOWLEDGE, "Budi", at("02:12"), until_s=at("06:00")),)
TAKEN_LONG = (replace(TAKEN[0], until_s=at("10:00")),)
MANY = tuple(
    replace(DOWN, id=30 + number, target=f"{site.id}/utama", started_s=T + number % 4)
    for number, site in enumerate(NETWORK.sites[:14])
)


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of message. states: of links that are not up."""

    title: str
    incidents: tuple[Incident, ...] = ()
    event: EventKind = EventKind.OPENED
    reason: Reason = Reason.FIRST_NOTICE
    clock: str = "02:05:40"
    states: tuple[tuple[str, State], ...] = ()
    actions: tuple[IncidentAction, ...] = ()
    escalated: bool = False
    self_check: SelfCheckReport | None = None
    is_recorded: bool = True


def _over(incident: Incident, clock: str, why: str = "reply") -> Incident:
    return replace(incident, ended_s=at(clock), end_reason=why)


def _down(*links: str, state: State = State.DOWN) -> tuple[tuple[str, State], ...]:
    return tuple((link, state) for link in links)


MAIN = _down("anjatan/utama")
BOTH = _down("anjatan/utama", "anjatan/cadangan")
RESOLVED, REMINDER, UPDATED, DIGEST = (
    EventKind.RESOLVED,
    EventKind.REMINDER,
    EventKind.UPDATED,
    EventKind.DIGEST,
)
SUSPECTS: dict[str, dict[str, Any]] = {
    "power": {"router_uptime_s": 240.0},
    "link": {"port_oper": 2},
    "upstream": {},
}


def cases() -> Iterator[Case]:
    """Every kind of message, in the order in which a night would bring them."""
    yield Case("Outage, reserve carries the office", (DOWN,), states=MAIN)
    yield Case(
        "Outage, reserve degraded",
        (DOWN,),
        states=(*MAIN, *_down("anjatan/cadangan", state=State.DEGRADED)),
    )
    yield Case(
        "Outage, reserve not measured",
        (DOWN,),
        states=(*MAIN, *_down("anjatan/cadangan", state=State.UNKNOWN)),
    )
    yield Case(
        "Outage, reserve behind a node that is down",
        (DOWN,),
        states=(*MAIN, *_down("anjatan/cadangan", state=State.UNREACHABLE)),
    )
    yield Case("Outage of the only link", (ONLY,), states=_down("sukra/utama"))
    yield Case(
        "Outage of one of three links, another is down",
        (THREE,),
        states=_down("kandanghaur/utama", "kandanghaur/satelit"),
    )
    yield Case("Outage, nothing known of the states", (DOWN,))
    yield Case(
        "Outage with path", (replace(DOWN, evidence=replace(SILENCE, path=PATH)),), states=MAIN
    )
    for cause, evidence in SUSPECTS.items():
        suspected = replace(DOWN, suspected_cause=cause, evidence=replace(SILENCE, **evidence))
        yield Case(f"Outage, suspected: {cause}", (suspected,), states=MAIN)
    yield Case("Both links at once", (DOWN, RESERVE), DIGEST, Reason.SAME_OFFICE, "02:08:30", BOTH)
    yield Case(
        "The second link falls later",
        (RESERVE,),
        reason=Reason.SAME_OFFICE,
        clock="02:08:30",
        states=BOTH,
    )
    yield Case("Degraded by loss", (LOSS,), states=_down("anjatan/utama", state=State.DEGRADED))
    yield Case("Degraded by RTT", (SLOW,), states=_down("anjatan/utama", state=State.DEGRADED))
    behind = _down(*NODE.affected, state=State.UNREACHABLE)
    yield Case("Outage of a node", (NODE,), states=behind)
    yield Case("The monitor is cut off", (CUT_OFF,))
    yield Case("The monitor cannot send", (NO_SENDING,))
    yield Case("A link cannot be measured", (UNMEASURED,))
    yield Case("Digest of 14 outages", MANY, DIGEST, Reason.DIGEST, "02:05:45",
               _down(*(each.target for each in MANY)))  # fmt: skip
    yield Case(
        "Digest of five, states differ",
        (*MANY[:3], replace(LOSS, target="losarang/utama"), NODE),
        DIGEST,
        Reason.DIGEST,
        "02:05:45",
        _down(*(each.target for each in MANY[:3])),
    )
    yield Case("Reminder", (DOWN,), REMINDER, Reason.REMINDER_DUE, "02:35:40", MAIN)
    yield Case("Reminder, dark office", (DOWN, RESERVE), REMINDER, Reason.REMINDER_DUE,
               "02:35:40", BOTH)  # fmt: skip
    yield Case("Reminder of a digest", MANY, REMINDER, Reason.REMINDER_DUE, "02:35:45",
               _down(*(each.target for each in MANY)))  # fmt: skip
    yield Case(
        "Next escalation step", (DOWN,), reason=Reason.ESCALATION_STEP, clock="02:20:40",
        states=MAIN, escalated=True,
    )  # fmt: skip
    yield Case("Somebody has it", (DOWN,), UPDATED, Reason.REMINDER_DUE, "02:40", MAIN, TAKEN)
    yield Case("Recovery", (_over(DOWN, "02:31:05"),), RESOLVED, Reason.RESOLVED, "02:31:08")
    yield Case(
        "Recovery, the reserve is still down",
        (_over(DOWN, "02:31:05"),),
        RESOLVED,
        Reason.RESOLVED,
        "02:31:08",
        _down("anjatan/cadangan"),
    )
    yield Case("Recovery after 40 s", (_over(DOWN, "02:05:50"),), RESOLVED, Reason.RESOLVED,
               "02:05:55")  # fmt: skip
    yield Case("Over before the first message", (_over(DOWN, "02:05:50"),), RESOLVED,
               Reason.WAS_DOWN, "02:09")  # fmt: skip
    yield Case("Degraded, then down", (_over(LOSS, "02:09", "down"),), RESOLVED, Reason.RESOLVED,
               "02:09:10", MAIN)  # fmt: skip
    yield Case("Degraded, then unreachable", (_over(LOSS, "02:09", "parent_down"),), RESOLVED,
               Reason.RESOLVED, "02:09:10")  # fmt: skip
    yield Case("Removed from the configuration", (_over(DOWN, "02:09", "removed"),), RESOLVED,
               Reason.RESOLVED, "02:09:10")  # fmt: skip
    yield Case("Recovery of a node", (_over(NODE, "02:31:05"),), RESOLVED, Reason.RESOLVED,
               "02:31:08")  # fmt: skip
    yield Case("All of a digest recovered", tuple(_over(each, "02:31:05") for each in MANY),
               RESOLVED, Reason.RESOLVED, "02:31:20")  # fmt: skip
    yield Case("The monitor is connected again", (_over(CUT_OFF, "02:31:05"),), RESOLVED,
               Reason.RESOLVED, "02:31:08")  # fmt: skip
    yield Case("Flapping began", (DOWN,), UPDATED, Reason.FLAPPING_BEGAN, "02:16", MAIN)
    yield Case("Flapping over, well", (_over(DOWN, "02:20"),), UPDATED, Reason.FLAPPING_OVER,
               "02:40")  # fmt: skip
    yield Case("Flapping over, still down", (DOWN,), UPDATED, Reason.FLAPPING_OVER, "02:40", MAIN)
    yield Case("A flapping link stays down", (DOWN,), reason=Reason.STILL_DOWN_AFTER_15_MIN,
               clock="02:20:40", states=MAIN)  # fmt: skip
    yield Case("Down after maintenance", (DOWN,), reason=Reason.MAINTENANCE_OVER, clock="04:00:20",
               states=MAIN)  # fmt: skip
    yield Case("Hand-over", (DOWN, ONLY, LOSS), DIGEST, Reason.HAND_OVER, "07:30",
               (*MAIN, *_down("sukra/utama")), TAKEN_LONG)  # fmt: skip
    yield from _self_alerts()
    yield Case("Channel test", event=EventKind.TEST, reason=Reason.TEST, clock="07:30")
    yield Case("Sent from memory: the ledger cannot be written", (DOWN,), states=MAIN,
               is_recorded=False)  # fmt: skip


def _self_alerts() -> Iterator[Case]:
    """Every check that fails, and its end."""
    details: dict[SelfCheck, dict[str, Any]] = {
        SelfCheck.JOURNAL: {"is_full": True},
        SelfCheck.QUOTA: {"share": 0.83},
        SelfCheck.LEDGER: {"is_full": True},
        SelfCheck.DISK: {"free_bytes": 180_000_000, "full_in_s": 5400.0},
        SelfCheck.RELOAD: {"why": 'alerts.toml:12: "surel" is no other channel of this file'},
        SelfCheck.CHANNEL: {"subject": "surel-noc", "why": "SMTP: connection refused"},
        SelfCheck.BACKUP: {"why": "No space left on device"},
        SelfCheck.INFLUXDB: {"why": "HTTP 401: unauthorized access"},
    }
    for check in SelfCheck:
        report = SelfCheckReport(check, at("02:05"), **details.get(check, {"why": "x"}))
        yield Case(f"Self-alert: {check.value}", self_check=report, clock="02:06")
        over = replace(report, ended_s=at("03:10"))
        yield Case(f"Self-alert over: {check.value}", (), RESOLVED, Reason.RESOLVED, "03:10",
                   self_check=over)  # fmt: skip


def texts(case: Case, language: str) -> dict[str, str]:
    """The forms of one message: plain, telegram, mail, webhook."""
    writer = MessageWriter(NETWORK, ALERTS, WIB, None, LEDGER)
    states = dict(case.states)
    offices = (
        Offices(NETWORK).status(case.incidents, lambda name: states.get(name, State.UP))
        if case.states or any(each.ended_s for each in case.incidents)
        else {}
    )
    now_s = at(case.clock)
    wording = writer.write(
        NotificationContext(
            case.event, case.reason, case.incidents, Recipient("ani", "telegram-noc"), language,
            now_s, ("ani", "budi"), case.actions, 3990, case.escalated, case.self_check, offices,
            buttons=True,
        )
    )  # fmt: skip
    assert wording.error is None, wording.error
    documents = [
        with_handling(each, [a for a in case.actions if a.incident == each.id], now_s, LEDGER)
        | writer.facts(each, offices, now_s)
        for each in case.incidents
    ]
    number = case.incidents[0].id if case.incidents else 0
    body = encode_body(wording, documents, writer.list_address)
    row = OutboxRow(number, 1, "telegram-noc", "ani", case.event, body, now_s, ledger=LEDGER)
    message = with_code(decode_notification(row, now_s))
    if not case.is_recorded:
        message = mark_unrecorded(message, language, 4000)
    return {
        "plain": message.text,
        "telegram": _telegram(message_values(message, language, buttons=True)),
        "mail": _mail(compose_email(ACCOUNT, message, WIB)),
        "webhook": json.dumps(json.loads(notification_json(message)), ensure_ascii=False, indent=1),
    }


def _mail(mail: EmailMessage) -> str:
    """As a mail program shows it."""
    return f"Subject: {mail['Subject']}\nFrom: {mail['From']}\n\n{mail.get_content()}"


def _telegram(values: dict[str, object]) -> str:
    keyboard = values.get("reply_markup")
    return f"{values['text']}\n{json.dumps(keyboard, ensure_ascii=False)}"


def main(path: Path) -> None:
    """Write all of them."""
    parts = []
    for number, case in enumerate(cases(), start=1):
        parts.append(f"{'=' * 78}\n{number}. {case.title}")
        found = {language: texts(case, language) for language in ("id", "en")}
        for language, forms in found.items():
            parts.append(f"--- {language}, plain\n{forms['plain']}")
        for form in ("telegram", "mail", "webhook"):
            parts.append(f"--- id, {form}\n{found['id'][form]}")
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
