"""Input of the simulator process: the configured network and the routers' communities."""

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
from monitor.simulator.network import all_devices


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """communities: SNMP version 2c communities by credential name."""

    network: Network
    communities: Mapping[str, str] = field(default_factory=dict, repr=False)

    def routers_without_snmp(self) -> tuple[str, ...]:
        """Routers that are not simulated: SNMP version 3, or without a secret."""
        return tuple(
            device.name
            for device in all_devices(self.network)
            if device.version != "2c" or device.credential not in self.communities
        )


def read_config(config_dir: Path) -> SimulatorConfig:
    """Read a configuration directory.

    Routers whose secret is missing do not respond. Raises ConfigError with every problem found.
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
    return SimulatorConfig(network, communities)


def send_config(config: SimulatorConfig, file: IO[bytes]) -> None:
    """Write the configuration to an unnamed file that the simulator process inherits."""
    pickle.dump(config, file)
    file.flush()
    file.seek(0)


def receive_config(file: IO[bytes]) -> SimulatorConfig:
    """Read what `send_config` wrote. Raises SimulatorError when it is something else."""
    try:
        config = pickle.load(file)  # noqa: S301 - written by our parent process only
    except (pickle.UnpicklingError, EOFError) as error:
        raise SimulatorError(f"no configuration came from the parent process: {error}") from error
    if not isinstance(config, SimulatorConfig):
        raise SimulatorError("what came from the parent process is no configuration")
    return config
