"""A running simulation, tested with ping and net-snmp."""

from __future__ import annotations

import json
import math
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitor.core.errors import ConfigError, SimulatorError
from monitor.simulator.behaviour import ReplyMode
from monitor.simulator.simulation import Simulation
from tests.simulator.networks import COMMUNITIES, COMMUNITY, ROUTER, small_network
from tests.simulator.tools import ping, run_inside, snmpget, tool
from tests.waiting import eventually

UTAMA = "anjatan/utama"
UPTIME = "1.3.6.1.2.1.1.3.0"
HC_IN, OPER, NAME = "1.3.6.1.2.1.31.1.1.1.6", "1.3.6.1.2.1.2.2.1.8", "1.3.6.1.2.1.31.1.1.1.1"


def index_of(simulation: Simulation, ifname: str) -> int:
    """A port's ifIndex at the router of anjatan, by snmpbulkwalk."""
    options = ["-v2c", "-c", COMMUNITY, "-Onq", ROUTER, NAME]
    lines = run_inside(simulation, "snmpbulkwalk", *options).stdout.splitlines()
    (line,) = [line for line in lines if line.endswith((f" {ifname}", f' "{ifname}"'))]
    return int(line.split()[0].rsplit(".", 1)[1])


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("anchor:10.77.0.1", "10.77.0.1"),
        ("inti", "10.77.0.10"),
        (UTAMA, "10.77.23.1"),
        ("anjatan/cadangan", "10.77.23.2"),
        ("sukra/enam", "fd77::24:1"),
    ],
)
def test_an_address_replies_after_its_delay(
    simulation: Simulation, name: str, address: str
) -> None:
    script = simulation.normal_behaviour(name)
    pinged = ping(simulation, address, 40)
    assert pinged.received == 40
    assert min(pinged.rtts_ms) > script.delay_ms - 0.1
    spread = script.highest_rtt_ms - script.delay_ms
    # On a busy machine single replies may be late, but not half of them.
    assert abs(statistics.median(pinged.rtts_ms) - script.median_rtt_ms) < 2.0 + 0.3 * spread


def test_a_share_of_the_requests_is_lost_and_counted(
    simulation: Simulation,
) -> None:
    before = simulation.control.counters().targets["sukra/enam"]
    simulation.control.loss("sukra/enam", 30)
    pinged = ping(simulation, "fd77::24:1", 250, every_s=0.003)
    after = simulation.control.counters().targets["sukra/enam"]
    assert after.requests - before.requests == 250
    assert pinged.received == after.answered - before.answered
    assert after.lost - before.lost == 250 - pinged.received
    assert abs(after.lost - before.lost - 75) < 5 * math.sqrt(250 * 0.3 * 0.7)


def test_a_cut_link_is_silent_until_it_is_restored(
    simulation: Simulation,
) -> None:
    simulation.control.cut(UTAMA)
    assert ping(simulation, ROUTER, 3).received == 0
    assert simulation.control.behaviours()[UTAMA].mode is ReplyMode.SILENT
    simulation.control.restore(UTAMA)
    assert ping(simulation, ROUTER, 3).received == 3
    assert simulation.control.behaviours()[UTAMA] == simulation.normal_behaviour(UTAMA)


def test_the_change_log_has_the_times_of_cut_and_restore(simulation: Simulation) -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME), time.time()
    cut = simulation.control.cut(UTAMA)
    restored = simulation.control.restore(UTAMA)
    after = time.clock_gettime(time.CLOCK_BOOTTIME), time.time()
    down, up = [truth for truth in simulation.control.changes() if truth.name == UTAMA][-2:]
    moments = [before[0], down.boottime_s, cut.boottime_s, up.boottime_s, restored.boottime_s]
    assert [*moments, after[0]] == sorted([*moments, after[0]])
    assert before[1] - 0.01 <= down.utc_s <= up.utc_s <= after[1] + 0.01
    assert down.behaviour is not None
    assert down.behaviour.mode is ReplyMode.SILENT
    assert down.because == (f"cut {UTAMA}",)
    assert (up.behaviour, up.because) == (simulation.normal_behaviour(UTAMA), ())


def test_a_cut_with_a_duration_ends_by_itself(simulation: Simulation) -> None:
    cut = simulation.control.cut(UTAMA, for_s=0.3)
    usual = simulation.normal_behaviour(UTAMA)
    eventually(lambda: simulation.control.behaviours()[UTAMA] == usual)
    up = simulation.control.changes()[-1]
    assert up.boottime_s - cut.boottime_s > 0.29


