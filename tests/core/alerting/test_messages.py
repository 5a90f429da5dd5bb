"""Message texts: the facts that a person needs, in both languages, within every limit."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import datetime
from math import inf
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.alerting.messages.message_writer import MessageWriter, plain_text
from monitor.core.alerting.model import (
    ActionKind,
    EventKind,
    IncidentAction,
    NotificationContext,
    Recipient,
    Wording,
)
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.self_checks import SelfCheck, SelfCheckReport
from monitor.core.alerting.settings import AlertSettings, ChannelSettings, Person
from monitor.core.ledger_identity import LedgerIdentity
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
from monitor.core.signing import LINK_LIFETIME_S, LinkState, check_link_code

WIB = ZoneInfo("Asia/Jakarta")
RESOLVED, UPDATED, DIGEST = EventKind.RESOLVED, EventKind.UPDATED, EventKind.DIGEST


def at(text: str) -> float:
    return datetime.fromisoformat(f"2026-11-24T{text}").replace(tzinfo=WIB).timestamp()


def link(site: str, name: str = "utama", kind: str = "fibre") -> Link:
    provider: dict[str, Any] = {
        "provider": "Penyedia A",
        "circuit": "FO-1234",
        "contact": "0800-1-000",
    }
    return Link(name, f"{site}/{name}", site, "10.77.23.1", kind, ProbeRules(), **provider)


ANJATAN = (link("anjatan"), link("anjatan", "cadangan", "lte"))
NETWORK = Network(
    sites=(
        Site("anjatan", "Anjatan", "32.12.23", ANJATAN),
        Site("sukra", "Sukra", "32.12.24", (link("sukra"),)),
    ),
    nodes=(Node("pop-patrol", "PoP Patrol", "10.77.0.14", ProbeRules()),),
)
ALERTS = AlertSettings(
    channels=(ChannelSettings("chat", "telegram"),),
    people=(Person("ani", "Ani", ("chat",)), Person("budi", "Budi", ("chat",))),
    base_url="https://pantau.example",
)
SILENCE = IncidentEvidence(lost_in_row=22, silence_s=5.2, loss_before=0.004)
T = at("14:05")
DOWN = Incident(17, Scope.LINK, "anjatan/utama", State.DOWN, T, T, "silence", SILENCE)
NODE = replace(
    DOWN,
    id=18,
    scope=Scope.NODE,
    target="pop-patrol",
    affected=("anjatan/utama", "anjatan/cadangan", "sukra/utama"),
)
ISOLATED = Incident(
    *(19, Scope.MONITOR, "monitor", State.UNKNOWN, T, T, "isolated"),
    IncidentEvidence(silent_share=1.0),
)
LOSS = replace(
    DOWN,
    state=State.DEGRADED,
    reason="loss",
    evidence=IncidentEvidence(loss_ratio=0.124, limit=0.05),
)


def ended(incident: Incident, clock: str, why: str = "reply") -> Incident:
    return replace(incident, ended_s=at(clock), end_reason=why)


def context(
    *incidents: Incident,
    event: EventKind = EventKind.OPENED,
    reason: Reason = Reason.FIRST_NOTICE,
    clock: str = "14:08",
    language: str = "id",
    **more: Any,
) -> NotificationContext:
    ani = Recipient("ani", "chat")
    return NotificationContext(event, reason, incidents, ani, language, at(clock), **more)


def written(about: NotificationContext) -> Wording:
    return MessageWriter(NETWORK, ALERTS, WIB).write(about)


def test_an_opening_names_all_facts_in_indonesian_and_in_english() -> None:
    cause = replace(DOWN, suspected_cause="link", evidence=replace(SILENCE, port_oper=2))
    about = context(cause, notified=("ani", "budi", "channel:hook"))
    assert written(about).text.split("\n") == [
        "PUTUS: Anjatan · utama, sejak 14.05 WIB",
        "Sudah 3 mnt · tidak menjawab, 22 permintaan hilang berturut-turut dalam 5 dtk",
        "Dugaan: jalur (porta router mati)",
        "Jalur lain: cadangan (LTE)",
        "Penyedia A · 0800-1-000 · no. sambungan FO-1234",
        "Juga diberi tahu: Budi, hook",
        "https://pantau.example/i/17",
    ]
    assert written(context(DOWN, language="en", notified=("budi",))).text.split("\n") == [
        "DOWN: Anjatan · utama, since 14:05 WIB",
        "For 3 min · no answer, 22 requests lost in a row within 5 s",
        "Other links: cadangan (LTE)",
        "Penyedia A · 0800-1-000 · circuit FO-1234",
        "Also told: Budi",
        "https://pantau.example/i/17",
    ]


STILL = "MASIH PUTUS: Anjatan · utama, sejak 14.05 WIB|STILL DOWN: Anjatan · utama, since 14:05 WIB"


@pytest.mark.parametrize(
    ("titles", "about"),
    [
        (
            "TERGANGGU: Anjatan · utama, sejak 14.05 WIB"
            "|DEGRADED: Anjatan · utama, since 14:05 WIB",
            context(LOSS),
        ),
        ("PUTUS: PoP Patrol, sejak 14.05 WIB|DOWN: PoP Patrol, since 14:05 WIB", context(NODE)),
        (
            "TERPUTUS DARI JARINGAN: Pemantau, sejak 14.05 WIB"
            "|CUT OFF FROM THE NETWORK: Monitor, since 14:05 WIB",
            context(ISOLATED),
        ),
        (
            "PULIH: Anjatan · utama, 14.09 WIB, putus 4 mnt"
            "|UP AGAIN: Anjatan · utama, 14:09 WIB, was down 4 min",
            context(ended(DOWN, "14:09"), event=RESOLVED, reason=Reason.RESOLVED),
        ),
        (
            "SEMPAT PUTUS: Anjatan · utama, 4 mnt (14.05–14.09 WIB)"
            "|WAS DOWN: Anjatan · utama, 4 min (14:05–14:09 WIB)",
            context(ended(DOWN, "14:09"), event=RESOLVED, reason=Reason.WAS_DOWN),
        ),
        (
            "SELESAI: Anjatan · utama, 14.09 WIB, menjadi putus; terganggu 4 mnt"
            "|ENDED: Anjatan · utama, 14:09 WIB, it went down; was degraded 4 min",
            context(ended(LOSS, "14:09", "down"), event=RESOLVED),
        ),
        (
            STILL,
            context(DOWN, event=EventKind.REMINDER, reason=Reason.REMINDER_DUE, clock="15:10"),
        ),
        (STILL, context(DOWN, reason=Reason.ESCALATION_STEP, escalated=True)),
        (
            "TIDAK STABIL: Anjatan · utama, sejak 14.08 WIB"
            "|FLAPPING: Anjatan · utama, since 14:08 WIB",
            context(DOWN, event=UPDATED, reason=Reason.FLAPPING_BEGAN),
        ),
        (
            "STABIL LAGI: Anjatan · utama, 14.08 WIB|STEADY AGAIN: Anjatan · utama, 14:08 WIB",
            context(ended(DOWN, "14:06"), event=UPDATED, reason=Reason.FLAPPING_OVER),
        ),
        (
            "PUTUS SETELAH PEMELIHARAAN: Anjatan · utama, sejak 14.05 WIB"
            "|DOWN AFTER MAINTENANCE: Anjatan · utama, since 14:05 WIB",
            context(DOWN, event=UPDATED, reason=Reason.MAINTENANCE_OVER),
        ),
        (
            "3 GANGGUAN, sejak 14.05 WIB|3 INCIDENTS, since 14:05 WIB",
            context(DOWN, NODE, ISOLATED, event=DIGEST, reason=Reason.DIGEST),
        ),
        (
            "PUTUS: 2 sasaran, sejak 14.05 WIB|DOWN: 2 targets, since 14:05 WIB",
            context(DOWN, NODE, event=DIGEST, reason=Reason.DIGEST),
        ),
        (
            "PULIH: semua 2 sasaran, 14.07 WIB|UP AGAIN: all 2 targets, 14:07 WIB",
            context(ended(DOWN, "14:07"), ended(NODE, "14:06"), event=RESOLVED),
        ),
        (
            "PULIH: 1 dari 2 sasaran, 14.07 WIB|UP AGAIN: 1 of 2 targets, 14:07 WIB",
            context(ended(DOWN, "14:07"), NODE, event=UPDATED),
        ),
        (
            "UJI: pemberitahuan pantau berfungsi, 07.30 WIB|TEST: pantau's alerts work, 07:30 WIB",
            context(event=EventKind.TEST, reason=Reason.TEST, clock="07:30"),
        ),
    ],
)
def test_the_first_line_is_the_title_and_names_state_target_and_time(
    titles: str, about: NotificationContext
) -> None:
    for language, title in zip(("id", "en"), titles.split("|"), strict=True):
        wording = written(replace(about, language=language))
        assert (wording.title, wording.text.split("\n")[0]) == (title, title)


@pytest.mark.parametrize(
    ("about", "part"),
    [
        (
            context(NODE),
            "3 jalur di belakangnya: Anjatan · utama, Anjatan · cadangan, Sukra · utama\n",
        ),
        (
            context(ended(DOWN, "14:07"), NODE, event=DIGEST),
            "PUTUS PoP Patrol, 14.05\npulih Anjatan · utama, 2 mnt\n",
        ),
        (context(replace(DOWN, started_s=T - 86_400 * 2)), ", sejak 22 Nov 14.05 WIB\n"),
        (context(replace(DOWN, started_s=T - 86_400 * 2)), "Sudah 2 hari · "),
        (context(replace(DOWN, started_earliest_s=at("13:50"))), " mungkin sudah sejak 13.50"),
        (
            context(DOWN, reason=Reason.ESCALATION_STEP, escalated=True),
            "Belum ada yang menangani.\n",
        ),
    ],
)
def test_a_text_contains(about: NotificationContext, part: str) -> None:
    assert part in written(about).text


@pytest.mark.parametrize(
    ("cause", "evidence", "line"),
    [
        ("power", {"router_uptime_s": 240.0}, "listrik (router menyala ulang, 4 mnt lalu)"),
        ("power", {"near_sites": ("sukra",)}, "listrik (putus bersamaan: Sukra)"),
        ("link", {"router_uptime_s": 86_400.0}, "jalur (router tidak mati, menyala 1 hari)"),
        ("congestion", {"utilisation": 0.97}, "jalur penuh (97 % kapasitas terpakai)"),
        ("upstream", {}, "hulu"),
    ],
)
def test_a_suspected_cause_comes_with_its_evidence(
    cause: str, evidence: dict[str, Any], line: str
) -> None:
    incident = replace(DOWN, suspected_cause=cause, evidence=IncidentEvidence(**evidence))
    assert f"Dugaan: {line}" in written(context(incident)).text.split("\n")


def test_where_the_path_breaks_off_is_in_the_text_while_the_outage_lasts() -> None:
    finding = PathFinding(
        FindingKind.STOPPED,
        at("14:05"),
        NamedHop(3, "10.77.0.11", "PoP Jatibarang"),
        usual_hops=5,
        changed_s=at("10:00"),
    )
    incident = replace(DOWN, evidence=IncidentEvidence(path=finding))
    lines = written(context(incident)).text.split("\n")
    assert (
        "Terakhir menjawab: 10.77.0.11 PoP Jatibarang; biasanya 5 lompatan, kini berhenti di 3;"
        " jalur berubah pada 10.00 WIB"
    ) in lines
    over = replace(incident, ended_s=at("14:30"), end_reason="reply")
    assert "menjawab: 10" not in written(context(over, event=RESOLVED)).text


def test_actions_of_people_are_in_the_text() -> None:
    actions = (
        IncidentAction(17, ActionKind.ACKNOWLEDGE, "Budi", at("14:06"), until_s=at("16:00")),
        IncidentAction(17, ActionKind.TICKET, "Budi", at("14:06"), "TKT-7"),
        IncidentAction(17, ActionKind.NOTE, "Budi", at("14:06"), "lama"),
        IncidentAction(17, ActionKind.NOTE, "Budi", at("14:07"), "penyedia dihubungi"),
        IncidentAction(17, ActionKind.CAUSE, "Ani", at("14:07"), "power"),
        IncidentAction(99, ActionKind.NOTE, "Budi", at("14:07"), "lain"),
    )
    lines = written(context(DOWN, actions=actions)).text.split("\n")
    assert {
        "Ditangani Budi sampai 16.00 WIB",
        "Tiket: TKT-7",
        "Catatan 14.07 (Budi): penyedia dihubungi",
        "Penyebab (kata Ani): listrik",
    } <= set(lines)
    text = "\n".join(lines).replace("Jalur lain", "")
    assert not any(word in text for word in ("lama", "lain"))
    assert "Ditangani" not in written(context(DOWN, actions=actions, clock="16:30")).text


def test_a_list_is_cut_at_a_whole_item_and_counts_the_items_left_out() -> None:
    many = replace(NODE, affected=tuple(f"anjatan/{number}" for number in range(60)))
    text = written(context(many, most_characters=300)).text
    assert len(text) <= 300
    listed = next(line for line in text.split("\n") if line.startswith("60 jalur"))
    shown = listed.partition(": ")[2].split(", ")
    assert shown[-1] == f"+{60 - (len(shown) - 1)} lagi"
    assert shown[:-1] == [f"anjatan/{number}" for number in range(len(shown) - 1)]
    assert text.startswith("PUTUS: PoP Patrol, sejak 14.05 WIB\n")
    assert "anjatan/14, +45 lagi" in written(context(many)).text
    assert "https://pantau.example/i/18" in text


UNSAFE = st.text(
    st.one_of(st.characters(), st.sampled_from("\x00\n\r\t\x1b\u202e\u2066\u200f\u2028\ud800")),
    max_size=200,
)


@given(
    name=UNSAFE,
    error=UNSAFE,
    note=UNSAFE,
    language=st.sampled_from(["id", "en"]),
    most=st.integers(40, 600),
    count=st.integers(1, 40),
    over=st.booleans(),
    event=st.sampled_from(list(EventKind)),
    reason=st.sampled_from(list(Reason)),
)
def test_no_text_exceeds_its_limit_or_contains_an_unsafe_character(
    name: str,
    error: str,
    note: str,
    language: str,
    most: int,
    count: int,
    over: bool,
    event: EventKind,
    reason: Reason,
) -> None:
    """Whatever a device, a provider or a person wrote."""
    site = Site("s", name, "32.12.01", (replace(link("s"), provider=name, contact=note),))
    node = Node("n", error, "10.0.0.1", ProbeRules())
    alerts = replace(ALERTS, people=(Person("budi", name, ("chat",)),))
    incident = Incident(
        *(1, Scope.LINK, "s/utama", State.DOWN, T, T, error, IncidentEvidence(error=error)),
        ended_s=at("14:06") if over else None,
        suspected_cause=note,
        affected=("s/utama", "n", "gone"),
    )
    about = context(
        *([incident] * count),
        event=event,
        reason=reason,
        language=language,
        notified=("budi", name),
        actions=(IncidentAction(1, ActionKind.NOTE, name, T, note),),
        most_characters=most,
    )
    wording = MessageWriter(Network(sites=(site,), nodes=(node,)), alerts, WIB).write(about)
    assert wording.error is None
    assert 0 < len(wording.text) <= most
    assert 0 < len(wording.title) <= 110
    assert "\n" not in wording.title
    unsafe = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert {one for one in wording.text if unicodedata.category(one) in unsafe} <= {"\n"}
    assert "\n\n" not in wording.text
    wording.text.encode()


def test_with_a_key_the_link_is_signed_and_valid_for_a_week() -> None:
    about, key = context(DOWN), bytes(range(32))
    ledger = LedgerIdentity("k3v7q2ma")
    text = MessageWriter(NETWORK, ALERTS, WIB, key, ledger.value).write(about).text
    line = next(line for line in text.splitlines() if line.startswith("https://"))
    address, code = line.split("?k=")
    assert address == "https://pantau.example/i/17"
    end_s = about.at_s + LINK_LIFETIME_S
    assert check_link_code(key, ledger, 17, code, end_s - 5) is LinkState.VALID
    assert check_link_code(key, ledger, 17, code, end_s + 5) is LinkState.EXPIRED


SINCE = "since 2026-11-24 07:05:00 UTC"


@pytest.mark.parametrize(
    ("about", "text"),
    [
        (context(DOWN), f"opened: down anjatan/utama {SINCE}"),
        (
            context(ended(DOWN, "14:09"), NODE, event=RESOLVED),
            f"resolved: down anjatan/utama {SINCE} until 2026-11-24 07:09:00 UTC\n"
            f"resolved: down pop-patrol {SINCE}",
        ),
        (context(replace(DOWN, started_s=inf)), "opened: down anjatan/utama since inf s"),
        (context(event=EventKind.TEST), "test"),
        (context(self_check=SelfCheckReport(SelfCheck.JOURNAL, T)), f"opened: journal {SINCE}"),
    ],
)
def test_the_plain_text_names_state_target_and_times(about: NotificationContext, text: str) -> None:
    """It is sent when the proper text cannot be made (see test_notifier)."""
    assert plain_text(about) == text
