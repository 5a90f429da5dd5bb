"""Pantau: a network monitor for the links of the kecamatan offices.

Packages (each imports only from those below it; kept by import-linter)
-----------------------------------------------------------------------
    cli          the `pantau` commands, a file a topic
    daemon       app.py builds and runs everything; reload.py (SIGHUP); watchdog.py (systemd)
    simulator    a simulated Indramayu that answers real ICMP and SNMP (`pantau demo`, tests)
    api          the local API on a Unix socket: status, incidents, actions
    status       status document, warnings, /metrics, queries for reports
    alerting     dispatcher and delivery, actions of people, self-alerts, channel tests
    storage      recording periods, rollups, retention, shipping to InfluxDB
    probing      when which target is probed: ping_rounds.py, snmp_polling.py, path_tracing.py
    pipeline     the path of an outcome: pipeline.py; the queues to the stores: store_writer.py
    settings     TOML files and secrets → frozen settings, with file and line for every mistake
    adapters     one library or system each: icmp, snmp, journal, ledger, influx, notify, system,
                 scheduler
    core         pure rules without I/O, clock or library; model.py (what everything is made of),
                 ports.py (interfaces that adapters implement), errors.py
      detection    evidence → transitions and incidents (detector.py)
      alerting     incidents → who is notified, and why (policy.py); texts in messages/
      paths        hops, usual paths, where a path breaks off (finding.py), what is traced when
      samples      schema of the samples, rates, rollups, histograms
      reports      availability, handover, incident document
The web page is the package `dashboard`, on top of this one.

The path of a sample
--------------------
    adapters/scheduler.py           starts the round
    probing/ping_rounds.py          chooses the targets that are due
    adapters/icmp/prober.py         sends; receiver.py turns replies and deadlines into outcomes
    pipeline/pipeline.py            aggregates, detects, records, notifies
    core/detection/detector.py      decides: transitions, incidents
    core/alerting/notifier.py       applies the policy, writes the outbox rows
    pipeline/store_writer.py        → ledger (states, incidents, outbox), one transaction
                                    → journal (samples); storage/influx_shipper.py copies it on
    alerting/dispatcher.py          sends what is in the outbox, one worker for each channel
    status/status.py, api/          show the present state; the dashboard reads it from there

SNMP takes the same path from probing/snmp_polling.py and core/samples/rates.py to the journal.

Where to start
--------------
    is an outage confirmed?                 core/detection/target_health.py, is_confirmed
    is it down, or hidden behind a node?    core/detection/detector.py
    add a channel                           settings/schema/alerts.py, adapters/notify/factory.py
    what SIGHUP does                        daemon/reload.py
    names of measurements, tags, fields     core/samples/schema.py
    a command's text and options            cli/, the file of its topic
    what happens on a full disk             pipeline/store_writer.py; what is sent meanwhile:
                                            core/alerting/unrecorded.py, and given_out.py

Glossary
--------
    target          what is probed: a link of a site, a node, or an anchor
    probe, outcome  one request; what became of it: Reply, Lost or NotMeasured
    round           one request to each target that is due; confirm round: to suspected ones, faster
    state           up, degraded, down, unreachable (behind a node that is down), unknown
    transition      a change of a target's state
    incident        an outage or degradation with a start and an end
    decision        what the detector decides: a transition or the change of an incident
    isolation       the monitor itself is cut off: nothing is said about any link
    alert policy    decides who is notified of what, and gives the reason (a policy decision)
    notification    a message; outbox: its queue in the ledger; channel: where it is sent;
                    delivery: one attempt
    route           which incidents go to whom; escalation: further steps without acknowledgement
    rota            who is on call when
    acknowledge     somebody handles the incident; snooze: no reminders until a time
    maintenance     a planned window: measured, not notified
    inhibition      a message held back: covered by a parent, within maintenance, flapping …
    self-alert      a notification about the monitor itself; warning: the same on the status page
    sample, series  a stored row; rows with the same tags
    rollup          samples summed up over a minute or an hour
    evidence        every single request, kept for `pantau replay`
    journal         the local log of samples (SQLite, a file a day)
    ledger          the database of states, incidents and alerts (SQL)
    shipper         copies the journal to InfluxDB from a cursor; backfill: newest first when behind
    dead letter     what a store refuses for good, set aside
    steady time     seconds that never jump, for deadlines; UTC when something is stored or shown
    prepare, commit the two phases of a reload: what can fail; what cannot
"""
