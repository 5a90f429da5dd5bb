"""Every error that this program raises on purpose, one tree.

    PantauError
    ├── ConfigError          the site files are wrong (holds every problem found)
    ├── StoreError           a database refused or failed
    │   ├── LedgerError      states and incidents
    │   │   └── RecordRefused  these rows can never be stored, however often it is tried
    │   ├── JournalError     samples on this machine
    │   │   └── JournalFull  there is no space for them
    │   └── InfluxError      the InfluxDB server
    ├── ProbeError           ICMP cannot be sent at all (no permission, no socket)
    ├── SnmpError            the SNMP engine cannot work at all
    ├── ApiError             the daemon's local API does not answer, or refuses
    ├── Unfit                somebody asks the daemon for something that cannot be
    │   ├── NoSuchThing      there is no incident, window or message of that number
    │   └── TooLate          there is, but it is over, or was done already
    ├── AlreadyRunning       another daemon holds the data directory (exit code 3)
    └── SimulatorError       the made-up network cannot be set up here

Each message is one sentence for an operator: what, where, how to mend it. Adapters
translate their library's errors into these, `raise … from`, and into nothing else.
"""

from __future__ import annotations

RIGHTS = "run this with sudo, or as a member of the group that owns the data directory"
"""How to mend it when the data directory is not for this user."""


class PantauError(Exception):
    """Anything that a person can be told in one line."""


class ConfigError(PantauError):
    """The configuration cannot be used; the text lists every problem, one a line."""


class StoreError(PantauError):
    """A store refused or failed."""


class LedgerError(StoreError):
    """The ledger (states, incidents) refused or failed."""


class RecordRefused(LedgerError):
    """The ledger can never store these rows: they contradict it, or hold a value that it cannot."""


class JournalError(StoreError):
    """The journal (samples on this machine) refused or failed."""


class JournalFull(JournalError):
    """The disk of the journal has no space left."""


class InfluxError(StoreError):
    """InfluxDB did not do what was asked.

    status: the HTTP status, None when there was no answer at all.
    retry_after_s: what the server asked for, None when it asked for nothing.
    """

    def __init__(
        self, message: str, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


class ProbeError(PantauError):
    """ICMP cannot be sent from this machine at all."""


class SnmpError(PantauError):
    """The SNMP engine cannot work at all (one router's trouble is a PollFailed value)."""


class ApiError(PantauError):
    """The daemon's local API did not answer, or refused."""


class InvalidRequest(PantauError):
    """What somebody asks of the daemon cannot be: a wrong time, an empty text, an unknown name."""


class NotFound(InvalidRequest):
    """There is no incident, window or message of that number."""


class Conflict(InvalidRequest):
    """It is over, or was done already."""


class AlreadyRunning(PantauError):
    """Another daemon holds the data directory."""


class SimulatorError(PantauError):
    """The made-up network cannot be set up on this machine."""
