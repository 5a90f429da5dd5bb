"""Names, and who is behind whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.core.errors import SimulatorError
from monitor.simulator.world import SimulatedNetwork, build_world
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
def test_a_name_means_a_target_a_node_or_all_links_of_a_site(
    world: SimulatedNetwork, where: str, names: set[str]
) -> None:
    assert set(world.select(where)) == names


@pytest.mark.parametrize("where", ["all", "uplink"])
def test_all_and_uplink_mean_every_address(world: SimulatedNetwork, where: str) -> None:
    assert set(world.select(where)) == set(world.places)
    assert "anchor:10.77.0.1" in world.places


def test_an_unknown_name_is_told_with_the_nearest_known_one(world: SimulatedNetwork) -> None:
    with pytest.raises(SimulatorError, match=r"'anjatn/utama'.*did you mean 'anjatan/utama'"):
        world.select("anjatn/utama")


def test_behind_a_node_is_what_has_no_other_way(world: SimulatedNetwork) -> None:
    assert world.behind({"pop-patrol"}) == {"pop-patrol", "anjatan/utama", "sukra/utama"}


def test_behind_two_nodes_is_also_what_hangs_on_both(world: SimulatedNetwork) -> None:
    assert "anjatan/cadangan" in world.behind({"pop-patrol", "pop-haurgeulis"})


def test_behind_the_core_are_the_nodes_and_all_their_links(world: SimulatedNetwork) -> None:
    assert world.behind({"inti"}) == {
        *("inti", "pop-patrol", "pop-haurgeulis"),
        *("anjatan/utama", "anjatan/cadangan", "sukra/utama"),
    }


def test_a_router_with_an_address_of_its_own_has_a_place_that_follows_its_node(
    world: SimulatedNetwork,
) -> None:
    place = world.places["router:pop-patrol"]
    assert (place.address, place.follows) == ("10.77.1.14", ("pop-patrol",))
    assert "router:anjatan" not in world.places


def test_a_router_is_found_by_its_site_by_its_node_and_by_a_link(world: SimulatedNetwork) -> None:
    found = [world.device_of(name) for name in ("anjatan", "anjatan/cadangan", "pop-patrol")]
    assert [device and device.name for device in found] == ["anjatan", "anjatan", "pop-patrol"]
    assert world.device_of("sukra") is None


def test_one_address_for_two_targets_is_refused() -> None:
    network = small_network()
    twin = link("sukra", "kembar", "10.77.23.1", "fibre")
    site = replace(network.sites[1], links=(twin,))
    with pytest.raises(SimulatorError, match=r"have one address, 10\.77\.23\.1"):
        build_world(replace(network, sites=(network.sites[0], site)))


def test_what_is_no_address_is_refused_with_a_sentence() -> None:
    site = replace(small_network().sites[1], links=(link("s", "u", "10.77.1", "fibre"),))
    with pytest.raises(SimulatorError, match=r"'10\.77\.1' is not an IP address"):
        build_world(replace(small_network(), sites=(site,)))
