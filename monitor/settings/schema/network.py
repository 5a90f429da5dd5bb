"""Schema of network.toml and sites/<id>.toml."""

from __future__ import annotations

from pydantic import Field

from monitor.settings.schema.common import (
    HostAddress,
    Kind,
    NodeIds,
    PingKeys,
    SlaKeys,
    Slug,
    SnmpSection,
    Table,
    Text,
)


class LocatedTable(Table):
    """Coordinates of a site or node."""

    lat: float | None = Field(
        default=None,
        ge=-90,
        le=90,
        examples=[-6.3506],
        description="the latitude in degrees, south below 0",
    )
    lon: float | None = Field(
        default=None, ge=-180, le=180, examples=[107.9615], description="the longitude in degrees"
    )


class NodeTable(PingKeys, LocatedTable):
    """[[nodes]]"""

    id: Slug = Field(
        examples=["pop-jatibarang"], description="a short name of small letters, digits and -"
    )
    name: Text | None = Field(
        default=None, examples=["PoP Jatibarang"], description="the name for people, in quotes"
    )
    address: HostAddress = Field(
        examples=["10.77.0.11"], description="the IP address to ping, in quotes"
    )
    parent: NodeIds = Field(
        default=[],
        examples=["inti"],
        description="the id of the node that it hangs on, or a list of ids",
    )
    snmp: SnmpSection | None = None


class NetworkFile(Table):
    """network.toml"""

    anchors: list[HostAddress] = Field(
        default=[],
        examples=[["10.77.0.1", "10.77.0.2"]],
        description="a list of IP addresses, in quotes",
    )
    nodes: list[NodeTable] = Field(
        default=[], examples=[], description="each node under a header of its own: [[nodes]]"
    )


class LinkTable(SlaKeys, PingKeys):
    """[[links]]"""

    id: Slug = Field(examples=["utama"], description="a short name of small letters, digits and -")
    address: HostAddress = Field(
        examples=["10.77.23.1"], description="the IP address to ping, in quotes"
    )
    kind: Kind = Field(
        examples=["fibre"], description='"fibre", "radio", "lte" or "vsat", in quotes'
    )
    provider: Text | None = Field(
        default=None, examples=["Penyedia A"], description="who provides the link, in quotes"
    )
    via: NodeIds = Field(
        default=[], examples=["pop-patrol"], description="the id of a node, or a list of ids"
    )
    capacity_mbps: float | None = Field(
        default=None, gt=0, le=1e6, examples=[100], description="the capacity in Mbit/s"
    )
    circuit: Text | None = Field(
        default=None,
        examples=["FO-1234"],
        description="the provider's number of this link, in quotes",
    )
    contact: Text | None = Field(
        default=None,
        examples=["0800-1-000-000"],
        description="whom to call at the provider, in quotes",
    )


class SiteFile(LocatedTable):
    """sites/<id>.toml"""

    id: Slug = Field(
        examples=["anjatan"], description="a short name of small letters, digits and -"
    )
    name: Text = Field(examples=["Anjatan"], description="the kecamatan's name, in quotes")
    code: Text = Field(
        examples=["32.12.23"], description="the kecamatan's Kemendagri code, in quotes"
    )
    links: list[LinkTable] = Field(
        default=[], examples=[], description="each link under a header of its own: [[links]]"
    )
    snmp: SnmpSection | None = None
