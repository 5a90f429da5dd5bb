"""Memory and descriptors of this process, also when no descriptor is left."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

from monitor.adapters.system.process_figures import read_process_figures

WITHOUT_DESCRIPTORS = """
import os, resource
from monitor.adapters.system.process_figures import read_process_figures
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
try:
    while True:
        os.dup(0)
except OSError:
    print(read_process_figures())
"""


def test_memory_and_descriptors_are_those_of_this_process() -> None:
    before = read_process_figures()
    assert before.rss_bytes is not None
    assert 1e6 < before.rss_bytes < 4e9
    assert before.max_fds == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    with Path(os.devnull).open() as _, Path(os.devnull).open() as _:
        now = read_process_figures()
    assert before.open_fds is not None
    assert now.open_fds == before.open_fds + 2


def test_without_a_free_descriptor_all_are_reported_as_open() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DESCRIPTORS],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "ProcessFigures(rss_bytes=None, open_fds=32, max_fds=32)"
