"""The complete, validated configuration as frozen dataclasses; made by settings.load."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.core.access import UserRole
from monitor.core.alerting.settings import AlertSettings, RecurringWindow
from monitor.core.disk_space import DiskLimits
from monitor.core.model import Network
from monitor.core.paths.settings import TraceSettings


@dataclass(frozen=True, slots=True)
class InfluxSettings:
    """The InfluxDB server that the shipper writes to; org, bucket and token as in InfluxDB 2.

    token: the *name* of a secret; its text is a token (2.x, 3.x) or `user:password` (1.x);
    None: no authentication. ca_file: PEM file of the
    certificates that are trusted instead of the system's.
    """

    url: str
    org: str = ""
    bucket: str = "pantau"
    token: str | None = None
    verify_tls: bool = True
    timeout_s: float = 10.0
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """Retention on this machine, in days. max_mb: the limit for raw samples and evidence together.

    evidence_days: every request, for replay; 0: none.
    """

    raw_days: int = 14
    evidence_days: int = 35
    minute_days: int = 180
    hour_days: int = 1826
    max_mb: int = 2048


@dataclass(frozen=True, slots=True)
class DiskSettings:
    """When the disk of data_dir is a warning: below free_mb (10⁶ bytes, but at most a tenth of the
    disk), full within full_within_h at the measured rate, or fewer free inodes than that.
    """

    free_mb: int = 500
    full_within_h: float = 24.0
    free_inodes_pct: float = 5.0

    def limits(self) -> DiskLimits:
        return DiskLimits(self.free_mb, self.full_within_h * 3600, self.free_inodes_pct / 100)


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """A reverse proxy that authenticates users.

    peers: its addresses or networks; secret: the *name* of the secret that it sends;
    header: the one with the user's name; role: of users without an account here, None: no access.
    """

    peers: tuple[str, ...]
    secret: str
    header: str = "X-Remote-User"
    role: UserRole | None = UserRole.VIEWER


@dataclass(frozen=True, slots=True)
class DashboardSettings:
    """Where the dashboard is served. prefix: its path behind a reverse proxy, else "/".

    trusted_proxies: addresses or networks whose forwarding headers (X-Forwarded-For) are believed;
    user: the system user that serves it; proxy: authenticates users, None: the dashboard does.
    series: `journal` or `influxdb`, where long ranges of samples are read.
    """

    host: str = "127.0.0.1"
    port: int = 8050
    prefix: str = "/"
    trusted_proxies: tuple[str, ...] = ("127.0.0.1/32", "::1/128")
    user: str = "pantau-web"
    proxy: ProxySettings | None = None
    series: str = "journal"


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration."""

    organisation: str
    timezone: ZoneInfo
    data_dir: Path
    config_dir: Path
    network: Network
    journal: JournalSettings = JournalSettings()
    disk: DiskSettings = DiskSettings()
    trace: TraceSettings = field(default_factory=TraceSettings)
    influxdb: InfluxSettings | None = None
    dashboard: DashboardSettings = DashboardSettings()
    alerts: AlertSettings = field(default_factory=AlertSettings)

    @property
    def maintenance(self) -> tuple[RecurringWindow, ...]:
        """The windows of maintenance.toml."""
        return self.alerts.maintenance
