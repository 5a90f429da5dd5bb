"""Daemon and page as compose.yaml runs them: same users, mounts and rights, without an engine.

Each gets a mount namespace with this machine's files below (a read-only overlay), and both share a
network namespace with nothing but loopback.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.project.files import ROOT
from tests.waiting import eventually

pytestmark = pytest.mark.full

COMPOSE: Any = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
DATA = "/var/lib/pantau"
TEMPORARY = "/tmp"  # noqa: S108 - a tmpfs of the container
OUTER = """
set -e
ip link set lo up
echo 10001 10001 >/proc/sys/net/ipv4/ping_group_range
sh "$1/daemon.sh" >"$1/daemon.log" 2>&1 &
sh "$1/dashboard.sh" >"$1/dashboard.log" 2>&1 &
wait
"""
LOOK = """
import json, os
found = {"writable": [], "secrets": []}
for name in ("/", "/etc", "/etc/pantau", "/var/lib/pantau", "/var/lib/pantau/page", "/usr", "/tmp"):
    try:
        open(f"{name}/.probe", "w").close()
        os.unlink(f"{name}/.probe")
        found["writable"].append(name)
    except OSError:
        pass
for name in ("/run/secrets", "/etc/pantau/secrets"):
    if os.path.isdir(name):
        found["secrets"] += os.listdir(name)
lines = open("/proc/self/status").read().splitlines()
status = dict(line.split(":\\t", 1) for line in lines if ":\\t" in line)
found["uid"] = status["Uid"].split()[0]
found["rights"] = [status["CapEff"], status["CapBnd"], status["NoNewPrivs"]]
print(json.dumps(found))
"""


def script(name: str, work: Path) -> str:
    """What an engine does for a service, in shell."""
    service = COMPOSE["services"][name]
    uid, gid = service["user"].split(":")
    groups = ",".join([gid, *service.get("group_add", [])])
    top = work / f"{name}-root"
    root = top / "root"
    lines = [
        "set -e",
        "mount --make-rprivate /",
        f"mkdir -p {top} && mount -t tmpfs tmpfs {top} && mkdir {top}/up {top}/work {root}",
        f"mount -t overlay overlay -o lowerdir=/,upperdir={top}/up,workdir={top}/work {root}",
        f"chmod 711 {root}/root",  # this test's Python may lie in there
        f"mkdir -p {root}/etc/pantau {root}/var/lib/pantau {root}/run/secrets",
        f"echo 'pantau-web:x:10002:10002::/:/bin/false' >>{root}/etc/passwd",
        f"mount -t proc proc {root}/proc",
        f"mount --bind /dev {root}/dev",
    ]
    sources = {"../config": work / "config", "data": work / "data"}
    for volume in service["volumes"]:
        source, target, *mode = volume.split(":")
        lines.append(f"mount --bind {sources[source]} {root}{target}")
        if mode == ["ro"]:
            lines.append(f"mount -o remount,bind,ro {root}{target}")
    lines += [f"mount -t tmpfs tmpfs {root}{target}" for target in service["tmpfs"]]
    for secret in service.get("secrets", ()):
        lines += [
            f"touch {root}/run/secrets/{secret}",
            f"mount --bind {work}/config/secrets/{secret} {root}/run/secrets/{secret}",
        ]
    if service["read_only"]:
        lines.append(f"mount -o remount,bind,ro {root}")
    as_user = (
        f"setpriv --reuid {uid} --regid {gid} --groups {groups} --no-new-privs --bounding-set=-all"
        f" --inh-caps=-all env PANTAU_CONFIG=/etc/pantau CREDENTIALS_DIRECTORY=/run/secrets"
        f" PYTHONPATH={ROOT} {sys.executable}"
    )
    command = " ".join(service["command"][1:])
    lines += [
        f"chroot {root} {as_user} -c {shlex.quote(LOOK)} >{work}/{name}.look",
        f"exec chroot {root} {as_user} -m monitor {command}",
    ]
    return "\n".join(lines)


@dataclass
class Running:
    """outer: the process that holds the network namespace."""

    work: Path
    outer: subprocess.Popen[bytes]

    def look(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load((self.work / f"{name}.look").read_text())
        return found

    def log(self, name: str) -> str:
        file = self.work / f"{name}.log"
        return file.read_text() if file.exists() else ""

    def inside(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the network namespace."""
        target = f"--target={self._holder()}"
        return subprocess.run(
            ["nsenter", target, "--net", "--", *words],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip

    def _holder(self) -> int:
        children = Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children").read_text()
        return int(children.split()[0])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    work = tmp_path_factory.mktemp("containers")
    shutil.copytree(ROOT / "config", work / "config")
    secrets = work / "config" / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "router-ro").write_text("public\n")
    os.chown(secrets / "router-ro", 10001, 10001)
    (secrets / "router-ro").chmod(0o400)
    secrets.chmod(0o755)
    data = work / "data"  # as the image makes it
    (data / "page").mkdir(parents=True)
    for path, gid, mode in ((data, 10001, 0o750), (data / "page", 10002, 0o2750)):
        os.chown(path, 10001, gid)
        path.chmod(mode)
    for name in ("daemon", "dashboard"):
        (work / f"{name}.sh").write_text(
            f"exec unshare --mount --fork --kill-child sh -c {shlex.quote(script(name, work))}"
        )
    outer = subprocess.Popen(
        ["unshare", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", OUTER, "sh", str(work)],
        start_new_session=True,
    )
    found = Running(work, outer)
    try:
        eventually(lambda: "watching" in found.log("daemon") or outer.poll(), within_s=30)
        yield found
    finally:
        os.killpg(outer.pid, signal.SIGKILL)
        outer.wait()


ASK = """
import sys, http.client
connection = http.client.HTTPConnection("127.0.0.1", 8050, timeout=10)
connection.request("GET", sys.argv[1])
answer = connection.getresponse()
print(answer.status, answer.read().decode())
"""


def ask(running: Running, path: str) -> str:
    return running.inside(sys.executable, "-c", ASK, path).stdout


def test_neither_is_root_nor_has_a_capability(running: Running) -> None:
    for name, uid in (("daemon", "10001"), ("dashboard", "10002")):
        eventually(lambda name=name: (running.work / f"{name}.look").read_text())  # type: ignore[misc]
        look = running.look(name)
        assert look["uid"] == uid
        assert look["rights"] == ["0" * 16, "0" * 16, "1"]


def test_the_daemon_reads_its_secret_and_pings(running: Running) -> None:
    assert running.look("daemon")["secrets"] == ["router-ro", "router-ro"]
    assert running.look("daemon")["writable"] == [DATA, f"{DATA}/page", TEMPORARY]
    assert "probing IPv4" in running.log("daemon")
    assert "secret" not in running.log("daemon")


def test_the_page_sees_no_secret_writes_nothing_and_works(running: Running) -> None:
    look = running.look("dashboard")
    assert (look["secrets"], look["writable"]) == ([], [TEMPORARY])
    eventually(lambda: ask(running, "/api/v1/snapshot").startswith("200"), within_s=30)
    snapshot = ask(running, "/api/v1/snapshot")
    assert '"anjatan"' in snapshot
    assert ask(running, "/situs/anjatan").startswith("200")
    assert ask(running, "/insiden?view=history").startswith("200")
    assert not (running.work / "data" / "page" / ".probe").exists()


def test_files_for_the_page_alone_have_its_group(running: Running) -> None:
    key = running.work / "data" / "session.key"
    assert (key.stat().st_uid, key.stat().st_gid, key.stat().st_mode & 0o777) == (
        10001,
        10002,
        0o640,
    )
