"""Labels, times and numbers for the terminal: Bahasa Indonesia, local time."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from monitor.core.alerting.reasons import Reason
from monitor.core.printable import escaped_json, without_controls

STATE_NAMES = {
    "up": ("✓ Normal", "green"),
    "degraded": ("! Terganggu", "yellow"),
    "down": ("✕ Putus", "bold red"),
    "unreachable": ("− Tidak terjangkau", "magenta"),
    "unknown": ("? Tidak ada data", "dim"),
}
"""State → label with its symbol, and style."""

OVERLAY_NAMES = {
    "flapping": "tidak stabil",
    "maintenance": "pemeliharaan",
    "acknowledged": "ditangani",
}

REASON_NAMES = {
    "silence": "tidak menjawab",
    "parent_down": "hulu putus",
    "loss": "hilang paket di atas batas",
    "rtt": "latensi di atas batas",
    "not_measured": "tidak dapat diukur",
    "send_failure": "pemantau tidak dapat mengirim",
    "isolated": "pemantau terputus",
    "blind": "pemantau tidak berjalan",
    "still_silent": "masih tidak menjawab",
    "reply": "menjawab lagi",
    "first_reply": "jawaban pertama",
    "measured_again": "terukur lagi",
    "cleared": "di bawah batas lagi",
    "removed": "dihapus dari konfigurasi",
    "down": "menjadi putus",
}
"""Reason of a transition or incident → label."""

POLL_REASON_NAMES = {
    "timeout": "router tidak menjawab",
    "auth": "kata sandi SNMP ditolak",
    "no-secret": "kata sandi SNMP belum diisi",
    "refused": "router menolak permintaan",
    "not-sent": "permintaan tidak dapat dikirim dari mesin ini",
    "wrong-source": "jawaban datang dari alamat lain",
    "wrong-answer": "jawabannya tidak sesuai dengan permintaan",
    "malformed": "jawabannya rusak",
    "too-large": "jawabannya terlalu besar",
}
"""Reason of a failed SNMP poll → label."""

POLICY_REASON_NAMES: dict[str, str] = {
    Reason.FIRST_NOTICE: "pemberitahuan pertama",
    Reason.RESOLVED: "selesai",
    Reason.REMINDER_DUE: "pengingat",
    Reason.ESCALATION_STEP: "naik ke langkah berikutnya: belum ditangani",
    Reason.DIGEST: "digabung dengan gangguan lain",
    Reason.SAME_OFFICE: "bersama jalur lain dari kantor yang sama",
    Reason.FLAPPING_BEGAN: "mulai putus-sambung",
    Reason.FLAPPING_OVER: "tidak lagi putus-sambung",
    Reason.STILL_DOWN_AFTER_15_MIN: "putus-sambung, tetapi tetap putus 15 menit",
    Reason.MAINTENANCE_OVER: "pemeliharaan selesai, keadaan tidak seperti semula",
    Reason.WAS_DOWN: "sudah selesai sebelum sempat diberitahukan",
    Reason.TEST: "uji",
    Reason.HAND_OVER: "serah terima: masih terbuka saat piket berganti",
    Reason.NEXT_CHANNEL_AFTER_WAIT: "juga lewat saluran berikutnya: 60 detik belum terkirim",
    Reason.NEXT_CHANNEL_AFTER_REFUSAL: "lewat saluran berikutnya: saluran sebelumnya menolak",
    Reason.WITHIN_HOLD: "masih dalam masa tunggu, pesan hanya dikirim bila berlanjut",
    Reason.GROUPED: "menunggu digabung dengan gangguan lain",
    Reason.MAINTENANCE: "sedang pemeliharaan",
    Reason.ACKNOWLEDGED: "sudah ada yang menangani",
    Reason.SNOOZED: "ditunda",
    Reason.COVERED_BY_PARENT: "akibat gangguan di hulu",
    Reason.MONITOR_CUT_OFF: "pemantau sendiri terputus",
    Reason.FLAPPING: "putus-sambung",
    Reason.WAITS_FOR_OFFICE_HOURS: "menunggu jam kerja",
    Reason.NOBODY_TO_TELL: "tidak ada rute atau petugas piket",
    Reason.NOT_OPENED_NO_CLOSING: "mulainya tidak diberitahukan, jadi selesainya juga tidak",
}
"""Why the alert policy notified somebody, or did not → label."""

ENDED_WITHIN_HOLD = "selesai dalam masa tunggu, jadi tidak ada pesan"
"""The label of WITHIN_HOLD for an end."""

EVENT_NAMES = {
    "opened": "mulai",
    "updated": "berubah",
    "resolved": "selesai",
    "reminder": "pengingat",
    "digest": "ringkasan",
    "test": "uji",
}

ACTION_NAMES = {
    "acknowledge": "ditangani",
    "release": "dilepas",
    "snooze": "ditunda",
    "note": "catatan",
    "ticket": "tiket",
    "cause": "sebab",
}

CAUSE_NAMES = {
    "power": "listrik",
    "link": "jalur",
    "upstream": "hulu",
    "congestion": "jalur penuh",
    "other": "hal lain",
}

OUTBOX_STATUS_NAMES = {
    "pending": "menunggu",
    "leased": "sedang dikirim",
    "sent": "terkirim",
    "dead": "gagal",
}

WINDOW_STATE_NAMES = {"now": "berlangsung", "ahead": "akan datang", "over": "selesai"}
"""State of a maintenance window → label."""

MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")
ZONE_NAMES = {"Asia/Jakarta": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT"}

WIDE_COLUMNS = 100
"""From this width on, tables show every column. A terminal has 80 columns by default."""


def format_state(state: object) -> Text:
    """A state's label in its style. An unknown state is returned unchanged."""
    name, style = STATE_NAMES.get(str(state), (str(state), ""))
    return Text(name, style=style)


