"""Random faults of machine and network, compared with the simulated network's log.

PANTAU_CHAOS_SEED and PANTAU_CHAOS_S choose another run; each is printed, with every fault.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.adapters.child_process import ROOT

SEED = os.environ.get("PANTAU_CHAOS_SEED", "12")
SECONDS = os.environ.get("PANTAU_CHAOS_S", "600")


@pytest.mark.full
@pytest.mark.timeout(float(SECONDS) + 900)
def test_random_faults_cost_no_incident_invent_none_and_leave_no_gap(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert os.geteuid() == 0, "it mounts a tmpfs: run it as root"
    unshare = ["unshare", "--mount", "--propagation", "private"]
    run = [sys.executable, "-m", "tests.e2e.chaos", "--seed", SEED, "--seconds", SECONDS]
    done = subprocess.run([*unshare, *run], cwd=ROOT, capture_output=True, text=True, check=False)
    with capsys.disabled():
        print(f"\n{done.stdout}")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
