"""What a message says: the facts that a person needs, in both languages, within every limit."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import datetime
from math import inf
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
from monitor.core.signing import LINK_LIFETIME_S, check_link_code

WIB = ZoneInfo("Asia/Jakarta")


def at(text: str) -> float:
    return datetime.fromisoformat(f"2026-11-24T{text}").replace(tzinfo=WIB).timestamp()


def link(site: str, name: str = "utama", kind: str = "fibre") -> Link:
    return Link(
        name,
        f"{site}/{name}",
        site,
        "10.77.23.1",
        kind,
        ProbeRules(),
        provider="Penyedia A",
        circuit="FO-1234",
        contact="0800-1-000",
    )


NETWORK = Network(
    sites=(
        Site(
            "anjatan", "Anjatan", "32.12.23", (link("anjatan"), link("anjatan", "cadangan", "lte"))
        ),
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
DOWN = Incident(
    17, Scope.LINK, "anjatan/utama", State.DOWN, at("14:05"), at("14:05"), "silence", SILENCE
)
NODE = Incident(
    18,
    Scope.NODE,
    "pop-patrol",
    State.DOWN,
    at("14:05"),
    at("14:05"),
    "silence",
    SILENCE,
    affected=("anjatan/utama", "anjatan/cadangan", "sukra/utama"),
)
CUT_OFF = Incident(
    19,
    Scope.MONITOR,
    "monitor",
    State.UNKNOWN,
    at("14:05"),
    at("14:05"),
    "isolated",
    IncidentEvidence(silent_share=1.0),
)


def ended(incident: Incident, clock: str, why: str = "reply") -> Incident:
    return replace(incident, ended_s=at(clock), end_reason=why)


def notification(
    *incidents: Incident,
    event: EventKind = EventKind.OPENED,
    reason: Reason = Reason.FIRST_NOTICE,
    clock: str = "14:08",
    language: str = "id",
    told: tuple[str, ...] = (),
    actions: tuple[IncidentAction, ...] = (),
    most_characters: int = 4000,
    escalated: bool = False,
) -> NotificationContext:
    return NotificationContext(
        event,
        reason,
        incidents,
        Recipient("ani", "chat"),
        language,
        at(clock),
        told,
        actions,
        most_characters,
        escalated,
    )


def said(what: NotificationContext) -> Wording:
    words: MessageWriter = MessageWriter(NETWORK, ALERTS, WIB)
    return words.write(what)


def test_an_opening_says_everything_that_somebody_in_bed_needs() -> None:
    cause = replace(DOWN, suspected_cause="link", evidence=replace(SILENCE, port_oper=2))
    assert said(notification(cause, told=("ani", "budi", "channel:hook"))).text.split("\n") == [
        "PUTUS: Anjatan · utama, sejak 14.05 WIB",
        "Sudah 3 mnt · tidak menjawab, 22 permintaan hilang berturut-turut dalam 5 dtk",
        "Dugaan: jalur (porta router mati)",
        "Jalur lain: cadangan (LTE)",
        "Penyedia A · 0800-1-000 · no. sambungan FO-1234",
        "Juga diberi tahu: Budi, hook",
        "https://pantau.example/i/17",
    ]


def test_the_same_in_english() -> None:
    what = notification(DOWN, language="en", told=("budi",))
    assert said(what).text.split("\n") == [
        "DOWN: Anjatan · utama, since 14:05 WIB",
        "For 3 min · no answer, 22 requests lost in a row within 5 s",
        "Other links: cadangan (LTE)",
        "Penyedia A · 0800-1-000 · circuit FO-1234",
        "Also told: Budi",
        "https://pantau.example/i/17",
    ]


LOSS = replace(
    DOWN,
    state=State.DEGRADED,
    reason="loss",
    evidence=IncidentEvidence(loss_ratio=0.124, limit=0.05),
)


@pytest.mark.parametrize(
    ("what", "first_id", "first_en"),
    [
        (
            notification(LOSS),
            "TERGANGGU: Anjatan · utama, sejak 14.05 WIB",
            "DEGRADED: Anjatan · utama, since 14:05 WIB",
        ),
        (
            notification(NODE),
            "PUTUS: PoP Patrol, sejak 14.05 WIB",
            "DOWN: PoP Patrol, since 14:05 WIB",
        ),
        (
            notification(CUT_OFF),
            "TERPUTUS DARI JARINGAN: Pemantau, sejak 14.05 WIB",
            "CUT OFF FROM THE NETWORK: Monitor, since 14:05 WIB",
        ),
        (
            notification(ended(DOWN, "14:09"), event=EventKind.RESOLVED, reason=Reason.RESOLVED),
            "PULIH: Anjatan · utama, 14.09 WIB, putus 4 mnt",
            "UP AGAIN: Anjatan · utama, 14:09 WIB, was down 4 min",
        ),
        (
            notification(ended(DOWN, "14:09"), event=EventKind.RESOLVED, reason=Reason.WAS_DOWN),
            "SEMPAT PUTUS: Anjatan · utama, 4 mnt (14.05–14.09 WIB)",
            "WAS DOWN: Anjatan · utama, 4 min (14:05–14:09 WIB)",
        ),
        (
            notification(ended(LOSS, "14:09", "down"), event=EventKind.RESOLVED),
            "SELESAI: Anjatan · utama, 14.09 WIB, menjadi putus; terganggu 4 mnt",
            "ENDED: Anjatan · utama, 14:09 WIB, it went down; was degraded 4 min",
        ),
        (
            notification(DOWN, event=EventKind.REMINDER, reason=Reason.REMINDER_DUE, clock="15:10"),
            "MASIH PUTUS: Anjatan · utama, sejak 14.05 WIB",
            "STILL DOWN: Anjatan · utama, since 14:05 WIB",
        ),
        (
            notification(DOWN, reason=Reason.ESCALATION_STEP, escalated=True),
            "MASIH PUTUS: Anjatan · utama, sejak 14.05 WIB",
            "STILL DOWN: Anjatan · utama, since 14:05 WIB",
        ),
        (
            notification(DOWN, event=EventKind.UPDATED, reason=Reason.FLAPPING_BEGAN),
            "TIDAK STABIL: Anjatan · utama, sejak 14.08 WIB",
            "FLAPPING: Anjatan · utama, since 14:08 WIB",
        ),
        (
            notification(
                ended(DOWN, "14:06"), event=EventKind.UPDATED, reason=Reason.FLAPPING_OVER
            ),
            "STABIL LAGI: Anjatan · utama, 14.08 WIB",
            "STEADY AGAIN: Anjatan · utama, 14:08 WIB",
        ),
        (
            notification(DOWN, event=EventKind.UPDATED, reason=Reason.MAINTENANCE_OVER),
            "PUTUS SETELAH PEMELIHARAAN: Anjatan · utama, sejak 14.05 WIB",
            "DOWN AFTER MAINTENANCE: Anjatan · utama, since 14:05 WIB",
        ),
        (
            notification(DOWN, NODE, CUT_OFF, event=EventKind.DIGEST, reason=Reason.DIGEST),
            "3 GANGGUAN, sejak 14.05 WIB",
            "3 INCIDENTS, since 14:05 WIB",
        ),
        (
            notification(DOWN, NODE, event=EventKind.DIGEST, reason=Reason.DIGEST),
            "PUTUS: 2 sasaran, sejak 14.05 WIB",
            "DOWN: 2 targets, since 14:05 WIB",
        ),
        (
            notification(ended(DOWN, "14:07"), ended(NODE, "14:06"), event=EventKind.RESOLVED),
            "PULIH: semua 2 sasaran, 14.07 WIB",
            "UP AGAIN: all 2 targets, 14:07 WIB",
        ),
        (
            notification(ended(DOWN, "14:07"), NODE, event=EventKind.UPDATED),
            "PULIH: 1 dari 2 sasaran, 14.07 WIB",
            "UP AGAIN: 1 of 2 targets, 14:07 WIB",
        ),
        (
            notification(event=EventKind.TEST, reason=Reason.TEST, clock="07:30"),
            "UJI: pemberitahuan pantau berfungsi, 07.30 WIB",
            "TEST: pantau's alerts work, 07:30 WIB",
        ),
    ],
)
def test_the_first_line_says_state_place_and_time(
    what: NotificationContext, first_id: str, first_en: str
) -> None:
    """It is the title too, where a channel has one."""
    for language, first in (("id", first_id), ("en", first_en)):
        wording = said(replace(what, language=language))
        assert wording.title == first
        assert wording.text.split("\n")[0] == first


def test_a_node_lists_the_links_behind_it_and_a_digest_its_incidents() -> None:
    assert (
        "3 jalur di belakangnya: Anjatan · utama, Anjatan · cadangan, Sukra · utama"
        in said(notification(NODE)).text
    )
    digest = said(notification(ended(DOWN, "14:07"), NODE, event=EventKind.DIGEST)).text
    assert "\nPUTUS PoP Patrol, 14.05\npulih Anjatan · utama, 2 mnt\n" in digest


def test_another_day_is_named() -> None:
    long_ago = replace(DOWN, started_s=at("14:05") - 86_400 * 2)
    text = said(notification(long_ago)).text
    assert "sejak 22 Nov 14.05 WIB" in text
    assert "Sudah 2 hari · " in text


def test_what_a_blind_interval_hides_is_said() -> None:
    late = replace(DOWN, started_earliest_s=at("13:50"))
    assert "mungkin sudah sejak 13.50" in said(notification(late)).text


@pytest.mark.parametrize(
    ("cause", "proof", "says"),
    [
        (
            "power",
            IncidentEvidence(router_uptime_s=240.0),
            "Dugaan: listrik (router menyala ulang, 4 mnt lalu)",
        ),
        (
            "power",
            IncidentEvidence(near_sites=("sukra",)),
            "Dugaan: listrik (putus bersamaan: Sukra)",
        ),
        (
            "link",
            IncidentEvidence(router_uptime_s=86_400.0),
            "Dugaan: jalur (router tidak mati, menyala 1 hari)",
        ),
        (
            "congestion",
            IncidentEvidence(utilisation=0.97),
            "Dugaan: jalur penuh (97 % kapasitas terpakai)",
        ),
        ("upstream", IncidentEvidence(), "Dugaan: hulu"),
    ],
)
def test_a_suspected_cause_comes_with_its_evidence(
    cause: str, proof: IncidentEvidence, says: str
) -> None:
    text = said(notification(replace(DOWN, suspected_cause=cause, evidence=proof))).text
    assert says in text.split("\n")


def test_what_people_did_is_said() -> None:
    actions = (
        IncidentAction(17, ActionKind.ACKNOWLEDGE, "Budi", at("14:06"), until_s=at("16:00")),
        IncidentAction(17, ActionKind.TICKET, "Budi", at("14:06"), "TKT-7"),
        IncidentAction(17, ActionKind.NOTE, "Budi", at("14:06"), "lama"),
        IncidentAction(17, ActionKind.NOTE, "Budi", at("14:07"), "penyedia dihubungi"),
        IncidentAction(17, ActionKind.CAUSE, "Ani", at("14:07"), "power"),
        IncidentAction(99, ActionKind.NOTE, "Budi", at("14:07"), "lain"),
    )
    text = said(notification(DOWN, actions=actions)).text
    assert "Ditangani Budi sampai 16.00 WIB" in text
    assert "Tiket: TKT-7" in text
    assert "Catatan 14.07 (Budi): penyedia dihubungi" in text
    assert "Penyebab (kata Ani): listrik" in text
    assert "lama" not in text
    assert "lain" not in text.replace("Jalur lain", "")
    later = said(notification(DOWN, actions=actions, clock="16:30")).text
    assert "Ditangani" not in later


def test_an_escalation_says_that_nobody_took_it() -> None:
    text = said(notification(DOWN, reason=Reason.ESCALATION_STEP, escalated=True)).text
    assert "Belum ada yang menangani." in text


def test_a_list_is_cut_at_a_whole_item_and_says_how_many_are_left() -> None:
    many = replace(NODE, affected=tuple(f"anjatan/{number}" for number in range(60)))
    text = said(notification(many, most_characters=300)).text
    assert len(text) <= 300
    listed = next(line for line in text.split("\n") if line.startswith("60 jalur"))
    shown = listed.partition(": ")[2].split(", ")
    assert shown[-1] == f"+{60 - (len(shown) - 1)} lagi"
    assert shown[:-1] == [f"anjatan/{number}" for number in range(len(shown) - 1)]
    assert text.startswith("PUTUS: PoP Patrol, sejak 14.05 WIB\n")
    assert "anjatan/14, +45 lagi" in said(notification(many)).text
    assert "https://pantau.example/i/18" in text


_nasty = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x00\n\r\t\x1b\u202e\u2066\u200f\u2028\ud800"),
    ),
    max_size=200,
)


@given(
    name=_nasty,
    error=_nasty,
    note=_nasty,
    language=st.sampled_from(["id", "en"]),
    most=st.integers(40, 600),
    count=st.integers(1, 40),
    over=st.booleans(),
    event=st.sampled_from(list(EventKind)),
    reason=st.sampled_from(list(Reason)),
)
def test_no_text_is_over_the_limit_and_nothing_in_it_acts(
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
    """Whatever a device, a provider or a person writes: no control character gets through."""
    site = Site("s", name, "32.12.01", (replace(link("s"), provider=name, contact=note),))
    node = Node("n", error, "10.0.0.1", ProbeRules())
    alerts = replace(ALERTS, people=(Person("budi", name, ("chat",)),))
    incident = Incident(
        1,
        Scope.LINK,
        "s/utama",
        State.DOWN,
        at("14:05"),
        at("14:05"),
        error,
        IncidentEvidence(error=error),
        ended_s=at("14:06") if over else None,
        suspected_cause=note,
        affected=("s/utama", "n", "gone"),
    )
    what = notification(
        *([incident] * count),
        event=event,
        reason=reason,
        language=language,
        told=("budi", name),
        actions=(IncidentAction(1, ActionKind.NOTE, name, at("14:05"), note),),
        most_characters=most,
    )
    wording = MessageWriter(Network(sites=(site,), nodes=(node,)), alerts, WIB).write(what)
    assert 0 < len(wording.text) <= most
    assert 0 < len(wording.title) <= 110
    assert "\n" not in wording.title
    unwanted = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    found = {one for one in wording.text if unicodedata.category(one) in unwanted}
    assert found <= {"\n"}
    assert "\n\n" not in wording.text
    wording.text.encode()


def test_with_a_key_the_link_is_signed_and_opens_for_a_week() -> None:
    what = notification(DOWN)
    key = bytes(range(32))
    text = MessageWriter(NETWORK, ALERTS, WIB, key).write(what).text
    line = next(line for line in text.splitlines() if line.startswith("https://"))
    address, code = line.split("?k=")
    assert address == "https://pantau.example/i/17"
    assert check_link_code(key, 17, code, what.at_s + LINK_LIFETIME_S - 5) is True
    assert check_link_code(key, 17, code, what.at_s + LINK_LIFETIME_S + 5) is False


@pytest.mark.parametrize(
    ("context", "text"),
    [
        (notification(DOWN), "opened: down anjatan/utama since 2026-11-24 07:05:00 UTC"),
        (
            notification(ended(DOWN, "14:09"), NODE, event=EventKind.RESOLVED),
            "resolved: down anjatan/utama since 2026-11-24 07:05:00 UTC"
            " until 2026-11-24 07:09:00 UTC\n"
            "resolved: down pop-patrol since 2026-11-24 07:05:00 UTC",
        ),
        (notification(replace(DOWN, started_s=inf)), "opened: down anjatan/utama since inf s"),
        (notification(event=EventKind.TEST), "test"),
        (
            replace(notification(), self_check=SelfCheckReport(SelfCheck.JOURNAL, at("14:05"))),
            "opened: journal since 2026-11-24 07:05:00 UTC",
        ),
    ],
)
def test_the_plain_text_names_state_target_and_times_in_utc(
    context: NotificationContext, text: str
) -> None:
    """It stands in for a proper text that could not be made (see test_notifier)."""
    assert plain_text(context) == text
