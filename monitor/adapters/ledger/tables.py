"""The tables of the ledger.

    states             one row a target: its state now, since when, why
    transitions        every change of a state, append-only
    incidents          one row an incident, as it is now
    incident_events    opened, updated, closed: the incident as it was then; append-only
    incident_affected  the targets behind a node that an incident explains
    outbox             messages: pending, sent and dead ones
    notices            every decision of the alert policy, with its reason; append-only
    actions            acknowledgements, snoozes, notes of an incident; append-only
    windows            maintenance windows made by hand, and how each ended
    path_baselines     the usual path of each target: its last complete trace
    path_traces        traces of targets that were down, by incident; the newest 10,000
    meta               facts about the ledger itself: when the daemon was last alive

Times are whole microseconds since 1970-01-01 UTC in a 64-bit integer: equal times are equal
(a transition is known by its time), an index sorts them, every database has the type, and no
time zone and no rounding of a float can come in between. A float of seconds that was given
with up to six decimals comes back as the very same float.

The columns hold nothing that only SQLite knows. Migrations make these tables; a test holds
the two to each other.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

REVISION: Final = "0005"
"""The migration that makes what is described here."""

LAST_ALIVE: Final = "last_alive_us"
"""The key in `meta` of the last time the daemon was alive, in microseconds UTC."""

METADATA: Final = MetaData()

STATES: Final = Table(
    "states",
    METADATA,
    Column("target", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)

TRANSITIONS: Final = Table(
    "transitions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("target", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("detected_us", BigInteger, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("proof", JSON, nullable=False),
    # The same transition, recorded twice, is one row. Both states belong to the key, so that two
    # transitions of one target at the same instant stay two.
    Index("transitions_once", "detected_us", "target", "before", "after", unique=True),
    Index("transitions_of_a_target", "target", "at_us"),
    Index("transitions_by_time", "at_us"),
)

INCIDENTS: Final = Table(
    "incidents",
    METADATA,
    # The detector gives the number, not the database.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("scope", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("detected_us", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("proof", JSON, nullable=False),
    Column("ended_us", BigInteger),
    Column("end_reason", Text),
    Column("started_earliest_us", BigInteger),
    Column("ended_earliest_us", BigInteger),
    # No foreign key: an incident is kept even if the one that explains it could not be.
    Column("parent", Integer),
    Column("suspected_cause", Text),
    Index("incidents_by_end", "ended_us"),
)

INCIDENT_EVENTS: Final = Table(
    "incident_events",
    METADATA,
    Column("incident", Integer, ForeignKey("incidents.id"), primary_key=True),
    # 1, 2, 3 … within an incident.
    Column("sequence", Integer, primary_key=True),
    Column("change", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("body", JSON, nullable=False),
)

INCIDENT_AFFECTED: Final = Table(
    "incident_affected",
    METADATA,
    Column("incident", Integer, ForeignKey("incidents.id"), primary_key=True),
    Column("target", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Index("incidents_that_affect", "target"),
)

OUTBOX: Final = Table(
    "outbox",
    METADATA,
    Column("id", Integer, primary_key=True),
    # No foreign key: a test message is about incident 0.
    Column("incident", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("about", JSON, nullable=False),
    Column("status", Text, nullable=False),
    Column("next_try_us", BigInteger, nullable=False),
    Column("lease_until_us", BigInteger),
    Column("attempts", Integer, nullable=False),
    Column("first_try_us", BigInteger),
    Column("last_error", Text),
    Column("sent_us", BigInteger),
    Column("merged_into", Integer),
    # NULL in rows of earlier versions.
    Column("queued_us", BigInteger),
    Column("fallback_of", Integer),
    # The identity that the key contains; NULL: written before there were identities.
    Column("ledger", Text),
    # With `ledger`, the idempotency key.
    Index("outbox_once", "incident", "sequence", "channel", "recipient", unique=True),
    Index("outbox_by_channel", "channel", "status"),
    Index("outbox_by_status", "status"),
)

NOTICES: Final = Table(
    "notices",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("incident", Integer, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("told", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    # Empty for a decision about everybody: NULLs would not be equal to each other.
    Column("recipient", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("thread", Integer),
    Column("sequence", BigInteger),
    Column("step", Integer),
    Index(
        "notices_once",
        *("incident", "at_us", "event", "reason", "recipient", "channel"),
        unique=True,
    ),
    Index("notices_by_time", "at_us"),
)

ACTIONS: Final = Table(
    "actions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("incident", Integer, ForeignKey("incidents.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("until_us", BigInteger),
    Index("actions_of_an_incident", "incident"),
    Index("actions_by_time", "at_us"),
)

WINDOWS: Final = Table(
    "windows",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("targets", JSON, nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("recurring", Text),
    # Set when the window is ended early.
    Column("ended_us", BigInteger),
    Column("ended_by", Text),
    Index("windows_by_end", "end_us"),
)

PATH_BASELINES: Final = Table(
    "path_baselines",
    METADATA,
    Column("target", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    # A list a hop: ttl, address or null, rtt_ms, error.
    Column("hops", JSON, nullable=False),
    Column("known", JSON, nullable=False),
    Column("changed_us", BigInteger),
    Column("previous", JSON, nullable=False),
    Index("path_baselines_by_time", "at_us"),
)

PATH_TRACES: Final = Table(
    "path_traces",
    METADATA,
    Column("id", Integer, primary_key=True),
    # No foreign key: a trace may be written before its incident.
    Column("incident", Integer, nullable=False),
    Column("target", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("result", Text, nullable=False),
    # A list a hop: ttl, address or null, name, rtt_ms, error.
    Column("hops", JSON, nullable=False),
    Column("usual", JSON, nullable=False),
    Index("path_traces_of_an_incident", "incident"),
)

LEDGER_IDENTITY: Final = Table(
    # One row; see core/ledger_identity.py.
    "ledger_identity",
    METADATA,
    Column("value", Text, primary_key=True),
    Column("last_old_incident", Integer, nullable=False),
)

META: Final = Table(
    "meta",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
