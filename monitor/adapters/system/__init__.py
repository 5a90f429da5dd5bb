"""The machine: clocks, locks, files of the data directory, systemd, threads.

clock.py             steady time and UTC (port `Clock`); NTP state
directory_lock.py    one daemon for each data directory
process_figures.py   memory and descriptors of this process
systemd.py           readiness and watchdog notifications
local_api_client.py  client of the daemon's local API
worker_thread.py     blocking calls on a dedicated thread
given_out_file.py    numbers in messages that the ledger does not have
key_file.py          signing keys
passwords.py         argon2 hashes
atomic_file.py       atomic replacement of small files
users_file.py        users of the web page
dead_letters.py      points that InfluxDB refused
holidays.py          public holidays of Indonesia
"""
