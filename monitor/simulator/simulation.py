"""Start, enter, control and stop a simulated network, for the demo and for tests.

with Simulation.start(config_dir, "demo", work_dir=work) as simulation:
    daemon = subprocess.Popen(simulation.inside(["pantau", "run"]))
    simulation.control.cut("anjatan/utama")
"""

from __future__ import annotations

import os
import select
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from monitor.core.errors import SimulatorError
from monitor.core.model import Network
from monitor.simulator.behaviour import Behaviour, usual_behaviour
from monitor.simulator.config import SimulatorConfig, read_config, send_config
from monitor.simulator.control import Control, check_socket_path
from monitor.simulator.interface_traffic import PortTraffic, port_traffic
from monitor.simulator.namespace import Namespace
from monitor.simulator.network import simulate_network
from monitor.simulator.scenario import DEMO, load_scenario
from monitor.simulator.tun_device import DEVICE_FILE

_READY_WITHIN_S = 60.0
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


class Simulation:
    """A simulator process in its own namespace; it ends with `stop` or with this process."""

    def __init__(
        self, config: SimulatorConfig, namespace: Namespace, control: Control, seed: int
    ) -> None:
        """Use `start`."""
        self.network = config.network
        self.routers_without_snmp = config.routers_without_snmp()
        self.control = control
        self._net = simulate_network(config.network)
        self._namespace = namespace
        self._seed = seed

    @classmethod
    def start(
        cls,
        source: Path | Network,
        scenario: str | Path = DEMO,
        *,
        work_dir: Path,
        communities: Mapping[str, str] | None = None,
        seed: int = 1,
        device_file: Path = DEVICE_FILE,
    ) -> Self:
        """Start it, and return when every address replies.

        source: a configuration directory, or a network. scenario: name of a shipped one, or a file.
        work_dir: an existing directory with a short path, for control.sock and simulator.log.
        communities: SNMP version 2c by credential name; override the configuration's secrets.
        seed: of delays, losses and traffic.

        Raises ConfigError for a configuration with errors, SimulatorError for an invalid scenario
        or what is missing on this machine.
        """
        config = SimulatorConfig(source) if isinstance(source, Network) else read_config(source)
        config = SimulatorConfig(config.network, {**config.communities, **(communities or {})})
        if isinstance(scenario, Path):
            scenario = scenario.resolve()
        load_scenario(scenario, simulate_network(config.network))
        control = work_dir.resolve() / "control.sock"
        check_socket_path(control)
        options = {
            "--scenario": scenario,
            "--control": control,
            "--seed": seed,
            "--device-file": device_file,
        }
        arguments = [str(word) for option in options.items() for word in option]
        namespace = _run(config, arguments, work_dir / "simulator.log")
        return cls(config, namespace, Control(control), seed)

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command with a prefix that runs it in the simulated network; files are shared.

        Processes still running there when the simulation ends are ended with it.
        """
        return self._namespace.inside(command)

    def normal_behaviour(self, name: str) -> Behaviour:
        """The behaviour of a target (`site/link`, a node's id, `anchor:<address>`) without faults.

        `control.behaviours()` has the current one. Raises KeyError for an unknown name.
        """
        address = self._net.addresses[name]
        return usual_behaviour(address.kind, name, self._seed)

    def traffic(self, device: str, ifname: str) -> PortTraffic:
        """Traffic of a router's interface, as rates and their exact integral over Unix time.

        Raises KeyError for an unknown router or interface.
        """
        for router in self._net.devices:
            for interface in router.interfaces:
                if (router.name, interface.name) == (device, ifname):
                    return port_traffic(router, interface, self._net, self._seed)
        raise KeyError(f"{device} {ifname}")

    @property
    def pid(self) -> int:
        """Process id of the simulator."""
        return self._namespace.pid

    def alive(self) -> bool:
        """Whether the process is running."""
        return self._namespace.alive()

    def stop(self) -> None:
        """End it, and every process that still runs inside. May be called twice."""
        self._namespace.stop(grace_s=15.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _run(config: SimulatorConfig, arguments: Sequence[str], log: Path) -> Namespace:
    """Start `python -m monitor.simulator`, and wait until it reports ready."""
    paths = [str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    command = [sys.executable, "-m", "monitor.simulator", *arguments, "--end-with-parent"]
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as ready:
        with (
            os.fdopen(writing, "wb"),
            log.open("wb") as errors,
            tempfile.TemporaryFile() as config_file,
        ):
            send_config(config, config_file)
            fds = {"--config-fd": config_file.fileno(), "--ready-fd": writing}
            command += [str(word) for option in fds.items() for word in option]
            namespace = Namespace.start(
                command, stderr=errors, pass_fds=tuple(fds.values()), env=environment
            )
        try:
            readable, _, _ = select.select([ready], [], [], _READY_WITHIN_S)
            if not readable or not ready.readline():
                raise SimulatorError(_failure(log, timed_out=not readable))
        except BaseException:
            namespace.stop(0.5)
            raise
    return namespace


def _failure(log: Path, *, timed_out: bool) -> str:
    if timed_out:
        return f"the simulated network was not ready within {_READY_WITHIN_S:.0f} s: see {log}"
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"the simulated network ended without an error: see {log}"
