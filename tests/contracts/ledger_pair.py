"""A ledger and a reader of what is written to it."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.core.alerting.ports import AlertLedger, AlertReader


@dataclass
class LedgerPair:
    """The reader must give the same answers as the writer."""

    ledger: AlertLedger
    reader: AlertReader
