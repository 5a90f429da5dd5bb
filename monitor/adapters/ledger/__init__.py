"""The ledger: states, transitions, incidents and alerts, in one SQL database of their own.

    reader.py         SqlLedgerReader  queries only; any process (dashboard, `pantau status`)
    writer.py         SqlLedger        the daemon's: creates, migrates, records
    queries.py        the SELECTs of both       writes.py  the INSERTs and UPDATEs
    tables.py         the tables                rows.py    dataclasses to rows and back
    database_file.py  the SQLite file: connections, rights, copies
    migrate.py        runs Alembic over migrations/versions; importing Alembic costs 0.1 s
    errors.py         errors of the library as one sentence for an operator

The package exports the reader alone, because a command that only reads must not import Alembic.
The daemon imports `monitor.adapters.ledger.writer.SqlLedger`.
"""

from monitor.adapters.ledger.reader import SqlLedgerReader

__all__ = ["SqlLedgerReader"]
