"""An SNMP agent: counters advance with the traffic, stop with the link, and restart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pyasn1.codec.ber import decoder
from pysnmp.proto.api import v2c

from monitor.simulator.behaviour import ReplyMode, usual_behaviour
from monitor.simulator.fault_effects import NO_DEFECTS, AgentDefects
from monitor.simulator.interface_traffic import port_traffic
from monitor.simulator.network import SimulatedNetwork
from monitor.simulator.router_hardware import RouterModel, random_hardware
from monitor.simulator.scenario import Fault, FaultKind
from monitor.simulator.snmp_agent import Agent
from monitor.simulator.snmp_messages import IF_TABLE, IFX_TABLE, SYSTEM, Oid
from tests.simulator.messages import asked, asked_bulk, told
from tests.simulator.networks import COMMUNITY

START_S = 1_795_500_000.0
UPTIME: Oid = (*SYSTEM, 3, 0)
USUAL = usual_behaviour("fibre", "anjatan/utama", 1)
CUT = replace(USUAL, mode=ReplyMode.SILENT)


@pytest.fixture
def agent(net: SimulatedNetwork) -> Agent:
    """The router of anjatan."""
    return Agent(net.devices[0], COMMUNITY, net, START_S, seed=1)


def ask(agent: Agent, now_s: float, *oids: Oid) -> list[int]:
    """Numbers, by GET."""
    request = asked(v2c.GetRequestPDU(), list(oids))
    return [int(value) for _, _, value in told(agent.answer_request(request, now_s)).objects]


def walk(agent: Agent, now_s: float, base: Oid) -> dict[Oid, object]:
    """A subtree, by GETBULK."""
    found: dict[Oid, object] = {}
    last = base
    while True:
        for oid, kind, value in told(
            agent.answer_request(asked_bulk([last], 0, 25), now_s)
        ).objects:
            if kind == "EndOfMibView" or oid[: len(base)] != base:
                return found
            found[oid[len(base) :]] = value
            last = oid


def index_of(agent: Agent, ifname: str) -> int:
    """A port's ifIndex, by its ifName."""
    names = walk(agent, START_S, (*IFX_TABLE, 1))
    return next(key[-1] for key, value in names.items() if str(value) == ifname)


def octets(agent: Agent, ifname: str) -> tuple[Oid, Oid]:
    """ifHCInOctets and ifHCOutOctets of a port."""
    index = index_of(agent, ifname)
    return (*IFX_TABLE, 6, index), (*IFX_TABLE, 10, index)


def test_counters_advance_by_the_integral_of_the_rate(agent: Agent, net: SimulatedNetwork) -> None:
    device = net.devices[0]
    traffic = port_traffic(device, device.interfaces[0], net, seed=1)
    oids = octets(agent, "ether1")
    before = ask(agent, START_S, *oids)
    after = ask(agent, START_S + 60, *oids)
    for direction, flow in enumerate((traffic.inbound, traffic.outbound)):
        expected = flow.bits_between(START_S, START_S + 60) / 8
        assert after[direction] - before[direction] == pytest.approx(expected, abs=2)
        assert expected > 1000


def test_uptime_counts_hundredths_of_seconds(agent: Agent) -> None:
    (before,) = ask(agent, START_S, UPTIME)
    (after,) = ask(agent, START_S + 12.5, UPTIME)
    assert after - before == pytest.approx(1250, abs=1)
    assert before > 100 * 86_400 * 3


def test_the_32_bit_counters_are_the_low_half_of_the_64_bit_ones(agent: Agent) -> None:
    index = index_of(agent, "ether1")
    wide, narrow = ask(agent, START_S, (*IFX_TABLE, 6, index), (*IF_TABLE, 10, index))
    assert wide > 1 << 32
    assert narrow == wide % (1 << 32)


def test_both_interface_tables_have_the_polled_columns(
    agent: Agent,
) -> None:
    rows = {key[-1] for key in walk(agent, START_S, (*IFX_TABLE, 1))}
    assert len(rows) == 3
    for base, columns in ((IF_TABLE, (2, 8, 10, 13, 14, 16, 19, 20)), (IFX_TABLE, (6, 10, 15, 19))):
        for column in columns:
            assert {key[-1] for key in walk(agent, START_S, (*base, column))} == rows


