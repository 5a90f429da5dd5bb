"""The words of alerts for the terminal, in Bahasa Indonesia."""

from __future__ import annotations

from monitor.core.alerting.reasons import Reason

NOTICE_REASONS: dict[str, str] = {
    Reason.FIRST_NOTICE: "pemberitahuan pertama",
    Reason.RESOLVED: "selesai",
    Reason.REMINDER_DUE: "pengingat",
    Reason.ESCALATION_STEP: "naik ke langkah berikutnya: belum ditangani",
    Reason.DIGEST: "digabung dengan gangguan lain",
    Reason.FLAPPING_BEGAN: "mulai putus-sambung",
    Reason.FLAPPING_OVER: "tidak lagi putus-sambung",
    Reason.STILL_DOWN_AFTER_15_MIN: "putus-sambung, tetapi tetap putus 15 menit",
    Reason.MAINTENANCE_OVER: "pemeliharaan selesai, keadaan tidak seperti semula",
    Reason.WAS_DOWN: "sudah selesai sebelum sempat diberitahukan",
    Reason.TEST: "uji",
    Reason.WITHIN_HOLD: "baru saja mulai: ditunggu sebentar",
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

EVENTS = {
    "opened": "mulai",
    "updated": "berubah",
    "resolved": "selesai",
    "reminder": "pengingat",
    "digest": "ringkasan",
    "test": "uji",
}

ACTIONS = {
    "acknowledge": "ditangani",
    "release": "dilepas",
    "snooze": "ditunda",
    "note": "catatan",
    "ticket": "tiket",
    "cause": "sebab",
}

CAUSES = {
    "power": "listrik",
    "link": "jalur",
    "upstream": "hulu",
    "congestion": "jalur penuh",
    "other": "hal lain",
}

MESSAGE = {
    "pending": "menunggu",
    "leased": "sedang dikirim",
    "sent": "terkirim",
    "dead": "gagal",
}

WINDOW = {"now": "berlangsung", "ahead": "akan datang", "over": "selesai"}


def recipient(name: object) -> str:
    """A person's id; `channel:hook` is the channel itself."""
    text = str(name)
    return f"saluran {text.removeprefix('channel:')}" if text.startswith("channel:") else text
