"""Names of addresses, and which addresses are behind which node."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.core.errors import SimulatorError
from monitor.simulator.network import SimulatedNetwork, simulate_network
from tests.simulator.networks import link, small_network


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("anjatan/utama", {"anjatan/utama"}),
        ("pop-patrol", {"pop-patrol"}),
        ("anjatan", {"anjatan/utama", "anjatan/cadangan"}),
        ("anchor:10.77.0.1", {"anchor:10.77.0.1"}),
    ],
)
def test_a_name_selects_a_target_a_node_or_all_links_of_a_site(
    net: SimulatedNetwork, where: str, names: set[str]
) -> None:
    assert set(net.select(where)) == names


@pytest.mark.parametrize("where", ["all", "uplink"])
def test_all_and_uplink_select_every_address(net: SimulatedNetwork, where: str) -> None:
    assert set(net.select(where)) == set(net.addresses)
    assert "anchor:10.77.0.1" in net.addresses


def test_an_unknown_name_is_refused_with_the_nearest_known_one(net: SimulatedNetwork) -> None:
    with pytest.raises(SimulatorError, match=r"'anjatn/utama'.*did you mean 'anjatan/utama'"):
        net.select("anjatn/utama")


def test_behind_a_node_are_the_links_without_another_parent(net: SimulatedNetwork) -> None:
    assert net.behind({"pop-patrol"}) == {"pop-patrol", "anjatan/utama", "sukra/utama"}


def test_behind_two_nodes_are_also_the_links_of_both(net: SimulatedNetwork) -> None:
    assert "anjatan/cadangan" in net.behind({"pop-patrol", "pop-haurgeulis"})


def test_behind_the_core_are_the_nodes_and_all_their_links(net: SimulatedNetwork) -> None:
    assert net.behind({"inti"}) == {
        *("inti", "pop-patrol", "pop-haurgeulis"),
        *("anjatan/utama", "anjatan/cadangan", "sukra/utama"),
    }


def test_a_separate_router_address_depends_on_its_node(
    net: SimulatedNetwork,
) -> None:
    place = net.addresses["router:pop-patrol"]
    assert (place.address, place.depends_on) == ("10.77.1.14", ("pop-patrol",))
    assert "router:anjatan" not in net.addresses


def test_a_router_is_found_by_site_node_or_link(net: SimulatedNetwork) -> None:
    found = [net.device_of(name) for name in ("anjatan", "anjatan/cadangan", "pop-patrol")]
    assert [device and device.name for device in found] == ["anjatan", "anjatan", "pop-patrol"]
    assert net.device_of("sukra") is None


def test_one_address_for_two_targets_is_refused() -> None:
    network = small_network()
    twin = link("sukra", "kembar", "10.77.23.1", "fibre")
    site = replace(network.sites[1], links=(twin,))
    with pytest.raises(SimulatorError, match=r"have one address, 10\.77\.23\.1"):
        simulate_network(replace(network, sites=(network.sites[0], site)))


def test_an_invalid_address_is_refused() -> None:
    site = replace(small_network().sites[1], links=(link("s", "u", "10.77.1", "fibre"),))
    with pytest.raises(SimulatorError, match=r"'10\.77\.1' is not an IP address"):
        simulate_network(replace(small_network(), sites=(site,)))
