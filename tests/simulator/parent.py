"""A program that starts a small simulated network and a process inside it, to be killed by tests.

    python parent.py WORK_DIR [TUN_DEVICE]

Prints one JSON line: the processes and one address's RTT, or the error; then waits to be ended.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from monitor.core.errors import SimulatorError
from monitor.simulator.simulation import Simulation
from monitor.simulator.tun_device import DEVICE_FILE
from tests.simulator.networks import COMMUNITIES, ROUTER, small_network


def main() -> int:
    """0: ended by Ctrl-C. 1: the simulation could not be started."""
    work, *device = map(Path, sys.argv[1:])
    device_file = device[0] if device else DEVICE_FILE
    try:
        simulation = Simulation.start(
            small_network(),
            "quiet",
            work_dir=work,
            communities=COMMUNITIES,
            device_file=device_file,
        )
    except SimulatorError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    with simulation:
        sleeper = subprocess.Popen(simulation.inside(["sleep", "1000"]), stdout=subprocess.DEVNULL)
        pinged = subprocess.run(
            simulation.inside(["ping", "-c1", "-W2", ROUTER]), capture_output=True, check=False
        )
        found = {"pids": [simulation.pid, sleeper.pid], "answered": pinged.returncode == 0}
        print(json.dumps(found), flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            sleeper.terminate()
            sleeper.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
