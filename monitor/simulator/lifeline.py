"""Nothing is left behind: what runs in the namespace ends with the process that started it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

_PROC = Path("/proc")
_KILLED_WITHIN_S = 5.0


class Lifeline:
    """The pipe on our stdin from the process that started us; its other end closes when it dies.

    A process that it forked might keep the pipe open, so its own end is looked for, too.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._parent = os.getppid()

    def torn(self) -> bool:
        """Whether the process that started us is gone."""
        return os.getppid() != self._parent


def end_all_others(grace_s: float) -> None:
    """End every other process in our network namespace: first by SIGTERM, then by SIGKILL.

    Only for a namespace that was made for us alone. grace_s: for what ends by SIGTERM.
    """
    _until_none_is_left(signal.SIGTERM, grace_s)
    _until_none_is_left(signal.SIGKILL, _KILLED_WITHIN_S)


def _until_none_is_left(what: signal.Signals, within_s: float) -> None:
    """A process may fork while it is looked for: again, until none is found."""
    deadline = time.monotonic() + within_s
    told: set[int] = set()
    while (found := _others()) and time.monotonic() < deadline:
        for pid in found:
            if pid not in told:
                _send(pid, what)
                told.add(pid)
        time.sleep(0.02)


def _others() -> list[int]:
    """The other live processes in our network namespace."""
    pids = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return [pid for pid in pids if pid != os.getpid() and _is_with_us(pid)]


def _is_with_us(pid: int) -> bool:
    try:
        theirs = (_PROC / str(pid) / "ns" / "net").stat()
    except OSError:
        return False  # it ended, or is none of ours
    ours = (_PROC / "self" / "ns" / "net").stat()
    return (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino)


def _send(pid: int, what: signal.Signals) -> None:
    """Signal a process, and never another one that has its number by now."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    try:
        if _is_with_us(pid):
            signal.pidfd_send_signal(handle, what)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)