def test_snmp_does_not_respond_while_its_link_is_cut(simulation: Simulation) -> None:
    assert snmpget(simulation, ROUTER, COMMUNITY, [UPTIME])
    simulation.control.pop_down("pop-patrol")
    assert snmpget(simulation, ROUTER, COMMUNITY, [UPTIME]) == []
    assert snmpget(simulation, "10.77.1.14", COMMUNITY, [UPTIME]) == []
    simulation.control.restore("pop-patrol")
    assert snmpget(simulation, "10.77.1.14", COMMUNITY, [UPTIME])


def test_a_wrong_community_gets_no_response(simulation: Simulation) -> None:
    assert snmpget(simulation, ROUTER, "public", [UPTIME]) == []


def test_counters_advance_by_the_simulated_traffic(simulation: Simulation) -> None:
    oids = [UPTIME, f"{HC_IN}.{index_of(simulation, 'ether1')}"]
    traffic = simulation.traffic("anjatan", "ether1").inbound
    started = time.time()
    first = [int(value) for value in snmpget(simulation, ROUTER, COMMUNITY, oids)]

    def two_seconds_later() -> list[int]:
        values = [int(value) for value in snmpget(simulation, ROUTER, COMMUNITY, oids)]
        return values if values[0] - first[0] >= 200 else []

    second = eventually(two_seconds_later)
    seconds = (second[0] - first[0]) / 100
    bits = 8 * (second[1] - first[1])
    # sysUpTime has steps of 10 ms, and the rate moves little in two seconds.
    slack = 0.011 * traffic.peak_bps
    assert bits == pytest.approx(traffic.bits_between(started, started + seconds), abs=slack)
    assert bits > 0


def test_a_restarted_router_counts_from_0(simulation: Simulation) -> None:
    oids = [UPTIME, f"{HC_IN}.{index_of(simulation, 'ether1')}"]
    before = [int(value) for value in snmpget(simulation, ROUTER, COMMUNITY, oids)]
    simulation.control.reboot("anjatan", for_s=0.3)
    after = eventually(lambda: snmpget(simulation, ROUTER, COMMUNITY, oids))
    assert int(after[0]) < 3000 < before[0]
    assert int(after[1]) < before[1]
    assert [t.name for t in simulation.control.changes() if t.what == "restart"][-1] == "anjatan"


def test_a_cut_backup_link_is_down_on_its_interface(
    simulation: Simulation,
) -> None:
    oid = f"{OPER}.{index_of(simulation, 'ether2')}"
    assert snmpget(simulation, ROUTER, COMMUNITY, [oid]) == ["1"]
    simulation.control.cut("anjatan/cadangan")
    assert snmpget(simulation, ROUTER, COMMUNITY, [oid]) == ["2"]


def test_an_icmp_error_names_the_router_that_sent_it(simulation: Simulation) -> None:
    simulation.control.unreachable(UTAMA)
    pinged = ping(simulation, ROUTER, 2)
    assert pinged.received == 0
    assert all("From 10.77.0.14 " in line for line in pinged.errors)
    assert len(pinged.errors) == 2
    assert "Host Unreachable" in pinged.errors[0]


def test_duplicates_are_received(simulation: Simulation) -> None:
    simulation.control.fault("duplicate", UTAMA)
    pinged = ping(simulation, ROUTER, 5)
    assert pinged.received == 5
    # ping ends at the fifth reply, and may not wait for its double.
    assert pinged.duplicates >= 4


def test_uplink_cut_silences_the_anchors(simulation: Simulation) -> None:
    simulation.control.uplink_cut()
    assert ping(simulation, "10.77.0.1", 2).received == 0
    assert ping(simulation, "fd77::24:1", 2).received == 0


def test_sending_fails_without_a_route(simulation: Simulation) -> None:
    simulation.control.no_route()
    done = run_inside(simulation, "ping", "-c1", ROUTER)
    assert "Network is unreachable" in done.stderr
    simulation.control.restore("uplink")
    assert ping(simulation, ROUTER, 1).received == 1


def test_unix_sockets_and_files_are_shared_with_the_namespace(
    simulation: Simulation, tmp_path: Path
) -> None:
    outside = socket.socket(socket.AF_UNIX)
    outside.bind(str(tmp_path / "s"))
    outside.listen()
    say = (
        "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.send(b'hi')"
    )
    subprocess.run(
        simulation.inside([sys.executable, "-c", say, str(tmp_path / "s")]), check=True, timeout=30
    )
    connection, _ = outside.accept()
    assert connection.recv(2) == b"hi"
    connection.close()
    outside.close()


