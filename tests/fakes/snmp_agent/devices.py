"""Configured routers for the agents of this package, and polls of them."""

from __future__ import annotations

from monitor.core.model import Device, Interface
from monitor.core.ports import Poller
from monitor.core.samples.snmp_poll import DevicePoll, InterfaceCounters, PollFailed


def device(
    address: str,
    port: int,
    *interfaces: str,
    name: str = "anjatan",
    credential: str = "komunitas",
    timeout_s: float = 1.0,
    retries: int = 1,
) -> Device:
    """Version 2c for the credential `komunitas`, else 3; by default with ether1 and ether2."""
    return Device(
        name=name,
        address=address,
        port=port,
        version="2c" if credential == "komunitas" else "3",
        credential=credential,
        interfaces=tuple(Interface(ifname) for ifname in interfaces or ("ether1", "ether2")),
        timeout_s=timeout_s,
        retries=retries,
        site="anjatan",
    )


async def polled(poller: Poller, router: Device) -> DevicePoll:
    """A poll that is expected to succeed."""
    answer = await poller.poll(router)
    assert isinstance(answer, DevicePoll), answer
    return answer


async def failed(poller: Poller, router: Device) -> PollFailed:
    """A poll that is expected to fail."""
    answer = await poller.poll(router)
    assert isinstance(answer, PollFailed), answer
    return answer


def interface_of(poll: DevicePoll, name: str) -> InterfaceCounters:
    return next(one for one in poll.interfaces if one.name == name)
