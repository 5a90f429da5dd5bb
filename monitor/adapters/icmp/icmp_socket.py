"""One ICMP socket for all targets of a family: opening, sending, reading replies and errors.

A raw socket where that is permitted, else a datagram ("ping") socket (icmp(7)); icmplib opens
either and builds the request template. On both the kernel reports ICMP errors on the error queue
(IP_RECVERR); with the same option a packet that this machine itself drops on its way out is an
error of the send (ENOBUFS) instead of silence.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import struct
from array import array
from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

from icmplib.exceptions import ICMPSocketError, SocketPermissionError
from icmplib.sockets import ICMPv4Socket, ICMPv6Socket

from monitor.adapters.icmp.packets import (
    EchoCodec,
    Family,
    QuotedRequest,
    Rejection,
    template_payload,
)
from monitor.core.errors import ProbeError

# Constants of <linux/...> that the socket module does not have.
SO_ATTACH_FILTER = 26
SO_SNDBUFFORCE = 32
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
SO_MEMINFO = 55
SOL_RAW = 255
ICMP_FILTER = 1
ICMP6_FILTER = 1
IP_RECVERR = 11
IPV6_RECVERR = 25
SK_MEMINFO_RMEM_ALLOC, SK_MEMINFO_RCVBUF, SK_MEMINFO_DROPS = 0, 1, 8

PACKET_BYTES = 256
REPLY_CONTROL_BYTES = 64
ERROR_CONTROL_BYTES = 512

MAX_READS = 20_000
"""Packets that one call reads at most, so that a flood cannot block the event loop."""

NO_PERMISSION = (
    "this process may not send ICMP: give it CAP_NET_RAW "
    "(systemd: AmbientCapabilities=CAP_NET_RAW; "
    "by hand: setcap cap_net_raw+ep on the Python binary), "
    "or let its group use datagram ICMP with "
    "sysctl -w net.ipv4.ping_group_range='0 2147483647'"
)

FAMILY_NOT_SUPPORTED = (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EPFNOSUPPORT)

ICMP_ORIGIN = {Family.V4: 2, Family.V6: 3}
"""SO_EE_ORIGIN_ICMP and SO_EE_ORIGIN_ICMP6: errors received from the network, not local ones."""

TTL_OPTION = {
    Family.V4: (socket.IPPROTO_IP, socket.IP_TTL),
    Family.V6: (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT),
}
"""Ancillary data of a packet: its level and type; the value is an int."""

_TTL = struct.Struct("@i")
_TIMESPEC = struct.Struct("@ll")
_EXTENDED_ERROR = struct.Struct("@IBBBBII")
_MEMINFO = struct.Struct("@9I")

log = logging.getLogger(__name__)


class SocketMode(Enum):
    """Which kind of socket to open; AUTO: raw, and datagram where raw is not permitted."""

    AUTO = "auto"
    RAW = "raw"
    DATAGRAM = "datagram"


SocketAddress = tuple[str, int] | tuple[str, int, int, int]
"""An address as sendto() takes it."""

EchoReply = tuple[int, int, str, float | None]
"""Index, nonce, source and receive timestamp of an echo reply with our identifier and a valid
checksum; whether a request matches it is checked later. A plain tuple: millions an hour."""


class IcmpError(NamedTuple):
    """An ICMP error about a request. router: its sender."""

    quote: QuotedRequest
    destination: str
    router: str
    kind: int
    code: int
    timestamp_s: float | None


class IcmpSocket:
    """An open socket. `rejected` collects packets that match nothing; the reader clears it."""

    def __init__(
        self,
        family: Family,
        mode: SocketMode,
        sock: socket.socket,
        codec: EchoCodec,
        steady_s: Callable[[], float],
    ) -> None:
        self.family = family
        self.mode = mode
        self.rejected: list[Rejection] = []
        self._sock = sock
        self._codec = codec
        self._steady_s = steady_s
        self._errors: list[IcmpError] = []
        self._drops = 0
        self._was_full = False

    @classmethod
    def open(
        cls,
        family: Family,
        mode: SocketMode,
        buffer_bytes: int,
        steady_s: Callable[[], float],
    ) -> IcmpSocket | None:
        """Open a socket; None when this machine does not support the family.

        Raises ProbeError, whose message says how to permit it.
        """
        attempts = (SocketMode.RAW, SocketMode.DATAGRAM) if mode is SocketMode.AUTO else (mode,)
        denied: SocketPermissionError | None = None
        for attempt in attempts:
            try:
                made = _icmplib_socket(family, attempt)
            except SocketPermissionError as error:
                denied = error
                continue
            except ICMPSocketError as error:
                reason = error.__context__
                number = reason.errno if isinstance(reason, OSError) else None
                if number in FAMILY_NOT_SUPPORTED:
                    return None
                raise ProbeError(_open_failure(family, number, str(error))) from error
            sock, codec = _configured(made, family, attempt, buffer_bytes)
            return cls(family, attempt, sock, codec, steady_s)
        raise ProbeError(NO_PERMISSION) from denied

    def fileno(self) -> int:
        return self._sock.fileno()

    def close(self) -> None:
        self._sock.close()

    def send(self, index: int, nonce: int, address: SocketAddress) -> float:
        """Send one request; returns the steady time right before it left.

        Raises OSError when it cannot be sent: no route, no buffer space, no permission.
        """
        packet = self._codec.request(index, nonce)
        sent_s = self._steady_s()
        try:
            self._sock.sendto(packet, address)
        except OSError:
            return self._send_again(packet, address)
        return sent_s

    def send_with_ttl(self, index: int, nonce: int, address: SocketAddress, ttl: int) -> float:
        """The same with a TTL (hop limit) for this packet alone."""
        packet = self._codec.request(index, nonce)
        level, option = TTL_OPTION[self.family]
        control = [(level, option, _TTL.pack(ttl))]
        sent_s = self._steady_s()
        try:
            self._sock.sendmsg([packet], control, 0, address)
        except OSError:
            return self._send_again(packet, address, control)
        return sent_s

    def _send_again(
        self,
        packet: bytearray,
        address: SocketAddress,
        control: Sequence[tuple[int, int, bytes]] = (),
    ) -> float:
        """Repeat a send after an error that may belong to an *earlier* request.

        The kernel hands a pending ICMP error to the next call on the socket. Read the error
        queue; an error that then remains is this request's own.
        """
        self._collect_errors()
        while True:
            sent_s = self._steady_s()
            try:
                self._sock.sendmsg([packet], control, 0, address)
            except OSError:
                if not self._collect_errors():
                    raise
            else:
                return sent_s

    def read_replies(self) -> tuple[list[EchoReply], bool]:
        """All replies that have arrived; and whether the socket is now empty."""
        replies: list[EchoReply] = []
        receive = self._sock.recvmsg
        parse = self._codec.parse_reply
        for _ in range(MAX_READS):
            try:
                packet, control, _, source = receive(PACKET_BYTES, REPLY_CONTROL_BYTES)
            except BlockingIOError:
                return replies, True
            except OSError:
                continue  # a pending ICMP error: it is on the error queue, too
            marks = parse(packet)
            if isinstance(marks, Rejection):
                self.rejected.append(marks)
            else:
                replies.append((*marks, source[0], _timestamp_s(control)))
        return replies, False

    def read_errors(self) -> list[IcmpError]:
        """All ICMP errors that have arrived."""
        self._collect_errors()
        errors, self._errors = self._errors, []
        return errors

    def overflowed(self) -> bool:
        """Whether the kernel dropped packets for want of buffer space since the last call.

        Call it before reading. In IPv6 a raw socket with a filter also counts packets with a
        wrong checksum as drops; there a drop counts only if the buffer is or was full.
        """
        info = _MEMINFO.unpack(self._sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, _MEMINFO.size))
        full = info[SK_MEMINFO_RMEM_ALLOC] * 2 > info[SK_MEMINFO_RCVBUF]
        dropped = info[SK_MEMINFO_DROPS] != self._drops
        credible = self.family is Family.V4 or full or self._was_full
        self._drops = info[SK_MEMINFO_DROPS]
        self._was_full = full
        if dropped and not credible:
            self.rejected.append(Rejection.MALFORMED)
        return dropped and credible

    def is_quote_of(self, quote: QuotedRequest, index: int, nonce: int) -> bool:
        """Whether an ICMP error quotes our request with this index and nonce."""
        if quote.nonce is not None:
            return quote.nonce == nonce
        is_v4 = self.family is Family.V4
        return is_v4 and self._codec.has_checksum(index, nonce, quote.checksum)

    def _collect_errors(self) -> int:
        """Empty the error queue; returns how many messages it held."""
        for count in range(MAX_READS):
            try:
                quoted, control, _, address = self._sock.recvmsg(
                    PACKET_BYTES, ERROR_CONTROL_BYTES, socket.MSG_ERRQUEUE
                )
            except BlockingIOError:
                return count
            except OSError:
                continue
            error = self._parse_error(quoted, control, address)
            if isinstance(error, Rejection):
                self.rejected.append(error)
            elif error is not None:
                self._errors.append(error)
        return MAX_READS

    def _parse_error(
        self,
        quoted: bytes,
        control: list[tuple[int, int, bytes]],
        address: tuple[str, int] | None,
    ) -> IcmpError | Rejection | None:
        extended = next((data for level, kind, data in control if _is_error(level, kind)), None)
        if extended is None or len(extended) < _EXTENDED_ERROR.size or not address:
            return Rejection.MALFORMED
        _, origin, kind, code, *_ = _EXTENDED_ERROR.unpack_from(extended)
        if origin != ICMP_ORIGIN[self.family]:
            return None
        quote = self._codec.parse_quote(quoted)
        if isinstance(quote, Rejection):
            return quote
        router = self._router(extended[_EXTENDED_ERROR.size :])
        return IcmpError(quote, address[0], router, kind, code, _timestamp_s(control))

    def _router(self, offender: bytes) -> str:
        """From a struct sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)); "?" when it is absent."""
        if self.family is Family.V4 and len(offender) >= 8:
            return socket.inet_ntop(socket.AF_INET, offender[4:8])
        if self.family is Family.V6 and len(offender) >= 24:
            return socket.inet_ntop(socket.AF_INET6, offender[8:24])
        return "?"


def _is_error(level: int, kind: int) -> bool:
    return (level, kind) in (
        (socket.IPPROTO_IP, IP_RECVERR),
        (socket.IPPROTO_IPV6, IPV6_RECVERR),
    )


def _timestamp_s(control: list[tuple[int, int, bytes]]) -> float | None:
    """The kernel's receive timestamp (SCM_TIMESTAMPNS), in its clock; None when it is absent."""
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == 35 and len(data) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return seconds + nanoseconds * 1e-9 if seconds else None
    return None