def format_reason(reason: object) -> str:
    """The label of a transition's or incident's reason. An unknown one is returned unchanged."""
    return REASON_NAMES.get(str(reason), str(reason))


def format_recipient(recipient: object) -> str:
    """A person's id; `channel:hook` → "saluran hook"."""
    text = str(recipient)
    return f"saluran {text.removeprefix('channel:')}" if text.startswith("channel:") else text


def explain_errno(reason: object) -> str:
    """`ENETUNREACH` → `ENETUNREACH (Network is unreachable)`. Other texts are unchanged."""
    code = getattr(errno, str(reason), None)
    return f"{reason} ({os.strerror(code)})" if isinstance(code, int) else str(reason)


def format_moment(rfc3339: object, zone: ZoneInfo, *, zone_named: bool = True) -> str:
    """An RFC 3339 time → `24 Nov 14.32.08 WIB`; None → `–`."""
    if not isinstance(rfc3339, str):
        return "–"
    local = datetime.fromisoformat(rfc3339).astimezone(zone)
    name = f" {ZONE_NAMES.get(zone.key, local.strftime('%Z'))}" if zone_named else ""
    return f"{local.day} {MONTH_NAMES[local.month - 1]} {local:%H.%M.%S}{name}"


def zone_name(zone: ZoneInfo) -> str:
    """`WIB` for Asia/Jakarta; the key of a zone outside Indonesia."""
    return ZONE_NAMES.get(zone.key, zone.key)


def format_duration(seconds: float) -> str:
    """The two largest units: `8 dtk`, `12 mnt 00 dtk`, `3 j 05 mnt`, `2 h 4 j`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} dtk"
    if whole < 3600:
        return f"{whole // 60} mnt {whole % 60:02d} dtk"
    if whole < 86_400:
        return f"{whole // 3600} j {whole // 60 % 60:02d} mnt"
    return f"{whole // 86_400} h {whole // 3600 % 24} j"


def format_number(value: object, digits: int = 1) -> str:
    """A number with a decimal comma; None → `–`."""
    if not isinstance(value, int | float):
        return "–"
    return f"{value:.{digits}f}".replace(".", ",")


def parse_rfc3339_s(rfc3339: object) -> float | None:
    """An RFC 3339 time → Unix seconds; None → None."""
    return datetime.fromisoformat(rfc3339).timestamp() if isinstance(rfc3339, str) else None


def print_json(document: object) -> None:
    """Print one JSON document on one line."""
    click.echo(escaped_json(json.dumps(document, ensure_ascii=False)))


def as_dicts(value: object) -> list[dict[str, object]]:
    """The objects in a JSON array; [] if it is none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


class SafeConsole(Console):
    """A terminal that shows texts and obeys none: control characters in them are left out."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else without_controls(text), style, control)


def make_console() -> Console:
    """Open the terminal; without one (a pipe, a file) 200 columns, so that nothing is cut.

    Markup is off: a text such as `[[rota]]` is printed as it is.
    """
    return SafeConsole(markup=False, width=None if sys.stdout.isatty() else 200)


def make_table(*titles: str) -> Table:
    """A table without borders, with these columns."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title)
    return table
