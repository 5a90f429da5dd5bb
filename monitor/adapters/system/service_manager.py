"""Tells systemd that the daemon is ready, that it is well, and that it ends (`sd_notify`).

A datagram to the socket that `$NOTIFY_SOCKET` names
(https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html); no library is needed.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping

log = logging.getLogger("monitor.service_manager")


class ServiceManager:
    """Says nothing where nobody listens: started by hand, NOTIFY_SOCKET is not set.

    watchdog_s: how long systemd waits for the next sign of life; None: it does not ask for any.
    """

    def __init__(self, environ: Mapping[str, str], pid: int) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # An abstract socket is written with "@" and named with a zero byte.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = _watchdog_s(environ, pid) if address else None

    def ready(self) -> None:
        """The start is done: measuring."""
        self._tell("READY=1")

    def alive(self) -> None:
        """Everything turns."""
        self._tell("WATCHDOG=1")

    def status(self, words: str) -> None:
        """One line for `systemctl status`."""
        self._tell("STATUS=" + " ".join(words.split()))

    def stopping(self) -> None:
        """The end was asked for."""
        self._tell("STOPPING=1")

    def _tell(self, words: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as there:
                # systemd may be busy: rather one sign lost than the event loop held.
                there.setblocking(False)
                there.sendto(words.encode(), self._address)
        except OSError as error:
            log.warning("systemd cannot be told %s: %s", words, error)


def _watchdog_s(environ: Mapping[str, str], pid: int) -> float | None:
    """`$WATCHDOG_USEC`, where it is meant for this process."""
    if environ.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    text = environ.get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isascii() and text.isdecimal() and int(text) > 0 else None
