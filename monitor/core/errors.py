"""The errors that this program raises on purpose.

    PantauError
    ├── ConfigError           the configuration cannot be used (its text lists every problem)
    ├── StoreError            a database refused or failed
    │   ├── LedgerError       states, incidents, alerts
    │   │   ├── LedgerFull    the disk is full
    │   │   └── RecordRefused these rows can never be stored
    │   ├── JournalError      samples on this machine
    │   │   ├── JournalFull   the disk is full
    │   │   └── JournalDamaged a file of it holds nothing that can be read
    │   └── InfluxError       the InfluxDB server
    ├── ProbeError            ICMP cannot be sent at all (no permission, no socket)
    ├── SnmpError             the SNMP engine cannot work at all
    ├── ApiError              the daemon's local API does not answer, or refuses
    ├── InvalidRequest        a request to the daemon that cannot be carried out
    │   ├── NotFound          there is no incident, window, message or target of that name
    │   ├── Conflict          it is over, or was done already
    │   └── NotAllowed        another user of this machine may do that
    ├── AlreadyRunning        another daemon holds the data directory (exit code 3)
    └── SimulatorError        the simulated network cannot be set up on this machine

Each message is one sentence for an operator: what, where, how to correct it. Adapters translate
their library's errors into these (`raise … from`), and into nothing else.
"""

from __future__ import annotations

from enum import Enum

RIGHTS = "run this with sudo, or as a member of the group that owns the data directory"
"""How to correct it when this user may not use the data directory."""


class PantauError(Exception):
    """An error whose text is one line for an operator."""


class ConfigError(PantauError):
    """The configuration cannot be used; the text lists every problem, one a line."""


class StoreError(PantauError):
    """A store refused or failed."""


class LedgerError(StoreError):
    """The ledger (states, incidents) refused or failed."""


class LedgerFull(LedgerError):
    """The disk of the ledger has no space left."""


class NotRecorded(LedgerError):
    """What a person did could not be stored, and is not in force. A sentence for that person."""


class RecordRefused(LedgerError):
    """The ledger can never store these rows: they contradict it, or hold a value that it cannot."""


class JournalError(StoreError):
    """The journal (samples on this machine) refused or failed."""


class JournalFull(JournalError):
    """The disk of the journal has no space left."""


class JournalDamaged(JournalError):
    """A file of the journal holds nothing that can be read; another can take its place."""


class WriteRefusal(Enum):
    """What a refused write is about, as far as the text of the answer tells."""

    CONFIGURATION = "configuration"
    """The server or [storage.influxdb]: no sample is at fault, all are kept."""
    OUTSIDE_RETENTION = "outside retention"
    """Points older than the bucket keeps; the others of the request are stored."""
    SAMPLES = "samples"
    """Some line of the request, or a whole measurement (a type conflict)."""


class InfluxError(StoreError):
    """InfluxDB refused a request or did not answer.

    status: the HTTP status, None when there was no answer at all.
    retry_after_s: the pause that the server asks for, None without one.
    refusal: of a write that was answered with 400 or 422; else None.
    dropped: how many points of the request lie outside the bucket's retention.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        refusal: WriteRefusal | None = None,
        dropped: int = 0,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s
        self.refusal = refusal
        self.dropped = dropped


class ProbeError(PantauError):
    """ICMP cannot be sent from this machine at all."""


class SnmpError(PantauError):
    """The SNMP engine cannot work at all (one router's trouble is a PollFailed value)."""


class ApiError(PantauError):
    """The daemon's local API did not answer, or refused."""


class InvalidRequest(PantauError):
    """A request that cannot be carried out: a wrong time, an empty text, an unknown name."""


class NotFound(InvalidRequest):
    """There is no incident, window, message or target of that name or number."""


class Conflict(InvalidRequest):
    """It is over, or was done already."""


class NotAllowed(InvalidRequest):
    """The user of this machine who asks may not do that."""


class AlreadyRunning(PantauError):
    """Another daemon holds the data directory."""


class SimulatorError(PantauError):
    """The simulated network cannot be set up on this machine."""
