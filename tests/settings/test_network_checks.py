"""Ids, addresses, parents and ports: what only all files together can tell."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.settings.config_fixtures import (
    ANJATAN,
    MONITOR,
    NETWORK,
    SUKRA,
    load_config,
    only_problem,
    short_text,
    write_config,
)

SNMP = '[snmp]\ncredential = "ro"\n'
RO = {"PANTAU_SECRET_RO": "x"}


def _nodes(parents: dict[str, list[str]]) -> str:
    return "".join(
        f'[[nodes]]\nid = "{name}"\naddress = "10.77.0.{number}"\nparent = {above}\n'
        for number, (name, above) in enumerate(parents.items(), start=10)
    )


def _of_network(tmp_path: Path, network: str) -> list[str]:
    found = load_config(write_config(tmp_path, network=network, sites={}))
    return [short_text(error) for error in found.errors]


def test_two_targets_with_one_address_name_both_places(tmp_path: Path) -> None:
    sites = {"anjatan": ANJATAN, "sukra": SUKRA.replace("10.77.24.1", "10.77.23.1")}
    assert only_problem(load_config(write_config(tmp_path, sites=sites)).errors) == (
        "sukra.toml:6: sukra/utama has the address 10.77.23.1, which anjatan/utama has at "
        "anjatan.toml:6 — correct one of the two: two targets cannot share an address"
    )


@pytest.mark.parametrize(
    ("address", "with_whom"),
    [
        ("10.77.0.1", "which anchor:10.77.0.1 has at network.toml:1"),
        ("10.77.0.14", "which pop-patrol has at network.toml:8"),
    ],
)
def test_links_nodes_and_anchors_share_no_address(
    tmp_path: Path, address: str, with_whom: str
) -> None:
    sites = {"anjatan": ANJATAN.replace("10.77.23.1", address)}
    assert with_whom in only_problem(load_config(write_config(tmp_path, sites=sites)).errors)


def test_one_ipv6_address_written_in_two_ways_is_one_address(tmp_path: Path) -> None:
    sites = {
        "anjatan": ANJATAN.replace("10.77.23.1", "fd00::1"),
        "sukra": SUKRA.replace("10.77.24.1", "fd00:0:0::0001"),
    }
    assert "has the address fd00::1, which" in only_problem(
        load_config(write_config(tmp_path, sites=sites)).errors
    )


def test_a_shared_address_is_seen_even_where_the_file_has_another_error(tmp_path: Path) -> None:
    spoilt = SUKRA.replace("10.77.24.1", "10.77.23.1").replace('id = "utama"\n', "x = 1\n")
    errors = load_config(write_config(tmp_path, sites={"anjatan": ANJATAN, "sukra": spoilt})).errors
    assert [short_text(error).split(" — ")[0] for error in errors] == [
        "sukra.toml:4: link number 1: the key id is missing",
        "sukra.toml:5: link number 1: the key x is not known",
        "sukra.toml:6: sukra/number 1 has the address 10.77.23.1, which anjatan/utama has at "
        "anjatan.toml:6",
    ]


@pytest.mark.parametrize(
    ("network", "sites", "says"),
    [
        (
            NETWORK + '[[nodes]]\nid = "inti"\naddress = "10.77.0.9"\n',
            {"anjatan": ANJATAN},
            'network.toml:11: the id "inti" is used already at network.toml:3 — ',
        ),
        (
            NETWORK,
            {"anjatan": ANJATAN, "zanjatan": SUKRA.replace('"sukra"', '"anjatan"')},
            'zanjatan.toml:1: the id "anjatan" is used already at anjatan.toml:1 — ',
        ),
        (
            NETWORK.replace('"inti"', '"anjatan"'),
            {"anjatan": ANJATAN},
            'anjatan.toml:1: the id "anjatan" is used already at network.toml:3 — ',
        ),
        (
            NETWORK,
            {
                "anjatan": ANJATAN
                + '[[links]]\nid = "utama"\naddress = "10.77.23.2"\nkind = "lte"\n'
            },
            'anjatan.toml:10: the link\'s id "utama" is used already at anjatan.toml:5 — ',
        ),
        (
            NETWORK + '[[nodes]]\nid = "monitor"\naddress = "10.77.0.9"\n',
            {"anjatan": ANJATAN},
            'network.toml:11: the id "monitor" is taken by the monitor itself — ',
        ),
    ],
    ids=["nodes", "sites", "a node and a site", "links of a site", "the monitor"],
)
def test_ids_are_unique(tmp_path: Path, network: str, sites: dict[str, str], says: str) -> None:
    assert only_problem(
        load_config(write_config(tmp_path, network=network, sites=sites)).errors
    ).startswith(says)


def test_two_sites_may_have_links_of_the_same_id(tmp_path: Path) -> None:
    assert (
        load_config(write_config(tmp_path, sites={"anjatan": ANJATAN, "sukra": SUKRA})).errors == ()
    )


def test_an_unknown_via_names_the_nearest_node(tmp_path: Path) -> None:
    site = ANJATAN.replace('"pop-patrol"', '["inti", "pop-patorl"]')
    assert only_problem(load_config(write_config(tmp_path, sites={"anjatan": site})).errors) == (
        'anjatan.toml:8: via = "pop-patorl" is no node of network.toml — did you mean "pop-patrol"?'
    )


def test_a_via_like_no_node_names_the_nearest_and_all(tmp_path: Path) -> None:
    site = ANJATAN.replace('"pop-patrol"', '"xyz"')
    assert only_problem(
        load_config(write_config(tmp_path, sites={"anjatan": site})).errors
    ).endswith(' — the nearest is "pop-patrol", all are inti, pop-patrol')


def test_links_that_hang_on_nodes_where_there_is_none_are_one_error(tmp_path: Path) -> None:
    sites = {"anjatan": ANJATAN, "sukra": SUKRA}
    absent = only_problem(
        load_config(write_config(tmp_path / "absent", network=None, sites=sites)).errors
    )
    assert absent.startswith("network.toml:1: the file is missing, but links hang on nodes in 2")
    assert "anjatan.toml:8" in absent
    empty = only_problem(
        load_config(write_config(tmp_path / "empty", network="", sites=sites)).errors
    )
    assert empty.startswith("network.toml:1: there is no node, but links hang on nodes in 2")


def test_an_unknown_parent_names_the_nearest_node(tmp_path: Path) -> None:
    network = NETWORK.replace('parent = "inti"', 'parent = "intl"')
    assert only_problem(load_config(write_config(tmp_path, network=network)).errors) == (
        'network.toml:9: parent = "intl" is no node of network.toml — did you mean "inti"?'
    )


def test_a_node_named_twice_in_via_is_an_error(tmp_path: Path) -> None:
    site = ANJATAN.replace('"pop-patrol"', '[\n"inti",\n"inti"]')
    assert only_problem(
        load_config(write_config(tmp_path, sites={"anjatan": site})).errors
    ).startswith('anjatan.toml:10: via names "inti" twice')


def test_two_parents_that_exist_are_right(tmp_path: Path) -> None:
    site = ANJATAN.replace('"pop-patrol"', '["inti", "pop-patrol"]')
    found = load_config(write_config(tmp_path, sites={"anjatan": site}))
    assert found.settings is not None
    assert found.settings.network.links()[0].via == ("inti", "pop-patrol")


@pytest.mark.parametrize(
    ("parents", "circles"),
    [
        ({"a": ["a"]}, ["network.toml:4: … a → a"]),
        ({"a": ["b"], "b": ["a"]}, ["network.toml:4: … a → b → a"]),
        (
            {"x": ["a"], "a": ["b"], "b": ["c"], "c": ["a"], "y": ["x"]},
            ["network.toml:8: … a → b → c → a"],
        ),
        (
            {"a": ["b"], "b": ["a"], "c": ["d"], "d": ["c"]},
            ["network.toml:4: … a → b → a", "network.toml:12: … c → d → c"],
        ),
        ({"a": [], "b": ["a"], "c": ["a", "b"], "d": ["c", "b"]}, []),
    ],
    ids=["itself", "two", "three with others below", "two circles", "a diamond is no circle"],
)
def test_a_circle_of_parents_is_named_once(
    tmp_path: Path, parents: dict[str, list[str]], circles: list[str]
) -> None:
    errors = _of_network(tmp_path, _nodes(parents))
    words = "these nodes hang on one another in a circle:"
    assert [error.split(" — ")[0].replace(words, "…") for error in errors] == circles


_graphs = st.dictionaries(
    st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3, unique=True)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(graph=_graphs)
def test_a_circle_is_said_exactly_when_there_is_one(
    tmp_path: Path, graph: dict[str, list[str]]
) -> None:
    known = {
        name: [above for above in parents if above in graph] for name, parents in graph.items()
    }

    def reaches(start: str, goal: str, seen: frozenset[str] = frozenset()) -> bool:
        return any(
            above == goal or (above not in seen and reaches(above, goal, seen | {above}))
            for above in known[start]
        )

    (tmp_path / "monitor.toml").write_text(MONITOR)
    (tmp_path / "network.toml").write_text(_nodes(known))
    errors = load_config(tmp_path).errors
    assert bool(errors) == any(reaches(name, name) for name in known)
    for error in errors:
        circle = error.what.split(": ")[1].split(" → ")
        assert circle[0] == circle[-1]
        assert all(above in known[name] for name, above in pairwise(circle))


def test_a_thousand_nodes_in_a_row_are_no_circle(tmp_path: Path) -> None:
    nodes = "".join(
        f'[[nodes]]\nid = "n{number}"\naddress = "10.{number // 250}.0.{number % 250 + 1}"\n'
        + (f'parent = "n{number - 1}"\n' if number else "")
        for number in range(1000)
    )
    assert _of_network(tmp_path, nodes) == []


@pytest.mark.parametrize(
    ("port", "says"),
    [
        ("utma", 'anjatan.toml:13: link = "utma" is no link of this site — did you mean "utama"?'),
        (
            "anjatan/utama",
            'anjatan.toml:13: link = "anjatan/utama" is no link of this site — the nearest is "ut',
        ),
    ],
)
def test_a_port_carries_a_link_of_its_own_site(tmp_path: Path, port: str, says: str) -> None:
    site = ANJATAN + SNMP + f'[[snmp.interfaces]]\nname = "ether1"\nlink = "{port}"\n'
    config = write_config(tmp_path, sites={"anjatan": site})
    assert only_problem(load_config(config, RO).errors).startswith(says)


def test_a_port_of_a_node_carries_a_link_by_its_full_name(tmp_path: Path) -> None:
    section = '[nodes.snmp]\ncredential = "ro"\n[[nodes.snmp.interfaces]]\nname = "ether1"\n'
    network = NETWORK + section + 'link = "{}"\n'
    right = write_config(tmp_path / "right", network=network.format("anjatan/utama"))
    wrong = write_config(tmp_path / "wrong", network=network.format("utama"))
    found = load_config(right, RO)
    assert found.settings is not None
    assert found.settings.network.devices[0].interfaces[0].link == "anjatan/utama"
    assert only_problem(load_config(wrong, RO).errors) == (
        'network.toml:14: link = "utama" is no link of any site — the nearest is '
        '"anjatan/utama", all are anjatan/utama'
    )


def test_a_port_stands_once_in_a_router(tmp_path: Path) -> None:
    port = '[[snmp.interfaces]]\nname = "ether1"\n'
    config = write_config(tmp_path, sites={"anjatan": ANJATAN + SNMP + port + port})
    assert only_problem(load_config(config, RO).errors).startswith(
        'anjatan.toml:14: the port "ether1" stands here twice'
    )


def test_half_a_point_is_an_error(tmp_path: Path) -> None:
    config = write_config(tmp_path, sites={"anjatan": "lat = -6.3\n" + ANJATAN})
    assert only_problem(load_config(config).errors).startswith(
        "anjatan.toml:1: lat stands here without lon"
    )
    other = write_config(tmp_path / "node", network=NETWORK + "lon = 108.0\n")
    assert only_problem(load_config(other).errors).startswith(
        "network.toml:10: lon stands here without lat"
    )


def test_a_router_needs_an_address_when_the_site_has_no_link(tmp_path: Path) -> None:
    site = 'id = "anjatan"\nname = "Anjatan"\ncode = "32.12.23"\n' + SNMP
    problem = only_problem(load_config(write_config(tmp_path, sites={"anjatan": site}), RO).errors)
    assert problem.startswith("anjatan.toml:4: [snmp] has no address, and the site has no link")


def test_a_router_that_is_polled_twice_is_a_warning(tmp_path: Path) -> None:
    address = 'address = "10.77.9.9"\n'
    sites = {"anjatan": ANJATAN + SNMP + address, "sukra": SUKRA + SNMP + address}
    found = load_config(write_config(tmp_path, sites=sites), RO)
    assert found.settings is not None
    assert only_problem(found.warnings).startswith(
        "sukra.toml:11: the router 10.77.9.9 is polled already, see anjatan.toml:11"
    )


def test_a_port_for_a_link_of_a_site_without_any_says_that_there_is_none(tmp_path: Path) -> None:
    bare = 'id = "lelea"\nname = "Lelea"\ncode = "32.12.05"\n[snmp]\naddress = "10.77.5.1"\n'
    port = 'credential = "ro"\n[[snmp.interfaces]]\nname = "ether1"\nlink = "utama"\n'
    config = write_config(tmp_path, sites={"lelea": bare + port})
    assert only_problem(load_config(config, RO).errors) == (
        'lelea.toml:9: link = "utama" is no link of this site — there is none yet: '
        "remove this line, or add what it names"
    )
