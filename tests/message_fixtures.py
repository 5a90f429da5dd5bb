"""Messages for tests of channels, and a secret that must never be seen."""

from __future__ import annotations

from monitor.core.alerting.model import EventKind, Notification

CANARY = "kenari7-Rahasia_9XyZ"
KEY = "1a2b3c4d" * 8
INCIDENT: dict[str, object] = {"id": 17, "target": "anjatan/utama", "state": "down", "ended": None}


def message(
    text: str = "PUTUS: Anjatan · utama, sejak 14.05 WIB\nSudah 3 mnt <tidak & menjawab>",
    *,
    key: str = KEY,
    event: EventKind = EventKind.OPENED,
    incident: dict[str, object] | None = None,
) -> Notification:
    return Notification(
        key=key,
        event=event,
        title=text.partition("\n")[0][:100],
        text=text,
        recipient="petugas-1",
        at_s=1_795_000_000.0,
        incident=INCIDENT if incident is None else incident,
    )