def test_the_namespace_has_its_own_loopback(simulation: Simulation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as outside:
        port = str(outside.getsockname()[1])
        try_it = "import socket,sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)"
        done = subprocess.run(
            simulation.inside([sys.executable, "-c", try_it, port]),
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert "ConnectionRefusedError" in done.stderr


def test_ping_sockets_are_allowed_inside(simulation: Simulation) -> None:
    make = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)"
    subprocess.run(simulation.inside([sys.executable, "-c", make]), check=True, timeout=30)


def test_the_network_of_the_machine_is_unchanged(simulation: Simulation) -> None:
    assert simulation.alive()
    assert "indramayu" not in [name for _, name in socket.if_nameindex()]
    for table in ("route", "ipv6_route"):
        assert "indramayu" not in Path("/proc/net", table).read_text()
    inside = run_inside(simulation, "ping", "-c1", ROUTER)
    assert inside.returncode == 0


def test_a_refused_command_returns_the_error(simulation: Simulation) -> None:
    with pytest.raises(SimulatorError, match="did you mean 'anjatan/utama'"):
        simulation.control.cut("anjatan/utma")
    with pytest.raises(SimulatorError, match="what = 'explode' is not known"):
        simulation.control.request("explode", where=UTAMA)


def test_invalid_json_is_refused_and_the_connection_stays_open(simulation: Simulation) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(simulation.control.path))
        lines = connection.makefile("rwb")
        answers = []
        for line in (b"hello\n", b"[1]\n", b'{"do": "behaviours"}\n'):
            lines.write(line)
            lines.flush()
            answers.append(json.loads(lines.readline()))
        lines.close()
    assert [answer["ok"] for answer in answers] == [False, False, True]
    assert "not JSON" in answers[0]["error"]


def test_only_the_owner_may_use_the_control_socket(simulation: Simulation) -> None:
    assert simulation.control.path.stat().st_mode & 0o777 == 0o600


def test_a_scenario_file_runs(tmp_path: Path) -> None:
    scenario = tmp_path / "mine.toml"
    scenario.write_text(
        'about = "x"\n[[event]]\nat = 0.2\nfor = 0.3\nwhat = "cut"\nwhere = "anjatan"\n', "utf-8"
    )
    with Simulation.start(small_network(), scenario, work_dir=tmp_path) as simulation:
        assert simulation.routers_without_snmp == ("anjatan", "pop-patrol")
        eventually(lambda: len(simulation.control.changes()) == 4)
        truth = simulation.control.changes()
    assert {t.name for t in truth} == {UTAMA, "anjatan/cadangan"}
    assert truth[2].boottime_s - truth[0].boottime_s > 0.29


def test_quit_ends_the_simulator(tmp_path: Path) -> None:
    with Simulation.start(small_network(), "quiet", work_dir=tmp_path) as simulation:
        simulation.control.quit()
        eventually(lambda: not simulation.alive())
        with pytest.raises(SimulatorError, match="does not answer"):
            simulation.control.changes()


def test_an_invalid_scenario_is_refused_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match="no scenario 'quite'"):
        Simulation.start(small_network(), "quite", work_dir=tmp_path)


def test_an_invalid_configuration_is_refused_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        Simulation.start(tmp_path, "quiet", work_dir=tmp_path)


def test_a_path_that_is_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    with pytest.raises(SimulatorError, match="too long for a Unix socket"):
        Simulation.start(small_network(), "quiet", work_dir=deep)


def test_the_shipped_configuration_answers_icmp_and_snmp_with_its_own_secret(
    tmp_path: Path,
) -> None:
    config = Path(__file__).parents[2] / "config"
    with Simulation.start(
        config, "quiet", work_dir=tmp_path, communities=COMMUNITIES
    ) as simulation:
        assert simulation.routers_without_snmp == ()
        assert len(simulation.network.sites) == 31
        for target in simulation.network.targets()[::12]:
            assert ping(simulation, target.address, 3, wait_s=2.0).received == 3, target.name
        for device in simulation.network.devices[::9]:
            assert snmpget(simulation, device.address, COMMUNITY, [UPTIME]), device.name


def test_it_can_be_run_by_hand_in_a_new_namespace(tmp_path: Path) -> None:
    """Not through Simulation.start, and without --end-with-parent."""
    config = Path(__file__).parents[2] / "config"
    unshare = [tool("unshare"), "--map-root-user", "--net"]
    words = ["--config", str(config), "--scenario", "quiet", "--control", str(tmp_path / "c")]
    with subprocess.Popen(
        [*unshare, sys.executable, "-m", "monitor.simulator", *words],
        stdout=subprocess.PIPE,
        text=True,
        cwd=config.parent,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.wait(10) == 0
