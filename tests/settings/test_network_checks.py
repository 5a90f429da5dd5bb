"""Checks over the whole network: properties, and large networks. Single mistakes: problems.txt."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.settings.config_fixtures import MONITOR, NETWORK, load_config, load_valid, write_config

_graphs = st.dictionaries(
    st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3, unique=True)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(graph=_graphs)
def test_a_cycle_of_parents_is_reported_if_and_only_if_there_is_one(
    tmp_path: Path, graph: dict[str, list[str]]
) -> None:
    parents = {name: [each for each in above if each in graph] for name, above in graph.items()}

    def reaches(start: str, goal: str, seen: frozenset[str] = frozenset()) -> bool:
        return any(
            above == goal or (above not in seen and reaches(above, goal, seen | {above}))
            for above in parents[start]
        )

    (tmp_path / "monitor.toml").write_text(MONITOR)
    (tmp_path / "network.toml").write_text(
        "".join(
            f'[[nodes]]\nid = "{name}"\naddress = "10.77.0.{number}"\nparent = {above}\n'
            for number, (name, above) in enumerate(parents.items(), start=10)
        )
    )
    errors = load_config(tmp_path).errors
    assert bool(errors) == any(reaches(name, name) for name in parents)
    for error in errors:
        cycle = error.what.split(": ")[1].split(" → ")
        assert cycle[0] == cycle[-1]
        assert all(above in parents[name] for name, above in pairwise(cycle))


def test_a_chain_of_a_thousand_nodes_is_valid(tmp_path: Path) -> None:
    nodes = "".join(
        f'[[nodes]]\nid = "n{number}"\naddress = "10.{number // 250}.0.{number % 250 + 1}"\n'
        + (f'parent = "n{number - 1}"\n' if number else "")
        for number in range(1000)
    )
    assert load_config(write_config(tmp_path, network=nodes, sites={})).errors == ()


def test_an_interface_of_a_node_names_its_link_in_full(tmp_path: Path) -> None:
    section = '[nodes.snmp]\ncredential = "ro"\n[[nodes.snmp.interfaces]]\nname = "ether1"\n'
    config = write_config(tmp_path, network=NETWORK + section + 'link = "anjatan/utama"\n')
    found = load_valid(config, {"PANTAU_SECRET_RO": "x"})
    assert found.network.devices[0].interfaces[0].link == "anjatan/utama"
