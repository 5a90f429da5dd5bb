"""Sockets and messages with root, datagram or no permission, few descriptors, a false clock."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.icmp.network import VethNetwork
from tests.adapters.system.test_clock import faketime_library

PROGRAM = Path(__file__).with_name("probe_program.py")

UNPRIVILEGED = (
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    # It may read the tests wherever they are, and nothing else.
    *("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"),
    "--bounding-set=-all,+dac_read_search",
)
BOTH_FAMILIES = (VethNetwork.ALIVE, VethNetwork.ALIVE6, VethNetwork.SILENT)
SOCKETS = ["probing IPv4 with a {} socket", "probing IPv6 with a {} socket"]


def run(
    network: VethNetwork,
    *prefix: str,
    addresses: tuple[str, ...] = BOTH_FAMILIES,
    buffer_bytes: int = 65_536,
    times: int = 1,
    env: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run the program on the near side behind the words of `prefix`; what it prints."""
    assert shutil.which("setpriv"), "the program setpriv is missing: apt install util-linux"
    command = [*prefix, sys.executable, str(PROGRAM), str(buffer_bytes), str(times), *addresses]
    with network.near.inside():
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **(env or {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize(("prefix", "kind"), [((), "raw"), (UNPRIVILEGED, "datagram")])
def test_root_uses_raw_sockets_and_others_datagram_sockets_where_permitted(
    network: VethNetwork, prefix: tuple[str, ...], kind: str
) -> None:
    result = run(network, *prefix)
    assert result["kinds"] == {"Reply": 2, "Lost": 1}
    assert result["log"] == [line.format(kind) for line in SOCKETS]


def test_a_receive_buffer_that_is_cut_gives_a_warning_that_names_the_sysctl(
    network: VethNetwork,
) -> None:
    limit = int(Path("/proc/sys/net/core/rmem_max").read_text(encoding="ascii"))
    result = run(network, *UNPRIVILEGED, buffer_bytes=2 * limit)
    warnings = [line for line in result["log"] if "rmem_max" in line]
    assert len(warnings) == 2, "one for each family"
    assert f"sysctl -w net.core.rmem_max={2 * limit} helps" in warnings[0]


def test_the_errors_of_opening_name_the_remedy_in_one_line(network: VethNetwork) -> None:
    network.near.sysctl("net/ipv4/ping_group_range", "1 0")
    try:
        denied = run(network, *UNPRIVILEGED)
    finally:
        network.near.allow_datagram_icmp()
    # 0 to 2, then the event loop's own: its selector and its pair of sockets to itself.
    exhausted = run(network, "prlimit", "--nofile=6:6", "--")
    for result, remedies in (
        (denied, ("CAP_NET_RAW", "AmbientCapabilities", "setcap", "net.ipv4.ping_group_range")),
        (exhausted, ("LimitNOFILE",)),
    ):
        assert set(result) == {"error"}
        assert "\n" not in result["error"]
        assert all(remedy in result["error"] for remedy in remedies)


def test_64_descriptors_suffice_for_any_number_of_targets(network: VethNetwork) -> None:
    many = tuple(f"10.9.0.{last}" for last in range(2, 4)) + tuple(
        f"10.8.{third}.{last}" for third in (2, 3) for last in range(1, 251)
    )
    result = run(network, "prlimit", "--nofile=64:64", "--", addresses=many, buffer_bytes=8 << 20)
    assert sum(result["kinds"].values()) == len(many)
    assert result["kinds"]["Reply"] == 2
    assert "NotMeasured" not in result["kinds"]


@pytest.mark.parametrize("offset", ["+1d", "-1d"])
def test_a_process_that_is_shown_another_wall_clock_measures_as_well(
    network: VethNetwork, offset: str
) -> None:
    """libfaketime: the kernel's timestamps differ from every reading of the clock by a day."""
    result = run(
        network,
        addresses=(VethNetwork.ALIVE, VethNetwork.SILENT),
        times=20,
        env={
            "LD_PRELOAD": faketime_library(),
            "FAKETIME": offset,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        },
    )
    assert result["kinds"] == {"Reply": 20, "Lost": 20}
    assert 0.0 < result["worst_rtt_ms"] < 300.0
