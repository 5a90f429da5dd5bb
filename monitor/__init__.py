"""Pantau: watches the links of the kecamatan offices, and says what is up and what is not.

The map of the house, from the tick to the wall:

    schedule.py   APScheduler starts rounds and polls
    pipeline.py   THE path: round → outcomes → judge → notices → ledger (one transaction) → journal
    dispatch/     outbox → channels, a worker each
    core/         the rules, pure: what is up, what hides behind what, what is an incident,
                  who is told of it and why not
    adapters/     one library each: icmp, snmp, journal, ledger, influx, notify, clock
    shipper.py    copies the journal to InfluxDB, from a cursor
    api.py        the local API on a Unix socket: what status and the dashboard ask
    app.py        builds all of it, and takes it down
    settings/     the site files → frozen models, with file and line for every error
    cli/          the `pantau` commands, a file each
    simulator/    a made-up Indramayu that answers real ICMP and SNMP
"""
