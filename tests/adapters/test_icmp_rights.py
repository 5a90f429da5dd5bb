"""What this process may do: raw, datagram only, nothing at all; few descriptors; a false clock."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.private_network import TwoSides
from tests.adapters.system.test_clock import faketime_library

PROGRAM = Path(__file__).with_name("icmp_program.py")

NOBODY = (
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    # It may read the tests wherever they lie, and nothing else.
    *("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"),
    "--bounding-set=-all,+dac_read_search",
)


@pytest.fixture(scope="module")
def network() -> Iterator[TwoSides]:
    made = TwoSides()
    yield made
    made.close()


def run(
    network: TwoSides,
    *before: str,
    addresses: tuple[str, ...] = (TwoSides.ALIVE, TwoSides.SILENT),
    buffer_bytes: int = 8 << 20,
    times: int = 1,
    env: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The program on the near side, behind the words of `before`; what it says."""
    assert shutil.which("setpriv"), "the program setpriv is missing: apt install util-linux"
    command = [*before, sys.executable, str(PROGRAM), str(buffer_bytes), str(times), *addresses]
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
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def groups_allowed(network: TwoSides, allowed: str) -> None:
    network.near.sysctl("net/ipv4/ping_group_range", allowed)


def test_root_uses_raw_sockets(network: TwoSides) -> None:
    told = run(network, addresses=(TwoSides.ALIVE, TwoSides.ALIVE6, TwoSides.SILENT))
    assert told["kinds"] == {"Reply": 2, "Lost": 1}
    assert told["log"] == [
        "probing IPv4 with a raw socket",
        "probing IPv6 with a raw socket",
    ]


def test_a_user_without_rights_uses_datagram_sockets_where_the_sysctl_allows_it(
    network: TwoSides,
) -> None:
    groups_allowed(network, "0 2147483647")
    told = run(network, *NOBODY, addresses=(TwoSides.ALIVE, TwoSides.ALIVE6, TwoSides.SILENT))
    assert told["kinds"] == {"Reply": 2, "Lost": 1}
    assert "probing IPv4 with a datagram socket" in told["log"]
    assert "probing IPv6 with a datagram socket" in told["log"]


def test_a_user_who_may_not_have_the_whole_receive_buffer_is_told_which_sysctl_helps(
    network: TwoSides,
) -> None:
    groups_allowed(network, "0 2147483647")
    most = int(Path("/proc/sys/net/core/rmem_max").read_text(encoding="ascii"))
    told = run(network, *NOBODY, buffer_bytes=2 * most)
    warnings = [line for line in told["log"] if "rmem_max" in line]
    assert len(warnings) == 2, "one a family"
    assert f"sysctl -w net.core.rmem_max={2 * most} helps" in warnings[0]
    assert run(network, *NOBODY, buffer_bytes=most // 2)["log"] == [
        "probing IPv4 with a datagram socket",
        "probing IPv6 with a datagram socket",
    ]


def test_a_user_who_may_do_neither_is_told_in_one_sentence_what_would_help(
    network: TwoSides,
) -> None:
    groups_allowed(network, "1 0")
    told = run(network, *NOBODY)
    assert set(told) == {"error"}
    for mend in ("CAP_NET_RAW", "AmbientCapabilities", "setcap", "net.ipv4.ping_group_range"):
        assert mend in told["error"]
    assert "\n" not in told["error"]


def test_with_no_descriptor_left_the_mend_is_named(network: TwoSides) -> None:
    # 0 to 2, then the loop's own: its selector and its pair of sockets to itself.
    told = run(network, "prlimit", "--nofile=6:6", "--")
    assert "LimitNOFILE" in told["error"]
    assert "\n" not in told["error"]


def test_64_descriptors_are_enough_for_any_number_of_targets(network: TwoSides) -> None:
    many = tuple(f"10.9.0.{last}" for last in range(2, 4)) + tuple(
        f"10.8.{third}.{last}" for third in (2, 3) for last in range(1, 251)
    )
    told = run(network, "prlimit", "--nofile=64:64", "--", addresses=many)
    assert sum(told["kinds"].values()) == len(many)
    assert told["kinds"]["Reply"] == 2
    assert "NotMeasured" not in told["kinds"]


@pytest.mark.parametrize("offset", ["+1d", "-1d"])
def test_a_process_that_is_shown_another_wall_clock_measures_as_well(
    network: TwoSides, offset: str
) -> None:
    """libfaketime: the kernel's stamps are a day away from every reading of the clock."""
    told = run(
        network,
        times=20,
        env={
            "LD_PRELOAD": faketime_library(),
            "FAKETIME": offset,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        },
    )
    assert told["kinds"] == {"Reply": 20, "Lost": 20}
    assert 0.0 < told["worst_rtt_ms"] < 300.0
