"""The network namespace: requirements, errors, and that no process is left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from monitor.core.errors import SimulatorError
from monitor.simulator.simulation import Simulation
from monitor.simulator.tun_device import DEVICE_FILE, TunDevice
from tests.simulator.networks import small_network
from tests.simulator.tools import tool
from tests.waiting import eventually

REPOSITORY = Path(__file__).parents[2]
PARENT = Path(__file__).with_name("parent.py")


def start_parent(
    work: Path,
    *,
    prefix: Sequence[str] = (),
    python: str = sys.executable,
    roots: Sequence[Path] = (REPOSITORY,),
    device: Path | None = None,
) -> subprocess.Popen[str]:
    """Run parent.py in a process group of its own."""
    script = roots[0] / PARENT.relative_to(REPOSITORY)
    words = [str(script), str(work), *([str(device)] if device else [])]
    path = os.pathsep.join(str(root) for root in roots)
    return subprocess.Popen(
        [*prefix, python, *words],
        stdout=subprocess.PIPE,
        text=True,
        cwd=work,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        start_new_session=True,
    )


def said(parent: subprocess.Popen[str]) -> Mapping[str, object]:
    """The JSON line that it prints."""
    assert parent.stdout is not None
    line = parent.stdout.readline()
    assert line, f"parent.py ended with status {parent.wait(10)} and said nothing"
    answer: Mapping[str, object] = json.loads(line)
    return answer


def gone(pid: int) -> bool:
    """Whether a process has ended; a zombie has."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rsplit(")", 1)[1].split()[0] == "Z"


def all_gone(answer: Mapping[str, object]) -> bool:
    """Whether the simulator and the process inside have ended."""
    pids = answer["pids"]
    assert isinstance(pids, list)
    return all(gone(pid) for pid in pids)


@pytest.mark.parametrize("what", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_is_left_when_the_parent_ends(tmp_path: Path, what: signal.Signals) -> None:
    with start_parent(tmp_path) as parent:
        answer = said(parent)
        assert answer["answered"] is True
        assert not all_gone(answer)
        if what is signal.SIGINT:
            os.killpg(parent.pid, what)  # Ctrl-C goes to the whole group
        else:
            parent.send_signal(what)
        parent.wait(20)
        eventually(lambda: all_gone(answer), within_s=20)


def test_processes_inside_end_when_the_simulation_is_stopped(tmp_path: Path) -> None:
    with Simulation.start(small_network(), "quiet", work_dir=tmp_path) as simulation:
        with subprocess.Popen(simulation.inside(["sleep", "900"])) as inside:
            simulation.stop()
            assert inside.wait(20) == -signal.SIGTERM
        assert not simulation.alive()
        simulation.stop()


def test_a_killed_simulator_is_detected_and_can_be_stopped(tmp_path: Path) -> None:
    with Simulation.start(small_network(), "quiet", work_dir=tmp_path) as simulation:
        os.kill(simulation.pid, signal.SIGKILL)
        eventually(lambda: not simulation.alive())
        with pytest.raises(SimulatorError, match="does not answer"):
            simulation.control.changes()


def test_the_simulator_ends_with_an_error_when_its_device_is_removed(tmp_path: Path) -> None:
    with Simulation.start(small_network(), "quiet", work_dir=tmp_path) as simulation:
        # It may be ended itself before it has finished: it runs inside.
        subprocess.run(simulation.inside([tool("ip"), "link", "del", "indramayu"]), check=False)
        eventually(lambda: not simulation.alive())
    assert (
        "the device of the simulated network was removed"
        in (tmp_path / "simulator.log").read_text()
    )


def test_a_namespace_in_use_is_refused() -> None:
    """The namespace of this process is in use."""
    with pytest.raises(SimulatorError, match="this network namespace is in use"):
        TunDevice(["10.77.0.1"])


def test_a_missing_tun_device_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match="is missing: load the module with `modprobe tun`"):
        Simulation.start(
            small_network(), "quiet", work_dir=tmp_path, device_file=tmp_path / "no-tun"
        )


def test_a_file_that_is_no_tun_device_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SimulatorError, match="a TUN device cannot be made here"):
        Simulation.start(small_network(), "quiet", work_dir=tmp_path, device_file=tmp_path / "file")


def test_missing_programs_are_reported_with_their_package(tmp_path: Path) -> None:
    with start_parent(tmp_path, prefix=["env", f"PATH={tmp_path}"]) as parent:
        assert said(parent) == {"error": "the program unshare is missing: apt install util-linux"}