def _icmplib_socket(family: Family, mode: SocketMode) -> ICMPv4Socket | ICMPv6Socket:
    privileged = mode is SocketMode.RAW
    if family is Family.V4:
        return ICMPv4Socket(privileged=privileged)
    return ICMPv6Socket(privileged=privileged)


def _open_failure(family: Family, number: int | None, detail: str) -> str:
    if number in (errno.EMFILE, errno.ENFILE):
        return (
            f"no descriptor is left for the {family.label} ICMP socket: raise the limit "
            "(systemd: LimitNOFILE=, by hand: ulimit -n)"
        )
    return f"the {family.label} ICMP socket cannot be opened: {detail}"


def _configured(
    made: ICMPv4Socket | ICMPv6Socket, family: Family, mode: SocketMode, buffer_bytes: int
) -> tuple[socket.socket, EchoCodec]:
    """Take the socket out of icmplib's wrapper, set its options and build its codec."""
    # The wrapper closes its socket when it is collected: detach it.
    sock = socket.socket(fileno=made.sock.detach())
    raw = mode is SocketMode.RAW
    try:
        sock.setblocking(False)
        if raw:
            identifier = int.from_bytes(os.urandom(2), "big")
            _accept_only_our_replies(sock, family, identifier)
        else:
            sock.bind(("0.0.0.0" if family is Family.V4 else "::", 0))  # noqa: S104
            identifier = sock.getsockname()[1]
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        if family is Family.V4:
            sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        _enlarge_buffers(sock, buffer_bytes)
        template: bytes = made._create_packet(identifier, 0, template_payload())
    except OSError as error:
        sock.close()
        raise ProbeError(f"the {family.label} ICMP socket cannot be set up: {error}") from error
    has_ip_header = raw and family is Family.V4
    return sock, EchoCodec(family, identifier, template, has_ip_header=has_ip_header)


def _accept_only_our_replies(sock: socket.socket, family: Family, identifier: int) -> None:
    """Set kernel filters, as a raw socket receives every ICMP packet of the host.

    First the filter by type, then classic BPF (bpf(4)): type and our identifier.
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
        # The kernel has removed the IPv6 header: type at 0 and identifier at 4.
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


def _enlarge_buffers(sock: socket.socket, buffer_bytes: int) -> None:
    """Make room for the replies that arrive between two reads, and for a whole round of sends."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, buffer_bytes)
        sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, buffer_bytes)
        return
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    # The kernel doubles the requested size, and reports the double (socket(7)).
    size = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
    if size < buffer_bytes:
        log.warning(
            "the receive buffer for ICMP is %d bytes, not %d: replies of thousands of targets "
            "could be dropped here; sysctl -w net.core.rmem_max=%d helps",
            size,
            buffer_bytes,
            buffer_bytes,
        )
