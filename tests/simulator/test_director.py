"""Events over time, on a clock that the test turns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from monitor.core.errors import SimulatorError
from monitor.core.model import Device
from monitor.simulator.behaviour import Behaviour, Fate, usual_behaviour
from monitor.simulator.director import Director, Moment
from monitor.simulator.events import Event, What
from monitor.simulator.quirks import HONEST, Quirks
from monitor.simulator.scenario import Scenario
from monitor.simulator.world import SimulatedNetwork

UTAMA, CADANGAN, SUKRA = "anjatan/utama", "anjatan/cadangan", "sukra/utama"
START_UTC_S, START_BOOT_S = 1.8e9, 5000.0


@dataclass
class Recorder:
    """A stage that keeps what it is told."""

    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    restarts: list[tuple[str, bool]] = field(default_factory=list)
    routes: list[bool] = field(default_factory=list)
    quirks: dict[str, Quirks] = field(default_factory=dict)
    befallen: list[tuple[str, What]] = field(default_factory=list)

    def behave(self, name: str, behaviour: Behaviour) -> None:
        self.behaviours[name] = behaviour

    def restart(self, device: Device, renumber: bool) -> None:
        self.restarts.append((device.name, renumber))

    def answer_so(self, device: Device, quirks: Quirks) -> None:
        self.quirks[device.name] = quirks

    def befall(self, device: Device, event: Event) -> None:
        self.befallen.append((device.name, event.what))

    def route(self, present: bool) -> None:
        self.routes.append(present)


class Play:
    """A director with a clock to turn; `at` turns it and lets the director look."""

    def __init__(self, world: SimulatedNetwork, *events: Event) -> None:
        self.stage = Recorder()
        self.elapsed_s = 0.0
        self.usual = {p.name: usual_behaviour(p.kind, p.name, 1) for p in world.places.values()}
        scenario = Scenario("test", "x", events)
        self.director = Director(world, self.usual, scenario, self.stage, self.now)
        self.next_s = self.director.start()

    def now(self) -> Moment:
        return Moment(START_UTC_S + self.elapsed_s, START_BOOT_S + self.elapsed_s)

    def at(self, elapsed_s: float) -> Play:
        self.elapsed_s = elapsed_s
        self.next_s = self.director.refresh()
        return self

    def silent(self) -> set[str]:
        return {n for n, b in self.stage.behaviours.items() if b.fate is Fate.SILENT}

    def changed(self) -> set[str]:
        return {n for n, b in self.stage.behaviours.items() if b != self.usual[n]}


def test_a_quiet_day_tells_the_stage_everything_once_and_needs_no_clock(
    world: SimulatedNetwork,
) -> None:
    play = Play(world)
    assert play.stage.behaviours == play.usual
    assert play.next_s is None
    assert not play.director.truth


def test_a_cut_comes_and_goes_when_it_is_written(world: SimulatedNetwork) -> None:
    play = Play(world, Event(What.CUT, (UTAMA,), 30, 60))
    assert play.next_s == 30
    assert play.at(30).silent() == {UTAMA}
    assert play.next_s == 60
    assert play.at(90).changed() == set()
    assert play.next_s is None


def test_the_truth_tells_each_change_with_both_clocks_and_its_cause(
    world: SimulatedNetwork,
) -> None:
    play = Play(world, Event(What.CUT, (UTAMA,), 30, 60))
    play.at(30.001)
    play.at(60)
    play.at(90)
    down, up = play.director.truth
    assert (down.utc_s, down.boottime_s) == (START_UTC_S + 30.001, START_BOOT_S + 30.001)
    assert (down.what, down.name, down.because) == ("behaviour", UTAMA, (f"cut {UTAMA}",))
    assert down.behaviour == replace(play.usual[UTAMA], fate=Fate.SILENT)
    assert (up.boottime_s, up.behaviour, up.because) == (START_BOOT_S + 90, play.usual[UTAMA], ())


def test_a_whole_site_is_cut_by_its_name(world: SimulatedNetwork) -> None:
    assert Play(world, Event(What.CUT, ("anjatan",))).silent() == {UTAMA, CADANGAN}


def test_a_cut_of_a_node_leaves_what_is_behind_it(world: SimulatedNetwork) -> None:
    assert Play(world, Event(What.CUT, ("inti",))).silent() == {"inti"}


def test_a_pop_takes_what_has_no_other_way_and_its_router_along(world: SimulatedNetwork) -> None:
    play = Play(world, Event(What.POP_DOWN, ("pop-patrol",)))
    assert play.silent() == {"pop-patrol", "router:pop-patrol", UTAMA, SUKRA}


def test_a_link_with_two_parents_falls_when_both_are_down_and_comes_back_with_the_first(
    world: SimulatedNetwork,
) -> None:
    patrol = Event(What.POP_DOWN, ("pop-patrol",), 10, 100)
    haurgeulis = Event(What.POP_DOWN, ("pop-haurgeulis",), 20, 30)
    play = Play(world, patrol, haurgeulis)
    assert CADANGAN not in play.at(10).silent()
    assert CADANGAN in play.at(20).silent()
    because = next(t.because for t in play.director.truth if t.name == CADANGAN)
    assert because == ("pop-down pop-patrol", "pop-down pop-haurgeulis")
    assert CADANGAN not in play.at(50).silent()
    assert UTAMA in play.silent()


def test_the_core_takes_its_pops_and_all_their_links_along(world: SimulatedNetwork) -> None:
    play = Play(world, Event(What.POP_DOWN, ("inti",)))
    assert play.silent() == {
        *("inti", "pop-patrol", "pop-haurgeulis", "router:pop-patrol"),
        *(UTAMA, CADANGAN, SUKRA),
    }


def test_the_uplink_takes_everything(world: SimulatedNetwork) -> None:
    play = Play(world, Event(What.UPLINK_CUT, ("uplink",)))
    assert play.silent() == set(world.places)


def test_without_a_route_the_addresses_would_still_answer(world: SimulatedNetwork) -> None:
    play = Play(world, Event(What.NO_ROUTE, ("uplink",), 10, 5))
    assert play.at(10).changed() == set()
    play.at(15)
    assert play.stage.routes == [False, True]
    assert [truth.name for truth in play.director.truth] == ["absent", "present"]


def test_impairments_add_up_to_what_is_usual(world: SimulatedNetwork) -> None:
    play = Play(
        world,
        Event(What.LOSS, (SUKRA,), loss_ratio=0.5),
        Event(What.LOSS, (SUKRA,), loss_ratio=0.2),
        Event(What.DELAY, (SUKRA,), delay_ms=100),
        Event(What.JITTER, (SUKRA,), jitter_ms=7),
        Event(What.DUPLICATE, (SUKRA,), share_ratio=0.25),
    )
    usual, now = play.usual[SUKRA], play.stage.behaviours[SUKRA]
    assert now.loss_ratio == pytest.approx(1 - (1 - usual.loss_ratio) * 0.5 * 0.8)
    assert now.delay_ms == usual.delay_ms + 100
    assert now.jitter_ms == usual.jitter_ms + 7
    assert now.duplicate_ratio == 0.25
    assert now.fate is Fate.ANSWERED


@pytest.mark.parametrize(
    ("sender", "address"), [(None, "10.77.0.14"), ("pop-haurgeulis", "10.77.0.15")]
)
def test_an_icmp_error_comes_from_the_router_before_or_from_the_one_named(
    world: SimulatedNetwork, sender: str | None, address: str
) -> None:
    play = Play(world, Event(What.UNREACHABLE, (UTAMA,), sender=sender, code=13))
    now = play.stage.behaviours[UTAMA]
    assert now.fate is Fate.UNREACHABLE
    assert (now.unreachable_from, now.unreachable_code) == (address, 13)


@pytest.mark.parametrize("order", [1, -1])
def test_silence_outdoes_an_icmp_error(world: SimulatedNetwork, order: int) -> None:
    events = [Event(What.UNREACHABLE, (UTAMA,)), Event(What.CUT, (UTAMA,))][::order]
    assert UTAMA in Play(world, *events).silent()


def test_a_flapping_link_goes_and_comes_at_its_period(world: SimulatedNetwork) -> None:
    play = Play(world, Event(What.FLAP, (UTAMA,), 10, 100, period_s=40, down_s=12))
    seen = [(t, bool(play.at(t).silent()), play.next_s) for t in (10, 22, 50, 62, 110)]
    assert seen == [
        (10, True, 12),
        (22, False, 28),
        (50, True, 12),
        (62, False, 28),
        (110, False, None),
    ]


def test_a_reboot_silences_a_routers_links_and_restarts_it_when_it_is_over(
    world: SimulatedNetwork,
) -> None:
    play = Play(world, Event(What.REBOOT, ("anjatan",), 10, 75, renumber=True))
    assert play.at(10).silent() == {UTAMA, CADANGAN}
    assert play.stage.restarts == []
    assert play.at(85).silent() == set()
    assert play.stage.restarts == [("anjatan", True)]
    assert [t.name for t in play.director.truth if t.what == "restart"] == ["anjatan"]


def test_a_reboot_of_a_node_cuts_what_is_behind_it(world: SimulatedNetwork) -> None:
    play = Play(world, Event(What.REBOOT, ("pop-patrol",), 0, 75))
    assert play.silent() == {"pop-patrol", "router:pop-patrol", UTAMA, SUKRA}
    play.at(75)
    assert play.stage.restarts == [("pop-patrol", False)]


def test_a_routers_own_address_is_silent_only_when_all_that_carries_it_is(
    world: SimulatedNetwork,
) -> None:
    play = Play(world, Event(What.CUT, ("pop-patrol",)))
    assert play.silent() == {"pop-patrol", "router:pop-patrol"}


def test_a_command_acts_at_once_and_ends_by_itself(world: SimulatedNetwork) -> None:
    play = Play(world)
    play.elapsed_s = 7
    assert play.director.command(Event(What.CUT, (UTAMA,), for_s=5)) == 5
    assert play.silent() == {UTAMA}
    assert play.at(12).silent() == set()


def test_a_command_may_be_put_off(world: SimulatedNetwork) -> None:
    play = Play(world)
    assert play.director.command(Event(What.CUT, (UTAMA,), at_s=3)) == 3
    assert play.silent() == set()
    assert play.at(3).silent() == {UTAMA}


def test_a_command_for_nothing_that_is_there_changes_nothing(world: SimulatedNetwork) -> None:
    play = Play(world)
    with pytest.raises(SimulatorError, match="no target, site or node"):
        play.director.command(Event(What.CUT, ("nowhere",)))
    assert play.changed() == set()


def test_restoring_ends_commands_and_the_scenarios_own_events(world: SimulatedNetwork) -> None:
    play = Play(world, Event(What.CUT, (UTAMA,), 0, 100))
    play.director.command(Event(What.LOSS, (UTAMA,), loss_ratio=0.5))
    assert play.changed() == {UTAMA}
    play.director.restore(UTAMA)
    assert play.changed() == set()
    assert play.at(50).changed() == set()


def test_restoring_one_link_leaves_the_rest_of_an_event(world: SimulatedNetwork) -> None:
    play = Play(world, Event(What.POP_DOWN, ("pop-patrol",)))
    play.director.restore(SUKRA)
    assert play.silent() == {"pop-patrol", "router:pop-patrol", UTAMA}
    play.director.restore("pop-patrol")
    assert play.silent() == set()


def test_restoring_a_pop_behind_a_dead_core_restores_what_hangs_on_it(
    world: SimulatedNetwork,
) -> None:
    play = Play(world, Event(What.POP_DOWN, ("inti",)), Event(What.CUT, (SUKRA,)))
    play.director.restore("pop-patrol")
    assert play.silent() == {"inti", "pop-haurgeulis", SUKRA}


def test_restoring_the_uplink_leaves_what_else_is_broken(world: SimulatedNetwork) -> None:
    play = Play(world, Event(What.UPLINK_CUT, ("uplink",)), Event(What.CUT, (UTAMA,)))
    play.director.restore("uplink")
    assert play.silent() == {UTAMA}


def test_restoring_all_ends_what_is_put_off_too(world: SimulatedNetwork) -> None:
    play = Play(world, Event(What.NO_ROUTE, ("uplink",)))
    play.director.command(Event(What.CUT, (UTAMA,), at_s=3))
    assert play.director.restore("all") is None
    assert play.at(4).changed() == set()
    assert play.stage.routes == [False, True]


def test_a_router_restored_in_the_middle_of_its_reboot_has_restarted(
    world: SimulatedNetwork,
) -> None:
    play = Play(world, Event(What.REBOOT, ("anjatan",), 0, 75))
    play.director.restore("anjatan")
    assert play.silent() == set()
    assert play.stage.restarts == [("anjatan", False)]
    play.at(75)
    assert play.stage.restarts == [("anjatan", False)]


def test_an_agent_answers_wrongly_while_the_event_lasts_and_no_address_notices(
    world: SimulatedNetwork,
) -> None:
    play = Play(world, Event(What.TOO_BIG, ("anjatan",), 10, 50, varbinds=4))
    assert play.stage.quirks == {}
    assert play.at(10).stage.quirks == {"anjatan": Quirks(most_varbinds=4)}
    assert play.changed() == set()
    assert play.at(60).stage.quirks == {"anjatan": HONEST}
    told = [(t.what, t.name, t.because) for t in play.director.truth]
    assert told == [("agent", "anjatan", ("too-big anjatan",)), ("agent", "anjatan", ())]


def test_what_an_agent_does_wrong_adds_up(world: SimulatedNetwork) -> None:
    play = Play(
        world,
        Event(What.TOO_BIG, ("anjatan", "pop-patrol"), varbinds=6),
        Event(What.TOO_BIG, ("anjatan",), varbinds=4),
        Event(What.TOO_BIG, ("anjatan",), varbinds=9),
        Event(What.NARROW, (UTAMA,)),
        Event(What.ENDLESS_WALK, ("pop-patrol",)),
        Event(What.SNMP_SILENT, ("pop-patrol",), 5),
    )
    assert play.stage.quirks == {
        "anjatan": Quirks(narrow=True, most_varbinds=4),
        "pop-patrol": Quirks(most_varbinds=6, endless=True),
    }
    assert play.at(5).stage.quirks["pop-patrol"].silent


@pytest.mark.parametrize(
    ("sender", "address"), [(None, "10.77.0.14"), ("pop-haurgeulis", "10.77.0.15")]
)
def test_answers_come_from_the_router_before_or_from_the_one_named(
    world: SimulatedNetwork, sender: str | None, address: str
) -> None:
    play = Play(world, Event(What.OTHER_SOURCE, ("anjatan",), sender=sender))
    assert play.stage.quirks["anjatan"].answers_from == address


def test_what_befalls_a_router_befalls_it_once(world: SimulatedNetwork) -> None:
    play = Play(
        world,
        Event(What.WRAP, ("anjatan",), 10),
        Event(What.COUNTER_RESET, ("anjatan", "pop-patrol"), 20),
    )
    for elapsed_s in (0, 10, 11, 20, 30):
        play.at(elapsed_s)
    assert play.stage.befallen == [
        ("anjatan", What.WRAP),
        ("anjatan", What.COUNTER_RESET),
        ("pop-patrol", What.COUNTER_RESET),
    ]
    assert [(t.name, t.what) for t in play.director.truth] == play.stage.befallen
    play.director.command(Event(What.RENUMBER, ("anjatan",)))
    play.director.command(Event(What.RENUMBER, ("anjatan",)))
    assert play.stage.befallen[3:] == [("anjatan", What.RENUMBER)] * 2


def test_a_repeated_scenario_befalls_a_router_again_each_time(world: SimulatedNetwork) -> None:
    play = Play(world)
    scenario = Scenario("test", "x", (Event(What.WRAP, ("anjatan",), 10),), repeat_s=60)
    play.director = Director(world, play.usual, scenario, play.stage, play.now)
    play.director.start()
    for elapsed_s in range(5, 140, 5):
        play.at(elapsed_s)
    assert len(play.stage.befallen) == 3


@pytest.mark.parametrize("where", ["all", "anjatan"])
def test_a_restored_router_answers_honestly(world: SimulatedNetwork, where: str) -> None:
    play = Play(world, Event(What.NARROW, ("anjatan", "pop-patrol")))
    play.director.restore(where)
    assert play.stage.quirks["anjatan"] == HONEST
    assert play.stage.quirks["pop-patrol"].narrow is (where != "all")


def test_one_restored_link_does_not_mend_its_router(world: SimulatedNetwork) -> None:
    play = Play(world, Event(What.NARROW, ("anjatan",)))
    play.director.restore(UTAMA)
    assert play.stage.quirks["anjatan"].narrow
