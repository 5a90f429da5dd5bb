"""The ledger: states, transitions, incidents and alerts, in one SQL database of their own.

    reader.py      SqlLedgerReader   questions only; any process (dashboard, `pantau status`)
    writer.py      SqlLedger         the daemon's: creates, migrates, records
    tables.py      the tables, and why they are as they are
    rows.py        the nouns of the core as rows, and back
    questions.py   what may be asked             recording.py   what is written
    alert_*.py     the same three for alerts: outbox, notices, actions, windows
    files.py       the SQLite file: connections, rights, copies
    migrate.py     Alembic, and only here: it costs 0.1 s to import
    trouble.py     a library's errors as one sentence for an operator

This package itself offers the reader alone, because a command that only asks a question must
not pay for Alembic. The daemon says `from monitor.adapters.ledger.writer import SqlLedger`.
"""

from monitor.adapters.ledger.reader import SqlLedgerReader

__all__ = ["SqlLedgerReader"]
