"""The system clock while the wall clock is stepped (libfaketime)."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitor.adapters.system.clock import (
    SYNCHRONISED_BY_SYSTEMD,
    SystemClock,
    boottime_s,
    clock_is_synchronised,
    synchronised_by_timesyncd,
)

LIBRARY = "faketime/libfaketime.so.1"

WATCH = """
import sys
import time
from monitor.adapters.system.clock import SystemClock
clock = SystemClock()
print("ready", flush=True)
for _ in sys.stdin:
    now_s = clock.steady_s()
    print(now_s, clock.step_s(), clock.utc_s(now_s), flush=True)
"""


def faketime_library() -> str:
    found = [str(path) for path in Path("/usr/lib").glob(f"*/{LIBRARY}")]
    assert found, "libfaketime is missing: apt install faketime"
    return found[0]


@pytest.mark.parametrize("step", ["+1d", "-1d"])
def test_a_step_of_a_day_moves_utc_and_not_the_steady_time(tmp_path: Path, step: str) -> None:
    day_s = 86_400.0 if step.startswith("+") else -86_400.0
    offset = tmp_path / "offset"
    offset.write_text("+0")
    process = subprocess.Popen(
        [sys.executable, "-c", WATCH],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "LD_PRELOAD": faketime_library(),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_TIMESTAMP_FILE": str(offset),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        def ask() -> tuple[float, str, float]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("?\n")
            process.stdin.flush()
            steady, reported, utc = process.stdout.readline().split()
            return float(steady), reported, float(utc)

        before_s, reported, utc_s = ask()
        assert reported == "None"
        assert utc_s == pytest.approx(before_s, abs=0.01)
        offset.write_text(step)
        after_s, reported, utc_s = ask()
        assert float(reported) == pytest.approx(day_s, abs=1.0)
        assert 0.0 <= after_s - before_s < 60.0
        assert utc_s - after_s == pytest.approx(day_s, abs=1.0)
        process.stdin.close()


def test_frequent_calls_slew_by_less_than_the_time_that_passes() -> None:
    boot_s = 100.0
    wall_s = 1000.0
    clock = SystemClock(boot_s=lambda: boot_s, wall_s=lambda: wall_s)
    wall_s -= 1.0
    readings = []
    for _ in range(200):
        boot_s += 0.0001
        wall_s += 0.0001
        clock.step_s()
        readings.append(clock.utc_s(clock.steady_s()))
    assert readings == sorted(readings)


def test_time_in_suspend_counts() -> None:
    """In a time namespace the kernel adds a day to CLOCK_BOOTTIME alone, as a long sleep would."""
    here_s = boottime_s()
    shown = subprocess.run(
        [
            *("unshare", "--time", "--boottime", "86400", "--fork", sys.executable, "-c"),
            "from monitor.adapters.system.clock import boottime_s; print(boottime_s())",
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert 86_400.0 <= float(shown) - here_s < 86_460.0


TIME_ERROR = 5  # what ntp_adjtime(3) returns when the clock is not synchronised

IN_A_SANDBOX = """
import ctypes, struct
from monitor.adapters.system.clock import clock_is_synchronised
# Classic BPF (seccomp(2)): EPERM for adjtimex and clock_adjtime, as ProtectClock=yes has it.
program = [(0x20, 0, 0, 0), (0x15, 1, 0, {adjtimex}), (0x15, 0, 1, {clock_adjtime}),
           (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("@HBBI", *line) for line in program))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
filter = struct.pack("@HP", len(program), ctypes.addressof(code))
assert libc.prctl(22, 2, filter, 0, 0) == 0  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
print(clock_is_synchronised())
"""
CALLS = {"x86_64": (159, 305), "aarch64": (171, 266)}
"""The numbers of adjtimex and clock_adjtime."""


def test_synchronisation_is_what_the_kernel_reports() -> None:
    timex = ctypes.create_string_buffer(1024)
    state = ctypes.CDLL(None).ntp_adjtime(timex)
    if state < 0:
        assert clock_is_synchronised() is synchronised_by_timesyncd(
            SYNCHRONISED_BY_SYSTEMD, time.time()
        )
    else:
        assert clock_is_synchronised() is (state != TIME_ERROR)


def test_a_sandbox_that_forbids_adjtimex_falls_back_to_the_file() -> None:
    adjtimex, clock_adjtime = CALLS[os.uname().machine]
    done = subprocess.run(
        [sys.executable, "-c", IN_A_SANDBOX.format(adjtimex=adjtimex, clock_adjtime=clock_adjtime)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(
        synchronised_by_timesyncd(SYNCHRONISED_BY_SYSTEMD, time.time())
    )


@pytest.mark.parametrize(
    ("age_s", "expected"), [(60.0, True), (10_000.0, True), (11_000.0, False), (-90_000.0, False)]
)
def test_the_file_of_timesyncd_counts_while_it_is_touched(
    tmp_path: Path, age_s: float, expected: bool
) -> None:
    file = tmp_path / "synchronized"
    assert synchronised_by_timesyncd(tmp_path / "none" / "synchronized", 0.0) is None
    assert synchronised_by_timesyncd(file, 0.0) is False, "it runs, and has reached no server"
    file.touch()
    assert synchronised_by_timesyncd(file, file.stat().st_mtime + age_s) is expected
