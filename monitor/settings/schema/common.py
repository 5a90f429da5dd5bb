"""Tables that several files share: probe rules, SNMP, availability.

A field's `description` and `examples` are part of error messages (settings.schema_errors):
"write <description>, for example <key> = <example>".
`repr=False` marks a value that may hold a secret by mistake: it is never printed.

Only what one key can tell by itself is checked here; see settings.cross_checks for the rest.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from monitor.settings.schema import field_types

Kind = Literal["fibre", "radio", "lte", "vsat"]

Text = Annotated[str, AfterValidator(field_types.one_line)]
Slug = Annotated[str, AfterValidator(field_types.slug)]
HostAddress = Annotated[str, AfterValidator(field_types.address)]
SecretName = Annotated[str, AfterValidator(field_types.secret_name)]
NodeIds = Annotated[list[str], BeforeValidator(field_types.one_or_many)]


class Table(BaseModel):
    """A TOML table: unknown keys are errors, types are not converted, instances are frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class PingKeys(Table):
    """Probe rules: in [ping], [ping.kinds.X], on a node, on a link."""

    interval_s: float | None = Field(
        default=None, gt=0, le=3600, examples=[1.0], description="the seconds between two requests"
    )
    confirm_interval_s: float | None = Field(
        default=None,
        gt=0,
        le=3600,
        examples=[0.2],
        description="the seconds between two requests while a link is suspected",
    )
    confirm_s: float | None = Field(
        default=None,
        gt=0,
        le=3600,
        examples=[5.0],
        description="the seconds that a link must be silent before it is down",
    )
    timeout_s: float | None = Field(
        default=None,
        gt=0,
        le=60,
        examples=[1.0],
        description="the seconds after which a request is lost",
    )
    rise: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        examples=[3],
        description="the number of good replies in a row that end an outage",
    )
    window_s: float | None = Field(
        default=None,
        gt=0,
        le=86400,
        examples=[60],
        description="the seconds over which loss and RTT are watched",
    )
    loss_pct: float | None = Field(
        default=None,
        ge=0,
        le=100,
        examples=[5],
        description="the loss in percent above which a link is degraded",
    )
    rtt_ms: float | None = Field(
        default=None,
        gt=0,
        le=60000,
        examples=[50],
        description="the median RTT in milliseconds above which a link is degraded",
    )
    record_s: float | None = Field(
        default=None,
        gt=0,
        le=3600,
        examples=[10],
        description="the seconds that one stored sample covers",
    )
    false_alarm: float | None = Field(
        default=None,
        gt=0,
        le=0.01,
        examples=[3e-9],
        description="the accepted chance of a false alarm for each request",
    )


class SlaKeys(Table):
    """The agreed availability: of a kind, a provider, or one link."""

    sla_pct: float | None = Field(
        default=None,
        ge=50,
        le=100,
        examples=[99.5],
        description="the availability in a calendar month that was agreed, in percent",
    )


class SnmpKeys(Table):
    """SNMP polling: in [snmp] of monitor.toml and in the section of one router."""

    interval_s: float | None = Field(
        default=None, ge=1, le=3600, examples=[60], description="the seconds between two polls"
    )
    timeout_s: float | None = Field(
        default=None, gt=0, le=60, examples=[2.0], description="the seconds to wait for one answer"
    )
    retries: int | None = Field(
        default=None,
        ge=0,
        le=10,
        examples=[1],
        description="how often to ask again without an answer",
    )
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        examples=[161],
        description="the UDP port of the router's SNMP agent",
    )


class InterfaceTable(Table):
    """[[snmp.interfaces]]"""

    name: Text = Field(
        examples=["ether1"], description="the port's name as the router calls it (ifName)"
    )
    link: str | None = Field(
        default=None, examples=["utama"], description="the id of the link that runs over this port"
    )
    capacity_mbps: float | None = Field(
        default=None, gt=0, le=1e6, examples=[100], description="the port's capacity in Mbit/s"
    )


class SnmpSection(SnmpKeys):
    """[snmp] of a site, [nodes.snmp] of a node."""

    address: HostAddress | None = Field(
        default=None, examples=["10.77.23.1"], description="the router's IP address, in quotes"
    )
    version: Literal["2c", "3"] = Field(
        default="2c", examples=["2c"], description='the SNMP version, "2c" or "3", in quotes'
    )
    credential: SecretName = Field(
        repr=False,
        examples=["router-ro"],
        description="the name of a secret, never the secret itself",
    )
    interfaces: list[InterfaceTable] = Field(
        default=[],
        examples=[],
        description="each port under a header of its own: [[snmp.interfaces]]",
    )
