"""Getting the ICMP socket, with what this process is allowed; and what to say when it is not.

A raw socket where that is permitted, else a datagram ("ping") socket. On either the kernel
reports ICMP errors on the error queue (IP_RECVERR); and because of the same option a packet
that this machine itself drops on its way out is an error of the send (ENOBUFS) and no silence.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import struct
from array import array
from enum import Enum
from typing import NamedTuple

from icmplib.exceptions import ICMPSocketError, SocketPermissionError
from icmplib.sockets import ICMPv4Socket, ICMPv6Socket

from monitor.adapters.icmp.wire import EchoForm, Family, filling
from monitor.core.errors import ProbeError

SO_ATTACH_FILTER = 26
SO_SNDBUFFORCE = 32
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
SOL_RAW = 255
ICMP_FILTER = 1
ICMP6_FILTER = 1
IP_RECVERR = 11
IPV6_RECVERR = 25

MAY_NOT = (
    "this process may not send ICMP: give it CAP_NET_RAW "
    "(systemd: AmbientCapabilities=CAP_NET_RAW; "
    "by hand: setcap cap_net_raw+ep on the Python binary), "
    "or let its group use datagram ICMP with "
    "sysctl -w net.ipv4.ping_group_range='0 2147483647'"
)

NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EPFNOSUPPORT)

log = logging.getLogger(__name__)


class SocketMode(Enum):
    """Which kind of socket: what is permitted, or one of the two and nothing else."""

    AUTO = "auto"
    RAW = "raw"
    DATAGRAM = "datagram"


class Opened(NamedTuple):
    """An open socket, ready to use, and the form of its requests."""

    sock: socket.socket
    form: EchoForm
    mode: SocketMode


def open_socket(family: Family, mode: SocketMode, buffer_bytes: int) -> Opened | None:
    """A socket of this family; None when this machine has no such family.

    Raises ProbeError: one sentence that names the mend.
    """
    attempts = (SocketMode.RAW, SocketMode.DATAGRAM) if mode is SocketMode.AUTO else (mode,)
    refused: SocketPermissionError | None = None
    for attempt in attempts:
        try:
            made = _icmplib_socket(family, attempt)
        except SocketPermissionError as error:
            refused = error
            continue
        except ICMPSocketError as error:
            reason = error.__context__
            number = reason.errno if isinstance(reason, OSError) else None
            if number in NO_SUCH_FAMILY:
                return None
            raise ProbeError(_cannot_open(family, number, str(error))) from error
        return _set_up(made, family, attempt, buffer_bytes)
    raise ProbeError(MAY_NOT) from refused


def _icmplib_socket(family: Family, mode: SocketMode) -> ICMPv4Socket | ICMPv6Socket:
    privileged = mode is SocketMode.RAW
    if family is Family.V4:
        return ICMPv4Socket(privileged=privileged)
    return ICMPv6Socket(privileged=privileged)


def _cannot_open(family: Family, number: int | None, words: str) -> str:
    if number in (errno.EMFILE, errno.ENFILE):
        return (
            f"no descriptor is left for the {family.label} ICMP socket: raise the limit "
            "(systemd: LimitNOFILE=, by hand: ulimit -n)"
        )
    return f"the {family.label} ICMP socket cannot be opened: {words}"


def _set_up(
    made: ICMPv4Socket | ICMPv6Socket, family: Family, mode: SocketMode, buffer_bytes: int
) -> Opened:
    # icmplib closes its socket when its wrapper is collected: take it out of there.
    sock = socket.socket(fileno=made.sock.detach())
    raw = mode is SocketMode.RAW
    try:
        sock.setblocking(False)
        if raw:
            identifier = int.from_bytes(os.urandom(2), "big")
            _let_in_only_answers(sock, family, identifier)
        else:
            sock.bind(("0.0.0.0" if family is Family.V4 else "::", 0))  # noqa: S104
            identifier = sock.getsockname()[1]
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        if family is Family.V4:
            sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        _widen(sock, buffer_bytes)
        template: bytes = made._create_packet(identifier, 0, filling())
    except OSError as error:
        sock.close()
        raise ProbeError(f"the {family.label} ICMP socket cannot be set up: {error}") from error
    whole = raw and family is Family.V4
    return Opened(sock, EchoForm(family, identifier, template, whole_packet=whole), mode)


def _let_in_only_answers(sock: socket.socket, family: Family, identifier: int) -> None:
    """A raw socket gets every ICMP packet of the host: only echo replies to us may wake us.

    The kernel's own filter by type, then classic BPF (bpf(4)): type, and our identifier.
    """
    if family is Family.V4:
        sock.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("@I", ~(1 << family.reply) & 0xFFFFFFFF))
        # X = length of the IP header; then type at X + 0 and identifier at X + 4.
        program = [
            (0xB1, 0, 0, 0),
            (0x50, 0, 0, 0),
            (0x15, 0, 3, family.reply),
            (0x48, 0, 0, 4),
            (0x15, 0, 1, identifier),
            (0x06, 0, 0, 0xFFFF),
            (0x06, 0, 0, 0),
        ]
    else:
        blocked = [0xFFFFFFFF] * 8
        blocked[family.reply >> 5] &= ~(1 << (family.reply & 31))
        sock.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, struct.pack("@8I", *blocked))
        # The IPv6 header is not there: type at 0 and identifier at 4.
        program = [
            (0x30, 0, 0, 0),
            (0x15, 0, 3, family.reply),
            (0x28, 0, 0, 4),
            (0x15, 0, 1, identifier),
            (0x06, 0, 0, 0xFFFF),
            (0x06, 0, 0, 0),
        ]
    code = array("B", b"".join(struct.pack("@HBBI", *line) for line in program))
    address = code.buffer_info()[0]
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(program), address))


def _widen(sock: socket.socket, buffer_bytes: int) -> None:
    """Room for the answers that come while we are busy elsewhere, and for a round that leaves."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, buffer_bytes)
        sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, buffer_bytes)
        return
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    # The kernel doubles what it was asked for, and reports the double (socket(7)).
    got = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
    if got < buffer_bytes:
        log.warning(
            "the receive buffer for ICMP is %d bytes, not %d: answers to thousands of targets "
            "could be dropped here; sysctl -w net.core.rmem_max=%d helps",
            got,
            buffer_bytes,
            buffer_bytes,
        )
