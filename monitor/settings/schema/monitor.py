"""Schema of monitor.toml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from monitor.settings.schema import field_types
from monitor.settings.schema.common import (
    PingKeys,
    SecretName,
    SlaKeys,
    SnmpKeys,
    Table,
    Text,
)

ProxyPeer = Annotated[str, AfterValidator(field_types.trusted_peer)]


class MonitorTable(Table):
    """[monitor]"""

    organisation: Text = Field(
        examples=["Diskominfo Kabupaten Indramayu"], description="whose network this is, in quotes"
    )
    timezone: Annotated[str, AfterValidator(field_types.timezone)] = Field(
        examples=["Asia/Jakarta"], description="the time zone of the people, by its IANA name"
    )
    data_dir: Text = Field(
        examples=["/var/lib/pantau"], description="the directory that keeps states and samples"
    )


class PingKinds(Table):
    """[ping.kinds.<kind>]"""

    fibre: PingKeys = PingKeys()
    radio: PingKeys = PingKeys()
    lte: PingKeys = PingKeys()
    vsat: PingKeys = PingKeys()


class PingTable(PingKeys):
    """[ping]"""

    kinds: PingKinds = PingKinds()


class SlaKinds(Table):
    """[sla.kinds.<kind>]"""

    fibre: SlaKeys = SlaKeys()
    radio: SlaKeys = SlaKeys()
    lte: SlaKeys = SlaKeys()
    vsat: SlaKeys = SlaKeys()


class SlaProvider(SlaKeys):
    """[[sla.providers]]"""

    name: Text = Field(
        examples=["Penyedia A"], description="the provider's name as the links have it, in quotes"
    )


class SlaTable(Table):
    """[sla]: availability targets for reports."""

    kinds: SlaKinds = SlaKinds()
    providers: list[SlaProvider] = Field(
        default=[],
        examples=[],
        description="each provider under a header of its own: [[sla.providers]]",
    )


class InfluxTable(Table):
    """[storage.influxdb]"""

    url: Annotated[str, AfterValidator(field_types.http_url)] = Field(
        repr=False, examples=["http://127.0.0.1:8086"], description="the server's address"
    )
    org: str = Field(
        default="", examples=["diskominfo"], description="the organisation, as InfluxDB has it"
    )
    bucket: Annotated[str, AfterValidator(field_types.bucket)] = Field(
        default="pantau", examples=["pantau"], description="the bucket's name, without /"
    )
    token: SecretName | None = Field(
        default=None,
        repr=False,
        examples=["influxdb"],
        description="the name of a secret, never the token itself",
    )
    verify_tls: bool = Field(
        default=True,
        examples=[True],
        description="true, or false: any certificate is taken (better: ca_file)",
    )
    ca_file: str | None = Field(
        default=None,
        min_length=1,
        examples=["/etc/pantau/influxdb-ca.pem"],
        description="the CA's certificate (PEM) where the server has one of your own",
    )
    timeout_s: float = Field(
        default=10.0, gt=0, le=300, examples=[10.0], description="the seconds to wait for an answer"
    )


class JournalTable(Table):
    """[storage.journal]"""

    raw_days: int = Field(
        default=14,
        ge=1,
        le=3660,
        examples=[14],
        description="the days that raw samples are kept here",
    )
    evidence_days: int = Field(
        default=35,
        ge=0,
        le=3660,
        examples=[35],
        description="the days that every request is kept for replay (0: not at all)",
    )
    minute_days: int = Field(
        default=180,
        ge=1,
        le=3660,
        examples=[180],
        description="the days that sums over a minute are kept here",
    )
    hour_days: int = Field(
        default=1826,
        ge=31,
        le=36600,
        examples=[1826],
        description="the days that sums over an hour are kept here",
    )
    max_mb: int = Field(
        default=2048,
        ge=16,
        le=10**7,
        examples=[2048],
        description="the most MB that raw samples and evidence may fill here",
    )


class DiskTable(Table):
    """[storage.disk]: when the disk of data_dir is a warning."""

    free_mb: int = Field(
        default=500,
        ge=10,
        le=10**7,
        examples=[500],
        description="the free MB below which somebody is told (at most a tenth of the disk)",
    )
    full_within_h: float = Field(
        default=24.0,
        gt=0,
        le=8760,
        examples=[24],
        description="the hours: told when the disk fills within them at its measured rate",
    )
    free_inodes_pct: float = Field(
        default=5.0,
        ge=0,
        le=50,
        examples=[5],
        description="the percent of free inodes (files) below which somebody is told",
    )


class StorageTable(Table):
    """[storage]"""

    influxdb: InfluxTable | None = None
    journal: JournalTable = JournalTable()
    disk: DiskTable = DiskTable()


class TraceTable(Table):
    """[trace]: the paths to the targets."""

    enabled: bool = Field(
        default=True, examples=[True], description="true, or false to trace no path"
    )
    max_hops: int = Field(
        default=20, ge=1, le=20, examples=[20], description="the most hops that are asked"
    )
    baseline_every_h: float = Field(
        default=24.0,
        ge=1,
        le=168,
        examples=[24],
        description="the hours between two traces of the usual path of a target",
    )


class ProxyTable(Table):
    """[dashboard.proxy]: a reverse proxy that authenticates users."""

    peers: Annotated[
        list[ProxyPeer],
        BeforeValidator(field_types.one_or_many),
        AfterValidator(field_types.nonempty),
    ] = Field(
        examples=["127.0.0.1"],
        description="the proxy's address, or a list of addresses and networks",
    )
    secret: SecretName = Field(
        repr=False,
        examples=["proxy"],
        description="the name of a secret, never the secret itself",
    )
    header: Annotated[str, AfterValidator(field_types.header_name)] = Field(
        default="X-Remote-User",
        examples=["X-Remote-User"],
        description="the header in which the proxy names who is signed in",
    )
    role: Literal["see", "operate", "administer", "none"] = Field(
        default="see",
        examples=["see"],
        description="what somebody may do who is no user here: see, operate, administer or none",
    )


class DashboardTable(Table):
    """[dashboard]"""

    host: Text = Field(
        default="127.0.0.1", examples=["127.0.0.1"], description="the address to serve the page on"
    )
    port: int = Field(
        default=8050, ge=1, le=65535, examples=[8050], description="the page's TCP port"
    )
    prefix: Annotated[str, AfterValidator(field_types.url_prefix)] = Field(
        default="/",
        examples=["/pantau/"],
        description="the path under which a proxy serves the page",
    )
    trusted_proxies: Annotated[list[ProxyPeer], BeforeValidator(field_types.one_or_many)] = Field(
        default=["127.0.0.1/32", "::1/128"],
        examples=["127.0.0.1"],
        description="the address of the proxy that passes requests on, or a list of them",
    )
    user: Annotated[str, AfterValidator(field_types.system_user)] = Field(
        default="pantau-web",
        examples=["pantau-web"],
        description="the system user that serves the page",
    )
    series: Literal["journal", "influxdb"] = Field(
        default="journal",
        examples=["journal"],
        description="where charts of more than six hours are read: journal or influxdb",
    )
    proxy: ProxyTable | None = None


class MonitorFile(Table):
    """monitor.toml"""

    monitor: MonitorTable
    ping: PingTable = PingTable()
    snmp: SnmpKeys = SnmpKeys()
    trace: TraceTable = TraceTable()
    sla: SlaTable = SlaTable()
    storage: StorageTable = StorageTable()
    dashboard: DashboardTable = DashboardTable()
