"""The journal: every sample kept on this machine first, in SQLite, one file a UTC day.

    SqliteJournal   the daemon's: writes, reads, hands out what is to be shipped, prunes
    JournalReader   the dashboard's: reads only, from another process, while the daemon writes

Layout, chosen by measurement (66 targets, a day of 10 s samples; bytes a row, SQL's part of
reading 24 h of one target, pages written a commit):

    rows in the order of writing, no index      42 bytes    25 ms     3 pages
    the same, indexed by (series, time)         58 bytes    11 ms    70 pages
    clustered by (series, time)                 46 bytes     5 ms    66 pages, nothing to ship by

The first: it is the log that the shipper follows, and it writes twenty times less to a small
disk. `batch` says which part of the log holds which span of time: a read scans that and no more.

A row is durable when `append` returns (synchronous=FULL: one fdatasync each `record_s`, in a
worker thread). Neither kill -9 nor a power cut takes an acknowledged row. With NORMAL a kill
would take none either, but a power cut all since the kernel last wrote back, some 30 s.
"""

from monitor.adapters.journal.keeping import JournalUsage, PruneResult
from monitor.adapters.journal.reader import JournalReader
from monitor.adapters.journal.writer import SqliteJournal

__all__ = ["JournalReader", "JournalUsage", "PruneResult", "SqliteJournal"]