def test_an_interface_whose_link_is_cut_is_down_and_does_not_count(
    agent: Agent, net: SimulatedNetwork
) -> None:
    device = net.devices[0]
    inbound = port_traffic(device, device.interfaces[0], net, seed=1).inbound
    oids = (*octets(agent, "ether1"), (*IF_TABLE, 8, index_of(agent, "ether1")))
    agent.set_link_behaviour("anjatan/utama", CUT, START_S)
    first, second = (ask(agent, START_S + t, *oids) for t in (0, 60))
    assert first == second
    assert first[2] == 2
    agent.set_link_behaviour("anjatan/utama", USUAL, START_S + 60)
    third = ask(agent, START_S + 90, *oids)
    expected = inbound.bits_between(START_S + 60, START_S + 90) / 8
    assert third[0] - first[0] == pytest.approx(expected, abs=2)
    assert third[2] == 1


def test_the_other_interface_keeps_counting(agent: Agent) -> None:
    oids = octets(agent, "ether2")
    agent.set_link_behaviour("anjatan/utama", CUT, START_S)
    before, after = (ask(agent, START_S + t, *oids) for t in (0, 60))
    assert after[0] > before[0]


def test_a_restart_resets_uptime_and_counters(agent: Agent) -> None:
    oids = (UPTIME, *octets(agent, "ether1"))
    agent.restart(START_S, renumber=False)
    assert ask(agent, START_S, *oids) == [0, 0, 0]
    after = ask(agent, START_S + 10, *oids)
    assert after[0] == pytest.approx(1000, abs=1)
    assert 0 < after[1] < 10 * 100e6 / 8


def test_a_restart_during_a_cut_resets_the_counters(agent: Agent) -> None:
    agent.set_link_behaviour("anjatan/utama", CUT, START_S)
    agent.restart(START_S + 50, renumber=False)
    agent.set_link_behaviour("anjatan/utama", USUAL, START_S + 60)
    assert ask(agent, START_S + 60, *octets(agent, "ether1")) == [0, 0]


def test_a_restart_may_renumber_the_interfaces(agent: Agent) -> None:
    before = index_of(agent, "ether1")
    agent.restart(START_S, renumber=True)
    assert index_of(agent, "ether1") != before


def test_requests_and_responses_are_counted(agent: Agent) -> None:
    agent.answer_request(b"noise", START_S)
    ask(agent, START_S, UPTIME)
    assert (agent.requests, agent.answered) == (2, 1)


def test_a_narrow_agent_has_32_bit_counters_only(agent: Agent) -> None:
    index = index_of(agent, "ether1")
    agent.set_defects(AgentDefects(narrow=True))
    rows = walk(agent, START_S, IFX_TABLE)
    assert {key[0] for key in rows} == {1, 15, 18, 19}
    assert ask(agent, START_S, (*IF_TABLE, 10, index))[0] < 1 << 32
    agent.set_defects(NO_DEFECTS)
    assert {6, 10} < {key[0] for key in walk(agent, START_S, IFX_TABLE)}


def test_octet_counters_wrap_at_the_requested_time(agent: Agent, net: SimulatedNetwork) -> None:
    device = net.devices[0]
    inbound = port_traffic(device, device.interfaces[0], net, seed=1).inbound
    wide, _ = octets(agent, "ether1")
    oids = (wide, (*IF_TABLE, 10, wide[-1]), UPTIME)
    agent.apply_instant_fault(Fault(FaultKind.WRAP, ("anjatan",), after_s=30.0), START_S)
    start, before, after = (ask(agent, START_S + t, *oids) for t in (0, 29.9, 30.1))
    for place, end in ((0, 1 << 64), (1, 1 << 32)):
        assert start[place] < before[place] < end
        assert after[place] < before[place] - end // 2
        grown = (after[place] - start[place]) % end
        expected = inbound.bits_between(START_S, START_S + 30.1) / 8
        assert grown == pytest.approx(expected, abs=2)
    assert after[2] - start[2] == pytest.approx(3010, abs=1)


