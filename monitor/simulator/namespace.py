"""Create, enter and clean up the network namespace of the simulated network.

As root with `unshare -n`; otherwise with `unshare -Urn`, a user namespace in which it is root.
The machine's own network is never changed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from monitor.core.errors import SimulatorError

_AS_ROOT = ("unshare", "--net")
_AS_USER = ("unshare", "--user", "--map-root-user", "--net")
_ENTER_AS_ROOT = ("--net",)
_ENTER_AS_USER = ("--user", "--preserve-credentials", "--net")
_CREATE_TIMEOUT_S = 10.0


class Namespace:
    """A process that holds a network namespace open; when it ends, so does everything inside.

    Its stdin is a pipe that is open as long as this process lives: a command that must not
    outlive it ends on end of file (see ParentWatch).
    """

    def __init__(self, process: subprocess.Popen[bytes], enter: Sequence[str]) -> None:
        self._process = process
        self._enter = tuple(enter)

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        *,
        stderr: IO[bytes] | int | None = None,
        pass_fds: Sequence[int] = (),
        env: Mapping[str, str] | None = None,
    ) -> Namespace:
        """Run a command in a new network namespace and session (Ctrl-C does not reach it).

        stderr, pass_fds, env: as in subprocess.Popen. Raises SimulatorError that says what is
        missing on this machine.
        """
        unshare, enter = _unshare_commands()
        process = subprocess.Popen(
            [*unshare, *command],
            stdin=subprocess.PIPE,
            stderr=stderr,
            pass_fds=pass_fds,
            env=env,
            start_new_session=True,
        )
        namespace = cls(process, enter)
        try:
            namespace._wait_until_created()
        except BaseException:
            namespace.stop(0.0)
            raise
        return namespace

    @property
    def pid(self) -> int:
        """The process that holds the namespace open."""
        return self._process.pid

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command with a prefix that runs it inside the namespace.

        Working directory, environment, files and Unix sockets are shared.
        """
        return ["nsenter", f"--target={self.pid}", *self._enter, "--", *command]

    def alive(self) -> bool:
        """Whether its process still runs."""
        return self._process.poll() is None

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait for the process to end; its exit status, None when it still runs."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, grace_s: float = 5.0) -> None:
        """Close the pipe, wait `grace_s` for the process to end, then kill it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self.wait(grace_s) is None:
            self._process.kill()
            self._process.wait()

    def _wait_until_created(self) -> None:
        """Wait until the process has left our namespace and its own can be entered."""
        ours = Path("/proc/self/ns/net").stat().st_ino
        theirs = Path(f"/proc/{self.pid}/ns/net")
        deadline = time.monotonic() + _CREATE_TIMEOUT_S
        while time.monotonic() < deadline:
            status = self._process.poll()
            if status is not None:
                raise SimulatorError(
                    f"the process of the simulated network ended at once with status {status}"
                )
            try:
                if theirs.stat().st_ino != ours:
                    return
            except (PermissionError, FileNotFoundError):
                pass
            time.sleep(0.005)
        raise SimulatorError("a network namespace was not made in time: is this machine very busy?")


def command_inside(pid: int, command: Sequence[str]) -> list[str]:
    """The command with a prefix that runs it in the namespace of another process of this user."""
    theirs, ours = (Path(f"/proc/{who}/ns/user").stat().st_ino for who in (pid, "self"))
    enter = _ENTER_AS_ROOT if theirs == ours else _ENTER_AS_USER
    return ["nsenter", f"--target={pid}", *enter, "--", *command]


def _unshare_commands() -> tuple[Sequence[str], Sequence[str]]:
    """The commands that create a network namespace on this machine and enter it."""
    if sys.platform != "linux":
        raise SimulatorError("the simulated network needs Linux: its network namespaces and TUN")
    for program in ("unshare", "nsenter"):
        if shutil.which(program) is None:
            raise SimulatorError(f"the program {program} is missing: apt install util-linux")
    root = _try_unshare(_AS_ROOT)
    if root is None:
        return _AS_ROOT, _ENTER_AS_ROOT
    user = _try_unshare(_AS_USER)
    if user is None:
        return _AS_USER, _ENTER_AS_USER
    raise SimulatorError(f"a network namespace cannot be made here ({user}): {_remedy()}")


def _try_unshare(unshare: Sequence[str]) -> str | None:
    """None when it works, else the error message."""
    result = subprocess.run(
        [*unshare, "true"], capture_output=True, text=True, check=False, timeout=_CREATE_TIMEOUT_S
    )
    if result.returncode == 0:
        return None
    lines = result.stderr.strip().splitlines()
    return lines[-1] if lines else f"unshare ended with status {result.returncode}"


def _remedy() -> str:
    """How to allow user namespaces, from the kernel settings that forbid them."""
    if _setting("kernel/unprivileged_userns_clone") == "0":
        return "run as root, or `sysctl kernel.unprivileged_userns_clone=1` as root"
    if _setting("user/max_user_namespaces") == "0":
        return "run as root, or `sysctl user.max_user_namespaces=10000` as root"
    if _setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return "run as root, or `sysctl kernel.apparmor_restrict_unprivileged_userns=0` as root"
    if os.geteuid() == 0:
        return "this root has no CAP_SYS_ADMIN; start the container with --cap-add SYS_ADMIN"
    return "run as root"


def _setting(name: str) -> str | None:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return None


_PROC = Path("/proc")
_KILL_TIMEOUT_S = 5.0


class ParentWatch:
    """Detects the end of the parent process: its pipe on our stdin closes.

    A process forked by the parent may keep the pipe open, so the parent's pid is checked, too.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._parent = os.getppid()

    def parent_is_gone(self) -> bool:
        """Whether the parent process has ended."""
        return os.getppid() != self._parent


def end_other_processes(grace_s: float) -> None:
    """End every other process in our network namespace: first with SIGTERM, then with SIGKILL.

    Only for a namespace that was created for this process. grace_s: time after SIGTERM.
    """
    _signal_until_none_is_left(signal.SIGTERM, grace_s)
    _signal_until_none_is_left(signal.SIGKILL, _KILL_TIMEOUT_S)


def _signal_until_none_is_left(what: signal.Signals, within_s: float) -> None:
    """Signal and look again until no process is found: one may fork meanwhile."""
    deadline = time.monotonic() + within_s
    signalled: set[int] = set()
    while (found := _others()) and time.monotonic() < deadline:
        for pid in found:
            if pid not in signalled:
                _send(pid, what)
                signalled.add(pid)
        time.sleep(0.02)


def _others() -> list[int]:
    """The other live processes in our network namespace."""
    pids = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return [pid for pid in pids if pid != os.getpid() and _shares_our_namespace(pid)]


def _shares_our_namespace(pid: int) -> bool:
    try:
        theirs = (_PROC / str(pid) / "ns" / "net").stat()
    except OSError:
        return False  # ended, or of another user
    ours = (_PROC / "self" / "ns" / "net").stat()
    return (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino)


def _send(pid: int, what: signal.Signals) -> None:
    """Signal a process through a pidfd, so that a reused pid is never signalled."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    try:
        if _shares_our_namespace(pid):
            signal.pidfd_send_signal(handle, what)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)
