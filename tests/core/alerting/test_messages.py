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
from monitor.core.alerting.office_status import Offices, OfficeStatus
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
    provider["via"] = ("pop-patrol",)
    return Link(name, f"{site}/{name}", site, "10.77.23.1", kind, ProbeRules(), **provider)


ANJATAN = (link("anjatan"), link("anjatan", "cadangan", "lte"))
SUKRA_LINK = replace(link("sukra"), provider="Penyedia B", contact="0800-2-000")
NETWORK = Network(
    sites=(
        Site("anjatan", "Anjatan", "32.12.23", ANJATAN),
        Site("sukra", "Sukra", "32.12.24", (SUKRA_LINK,)),
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
SUKRA = replace(DOWN, id=20, target="sukra/utama")
STATES = {"anjatan/utama": State.DOWN, "sukra/utama": State.DOWN}
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


def offices(**states: State) -> dict[str, OfficeStatus]:
    """Anjatan as it is now: `utama=State.DOWN`; a link that is not named is up."""
    found = Offices(NETWORK).status(
        [DOWN], lambda name: states.get(name.partition("/")[2], State.UP)
    )
    return dict(found)


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


ON_RESERVE = offices(utama=State.DOWN)
DARK = offices(utama=State.DOWN, cadangan=State.DOWN)


def test_an_opening_names_all_facts_in_indonesian_and_in_english() -> None:
    cause = replace(DOWN, suspected_cause="link", evidence=replace(SILENCE, port_oper=2))
    about = context(cause, notified=("ani", "budi", "channel:hook"), offices=ON_RESERVE)
    assert written(about).text.split("\n") == [
        "PUTUS: Anjatan · utama, kantor lewat cadangan, sejak 14.05 WIB (insiden 17)",
        "Kantor tetap terhubung lewat cadangan (LTE)",
        "Hubungi Penyedia A · 0800-1-000 · no. sambungan FO-1234",
        "Tangani: `pantau ack 17`",
        "Sudah 3 mnt · tidak menjawab, 22 permintaan hilang berturut-turut dalam 5 dtk",
        "Dugaan: jalur (porta router mati)",
        "Juga diberi tahu: Budi, hook",
        "https://pantau.example/i/17",
    ]
    english = context(DOWN, language="en", notified=("budi",), offices=ON_RESERVE, buttons=True)
    assert written(english).text.split("\n") == [
        "DOWN: Anjatan · utama, office on cadangan, since 14:05 WIB (incident 17)",
        "The office is still connected by cadangan (LTE)",
        "Call Penyedia A · 0800-1-000 · circuit FO-1234",
        "Take it: the button in Telegram or `pantau ack 17`",
        "For 3 min · no answer, 22 requests lost in a row within 5 s",
        "Also told: Budi",
        "https://pantau.example/i/17",
    ]


def test_a_dark_office_is_one_message_that_names_both_links() -> None:
    second = replace(DOWN, id=18, target="anjatan/cadangan", started_s=T + 4)
    about = context(
        DOWN, second, event=DIGEST, reason=Reason.SAME_OFFICE, offices=DARK, buttons=True
    )
    assert written(about).text.split("\n") == [
        "KANTOR GELAP: Anjatan, kedua jalur putus, sejak 14.05 WIB (insiden 17, 18)",
        "Hubungi Penyedia A · 0800-1-000 · no. sambungan FO-1234",
        "Tangani: tombol di Telegram atau `pantau ack 17` (berlaku untuk semua jalur kantor ini)",
        "utama: Sudah 3 mnt · tidak menjawab, 22 permintaan hilang berturut-turut dalam 5 dtk",
        "cadangan: Sudah 3 mnt · tidak menjawab, 22 permintaan hilang berturut-turut dalam 5 dtk",
        "https://pantau.example/i/17",
    ]


TAKEN = (IncidentAction(17, ActionKind.ACKNOWLEDGE, "Budi", at("14:06"), until_s=at("16:00")),)
SECOND = replace(DOWN, id=18, target="anjatan/cadangan")
REMINDER: dict[str, Any] = {
    "event": EventKind.REMINDER,
    "reason": Reason.REMINDER_DUE,
    "clock": "15:10",
}
ESCALATED: dict[str, Any] = {"reason": Reason.ESCALATION_STEP, "escalated": True, "clock": "14:20"}


@pytest.mark.parametrize(
    ("titles", "about"),
    [
        (
            "PUTUS: Anjatan · utama, kantor lewat cadangan, sejak 14.05 WIB (insiden 17)"
            "|DOWN: Anjatan · utama, office on cadangan, since 14:05 WIB (incident 17)",
            context(DOWN, offices=ON_RESERVE),
        ),
        (
            "PUTUS: Anjatan · utama, sejak 14.05 WIB (insiden 17)"
            "|DOWN: Anjatan · utama, since 14:05 WIB (incident 17)",
            context(DOWN),
        ),
        (
            "PUTUS: Anjatan · utama, cadangan tidak diketahui, sejak 14.05 WIB (insiden 17)"
            "|DOWN: Anjatan · utama, cadangan not known, since 14:05 WIB (incident 17)",
            context(DOWN, offices=offices(utama=State.DOWN, cadangan=State.UNKNOWN)),
        ),
        (
            "KANTOR GELAP: Anjatan, kini cadangan juga putus, sejak 14.05 WIB (insiden 18)"
            "|OFFICE DARK: Anjatan, now cadangan is down too, since 14:05 WIB (incident 18)",
            context(SECOND, reason=Reason.SAME_OFFICE, offices=DARK),
        ),
        (
            "KANTOR GELAP: Anjatan, tidak ada jalur yang menjawab, sejak 14.05 WIB (insiden 17)"
            "|OFFICE DARK: Anjatan, no link answers, since 14:05 WIB (incident 17)",
            context(DOWN, offices=offices(utama=State.DOWN, cadangan=State.UNREACHABLE)),
        ),
        (
            "TERGANGGU: Anjatan · utama, hilang paket 12 %, sejak 14.05 WIB (insiden 17)"
            "|DEGRADED: Anjatan · utama, packet loss 12%, since 14:05 WIB (incident 17)",
            context(LOSS, offices=offices(utama=State.DEGRADED)),
        ),
        (
            "PUTUS: PoP Patrol, 3 jalur ikut putus, 1 kantor GELAP, sejak 14.05 WIB (insiden 18)"
            "|DOWN: PoP Patrol, 3 links cut off, 1 office DARK, since 14:05 WIB (incident 18)",
            context(NODE, offices=offices(utama=State.UNREACHABLE, cadangan=State.UNREACHABLE)),
        ),
        (
            "PEMANTAU TERPUTUS DARI JARINGAN, keadaan jalur tidak diketahui, sejak 14.05 WIB"
            " (insiden 19)"
            "|THE MONITOR IS CUT OFF, the states of the links are not known, since 14:05 WIB"
            " (incident 19)",
            context(ISOLATED),
        ),
        (
            "PULIH: pemantau mengukur lagi, 14.09 WIB, setelah 4 mnt (insiden 19)"
            "|RESOLVED: the monitor measures again, 14:09 WIB, after 4 min (incident 19)",
            context(ended(ISOLATED, "14:09"), event=RESOLVED, reason=Reason.RESOLVED),
        ),
        (
            "PULIH: Anjatan · utama, 14.09 WIB, putus 4 mnt (insiden 17)"
            "|UP AGAIN: Anjatan · utama, 14:09 WIB, was down 4 min (incident 17)",
            context(
                ended(DOWN, "14:09"), event=RESOLVED, reason=Reason.RESOLVED, offices=offices()
            ),
        ),
        (
            "PULIH: Anjatan · utama, 14.09 WIB, putus 4 mnt, cadangan masih putus (insiden 17)"
            "|UP AGAIN: Anjatan · utama, 14:09 WIB, was down 4 min, cadangan is still down"
            " (incident 17)",
            context(
                ended(DOWN, "14:09"),
                event=RESOLVED,
                reason=Reason.RESOLVED,
                offices=offices(cadangan=State.DOWN),
            ),
        ),
        (
            "SEMPAT PUTUS, SUDAH PULIH: Anjatan · utama, 40 dtk, 14.05.00–14.05.40 WIB"
            " (insiden 17)"
            "|WAS DOWN, IS UP AGAIN: Anjatan · utama, 40 s, 14:05:00–14:05:40 WIB"
            " (incident 17)",
            context(ended(DOWN, "14:05:40"), event=RESOLVED, reason=Reason.WAS_DOWN),
        ),
        (
            "KINI PUTUS: Anjatan · utama, 14.09 WIB, terganggu 4 mnt (insiden 17)"
            "|NOW DOWN: Anjatan · utama, 14:09 WIB, was degraded 4 min (incident 17)",
            context(ended(LOSS, "14:09", "down"), event=RESOLVED),
        ),
        (
            "KINI TIDAK TERJANGKAU: Anjatan · utama, 14.09 WIB, terganggu 4 mnt (insiden 17)"
            "|NOW UNREACHABLE: Anjatan · utama, 14:09 WIB, was degraded 4 min (incident 17)",
            context(ended(LOSS, "14:09", "parent_down"), event=RESOLVED),
        ),
        (
            "TIDAK DIPANTAU LAGI: Anjatan · utama, 14.09 WIB, putus 4 mnt (insiden 17)"
            "|NO LONGER WATCHED: Anjatan · utama, 14:09 WIB, was down 4 min (incident 17)",
            context(ended(DOWN, "14:09", "removed"), event=RESOLVED),
        ),
        (
            "MASIH PUTUS: Anjatan · utama, kantor lewat cadangan, sejak 14.05 WIB (insiden 17)"
            "|STILL DOWN: Anjatan · utama, office on cadangan, since 14:05 WIB (incident 17)",
            context(DOWN, offices=ON_RESERVE, **REMINDER),
        ),
        (
            "KANTOR MASIH GELAP: Anjatan, kedua jalur putus, sejak 14.05 WIB (insiden 17, 18)"
            "|OFFICE STILL DARK: Anjatan, both links down, since 14:05 WIB (incidents 17, 18)",
            context(DOWN, SECOND, offices=DARK, **REMINDER),
        ),
        (
            "MASIH PUTUS, BELUM DITANGANI: Anjatan · utama, sejak 14.05 WIB (insiden 17)"
            "|STILL DOWN, NOBODY HAS IT: Anjatan · utama, since 14:05 WIB (incident 17)",
            context(DOWN, **ESCALATED),
        ),
        (
            "TIDAK STABIL: Anjatan · utama, putus-sambung berulang, 14.08 WIB (insiden 17)"
            "|FLAPPING: Anjatan · utama, down and up again and again, 14:08 WIB (incident 17)",
            context(DOWN, event=UPDATED, reason=Reason.FLAPPING_BEGAN),
        ),
        (
            "STABIL LAGI: Anjatan · utama, 14.08 WIB (insiden 17)"
            "|STEADY AGAIN: Anjatan · utama, 14:08 WIB (incident 17)",
            context(ended(DOWN, "14:06"), event=UPDATED, reason=Reason.FLAPPING_OVER),
        ),
        (
            "TETAP PUTUS: Anjatan · utama, tidak lagi putus-sambung, sejak 14.05 WIB (insiden 17)"
            "|STAYS DOWN: Anjatan · utama, no longer flapping, since 14:05 WIB (incident 17)",
            context(DOWN, event=UPDATED, reason=Reason.FLAPPING_OVER),
        ),
        (
            "PUTUS SETELAH PEMELIHARAAN: Anjatan · utama, sejak 14.05 WIB (insiden 17)"
            "|DOWN AFTER MAINTENANCE: Anjatan · utama, since 14:05 WIB (incident 17)",
            context(DOWN, event=UPDATED, reason=Reason.MAINTENANCE_OVER),
        ),
        (
            "3 sasaran BERMASALAH, sejak 14.05 WIB (insiden 17–19)"
            "|3 targets IN TROUBLE, since 14:05 WIB (incidents 17–19)",
            context(DOWN, NODE, ISOLATED, event=DIGEST, reason=Reason.DIGEST),
        ),
        (
            "PUTUS: 2 jalur, semuanya lewat PoP Patrol, sejak 14.05 WIB (insiden 17, 20)"
            "|DOWN: 2 links, all via PoP Patrol, since 14:05 WIB (incidents 17, 20)",
            context(DOWN, SUKRA, event=DIGEST, reason=Reason.DIGEST),
        ),
        (
            "MASIH PUTUS: 2 jalur, semuanya lewat PoP Patrol, sejak 14.05 WIB (insiden 17, 20)"
            "|STILL DOWN: 2 links, all via PoP Patrol, since 14:05 WIB (incidents 17, 20)",
            context(DOWN, SUKRA, **REMINDER),
        ),
        (
            "PULIH: 2 sasaran, 14.07 WIB (insiden 17, 18)"
            "|UP AGAIN: 2 targets, 14:07 WIB (incidents 17, 18)",
            context(ended(DOWN, "14:07"), ended(NODE, "14:06"), event=RESOLVED),
        ),
        (
            "PULIH: 1 dari 2 sasaran, 14.07 WIB (insiden 17, 18)"
            "|UP AGAIN: 1 of 2 targets, 14:07 WIB (incidents 17, 18)",
            context(ended(DOWN, "14:07"), NODE, event=UPDATED),
        ),
        (
            "UJI: pemberitahuan pantau berfungsi, 07.30 WIB|TEST: pantau's alerts work, 07:30 WIB",
            context(event=EventKind.TEST, reason=Reason.TEST, clock="07:30"),
        ),
    ],
)
def test_the_first_line_is_the_title_and_says_all(titles: str, about: NotificationContext) -> None:
    for language, title in zip(("id", "en"), titles.split("|"), strict=True):
        wording = written(replace(about, language=language))
        assert (wording.title, wording.text.split("\n")[0]) == (title, title)


@pytest.mark.parametrize(
    ("states", "line"),
    [
        ({"utama": State.DOWN}, "Kantor tetap terhubung lewat cadangan (LTE)"),
        (
            {"utama": State.DOWN, "cadangan": State.DEGRADED},
            "Kantor tetap terhubung lewat cadangan (LTE, terganggu)",
        ),
        (
            {"utama": State.DOWN, "cadangan": State.UNKNOWN},
            "Tidak diketahui apakah kantor masih terhubung: tidak ada data dari cadangan (LTE)",
        ),
        (
            {"utama": State.DOWN, "cadangan": State.UNREACHABLE},
            "Kantor GELAP: tidak ada jalur yang menjawab; utama putus;"
            " cadangan tidak terjangkau (hulu putus)",
        ),
        (
            {"utama": State.DOWN, "cadangan": State.DOWN},
            "KANTOR GELAP: Anjatan, kedua jalur putus, sejak 14.05 WIB (insiden 17)",
        ),
    ],
)
def test_the_office_is_said_from_the_present_states_of_its_links(
    states: dict[str, State], line: str
) -> None:
    assert line in written(context(DOWN, offices=offices(**states))).text.split("\n")


def test_of_three_links_all_others_are_named() -> None:
    links = (*ANJATAN, link("anjatan", "satelit", "vsat"))
    network = Network(sites=(Site("anjatan", "Anjatan", "32.12.23", links),))
    states = {"anjatan/utama": State.DOWN, "anjatan/satelit": State.DOWN}

    def said(maintenance: tuple[str, ...] = ()) -> list[str]:
        status = Offices(network).status([DOWN], lambda n: states.get(n, State.UP), maintenance)
        about = context(DOWN, offices=status)
        return MessageWriter(network, ALERTS, WIB).write(about).text.split("\n")

    assert said()[1] == "Kantor tetap terhubung lewat cadangan (LTE); satelit putus"
    assert said(("anjatan/satelit",))[1].endswith("satelit putus (pemeliharaan: satelit)")
    states["anjatan/cadangan"] = State.DOWN
    assert said()[0].startswith("KANTOR GELAP: Anjatan, semua 3 jalur putus, sejak")


def test_an_office_with_one_link_is_dark_without_it() -> None:
    only = replace(DOWN, target="sukra/utama")
    status = Offices(NETWORK).status([only], lambda _: State.DOWN)
    lines = written(context(only, offices=status)).text.split("\n")
    assert lines[0] == "KANTOR GELAP: Sukra, satu-satunya jalur putus, sejak 14.05 WIB (insiden 17)"
    assert "Tangani: `pantau ack 17`" in lines


@pytest.mark.parametrize(
    ("about", "part"),
    [
        (
            context(NODE),
            "3 jalur di belakangnya: Anjatan · utama, Anjatan · cadangan, Sukra · utama\n",
        ),
        (context(NODE), "\nPeriksa PoP Patrol (10.77.0.14): listrik, perangkat, jalur ke sana\n"),
        (
            context(ended(DOWN, "14:07"), NODE, event=DIGEST),
            "PUTUS PoP Patrol, 14.05 (insiden 18)\npulih Anjatan · utama, putus 2 mnt\n",
        ),
        (
            context(ended(LOSS, "14:07", "down"), ended(NODE, "14:07"), event=RESOLVED),
            "tidak lagi terganggu Anjatan · utama, tetapi belum pulih\n",
        ),
        (context(replace(DOWN, started_s=T - 86_400 * 2)), ", sejak 22 Nov 14.05 WIB "),
        (context(replace(DOWN, started_s=T - 86_400 * 2)), "Sudah 2 hari · "),
        (context(replace(DOWN, started_earliest_s=at("13:50"))), " mungkin sudah sejak 13.50"),
        (context(DOWN, **REMINDER), "Belum ada yang menangani.\n"),
        (context(DOWN, clock="14:05:40"), "\nSudah 40 dtk · "),
        (
            context(ended(DOWN, "14:05:40"), event=RESOLVED, reason=Reason.WAS_DOWN),
            "Sudah selesai sebelum pesan ini dikirim.\n",
        ),
        (
            context(ended(DOWN, "14:09"), event=RESOLVED, offices=offices()),
            "\nTidak ada yang perlu dilakukan.\n",
        ),
        (
            context(replace(DOWN, suspected_cause="power")),
            "Tanyakan dulu listrik di kantor; bila menyala, hubungi Penyedia A",
        ),
        (context(ISOLATED), "Periksa kabel, switch, dan gateway server pemantau\n"),
        (
            context(replace(DOWN, state=State.UNKNOWN, reason="not_measured")),
            "Belum tentu putus: pemantau tidak dapat mengukurnya.",
        ),
    ],
)
def test_a_text_contains(about: NotificationContext, part: str) -> None:
    assert part in written(about).text


def test_a_recovery_beside_a_link_that_is_down_does_not_say_that_nothing_is_to_be_done() -> None:
    about = context(ended(DOWN, "14:09"), event=RESOLVED, offices=offices(cadangan=State.DOWN))
    text = written(about).text
    assert "\nKantor terhubung lewat utama (serat optik); cadangan putus\n" in text
    assert "Tidak ada yang perlu" not in text


def test_what_somebody_has_in_hand_is_not_asked_to_be_taken() -> None:
    text = written(context(DOWN, actions=TAKEN)).text
    assert "Ditangani Budi sampai 16.00 WIB" in text
    assert "pantau ack" not in text
    assert "pantau ack 17" in written(context(DOWN, actions=TAKEN, clock="16:30")).text


def test_a_digest_names_what_is_common_the_dark_offices_and_whom_to_call() -> None:
    status = Offices(NETWORK).status([DOWN, SUKRA], lambda name: STATES.get(name, State.UP))
    about = context(DOWN, SUKRA, event=DIGEST, reason=Reason.DIGEST, offices=status)
    assert written(about).text.split("\n") == [
        "PUTUS: 2 jalur, 1 kantor GELAP, semuanya lewat PoP Patrol, sejak 14.05 WIB"
        " (insiden 17, 20)",
        "Yang sama: semuanya lewat PoP Patrol",
        "Kantor GELAP: Sukra",
        "Kantor yang tetap terhubung lewat jalur lain: Anjatan",
        "Hubungi Penyedia A · 0800-1-000; Penyedia B · 0800-2-000",
        "Tangani: `pantau ack 17 20`",
        "PUTUS Anjatan · utama, 14.05 (insiden 17)",
        "PUTUS Sukra · utama, 14.05 (insiden 20)",
        "Daftar: https://pantau.example/insiden",
    ]


def test_a_large_digest_counts_what_is_common_and_points_to_the_list() -> None:
    sites = tuple(
        Site(
            f"s{n}",
            f"Kec {n}",
            "32.12.01",
            (replace(link(f"s{n}"), via=("pop-patrol",) if n < 12 else ()),),
        )
        for n in range(14)
    )
    network = replace(NETWORK, sites=sites)
    many = [replace(DOWN, id=30 + n, target=f"s{n}/utama") for n in range(14)]
    about = context(*many, event=DIGEST, reason=Reason.DIGEST)
    lines = MessageWriter(network, ALERTS, WIB).write(about).text.split("\n")
    assert lines[0] == (
        "PUTUS: 14 jalur, 12 dari 14 lewat PoP Patrol, sejak 14.05 WIB (insiden 30–43)"
    )
    assert lines[1] == "Yang sama: 12 dari 14 lewat PoP Patrol; semuanya Penyedia A"
    assert "Tangani lewat daftar di bawah" in lines
    assert lines[-1] == "Daftar: https://pantau.example/insiden"


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
    assert not any(word in "\n".join(lines) for word in ("lama", "lain"))
    assert "Ditangani" not in written(context(DOWN, actions=actions, clock="16:30")).text


def test_a_list_is_cut_at_a_whole_item_and_counts_the_items_left_out() -> None:
    many = replace(NODE, affected=tuple(f"anjatan/{number}" for number in range(60)))
    text = written(context(many, most_characters=340)).text
    assert len(text) <= 340
    listed = next(line for line in text.split("\n") if line.startswith("60 jalur"))
    shown = listed.partition(": ")[2].split(", ")
    assert shown[-1] == f"+{60 - (len(shown) - 1)} lagi"
    assert shown[:-1] == [f"anjatan/{number}" for number in range(len(shown) - 1)]
    assert text.startswith("PUTUS: PoP Patrol, 60 jalur ikut putus, sejak 14.05 WIB (insiden 18)\n")
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
