"""The lines of a message about the monitor itself."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.core.alerting.messages.incident_message import footer_lines
from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.messages.text_layout import TextLine, clean
from monitor.core.alerting.model import NotificationContext
from monitor.core.alerting.self_checks import SelfCheck, SelfCheckReport

Words = Mapping[str, str]

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
_OVER: Mapping[SelfCheck, Words] = {
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
_MEND: Mapping[SelfCheck, Words] = {
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


def self_alert_lines(told: SelfCheckReport, at_s: float, speech: Language) -> list[TextLine]:
    """What is the matter, what it means, what to do; in the program's own words last."""
    if told.ended_s is not None:
        values = {
            "end": speech.moment(told.ended_s, at_s),
            "length": speech.length(told.ended_s - told.since_s),
        }
        return [TextLine(speech.say(_OVER[told.check], **values), 100)]
    since = speech.moment(told.since_s, at_s)
    if told.check is SelfCheck.QUOTA:
        share = f"{speech.number((told.share or 0.0) * 100)} %"
        head = speech.say(_QUOTA, share=share, since=since)
    else:
        head = speech.say(_FULL if told.is_full else _JOURNAL, since=since)
    found = [
        TextLine(head, 100),
        TextLine(speech.say(_GOES_ON), 80),
        TextLine(speech.say(_MEND[told.check]), 70),
    ]
    if told.why and not told.is_full:
        found.append(TextLine(clean(told.why, 200), 40))
    return found


_TEST = {
    "id": "UJI: pemberitahuan pantau berfungsi, {now}",
    "en": "TEST: pantau's alerts work, {now}",
}


_TEST_MORE = {"id": "Tidak ada yang perlu dilakukan.", "en": "There is nothing to do."}


def channel_test_lines(
    occasion: NotificationContext, places: TargetNames, speech: Language
) -> list[TextLine]:
    """The daily test, and `pantau alert-test`."""
    now = speech.moment(occasion.at_s, occasion.at_s)
    return [
        TextLine(speech.say(_TEST, now=now), 100),
        TextLine(speech.say(_TEST_MORE), 10),
        *footer_lines(occasion, places, speech),
    ]
