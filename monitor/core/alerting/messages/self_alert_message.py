"""Write the message about a failed check of the monitor itself, and the channel test."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.core.alerting.messages.incident_message import Translations, footer_lines
from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.messages.text_layout import TextLine, clean
from monitor.core.alerting.model import NotificationContext
from monitor.core.alerting.self_checks import SelfCheck, SelfCheckReport

_FULL = {
    "id": "DISK PEMANTAU PENUH: sampel tidak disimpan, sejak {since}",
    "en": "THE MONITOR'S DISK IS FULL: samples are not kept, since {since}",
}
_JOURNAL = {
    "id": "PEMANTAU TIDAK DAPAT MENYIMPAN SAMPEL, sejak {since}",
    "en": "THE MONITOR CANNOT KEEP SAMPLES, since {since}",
}
_QUOTA = {
    "id": "PENYIMPANAN PEMANTAU {share} PENUH: InfluxDB belum menerima sampel, sejak {since}",
    "en": "THE MONITOR'S STORE IS {share} FULL: InfluxDB does not take samples, since {since}",
}
_LEDGER_FULL = {
    "id": "DISK PEMANTAU PENUH: gangguan tidak dapat dicatat, sejak {since}",
    "en": "THE MONITOR'S DISK IS FULL: outages cannot be recorded, since {since}",
}
_LEDGER = {
    "id": "PEMANTAU TIDAK DAPAT MENCATAT GANGGUAN, sejak {since}",
    "en": "THE MONITOR CANNOT RECORD OUTAGES, since {since}",
}
_DISK = {
    "id": "DISK PEMANTAU HAMPIR PENUH: tersisa {free}, {since}",
    "en": "THE MONITOR'S DISK IS NEARLY FULL: {free} left, {since}",
}
_DISK_SOON = {
    "id": "DISK PEMANTAU AKAN PENUH DALAM {left}: tersisa {free}, {since}",
    "en": "THE MONITOR'S DISK WILL BE FULL IN {left}: {free} left, {since}",
}
_INODES = {"id": "{count} berkas (inode)", "en": "{count} files (inodes)"}
_RELOAD = {
    "id": "KONFIGURASI BARU DITOLAK, {since}: pemantau memakai yang lama",
    "en": "THE NEW CONFIGURATION WAS REFUSED, {since}: the monitor goes on with the old one",
}
_CHANNEL = {
    "id": "SALURAN {subject} MATI: tidak ada yang terkirim, diketahui {since}",
    "en": "CHANNEL {subject} IS DEAD: nothing gets through, noticed {since}",
}
_BACKUP = {
    "id": "BACKUP DATA PEMANTAU GAGAL, diketahui {since}",
    "en": "THE MONITOR'S BACKUP FAILED, noticed {since}",
}
_INFLUXDB = {
    "id": "INFLUXDB TIDAK MENERIMA SAMPEL KARENA PENGATURAN, sejak {since}",
    "en": "INFLUXDB TAKES NO SAMPLES BECAUSE OF A SETTING, since {since}",
}
_INFLUXDB_REFUSES = {
    "id": "INFLUXDB MENOLAK SEMUA SAMPEL {subject}, sejak {since}",
    "en": "INFLUXDB REFUSES EVERY SAMPLE OF {subject}, since {since}",
}
_ENDED: Mapping[SelfCheck, Translations] = {
    SelfCheck.JOURNAL: {
        "id": "PULIH: pemantau menyimpan sampel lagi, {end}, setelah {length}",
        "en": "RESOLVED: the monitor keeps samples again, {end}, after {length}",
    },
    SelfCheck.QUOTA: {
        "id": "PULIH: InfluxDB menerima sampel yang menunggu, {end}, setelah {length}",
        "en": "RESOLVED: InfluxDB takes what was waiting, {end}, after {length}",
    },
    SelfCheck.LEDGER: {
        "id": "PULIH: pemantau mencatat gangguan lagi, {end}, setelah {length}\n"
        "Yang dikirim dari memori sudah tercatat.",
        "en": "RESOLVED: the monitor records outages again, {end}, after {length}\n"
        "What was sent from memory is recorded.",
    },
    SelfCheck.DISK: {
        "id": "PULIH: disk pemantau cukup lagi, {end}, setelah {length}",
        "en": "RESOLVED: the monitor's disk has room again, {end}, after {length}",
    },
    SelfCheck.RELOAD: {
        "id": "PULIH: konfigurasi dimuat tanpa kesalahan, {end}, setelah {length}",
        "en": "RESOLVED: the configuration is loaded without an error, {end}, after {length}",
    },
    SelfCheck.CHANNEL: {
        "id": "PULIH: saluran {subject} mengirim lagi, {end}, setelah {length}",
        "en": "RESOLVED: channel {subject} works again, {end}, after {length}",
    },
    SelfCheck.BACKUP: {
        "id": "PULIH: backup data pemantau berhasil lagi, {end}, setelah {length}",
        "en": "RESOLVED: the monitor's backups succeed again, {end}, after {length}",
    },
    SelfCheck.INFLUXDB: {
        "id": "PULIH: InfluxDB menerima sampel lagi, {end}, setelah {length}; yang tertinggal"
        " sedang dikirim",
        "en": "RESOLVED: InfluxDB takes samples again, {end}, after {length}; what it missed is on"
        " its way",
    },
}
_GOES_ON = {
    "id": "Pemantauan dan pemberitahuan gangguan tetap berjalan.",
    "en": "The links are still watched and outages are still told.",
}
_CHANNEL_GOES_ON = {
    "id": "Jalur tetap dipantau; pesan lewat saluran lain tetap dikirim.",
    "en": "The links are still watched; messages by other channels are still sent.",
}
_CAN_WAIT = {
    "id": "Tidak mendesak: dapat ditangani pada jam kerja.",
    "en": "Not urgent: it can wait for office hours.",
}
_WAITS = (SelfCheck.RELOAD, SelfCheck.BACKUP, SelfCheck.INFLUXDB)
"""Failures that lose nothing before the morning."""

_ADVICE: Mapping[SelfCheck, Translations] = {
    SelfCheck.JOURNAL: {
        "id": "Beri ruang pada disk server pemantau, atau kecilkan max_mb; lihat: `pantau status`",
        "en": "Make room on the monitor's disk, or lower max_mb; see: `pantau status`",
    },
    SelfCheck.QUOTA: {
        "id": "Pada 100 % sampel tertua dibuang. Periksa InfluxDB, atau besarkan max_mb; lihat:"
        " `pantau status`",
        "en": "At 100 % the oldest samples go. Check InfluxDB, or raise max_mb; see:"
        " `pantau status`",
    },
    SelfCheck.LEDGER: {
        "id": "Gangguan putus dan pulih tetap dikabarkan dari memori, dan dicatat bila bisa. Beri"
        " ruang pada disk server pemantau atau periksa disknya; lihat: `pantau status`. Jangan"
        " memulai ulang pemantau sebelum itu.",
        "en": "Outages are still told, from memory, and recorded when that is possible. Make room"
        " on the monitor's disk, or look at the disk; see: `pantau status`. Do not restart the"
        " monitor before that.",
    },
    SelfCheck.DISK: {
        "id": "Beri ruang pada disk server pemantau, atau kecilkan max_mb; lihat: `pantau status`",
        "en": "Make room on the monitor's disk, or lower max_mb; see: `pantau status`",
    },
    SelfCheck.RELOAD: {
        "id": "Perbaiki berkasnya, periksa dengan: `pantau check`, lalu muat ulang:"
        " `systemctl reload pantau`",
        "en": "Fix the file, try it with `pantau check`, then load it: `systemctl reload pantau`",
    },
    SelfCheck.CHANNEL: {
        "id": "Pesan menunggu dan dicoba lagi. Periksa saluran itu: `pantau outbox`, lalu"
        " `pantau alert-test {subject}`",
        "en": "Messages wait and are tried again. Check it: `pantau outbox`, then"
        " `pantau alert-test {subject}`",
    },
    SelfCheck.BACKUP: {
        "id": "Periksa tempat tujuan dan jalankan backup sekali secara manual; lihat:"
        " `pantau status`",
        "en": "Check its destination, and run one backup manually; see: `pantau status`",
    },
    SelfCheck.INFLUXDB: {
        "id": "Tidak ada yang hilang: sampel disimpan di sini dan dikirim setelah diperbaiki. Lihat"
        " pesan server di bawah dan: `pantau status`",
        "en": "Nothing is lost: samples are kept here and sent once it is mended. See the server's"
        " message below, and: `pantau status`",
    },
}


_TEST = {
    "id": "UJI: pemberitahuan pantau berfungsi, {now}",
    "en": "TEST: pantau's alerts work, {now}",
}
_TEST_MORE = {"id": "Tidak ada yang perlu dilakukan.", "en": "There is nothing to do."}


def self_alert_lines(report: SelfCheckReport, at_s: float, language: Language) -> list[TextLine]:
    """What failed, what still works, what to do, and the error message."""
    if report.ended_s is not None:
        values = {
            "end": language.clock_with_zone(report.ended_s, at_s),
            "length": language.duration(report.ended_s - report.since_s),
        }
        text = language.text(_ENDED[report.check], subject=report.subject, **values)
        head, _, more = text.partition("\n")
        lines = [TextLine(head, 100), *([TextLine(more, 50)] if more else [])]
        return [*lines, TextLine(language.text(_TEST_MORE), 10)]
    goes_on = _CHANNEL_GOES_ON if report.check is SelfCheck.CHANNEL else _GOES_ON
    found = [
        TextLine(_headline(report, at_s, language), 100),
        TextLine(language.text(goes_on), 80),
        TextLine(language.text(_ADVICE[report.check], subject=report.subject), 70),
    ]
    if report.check in _WAITS:
        found.append(TextLine(language.text(_CAN_WAIT), 65))
    if report.check is SelfCheck.LEDGER:
        del found[1]  # its advice says what goes on
    if report.why and not report.is_full:
        found += [TextLine(clean(line, 200), 60) for line in report.why.splitlines()]
    return found


def _headline(report: SelfCheckReport, at_s: float, language: Language) -> str:
    since = language.clock_with_zone(report.since_s, at_s)
    if report.check is SelfCheck.QUOTA:
        share = f"{language.number((report.share or 0.0) * 100)} %"
        return language.text(_QUOTA, share=share, since=since)
    if report.check is SelfCheck.DISK:
        free = f"{language.number((report.free_bytes or 0) / 1e6)} MB"
        if report.free_inodes is not None:
            free = language.text(_INODES, count=report.free_inodes)
        if report.full_in_s is None:
            return language.text(_DISK, free=free, since=since)
        left = language.duration(report.full_in_s)
        return language.text(_DISK_SOON, left=left, free=free, since=since)
    translations: Translations = {
        SelfCheck.JOURNAL: _FULL if report.is_full else _JOURNAL,
        SelfCheck.LEDGER: _LEDGER_FULL if report.is_full else _LEDGER,
        SelfCheck.RELOAD: _RELOAD,
        SelfCheck.CHANNEL: _CHANNEL,
        SelfCheck.BACKUP: _BACKUP,
        SelfCheck.INFLUXDB: _INFLUXDB_REFUSES if report.subject else _INFLUXDB,
    }[report.check]
    return language.text(translations, since=since, subject=report.subject)


def channel_test_lines(
    context: NotificationContext, names: TargetNames, language: Language
) -> list[TextLine]:
    """The daily test of 07:30 and `pantau alert-test`."""
    now = language.clock_with_zone(context.at_s, context.at_s)
    return [
        TextLine(language.text(_TEST, now=now), 100),
        TextLine(language.text(_TEST_MORE), 10),
        *footer_lines(context, names, language),
    ]
