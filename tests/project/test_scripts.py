"""The scripts of deploy/ pass shellcheck, report errors, and end the processes they started."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.files import ROOT
from tests.waiting import eventually

DEPLOY = ROOT / "deploy"
SCRIPTS = sorted(
    path
    for path in [*DEPLOY.iterdir(), ROOT / ".ci" / "run"]
    if path.is_file() and path.read_bytes().startswith(b"#!")
)


def run(command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={**os.environ, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The scripts in a folder with a space in its name, and a `setup` that has nothing to do."""
    root = tmp_path / "a clone"
    shutil.copytree(DEPLOY, root / "deploy")
    (root / "config").mkdir()
    (root / "bin").mkdir()
    _script(root / "deploy" / "setup", f'echo "$*" >"{root}/setup.asked"; echo "{root}/bin"')
    return root


def _script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    path.chmod(0o755)


def test_the_documented_scripts_exist() -> None:
    names = {path.name for path in SCRIPTS}
    assert {"demo", "install", "lock", "run", "setup", "test"} <= names


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_each_script_passes_shellcheck_and_has_a_description(script: Path) -> None:
    assert shutil.which("shellcheck"), "shellcheck is missing: apt-get install shellcheck"
    said = run(["shellcheck", "--external-sources", f"--source-path={ROOT}", str(script)])
    assert said.stdout + said.stderr == ""
    assert os.access(script, os.X_OK)
    assert script.read_text("utf-8").splitlines()[1].startswith("# ")


def test_shellcheck_finds_an_unquoted_path(tmp_path: Path) -> None:
    _script(tmp_path / "planted", "rm -r $1/data")
    assert "SC2086" in run(["shellcheck", str(tmp_path / "planted")]).stdout


@pytest.mark.parametrize("script", ["install", "lock", "run", "setup", "test"])
def test_an_unknown_argument_is_refused_with_one_line(script: str, clone: Path) -> None:
    shutil.copy(DEPLOY / "setup", clone / "deploy" / "setup")
    done = run([str(clone / "deploy" / script), "--nonsense"])
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(rf"deploy/{script} takes [^\n]+\n", done.stderr)


