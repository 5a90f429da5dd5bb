"""Samples: what is measured, stored and drawn.

samples.py          the dataclasses         schema.py            their names in the stores
ping_aggregator.py  outcomes to rows        recent_probes.py     the last 60 s, for the status
snmp_poll.py        answers of a router     rates.py             counters to rates
router_facts.py     facts about a router    packed_requests.py   every request, for replay
rollups.py          minutes and hours       histogram.py         round-trip times that add up
buckets.py          buckets of a chart      resolution.py        which rows a query reads
line_protocol.py    a point as a line of InfluxDB
"""
