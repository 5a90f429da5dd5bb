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
_ENDED: Mapping[SelfCheck, Translations] = {
    SelfCheck.JOURNAL: {
        "id": "PULIH: pemantau menyimpan sampel lagi, {end}, setelah {length}",
        "en": "MENDED: the monitor keeps samples again, {end}, after {length}",
    },
    SelfCheck.QUOTA: {
        "id": "PULIH: InfluxDB menerima sampel yang menunggu, {end}, setelah {length}",
        "en": "MENDED: InfluxDB takes what was waiting, {end}, after {length}",
    },
}
_GOES_ON = {
    "id": "Pemantauan dan pemberitahuan gangguan tetap berjalan.",
    "en": "The links are still watched and outages are still told.",
}
_ADVICE: Mapping[SelfCheck, Translations] = {
    SelfCheck.JOURNAL: {
        "id": "Beri ruang pada disk di server pemantau, atau kecilkan max_mb; lihat: pantau status",
        "en": "Make room on the monitor's disk, or lower max_mb; see: pantau status",
    },
    SelfCheck.QUOTA: {
        "id": "Pada 100 % sampel tertua dibuang. Periksa InfluxDB, atau besarkan max_mb; lihat:"
        " pantau status",
        "en": "At 100 % the oldest samples go. See to InfluxDB, or raise max_mb; see:"
        " pantau status",
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
        return [TextLine(language.text(_ENDED[report.check], **values), 100)]
    since = language.clock_with_zone(report.since_s, at_s)
    if report.check is SelfCheck.QUOTA:
        share = f"{language.number((report.share or 0.0) * 100)} %"
        head = language.text(_QUOTA, share=share, since=since)
    else:
        head = language.text(_FULL if report.is_full else _JOURNAL, since=since)
    found = [
        TextLine(head, 100),
        TextLine(language.text(_GOES_ON), 80),
        TextLine(language.text(_ADVICE[report.check]), 70),
    ]
    if report.why and not report.is_full:
        found.append(TextLine(clean(report.why, 200), 40))
    return found


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
