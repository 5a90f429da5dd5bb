"""The journal: every sample kept on this machine first, in SQLite, one file a UTC day.

    writer.py          SqliteJournal  the daemon's: appends, rolls up, prunes
    reader.py          JournalReader  queries only; any process, while the daemon writes
    day_files.py       names, connections and errors of the files
    sample_files.py    raw rows          evidence_files.py  every request, packed
    rollup_files.py    minutes and hours downsampling.py    how they are computed
    rows.py            samples as rows   cursors.py         what a shipper has read
    retention.py       which files are removed
    disk_reserve.py    room to report a full disk
    damage.py          files that cannot be read are set aside
    inspection.py      summary and check for `pantau journal`

Layout, chosen by measurement (66 targets, a day of 10 s samples; bytes a row, SQL's part of
reading 24 h of one target, pages written a commit):

    rows in the order of writing, no index      42 bytes    25 ms     3 pages
    the same, indexed by (series, time)         58 bytes    11 ms    70 pages
    clustered by (series, time)                 46 bytes     5 ms    66 pages, nothing to ship by

The first: it is the log that the shipper follows, and it writes twenty times less to a small
disk. `batch` says which part of the log holds which span of time, so a read scans only that.

A row is durable when `append` returns (synchronous=FULL: one fdatasync each `record_s`, in a
worker thread): neither kill -9 nor a power cut loses it. With NORMAL a kill would lose none
either, but a power cut everything since the kernel last wrote back, some 30 s.
"""

from monitor.adapters.journal.reader import JournalReader
from monitor.adapters.journal.retention import JournalUsage, PruneResult, RetentionPolicy
from monitor.adapters.journal.writer import SqliteJournal

__all__ = ["JournalReader", "JournalUsage", "PruneResult", "RetentionPolicy", "SqliteJournal"]
