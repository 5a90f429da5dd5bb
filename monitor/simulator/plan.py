"""What the made-up network is made of: the configured network and the routers' communities."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from monitor.core.credentials import parse_community
from monitor.core.errors import SimulatorError
from monitor.core.model import Network
from monitor.settings.load import load, require
from monitor.settings.secrets import SecretOutOfReach, SecretStore
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
    network = require(load(config_dir), strict=False).network
    store = SecretStore(config_dir, os.environ)
    communities: dict[str, str] = {}
    for device in all_devices(network):
        if device.version == "2c" and device.credential not in communities:
            try:
                secret = store.get(device.credential)
            except SecretOutOfReach:
                continue
            communities[device.credential] = parse_community(secret.reveal())
    return Plan(network, communities)


def write_plan(plan: Plan, path: Path) -> None:
    """Keep a plan in a file that only its owner may read."""
    text = TypeAdapter(Plan).dump_json(plan)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)


def read_plan(path: Path) -> Plan:
    """What `write_plan` wrote. Raises SimulatorError when it is something else."""
    try:
        return TypeAdapter(Plan).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise SimulatorError(f"the plan {path} cannot be used: {error}") from error