@pytest.mark.parametrize("told", [False, True])
def test_counters_may_reset_with_or_without_a_discontinuity(agent: Agent, told: bool) -> None:
    oids = (*octets(agent, "ether1"), UPTIME, (*IFX_TABLE, 19, index_of(agent, "ether1")))
    before = ask(agent, START_S, *oids)
    agent.apply_instant_fault(
        Fault(FaultKind.COUNTER_RESET, ("anjatan",), discontinuity=told), START_S
    )
    after = ask(agent, START_S, *oids)
    assert after == [0, 0, before[2], before[2] if told else 0]
    assert ask(agent, START_S + 10, *oids)[0] > 0


def test_interfaces_may_be_renumbered_without_a_restart(agent: Agent) -> None:
    oids = octets(agent, "ether1")
    before = ask(agent, START_S, *oids, UPTIME)
    agent.apply_instant_fault(Fault(FaultKind.RENUMBER, ("anjatan",)), START_S)
    assert index_of(agent, "ether1") == oids[0][-1] + 1
    assert ask(agent, START_S, *octets(agent, "ether1"), UPTIME) == before


def test_a_silent_agent_counts_requests(agent: Agent) -> None:
    agent.set_defects(AgentDefects(silent=True))
    assert agent.answer_request(asked(v2c.GetRequestPDU(), [UPTIME]), START_S) is None
    assert (agent.requests, agent.answered) == (1, 0)


def test_too_many_objects_give_too_big(agent: Agent) -> None:
    agent.set_defects(AgentDefects(max_varbinds=1))
    assert told(agent.answer_request(asked(v2c.GetRequestPDU(), [UPTIME] * 2), START_S)).status == 1
    assert ask(agent, START_S, UPTIME)


@pytest.mark.parametrize("make", list(RouterModel))
def test_every_model_has_cpu_memory_and_temperature(
    make: RouterModel, net: SimulatedNetwork
) -> None:
    def found(name: str, is_node: bool) -> RouterModel:
        return random_hardware(name, is_node, lambda _now_s: 0.5, 1).model

    node = next(f"node-{n}" for n in range(200) if found(f"node-{n}", is_node=True) is make)
    router = replace(net.devices[1], name=node)
    nodes = replace(net, nodes=frozenset({node}), devices=(router,))
    agent = Agent(router, COMMUNITY, nodes, START_S, seed=1)
    mikrotik: Oid = (1, 3, 6, 1, 4, 1, 14988, 1, 1, 3)
    cisco: Oid = (1, 3, 6, 1, 4, 1, 9, 9)
    readings: dict[RouterModel, dict[Oid, tuple[float, float]]] = {
        RouterModel.ROUTEROS_6: {
            (1, 3, 6, 1, 2, 1, 25, 3, 3, 1, 2, 1): (1, 100),
            (*mikrotik, 10, 0): (200, 700),
            (*mikrotik, 8, 0): (110, 490),
        },
        RouterModel.ROUTEROS_7: {
            (1, 3, 6, 1, 2, 1, 25, 3, 3, 1, 2, 1): (1, 100),
            (*mikrotik, 100, 1, 3, 14): (20, 70),
            (*mikrotik, 100, 1, 3, 13): (110, 490),
        },
        RouterModel.CISCO: {
            (*cisco, 109, 1, 1, 1, 1, 7, 1): (1, 100),
            (*cisco, 48, 1, 1, 1, 5, 1): (1e6, 2e9),
            (*cisco, 13, 1, 3, 1, 3, 1): (20, 70),
        },
    }
    for oid, (low, high) in readings[make].items():
        (value,) = ask(agent, START_S, oid)
        assert low <= value <= high, oid


def test_sites_have_no_cisco(net: SimulatedNetwork) -> None:
    makes = {random_hardware(f"s{n}", False, lambda _now_s: 0.0, 1).model for n in range(100)}
    assert makes == {RouterModel.ROUTEROS_6, RouterModel.ROUTEROS_7}


def test_a_complete_walk_is_sorted(agent: Agent) -> None:
    found = list(walk(agent, START_S, (1, 3)))
    assert found == sorted(found)
    assert len(found) > 60


def test_pysnmp_decodes_a_response(agent: Agent) -> None:
    response = agent.answer_request(asked(v2c.GetRequestPDU(), [UPTIME]), START_S)
    message, rest = decoder.decode(response, asn1Spec=v2c.Message())
    assert rest == b""
    assert bytes(v2c.apiMessage.get_community(message)) == COMMUNITY.encode()
