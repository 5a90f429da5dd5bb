"""Run a helper module of the tests in a process of its own, kill it, or fill its disk."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_child(module: str, *args: str, own_mounts: bool = False) -> str:
    """What `python -m module` prints. own_mounts: in a mount namespace, to mount a small disk."""
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", "--mount", "--propagation", "private", *rights] if own_mounts else []
    done = subprocess.run(
        [*unshare, sys.executable, "-m", module, *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def start_child(module: str, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *args], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def last_number_before_kill(process: subprocess.Popen[str], rng: random.Random) -> int:
    """Kill a child that prints each number it has stored, at any moment of its work."""
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(rng.randint(1, 50))]
    threading.Event().wait(rng.uniform(0.0, 0.004))
    process.kill()
    lines += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    # The last line may be cut in the middle; a number without its end does not count.
    return max(int(line) for line in lines if line.endswith("\n"))


def fill_disk(filler: Path, leave: int = 0) -> None:
    """Let the file `filler` take all the space of its disk but so many bytes."""
    with filler.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        file.truncate(max(0, filler.stat().st_size - leave))
