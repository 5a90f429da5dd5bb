"""A network namespace of its own, and the way into it. The machine's own network is never touched.

As root by `unshare -n`; otherwise by `unshare -Urn`, a user namespace in which this user is root.
"""

from __future__ import annotations

import os
import shutil
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
_MADE_WITHIN_S = 10.0


class Namespace:
    """A process that holds a network namespace open. With it, everything inside ends.

    The process gets a pipe as its stdin that stays open for as long as we live: a command that
    must not outlive us ends when it reads the end of the file (see lifeline.py).
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
        """Run a command in a new network namespace, in a session of its own (no Ctrl-C gets there).

        stderr, pass_fds, env: as of subprocess.Popen. Raises SimulatorError in one sentence that
        says what is missing on this machine.
        """
        unshare, enter = _way_in()
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
            namespace._wait_until_made()
        except BaseException:
            namespace.stop(0.0)
            raise
        return namespace

    @property
    def pid(self) -> int:
        """The process that holds it open."""
        return self._process.pid

    def inside(self, command: Sequence[str]) -> list[str]:
        """The same command, to be run inside the namespace: a prefix is put before it.

        Working directory, environment, files and Unix sockets are the same on both sides.
        """
        return ["nsenter", f"--target={self.pid}", *self._enter, "--", *command]

    def alive(self) -> bool:
        """Whether its process still runs."""
        return self._process.poll() is None

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait for the end of its process: its exit status, None when it still runs."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, grace_s: float = 5.0) -> None:
        """Close the pipe, wait so long for the process to end, then kill it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self.wait(grace_s) is None:
            self._process.kill()
            self._process.wait()

    def _wait_until_made(self) -> None:
        """Until the process has left our namespace: before that, nobody may enter after it."""
        ours = Path("/proc/self/ns/net").stat().st_ino
        theirs = Path(f"/proc/{self.pid}/ns/net")
        deadline = time.monotonic() + _MADE_WITHIN_S
        while time.monotonic() < deadline:
            status = self._process.poll()
            if status is not None:
                raise SimulatorError(
                    f"the process of the made-up network ended at once with status {status}"
                )
            try:
                if theirs.stat().st_ino != ours:
                    return
            except (PermissionError, FileNotFoundError):
                pass
            time.sleep(0.005)
        raise SimulatorError("a network namespace was not made in time: is this machine very busy?")


def inside_of(pid: int, command: Sequence[str]) -> list[str]:
    """The same command, to be run in the namespace that another process of ours holds open."""
    theirs, ours = (Path(f"/proc/{who}/ns/user").stat().st_ino for who in (pid, "self"))
    enter = _ENTER_AS_ROOT if theirs == ours else _ENTER_AS_USER
    return ["nsenter", f"--target={pid}", *enter, "--", *command]


def _way_in() -> tuple[Sequence[str], Sequence[str]]:
    """How to make a network namespace here, and how to enter it."""
    if sys.platform != "linux":
        raise SimulatorError("the made-up network needs Linux: its network namespaces and TUN")
    for program in ("unshare", "nsenter"):
        if shutil.which(program) is None:
            raise SimulatorError(f"the program {program} is missing: apt install util-linux")
    root = _attempt(_AS_ROOT)
    if root is None:
        return _AS_ROOT, _ENTER_AS_ROOT
    user = _attempt(_AS_USER)
    if user is None:
        return _AS_USER, _ENTER_AS_USER
    raise SimulatorError(f"a network namespace cannot be made here ({user}): {_remedy()}")


def _attempt(unshare: Sequence[str]) -> str | None:
    """None when it works, else what the program says."""
    tried = subprocess.run(
        [*unshare, "true"], capture_output=True, text=True, check=False, timeout=_MADE_WITHIN_S
    )
    if tried.returncode == 0:
        return None
    said = tried.stderr.strip().splitlines()
    return said[-1] if said else f"unshare ended with status {tried.returncode}"


def _remedy() -> str:
    """What forbids user namespaces here, as far as the kernel tells, and how to allow them."""
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
