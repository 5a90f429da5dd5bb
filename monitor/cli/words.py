"""Words and times for the terminal: Bahasa Indonesia, the local clock."""

from __future__ import annotations

import errno
import os
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

STATES = {
    "up": ("✓ Normal", "green"),
    "degraded": ("! Terganggu", "yellow"),
    "down": ("✕ Putus", "bold red"),
    "unreachable": ("− Tidak terjangkau", "magenta"),
    "unknown": ("? Tidak ada data", "dim"),
}
"""The state, as LOOK words and shapes it, and its colour."""

OVERLAYS = {
    "flapping": "tidak stabil",
    "maintenance": "pemeliharaan",
    "acknowledged": "ditangani",
}

REASONS = {
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

POLL_REASONS = {
    "timeout": "router tidak menjawab",
    "auth": "kata sandi SNMP ditolak",
    "no-secret": "kata sandi SNMP belum diisi",
    "refused": "router menolak permintaan",
    "not-sent": "permintaan tidak dapat dikirim dari mesin ini",
    "wrong-source": "jawaban datang dari alamat lain",
    "wrong-answer": "jawabannya tidak sesuai dengan permintaan",
    "malformed": "jawabannya rusak",
}

MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")
WIDE = 100
"""Columns from which on a table shows everything; a terminal has 80 unless somebody widens it."""

ZONES = {"Asia/Jakarta": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT"}


def state_text(state: object) -> Text:
    """A state with its shape and colour; an unknown word passes as it is."""
    word, style = STATES.get(str(state), (str(state), ""))
    return Text(word, style=style)


def reason_text(reason: object) -> str:
    """A reason in words; an unknown one passes as it is."""
    return REASONS.get(str(reason), str(reason))


def explained(reason: object) -> str:
    """An errno with what it means: `ENETUNREACH (Network is unreachable)`; the rest as it is."""
    code = getattr(errno, str(reason), None)
    return f"{reason} ({os.strerror(code)})" if isinstance(code, int) else str(reason)


def moment(rfc3339: object, zone: ZoneInfo, *, zone_named: bool = True) -> str:
    """`24 Nov 14.32.08 WIB` of an RFC 3339 time; `–` of None."""
    if not isinstance(rfc3339, str):
        return "–"
    local = datetime.fromisoformat(rfc3339).astimezone(zone)
    name = f" {ZONES.get(zone.key, local.strftime('%Z'))}" if zone_named else ""
    return f"{local.day} {MONTHS[local.month - 1]} {local:%H.%M.%S}{name}"


def zone_name(zone: ZoneInfo) -> str:
    """`WIB`; of a zone without a name of ours its key."""
    return ZONES.get(zone.key, zone.key)


def duration(seconds: float) -> str:
    """`8 dtk`, `12 mnt`, `3 j 05 mnt`, `2 h 4 j`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} dtk"
    if whole < 3600:
        return f"{whole // 60} mnt {whole % 60:02d} dtk"
    if whole < 86_400:
        return f"{whole // 3600} j {whole // 60 % 60:02d} mnt"
    return f"{whole // 86_400} h {whole // 3600 % 24} j"


def number(value: object, digits: int = 1) -> str:
    """A number with a decimal comma; `–` of None."""
    if not isinstance(value, int | float):
        return "–"
    return f"{value:.{digits}f}".replace(".", ",")


def seconds_of(rfc3339: object) -> float | None:
    """Unix seconds of an RFC 3339 time; None of None."""
    return datetime.fromisoformat(rfc3339).timestamp() if isinstance(rfc3339, str) else None


def dicts(value: object) -> list[dict[str, object]]:
    """The objects of a JSON list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def console() -> Console:
    """The terminal; wide when there is none (a pipe or a file must not be cut off).

    Nothing is markup: `[[rota]]`, and whatever is called `[…]` somewhere, is said as it stands.
    """
    return Console(markup=False, width=None if sys.stdout.isatty() else 200)
