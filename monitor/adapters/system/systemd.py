"""Notifications to systemd: ready, watchdog, status, stopping (`sd_notify`).

A datagram to the socket named by `$NOTIFY_SOCKET`
(https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html); no library is needed.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)


class SystemdNotifier:
    """Sends state changes to systemd; does nothing when NOTIFY_SOCKET is not set.

    watchdog_s: the interval within which systemd expects `alive`; None: no watchdog is set.
    """

    def __init__(self, environ: Mapping[str, str], pid: int) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # An abstract socket is written with "@"; its name begins with a zero byte.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = _watchdog_s(environ, pid) if address else None

    def ready(self) -> None:
        """The start is complete."""
        self._send("READY=1")

    def alive(self) -> None:
        """Reset the watchdog."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Set the line that `systemctl status` shows."""
        self._send("STATUS=" + " ".join(text.split()))

    def stopping(self) -> None:
        """The shutdown has begun."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                # Never block the event loop on a busy systemd: one notification may be lost.
                sock.setblocking(False)
                sock.sendto(message.encode(), self._address)
        except OSError as error:
            log.warning("systemd cannot be notified of %s: %s", message, error)


def _watchdog_s(environ: Mapping[str, str], pid: int) -> float | None:
    """`$WATCHDOG_USEC` in seconds, when `$WATCHDOG_PID` is this process."""
    if environ.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    text = environ.get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isascii() and text.isdecimal() and int(text) > 0 else None
