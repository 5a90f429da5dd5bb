"""Faults over time, on a manual clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from monitor.core.errors import SimulatorError
from monitor.core.model import Device
from monitor.simulator.behaviour import Behaviour, ReplyMode, usual_behaviour
from monitor.simulator.fault_effects import NO_DEFECTS, AgentDefects
from monitor.simulator.fault_scheduler import FaultScheduler, Timestamps
from monitor.simulator.network import SimulatedNetwork
from monitor.simulator.scenario import Fault, FaultKind, Scenario

UTAMA, CADANGAN, SUKRA = "anjatan/utama", "anjatan/cadangan", "sukra/utama"
START_UTC_S, START_BOOT_S = 1.8e9, 5000.0


@dataclass
class RecordedActions:
    """Records what the scheduler changes."""

    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)
    restarts: list[tuple[str, bool]] = field(default_factory=list)
    routes: list[bool] = field(default_factory=list)
    defects: dict[str, AgentDefects] = field(default_factory=dict)
    instant_faults: list[tuple[str, FaultKind]] = field(default_factory=list)

    def set_behaviour(self, name: str, behaviour: Behaviour) -> None:
        self.behaviours[name] = behaviour

    def set_path(self, name: str, path: tuple[str, ...]) -> None:
        self.paths[name] = path

    def restart_router(self, device: Device, renumber: bool) -> None:
        self.restarts.append((device.name, renumber))

    def set_agent_defects(self, device: Device, defects: AgentDefects) -> None:
        self.defects[device.name] = defects

    def apply_instant_fault(self, device: Device, fault: Fault) -> None:
        self.instant_faults.append((device.name, fault.kind))

    def set_route(self, present: bool) -> None:
        self.routes.append(present)


class ScenarioRun:
    """A scheduler on a manual clock; `at` sets the time and refreshes it."""

    def __init__(self, net: SimulatedNetwork, *faults: Fault) -> None:
        self.actions = RecordedActions()
        self.elapsed_s = 0.0
        self.usual = {p.name: usual_behaviour(p.kind, p.name, 1) for p in net.addresses.values()}
        scenario = Scenario("test", "x", faults)
        self.scheduler = FaultScheduler(net, self.usual, scenario, self.actions, self.now)
        self.next_s = self.scheduler.start()

    def now(self) -> Timestamps:
        return Timestamps(START_UTC_S + self.elapsed_s, START_BOOT_S + self.elapsed_s)

    def at(self, elapsed_s: float) -> ScenarioRun:
        self.elapsed_s = elapsed_s
        self.next_s = self.scheduler.refresh()
        return self

    def silent(self) -> set[str]:
        return {n for n, b in self.actions.behaviours.items() if b.mode is ReplyMode.SILENT}

    def changed(self) -> set[str]:
        return {n for n, b in self.actions.behaviours.items() if b != self.usual[n]}


def test_an_empty_scenario_sets_each_behaviour_once_and_needs_no_refresh(
    net: SimulatedNetwork,
) -> None:
    run = ScenarioRun(net)
    assert run.actions.behaviours == run.usual
    assert run.next_s is None
    assert not run.scheduler.changes


def test_a_cut_begins_and_ends_at_the_given_times(net: SimulatedNetwork) -> None:
    run = ScenarioRun(net, Fault(FaultKind.CUT, (UTAMA,), 30, 60))
    assert run.next_s == 30
    assert run.at(30).silent() == {UTAMA}
    assert run.next_s == 60
    assert run.at(90).changed() == set()
    assert run.next_s is None


def test_the_change_log_has_both_clocks_and_the_cause(
    net: SimulatedNetwork,
) -> None:
    run = ScenarioRun(net, Fault(FaultKind.CUT, (UTAMA,), 30, 60))
    run.at(30.001)
    run.at(60)
    run.at(90)
    down, up = run.scheduler.changes
    assert (down.utc_s, down.boottime_s) == (START_UTC_S + 30.001, START_BOOT_S + 30.001)
    assert (down.what, down.name, down.because) == ("behaviour", UTAMA, (f"cut {UTAMA}",))
    assert down.behaviour == replace(run.usual[UTAMA], mode=ReplyMode.SILENT)
    assert (up.boottime_s, up.behaviour, up.because) == (START_BOOT_S + 90, run.usual[UTAMA], ())


def test_cutting_a_site_cuts_all_its_links(net: SimulatedNetwork) -> None:
    assert ScenarioRun(net, Fault(FaultKind.CUT, ("anjatan",))).silent() == {UTAMA, CADANGAN}


def test_cutting_a_node_does_not_cut_the_links_behind_it(net: SimulatedNetwork) -> None:
    assert ScenarioRun(net, Fault(FaultKind.CUT, ("inti",))).silent() == {"inti"}


def test_pop_down_cuts_the_links_behind_only_this_node_and_its_router(
    net: SimulatedNetwork,
) -> None:
    run = ScenarioRun(net, Fault(FaultKind.POP_DOWN, ("pop-patrol",)))
    assert run.silent() == {"pop-patrol", "router:pop-patrol", UTAMA, SUKRA}


def test_a_link_with_two_parents_is_cut_only_while_both_are_down(
    net: SimulatedNetwork,
) -> None:
    patrol = Fault(FaultKind.POP_DOWN, ("pop-patrol",), 10, 100)
    haurgeulis = Fault(FaultKind.POP_DOWN, ("pop-haurgeulis",), 20, 30)
    run = ScenarioRun(net, patrol, haurgeulis)
    assert CADANGAN not in run.at(10).silent()
    assert CADANGAN in run.at(20).silent()
    because = next(t.because for t in run.scheduler.changes if t.name == CADANGAN)
    assert because == ("pop-down pop-patrol", "pop-down pop-haurgeulis")
    assert CADANGAN not in run.at(50).silent()
    assert UTAMA in run.silent()


def test_pop_down_of_the_core_cuts_all_nodes_and_links(net: SimulatedNetwork) -> None:
    run = ScenarioRun(net, Fault(FaultKind.POP_DOWN, ("inti",)))
    assert run.silent() == {
        *("inti", "pop-patrol", "pop-haurgeulis", "router:pop-patrol"),
        *(UTAMA, CADANGAN, SUKRA),
    }


def test_uplink_cut_silences_every_target(net: SimulatedNetwork) -> None:
    run = ScenarioRun(net, Fault(FaultKind.UPLINK_CUT, ("uplink",)))
    assert run.silent() == set(net.addresses)


def test_no_route_leaves_behaviours_unchanged(net: SimulatedNetwork) -> None:
    run = ScenarioRun(net, Fault(FaultKind.NO_ROUTE, ("uplink",), 10, 5))
    assert run.at(10).changed() == set()
    run.at(15)
    assert run.actions.routes == [False, True]
    assert [truth.name for truth in run.scheduler.changes] == ["absent", "present"]


def test_impairments_are_added_to_the_normal_behaviour(net: SimulatedNetwork) -> None:
    run = ScenarioRun(
        net,
        Fault(FaultKind.LOSS, (SUKRA,), loss_ratio=0.5),
        Fault(FaultKind.LOSS, (SUKRA,), loss_ratio=0.2),
        Fault(FaultKind.DELAY, (SUKRA,), delay_ms=100),
        Fault(FaultKind.JITTER, (SUKRA,), jitter_ms=7),
        Fault(FaultKind.DUPLICATE, (SUKRA,), share_ratio=0.25),
    )
    usual, now = run.usual[SUKRA], run.actions.behaviours[SUKRA]
    assert now.loss_ratio == pytest.approx(1 - (1 - usual.loss_ratio) * 0.5 * 0.8)
    assert now.delay_ms == usual.delay_ms + 100
    assert now.jitter_ms == usual.jitter_ms + 7
    assert now.duplicate_ratio == 0.25
    assert now.mode is ReplyMode.ANSWERED


@pytest.mark.parametrize(
    ("sender", "address"), [(None, "10.77.0.14"), ("pop-haurgeulis", "10.77.0.15")]
)
def test_an_icmp_error_comes_from_the_upstream_or_the_named_router(
    net: SimulatedNetwork, sender: str | None, address: str
) -> None:
    run = ScenarioRun(net, Fault(FaultKind.UNREACHABLE, (UTAMA,), sender=sender, code=13))
    now = run.actions.behaviours[UTAMA]
    assert now.mode is ReplyMode.UNREACHABLE
    assert (now.unreachable_from, now.unreachable_code) == (address, 13)


@pytest.mark.parametrize("order", [1, -1])
def test_silence_overrides_an_icmp_error(net: SimulatedNetwork, order: int) -> None:
    events = [Fault(FaultKind.UNREACHABLE, (UTAMA,)), Fault(FaultKind.CUT, (UTAMA,))][::order]
    assert UTAMA in ScenarioRun(net, *events).silent()


def test_a_flapping_link_changes_with_its_period(net: SimulatedNetwork) -> None:
    run = ScenarioRun(net, Fault(FaultKind.FLAP, (UTAMA,), 10, 100, period_s=40, down_s=12))
    seen = [(t, bool(run.at(t).silent()), run.next_s) for t in (10, 22, 50, 62, 110)]
    assert seen == [
        (10, True, 12),
        (22, False, 28),
        (50, True, 12),
        (62, False, 28),
        (110, False, None),
    ]


def test_a_reboot_silences_the_links_and_restarts_the_router_at_its_end(
    net: SimulatedNetwork,
) -> None:
    run = ScenarioRun(net, Fault(FaultKind.REBOOT, ("anjatan",), 10, 75, renumber=True))
    assert run.at(10).silent() == {UTAMA, CADANGAN}
    assert run.actions.restarts == []
    assert run.at(85).silent() == set()
    assert run.actions.restarts == [("anjatan", True)]
    assert [t.name for t in run.scheduler.changes if t.what == "restart"] == ["anjatan"]


def test_a_reboot_of_a_node_cuts_what_is_behind_it(net: SimulatedNetwork) -> None:
    run = ScenarioRun(net, Fault(FaultKind.REBOOT, ("pop-patrol",), 0, 75))
    assert run.silent() == {"pop-patrol", "router:pop-patrol", UTAMA, SUKRA}
    run.at(75)
    assert run.actions.restarts == [("pop-patrol", False)]


def test_a_routers_own_address_is_silent_only_when_all_its_links_are(
    net: SimulatedNetwork,
) -> None:
    run = ScenarioRun(net, Fault(FaultKind.CUT, ("pop-patrol",)))
    assert run.silent() == {"pop-patrol", "router:pop-patrol"}


def test_a_command_takes_effect_at_once_and_ends_after_its_duration(net: SimulatedNetwork) -> None:
    run = ScenarioRun(net)
    run.elapsed_s = 7
    assert run.scheduler.command(Fault(FaultKind.CUT, (UTAMA,), for_s=5)) == 5
    assert run.silent() == {UTAMA}
    assert run.at(12).silent() == set()


def test_a_command_may_start_later(net: SimulatedNetwork) -> None:
    run = ScenarioRun(net)
    assert run.scheduler.command(Fault(FaultKind.CUT, (UTAMA,), at_s=3)) == 3
    assert run.silent() == set()
    assert run.at(3).silent() == {UTAMA}


def test_a_command_with_an_unknown_name_changes_nothing(net: SimulatedNetwork) -> None:
    run = ScenarioRun(net)
    with pytest.raises(SimulatorError, match="no target, site or node"):
        run.scheduler.command(Fault(FaultKind.CUT, ("nowhere",)))
    assert run.changed() == set()


def test_restore_ends_commanded_and_scripted_faults(net: SimulatedNetwork) -> None:
    run = ScenarioRun(net, Fault(FaultKind.CUT, (UTAMA,), 0, 100))
    run.scheduler.command(Fault(FaultKind.LOSS, (UTAMA,), loss_ratio=0.5))
    assert run.changed() == {UTAMA}
    run.scheduler.restore(UTAMA)
    assert run.changed() == set()
    assert run.at(50).changed() == set()


def test_restoring_one_link_keeps_the_fault_of_the_others(net: SimulatedNetwork) -> None:
    run = ScenarioRun(net, Fault(FaultKind.POP_DOWN, ("pop-patrol",)))
    run.scheduler.restore(SUKRA)
    assert run.silent() == {"pop-patrol", "router:pop-patrol", UTAMA}
    run.scheduler.restore("pop-patrol")
    assert run.silent() == set()


def test_restoring_a_node_behind_a_dead_core_restores_its_links(
    net: SimulatedNetwork,
) -> None:
    run = ScenarioRun(net, Fault(FaultKind.POP_DOWN, ("inti",)), Fault(FaultKind.CUT, (SUKRA,)))
    run.scheduler.restore("pop-patrol")
    assert run.silent() == {"inti", "pop-haurgeulis", SUKRA}


def test_restoring_the_uplink_keeps_other_faults(net: SimulatedNetwork) -> None:
    run = ScenarioRun(net, Fault(FaultKind.UPLINK_CUT, ("uplink",)), Fault(FaultKind.CUT, (UTAMA,)))
    run.scheduler.restore("uplink")
    assert run.silent() == {UTAMA}


def test_restoring_all_ends_delayed_faults_too(net: SimulatedNetwork) -> None:
    run = ScenarioRun(net, Fault(FaultKind.NO_ROUTE, ("uplink",)))
    run.scheduler.command(Fault(FaultKind.CUT, (UTAMA,), at_s=3))
    assert run.scheduler.restore("all") is None
    assert run.at(4).changed() == set()
    assert run.actions.routes == [False, True]


def test_a_router_restored_during_its_reboot_has_restarted(
    net: SimulatedNetwork,
) -> None:
    run = ScenarioRun(net, Fault(FaultKind.REBOOT, ("anjatan",), 0, 75))
    run.scheduler.restore("anjatan")
    assert run.silent() == set()
    assert run.actions.restarts == [("anjatan", False)]
    run.at(75)
    assert run.actions.restarts == [("anjatan", False)]


def test_an_agent_fault_changes_only_the_agent_while_it_is_active(
    net: SimulatedNetwork,
) -> None:
    run = ScenarioRun(net, Fault(FaultKind.TOO_BIG, ("anjatan",), 10, 50, varbinds=4))
    assert run.actions.defects == {}
    assert run.at(10).actions.defects == {"anjatan": AgentDefects(max_varbinds=4)}
    assert run.changed() == set()
    assert run.at(60).actions.defects == {"anjatan": NO_DEFECTS}
    told = [(t.what, t.name, t.because) for t in run.scheduler.changes]
    assert told == [("agent", "anjatan", ("too-big anjatan",)), ("agent", "anjatan", ())]


def test_agent_defects_are_combined(net: SimulatedNetwork) -> None:
    run = ScenarioRun(
        net,
        Fault(FaultKind.TOO_BIG, ("anjatan", "pop-patrol"), varbinds=6),
        Fault(FaultKind.TOO_BIG, ("anjatan",), varbinds=4),
        Fault(FaultKind.TOO_BIG, ("anjatan",), varbinds=9),
        Fault(FaultKind.NARROW, (UTAMA,)),
        Fault(FaultKind.ENDLESS_WALK, ("pop-patrol",)),
        Fault(FaultKind.SNMP_SILENT, ("pop-patrol",), 5),
    )
    assert run.actions.defects == {
        "anjatan": AgentDefects(narrow=True, max_varbinds=4),
        "pop-patrol": AgentDefects(max_varbinds=6, endless=True),
    }
    assert run.at(5).actions.defects["pop-patrol"].silent


@pytest.mark.parametrize(
    ("sender", "address"), [(None, "10.77.0.14"), ("pop-haurgeulis", "10.77.0.15")]
)
def test_responses_come_from_the_upstream_or_the_named_router(
    net: SimulatedNetwork, sender: str | None, address: str
) -> None:
    run = ScenarioRun(net, Fault(FaultKind.OTHER_SOURCE, ("anjatan",), sender=sender))
    assert run.actions.defects["anjatan"].source_address == address


def test_an_instant_fault_is_applied_once(net: SimulatedNetwork) -> None:
    run = ScenarioRun(
        net,
        Fault(FaultKind.WRAP, ("anjatan",), 10),
        Fault(FaultKind.COUNTER_RESET, ("anjatan", "pop-patrol"), 20),
    )
    for elapsed_s in (0, 10, 11, 20, 30):
        run.at(elapsed_s)
    assert run.actions.instant_faults == [
        ("anjatan", FaultKind.WRAP),
        ("anjatan", FaultKind.COUNTER_RESET),
        ("pop-patrol", FaultKind.COUNTER_RESET),
    ]
    assert [(t.name, t.what) for t in run.scheduler.changes] == run.actions.instant_faults
    run.scheduler.command(Fault(FaultKind.RENUMBER, ("anjatan",)))
    run.scheduler.command(Fault(FaultKind.RENUMBER, ("anjatan",)))
    assert run.actions.instant_faults[3:] == [("anjatan", FaultKind.RENUMBER)] * 2


def test_instant_faults_are_applied_in_each_repetition(net: SimulatedNetwork) -> None:
    run = ScenarioRun(net)
    scenario = Scenario("test", "x", (Fault(FaultKind.WRAP, ("anjatan",), 10),), repeat_s=60)
    run.scheduler = FaultScheduler(net, run.usual, scenario, run.actions, run.now)
    run.scheduler.start()
    for elapsed_s in range(5, 140, 5):
        run.at(elapsed_s)
    assert len(run.actions.instant_faults) == 3


@pytest.mark.parametrize("where", ["all", "anjatan"])
def test_a_restored_router_has_no_defects(net: SimulatedNetwork, where: str) -> None:
    run = ScenarioRun(net, Fault(FaultKind.NARROW, ("anjatan", "pop-patrol")))
    run.scheduler.restore(where)
    assert run.actions.defects["anjatan"] == NO_DEFECTS
    assert run.actions.defects["pop-patrol"].narrow is (where != "all")


def test_one_restored_link_does_not_restore_its_router(net: SimulatedNetwork) -> None:
    run = ScenarioRun(net, Fault(FaultKind.NARROW, ("anjatan",)))
    run.scheduler.restore(UTAMA)
    assert run.actions.defects["anjatan"].narrow