def test_demo_passes_its_arguments_and_the_configuration_to_pantau(
    clone: Path, tmp_path: Path
) -> None:
    _script(clone / "bin" / "pantau", 'printf "%s|" "$@" "$PANTAU_CONFIG"')
    environment = {name: text for name, text in os.environ.items() if name != "PANTAU_CONFIG"}
    done = subprocess.run(
        [str(clone / "deploy" / "demo"), "--scenario", "a quiet day"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"demo|--scenario|a quiet day|{clone}/config|"


TOOLS = ("ruff", "mypy", "lint-imports", "pytest")


def test_every_check_runs_and_the_first_failure_is_named_at_the_end(clone: Path) -> None:
    for tool in TOOLS:
        _script(clone / "bin" / tool, f'echo "{tool} $*"')
    _script(clone / "bin" / "mypy", "echo an error; exit 2")
    _script(clone / "bin" / "lint-imports", "exit 1")
    done = run([str(clone / "deploy" / "test"), "--", "-k", "detector"])
    assert done.returncode == 1
    assert "pytest -m not bench and not full --hypothesis-profile=quick -k detector" in done.stdout
    assert done.stderr.strip().splitlines()[-1].endswith("failed is: types (mypy --strict)")
    assert (clone / "setup.asked").read_text("utf-8") == "--test\n"


def test_the_test_script_reports_success(clone: Path) -> None:
    for tool in TOOLS:
        _script(clone / "bin" / tool, f'echo "{tool} $*"')
    for folder in ("core", "dashboard", "e2e"):
        (clone / "tests" / folder).mkdir(parents=True)
    done = run([str(clone / "deploy" / "test"), "--full"])
    assert (done.returncode, done.stderr.strip()) == (0, "Every check passed.")
    calls = [line for line in done.stdout.splitlines() if line.startswith(TOOLS)]
    assert [re.sub(r" --timeout.*| --basetemp \S+", "", line) for line in calls] == [
        *("ruff check .", "ruff format --check .", "mypy ", "lint-imports --no-logo"),
        "pytest -m not bench and not full -n 3 --dist loadfile --no-loadscope-reorder"
        " --hypothesis-profile=thorough tests/dashboard/ tests/core/",
        "pytest -m not bench and not full -n 4 --dist loadfile tests/e2e",
        *(
            "pytest -m full and not bench",
            "pytest -m bench -s",
        ),
    ]


def test_a_failure_of_the_background_tests_is_shown_and_named(clone: Path) -> None:
    for tool in TOOLS:
        _script(clone / "bin" / tool, "exit 0")
    _script(clone / "bin" / "pytest", 'case "$*" in *e2e) echo "a daemon died"; exit 1 ;; esac')
    done = run([str(clone / "deploy" / "test")])
    assert done.returncode == 1
    said = done.stdout.splitlines()
    after = said[said.index("a daemon died") + 1]
    assert after.startswith("== whole daemons (pytest tests/e2e): FAILED")
    assert done.stderr.strip().endswith("failed is: whole daemons (pytest tests/e2e)")


def test_ctrl_c_ends_the_background_tests(clone: Path) -> None:
    for tool in TOOLS:
        _script(clone / "bin" / tool, "exit 0")
    waits = f'echo $$ >"{clone}/beside.pid"; exec tail -f /dev/null'
    _script(clone / "bin" / "pytest", f'case "$*" in *e2e) {waits} ;; esac')
    started = subprocess.Popen(
        [str(clone / "deploy" / "test")], stdout=subprocess.DEVNULL, start_new_session=True
    )
    beside = clone / "beside.pid"
    eventually(lambda: beside.exists() and beside.read_text("utf-8"))
    os.killpg(started.pid, signal.SIGINT)
    assert started.wait(timeout=10) == 130
    assert is_gone(int(beside.read_text("utf-8")))


def test_the_test_script_installs_every_package_that_tests_need() -> None:
    """Each package that a test tells people to install stands in the list of deploy/test."""
    told = re.compile(r"apt(?:-get)? install ([a-z0-9][a-z0-9.+-]*[a-z0-9])")
    asked = {
        package
        for path in (ROOT / "tests").rglob("*.py")
        for package in told.findall(path.read_text("utf-8"))
    }
    listed = (DEPLOY / "test").read_text("utf-8").split("<<'PROGRAMS'\n")[1].split("\nPROGRAMS")[0]
    assert "shellcheck" in asked
    assert asked <= {line.split()[1] for line in listed.splitlines()}


@pytest.fixture
def running(clone: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`deploy/run` with a fake `pantau` that records its pid and waits."""
    _script(clone / "bin" / "python", f'exec "{sys.executable}" "$@"')
    waits = f'echo $$ >"{clone}/$1.pid"; exec tail -f /dev/null'
    _script(clone / "bin" / "pantau", f'[ "$1" = check ] || {{ {waits}; }}')
    (clone / "config").rmdir()
    (clone / "config").symlink_to(ROOT / "config")
    said = clone / "said"
    with said.open("wb") as words:
        process = subprocess.Popen(
            [str(clone / "deploy" / "run")], stderr=words, start_new_session=True
        )
    yield process
    assert "The page is on http://127.0.0.1:8050/;" in said.read_text("utf-8")
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def pids(clone: Path) -> tuple[int, int]:
    """The daemon's and the page's process, once both are there."""

    def written() -> list[str]:
        files = [clone / "run.pid", clone / "dashboard.pid"]
        texts = [file.read_text("utf-8") for file in files if file.exists()]
        return texts if len(texts) == len(files) and all(texts) else []

    daemon, page = eventually(written)
    eventually(lambda: "The page is on" in (clone / "said").read_text("utf-8"))
    return int(daemon), int(page)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_ctrl_c_ends_the_daemon_and_the_page(clone: Path, running: subprocess.Popen[bytes]) -> None:
    daemon, page = pids(clone)
    os.killpg(running.pid, signal.SIGINT)
    running.wait(timeout=10)
    assert is_gone(daemon)
    assert is_gone(page)


def test_when_one_process_dies_the_other_ends(
    clone: Path, running: subprocess.Popen[bytes]
) -> None:
    daemon, page = pids(clone)
    os.kill(page, signal.SIGKILL)
    assert running.wait(timeout=10) != 0
    assert is_gone(daemon)


@pytest.mark.parametrize(
    ("slip", "mended", "says"),
    [
        ("rise = 3", 'rise = "x"', "[ping] rise"),
        ("/var/lib/pantau", "/nowhere/at all", "the data directory /nowhere/at all is missing"),
    ],
)
def test_an_invalid_configuration_is_reported_and_nothing_starts(
    clone: Path, slip: str, mended: str, says: str
) -> None:
    _script(clone / "bin" / "python", f'exec "{sys.executable}" "$@"')
    check = f'exec "{sys.executable}" -m monitor "$@"'
    _script(clone / "bin" / "pantau", f'[ "$1" != check ] && touch "{clone}/started" || {check}')
    (clone / "config").rmdir()
    shutil.copytree(ROOT / "config", clone / "config")
    monitor = clone / "config" / "monitor.toml"
    monitor.write_text(monitor.read_text("utf-8").replace(slip, mended), "utf-8")
    done = run([str(clone / "deploy" / "run")])
    assert done.returncode == 1
    assert says in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("Nothing was started: mend the conf")
    assert not (clone / "started").exists()


@pytest.mark.full
@pytest.mark.timeout(900)
def test_a_fresh_clone_is_installed_once(tmp_path: Path) -> None:
    """Real pip, the real lock, a path with a space; the second time there is nothing to do."""
    root = tmp_path / "fresh clone"
    subprocess.run(
        ["git", "-c", "safe.directory=*", "clone", "-q", str(ROOT), str(root)], check=True
    )
    environment = {name: text for name, text in os.environ.items() if name != "VIRTUAL_ENV"}
    setup = [str(root / "deploy" / "setup")]
    first = subprocess.run(setup, env=environment, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stderr
    commands = Path(first.stdout.strip())
    assert commands == root / ".venv" / "bin"
    shown = run([str(commands / "pantau"), "--version"])
    assert shown.stdout.startswith("pantau, version "), shown.stderr
    second = subprocess.run(setup, env=environment, capture_output=True, text=True, check=True)
    assert (second.stdout, second.stderr) == (first.stdout, "")
