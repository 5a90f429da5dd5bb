"""What the made-up network is made of: the configured network and the routers' communities."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from monitor.core.errors import SimulatorError
from monitor.core.model import Network
from monitor.core.snmp_credentials import parse_community
from monitor.settings import load, require_valid
from monitor.settings.secrets import SecretStore, SecretUnavailable
from monitor.simulator.world import all_devices


@dataclass(frozen=True, slots=True)
class Plan:
    """communities: of SNMP version 2c, by the name of the credential."""

    network: Network
    communities: Mapping[str, str] = field(default_factory=dict, repr=False)

    def silent_routers(self) -> tuple[str, ...]:
        """Routers that will not answer SNMP: of version 3, or without a secret."""
        return tuple(
            device.name
            for device in all_devices(self.network)
            if device.version != "2c" or device.credential not in self.communities
        )


def plan_of(config_dir: Path) -> Plan:
    """The plan of a configuration directory.

    A missing secret leaves its routers silent. Raises ConfigError with every problem of the files.
    """
    network = require_valid(load(config_dir), strict=False).network
    store = SecretStore(config_dir, os.environ)
    communities: dict[str, str] = {}
    for device in all_devices(network):
        if device.version == "2c" and device.credential not in communities:
            try:
                secret = store.get(device.credential)
            except SecretUnavailable:
                continue
            communities[device.credential] = parse_community(secret.reveal())
    return Plan(network, communities)


def write_plan(plan: Plan, file: IO[bytes]) -> None:
    """Hand a plan to the process of the made-up network, in a file that has no name."""
    pickle.dump(plan, file)
    file.flush()
    file.seek(0)


def read_plan(file: IO[bytes]) -> Plan:
    """What `write_plan` wrote. Raises SimulatorError when it is something else."""
    try:
        plan = pickle.load(file)  # noqa: S301 - our own parent wrote it, and nobody else could
    except (pickle.UnpicklingError, EOFError) as error:
        raise SimulatorError(f"no plan came from the process that started us: {error}") from error
    if not isinstance(plan, Plan):
        raise SimulatorError("what came from the process that started us is no plan")
    return plan
