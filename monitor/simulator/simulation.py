"""The handle on the made-up Indramayu, for the demo and for tests.

with Simulation.start(config_dir, "demo", work_dir=work) as indramayu:
    daemon = subprocess.Popen(indramayu.inside(["pantau", "run"]))
    indramayu.control.cut("anjatan/utama")
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
from monitor.simulator.control import Control, check_socket_path
from monitor.simulator.namespace import Namespace
from monitor.simulator.plan import Plan, plan_of, write_plan
from monitor.simulator.ports import PortTraffic, port_traffic
from monitor.simulator.scenario import DEMO, load_scenario
from monitor.simulator.tun import DEVICE_FILE
from monitor.simulator.world import build_world

_READY_WITHIN_S = 60.0
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


class Simulation:
    """A made-up network that runs in a namespace of its own; it ends with `stop`, or with us."""

    def __init__(self, plan: Plan, namespace: Namespace, control: Control, seed: int) -> None:
        """Use `start`."""
        self.network = plan.network
        self.silent_routers = plan.silent_routers()
        self.control = control
        self._world = build_world(plan.network)
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
        """Start it, and return when every address answers.

        source: a configuration directory, or a network. scenario: a shipped one's name, or a file.
        work_dir: an existing directory with a short path; it gets control.sock and
        simulator.log. communities: of SNMP version 2c by credential name, beside or instead of
        those in the configuration's secrets. seed: the same seed gives the same delays, losses and
        traffic. device_file: the TUN device's.

        Raises ConfigError for a configuration with errors, SimulatorError in one sentence for
        what this machine lacks, or what is wrong with the scenario.
        """
        plan = Plan(source) if isinstance(source, Network) else plan_of(source)
        plan = Plan(plan.network, {**plan.communities, **(communities or {})})
        if isinstance(scenario, Path):
            scenario = scenario.resolve()
        load_scenario(scenario, build_world(plan.network))
        control = work_dir.resolve() / "control.sock"
        check_socket_path(control)
        options = {
            "--scenario": scenario,
            "--control": control,
            "--seed": seed,
            "--device-file": device_file,
        }
        words = [str(word) for option in options.items() for word in option]
        namespace = _run(plan, words, work_dir / "simulator.log")
        return cls(plan, namespace, Control(control), seed)

    def inside(self, command: Sequence[str]) -> list[str]:
        """The same command, to be run in the made-up network. Files and Unix sockets are shared.

        What is still running there when the made-up network ends is ended with it.
        """
        return self._namespace.inside(command)

    def scripted(self, name: str) -> Behaviour:
        """How a target (`site/link`, a node's id, `anchor:<address>`) answers on a quiet day.

        `control.behaviours()` says how it answers now. Raises KeyError for an unknown name.
        """
        place = self._world.places[name]
        return usual_behaviour(place.kind, name, self._seed)

    def traffic(self, device: str, ifname: str) -> PortTraffic:
        """What flows through a router's port, as rates and their exact integral over Unix time.

        Raises KeyError for an unknown router or port.
        """
        for router in self._world.devices:
            for interface in router.interfaces:
                if (router.name, interface.name) == (device, ifname):
                    return port_traffic(router, interface, self._world, self._seed)
        raise KeyError(f"{device} {ifname}")

    @property
    def pid(self) -> int:
        """The process of the made-up network."""
        return self._namespace.pid

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._namespace.alive()

    def stop(self) -> None:
        """End it, and every process that still runs inside. Harmless when it has ended."""
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


def _run(plan: Plan, words: Sequence[str], log: Path) -> Namespace:
    """Start `python -m monitor.simulator`, and wait for its word that it is ready."""
    paths = [str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    command = [sys.executable, "-m", "monitor.simulator", *words, "--lifeline"]
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as ready:
        with (
            os.fdopen(writing, "wb"),
            log.open("wb") as errors,
            tempfile.TemporaryFile() as plan_file,
        ):
            write_plan(plan, plan_file)
            fds = {"--plan-fd": plan_file.fileno(), "--ready-fd": writing}
            command += [str(word) for option in fds.items() for word in option]
            namespace = Namespace.start(
                command, stderr=errors, pass_fds=tuple(fds.values()), env=environment
            )
        try:
            heard, _, _ = select.select([ready], [], [], _READY_WITHIN_S)
            if not heard or not ready.readline():
                raise SimulatorError(_last_words(log, timed_out=not heard))
        except BaseException:
            namespace.stop(0.5)
            raise
    return namespace


def _last_words(log: Path, *, timed_out: bool) -> str:
    if timed_out:
        return f"the made-up network was not ready within {_READY_WITHIN_S:.0f} s: see {log}"
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"the made-up network ended without a word: see {log}"