def test_missing_rights_for_namespaces_are_reported_with_a_remedy(
    tmp_path: Path,
) -> None:
    """In a user namespace that allows no further ones, with every capability dropped."""
    forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    prefix = [
        *(tool("unshare"), "--user", "--map-root-user", "sh", "-c", forbid, "sh"),
        *(tool("setpriv"), "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"),
    ]
    with start_parent(tmp_path, prefix=prefix) as parent:
        error = str(said(parent)["error"])
    assert error.startswith("a network namespace cannot be made here (unshare: ")
    assert error.endswith("run as root, or `sysctl user.max_user_namespaces=10000` as root")


@pytest.fixture
def for_everybody() -> Iterator[Path]:
    """A directory that every user may read, with what parent.py imports (ours may be private)."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o777)
        for package in ("pysnmp", "pyasn1"):
            spec = find_spec(package)
            assert spec is not None
            assert spec.submodule_search_locations is not None
            (location,) = spec.submodule_search_locations
            shutil.copytree(location, directory / package)
        for package in ("monitor", "tests"):
            ignored = shutil.ignore_patterns("__pycache__", "dashboard", "e2e", "adapters")
            shutil.copytree(REPOSITORY / package, directory / package, ignore=ignored)
        yield directory


def open_tun(directory: Path) -> Path:
    """A TUN device that every user may open, as on a usual machine; made where it is private."""
    if DEVICE_FILE.stat().st_mode & 0o006 == 0o006:
        return DEVICE_FILE
    device = directory / "tun"
    subprocess.run(["mknod", "-m", "0666", str(device), "c", "10", "200"], check=True)
    return device


def everybodys_python() -> str:
    """A Python that an unprivileged user may run."""
    candidates = [str(Path(sys.executable).resolve()), "/usr/bin/python3"]
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    for python in candidates:
        # By a shell: setpriv itself still holds root's rights when it starts a program, and would
        # start one that lies in root's own directory.
        words = [*unprivileged(), "sh", "-c", 'exec "$@"', "sh", python, "-c", check]
        if subprocess.run(words, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return python
    raise AssertionError("no Python 3.11 that other users may run, such as /usr/bin/python3")


def unprivileged() -> list[str]:
    """How to run a command without any privilege: as we are, or as nobody when we are root."""
    nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
    return [tool("setpriv"), *nobody] if os.geteuid() == 0 else []


def test_an_unprivileged_user_gets_a_user_namespace(for_everybody: Path) -> None:
    work = for_everybody / "work"
    work.mkdir()
    work.chmod(0o777)
    with start_parent(
        work,
        prefix=unprivileged(),
        python=everybodys_python(),
        roots=(for_everybody,),
        device=open_tun(for_everybody),
    ) as parent:
        answer = said(parent)
        assert answer.get("answered") is True, answer
        parent.kill()
        parent.wait(20)
        eventually(lambda: all_gone(answer), within_s=20)


def test_a_private_tun_device_is_reported_to_an_unprivileged_user(for_everybody: Path) -> None:
    work = for_everybody / "work"
    work.mkdir()
    work.chmod(0o777)
    device = for_everybody / "private"
    device.touch(0o600)
    if os.geteuid() != 0:
        device.chmod(0)
    with start_parent(
        work,
        prefix=unprivileged(),
        python=everybodys_python(),
        roots=(for_everybody,),
        device=device,
    ) as parent:
        error = str(said(parent)["error"])
    assert error.endswith(f"may not be opened: run as root, or `chmod 0666 {device}` as root")


@pytest.mark.parametrize(
    ("what", "ended_by"), [("sleep 900", signal.SIGTERM), ("trap '' TERM; echo", signal.SIGKILL)]
)
def test_only_processes_in_the_namespace_are_ended(
    tmp_path: Path, what: str, ended_by: signal.Signals
) -> None:
    """A process that ignores SIGTERM is killed; one outside lives on."""
    sweep = (
        "import subprocess, sys;"
        "from monitor.simulator.namespace import end_other_processes as end;"
        "command = ['sh', '-c', sys.argv[1] + '; read forever'];"
        "inside = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE);"
        "'trap' in sys.argv[1] and inside.stdout.readline(); end(0.5); print(inside.wait(5))"
    )
    with subprocess.Popen(["sleep", "900"]) as outside:
        done = subprocess.run(
            [tool("unshare"), "--map-root-user", "--net", sys.executable, "-c", sweep, what],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        assert done.stdout == f"{-ended_by}\n"
        assert outside.poll() is None
        outside.kill()
