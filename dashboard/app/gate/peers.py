"""Who sent a request: from which address, through which proxy, from which page.

Headers that anybody can write are believed only of the proxies that the configuration names:
`trusted_proxies` of [dashboard], and the peers of [dashboard.proxy].
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flask import Request

from monitor.core.access import UserRole, parse_user_name
from monitor.core.errors import ConfigError

SECRET_HEADER = "X-Pantau-Secret"  # noqa: S105 - the name of a header
PASSED_ON = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto")
PASSED_ON_TOO = ("X-Real-Ip", "Via")
PORTS = {"http": 80, "https": 443}
LOOPBACK_NAME = "localhost"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that names who is signed in. role: of those who are no users here, None: nothing."""

    networks: tuple[Network, ...]
    header: str
    secret: str = field(repr=False)
    role: UserRole | None = UserRole.VIEWER


@dataclass(frozen=True, slots=True)
class Peer:
    """address: of the browser, as far as it can be believed. local: on this machine, directly.

    https: the browser speaks it. named: by the proxy that is believed.
    """

    address: str
    local: bool
    https: bool
    named: str | None


def read_peer(request: Request, proxy: Proxy | None, trusted: Sequence[Network]) -> Peer:
    """Whom a request comes from. trusted: the proxies that pass requests on."""
    address = _parsed(request.remote_addr)
    believed = address is not None and (_within(address, trusted) or _is_peer(address, proxy))
    forwarded = any(name in request.headers for name in (*PASSED_ON, *PASSED_ON_TOO))
    through = _parsed(request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip())
    scheme = request.headers.get("X-Forwarded-Proto", "").strip().casefold()
    return Peer(
        address=_group(through if believed and through is not None else address),
        local=address is not None
        and address.is_loopback
        and not forwarded
        and _is_loopback_name(request.host),
        https=request.is_secure or (believed and scheme == "https"),
        named=_named(request, address, proxy),
    )


def is_own_page(request: Request) -> bool:
    """Does the browser say that one of our own pages asks? Without an Origin: no.

    The scheme is not compared: behind a proxy that ends TLS we do not see it.
    """
    origin = request.headers.get("Origin", "")
    try:
        told = urlsplit(origin)
        theirs = (told.hostname, told.port or PORTS.get(told.scheme))
        here = urlsplit(f"//{request.host}")
        ours = (here.hostname, here.port or PORTS.get(told.scheme))
    except ValueError:
        return False
    if told.scheme not in PORTS or told.hostname is None:
        return False
    return theirs == ours and request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"


def came_from_elsewhere(request: Request) -> bool:
    """Did a link on another site lead here? Then the browser kept its Strict cookies back."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("cross-site", "same-site")
    try:
        referer = urlsplit(request.headers.get("Referer", "")).netloc
    except ValueError:
        return False
    return referer not in ("", request.host)


def read_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Addresses and networks, as the configuration checked them."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def is_proxy_address(text: str, networks: Sequence[Network]) -> bool:
    """Whether a proxy of ours connects from this address."""
    address = _parsed(text)
    return address is not None and _within(address, networks)


def _parsed(text: str | None) -> Address | None:
    try:
        address = ipaddress.ip_address(text or "")
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _is_peer(address: Address, proxy: Proxy | None) -> bool:
    return proxy is not None and _within(address, proxy.networks)


def _group(address: Address | None) -> str:
    """One household has a whole /64 of IPv6 addresses."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _is_loopback_name(host: str) -> bool:
    """Another name that leads here may be a page elsewhere that rebinds its own (DNS)."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    address = _parsed(name)
    return name == LOOPBACK_NAME or (address is not None and address.is_loopback)


def _named(request: Request, address: Address | None, proxy: Proxy | None) -> str | None:
    if proxy is None or address is None or not _within(address, proxy.networks):
        return None
    told = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(told, proxy.secret.encode()):
        return None
    try:
        return parse_user_name(request.headers.get(proxy.header, ""))
    except ConfigError:
        return None
