"""Random faults from a seeded list against a real daemon, compared with the log of truth.

unshare --mount python -m tests.e2e.chaos --seed 12 --seconds 7200

A run is a row of episodes. Each disturbs the machine (machine_faults.py), the network
(network_faults.py) or both, ends the faults, waits until the daemon is normal again, and asks:
is every outage of the simulated network an incident, is every incident an outage of it, and does
every target have a row in the journal for every period (journal_watch.py)?
"""
